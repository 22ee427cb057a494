"""What Python's error messages complain of, from 3.8 on; unknown ones are OTHER."""

import re
from functools import lru_cache
from typing import Final

from agent.repair.lang.base import Complaint, Trouble

_BY_ERROR: Final = {
    "KeyError": Trouble.MISSING_KEY,
    "IndexError": Trouble.BAD_INDEX,
    "ZeroDivisionError": Trouble.ZERO_DIVISOR,
    "StopIteration": Trouble.EMPTY_INPUT,
    "StatisticsError": Trouble.EMPTY_INPUT,
    "RecursionError": Trouble.ENDLESS,
    "ValueError": Trouble.WRONG_VALUE,
    "OverflowError": Trouble.WRONG_VALUE,
    "TypeError": Trouble.WRONG_TYPE,
    "AttributeError": Trouble.MISSING_MEMBER,
}
"""What an error is where its message says no more."""

_PATTERNS: Final = (
    ("UnboundLocalError", Trouble.UNBOUND, re.compile(r"local variable '(?P<name>\w+)'")),
    ("NameError", Trouble.UNBOUND, re.compile(r"free variable '(?P<name>\w+)'")),
    ("NameError", Trouble.UNDEFINED_NAME, re.compile(r"name '(?P<name>\w+)' is not defined")),
    ("AttributeError", Trouble.NOT_AWAITED, re.compile(r"'(?P<owner>coroutine)' object")),
    (
        "AttributeError",
        Trouble.NOTHING,
        re.compile(r"'(?P<owner>NoneType)' object has no attribute '(?P<name>\w+)'"),
    ),
    (
        "AttributeError",
        Trouble.MISSING_MEMBER,
        re.compile(r"'?(?P<owner>[\w.]+)'?(?: object)? has no attribute '(?P<name>\w+)'"),
    ),
    (
        "TypeError",
        Trouble.WRONG_KEYWORD,
        re.compile(r"unexpected keyword argument '(?P<name>\w+)'"),
    ),
    (
        "TypeError",
        Trouble.WRONG_KEYWORD,
        re.compile(r"'(?P<name>\w+)' is an invalid keyword argument"),
    ),
    ("TypeError", Trouble.WRONG_COUNT, re.compile(r"(?P<owner>\w+)\(\) takes .* given")),
    (
        "TypeError",
        Trouble.WRONG_COUNT,
        re.compile(r"(?P<owner>\w+)\(\) missing \d+ required .*?'(?P<name>\w+)'"),
    ),
    ("TypeError", Trouble.WRONG_COUNT, re.compile(r"expected (?:at \w+ )?\d+ arguments?, got")),
    ("TypeError", Trouble.NOT_AWAITED, re.compile(r"coroutine")),
    ("TypeError", Trouble.NOTHING, re.compile(r"NoneType")),
    ("TypeError", Trouble.NOT_CALLABLE, re.compile(r"object is not callable")),
    (
        "ModuleNotFoundError",
        Trouble.NO_MODULE,
        re.compile(r"No module named '(?P<name>[\w.]+)'"),
    ),
    ("ImportError", Trouble.NO_MODULE, re.compile(r"cannot import name '(?P<name>\w+)'")),
    ("ImportError", Trouble.NO_MODULE, re.compile(r"No module named '(?P<name>[\w.]+)'")),
    (
        "ValueError",
        Trouble.EMPTY_INPUT,
        re.compile(r"empty (?:sequence|iterable)|argument is empty"),
    ),
    (
        "TypeError",
        Trouble.EMPTY_INPUT,
        re.compile(r"empty (?:sequence|iterable)|argument is empty"),
    ),
)


@lru_cache(maxsize=256)
def complaint(error: str, message: str) -> Complaint:
    """Return what an exception of the class with the message complains of."""
    for class_name, trouble, pattern in _PATTERNS:
        found = pattern.search(message) if class_name == error else None
        if found is not None:
            groups = found.groupdict()
            return Complaint(
                trouble=trouble, name=groups.get("name") or "", owner=groups.get("owner") or ""
            )
    return Complaint(trouble=_BY_ERROR.get(error.rpartition(".")[2], Trouble.OTHER))
