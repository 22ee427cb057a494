"""What the error messages of V8 complain of; unknown ones are OTHER."""

import re
from functools import lru_cache
from typing import Final

from agent.repair.lang.base import Complaint, Trouble

_NOTHING: Final = r"(?P<owner>undefined|null)"
_PATTERNS: Final = (
    (Trouble.UNDEFINED_NAME, re.compile(r"^(?P<name>[\w$]+) is not defined")),
    (Trouble.UNBOUND, re.compile(r"^Cannot access '(?P<name>[\w$]+)' before initialization")),
    (
        Trouble.NOTHING,
        re.compile(rf"^Cannot (?:read|set) properties of {_NOTHING} \(\w+ '(?P<name>[^']*)'\)"),
    ),
    (Trouble.NOTHING, re.compile(rf"^Cannot read property '(?P<name>[^']*)' of {_NOTHING}")),
    (
        Trouble.NOTHING,
        re.compile(rf"^Cannot destructure property '(?P<name>[^']*)' of .* as it is {_NOTHING}"),
    ),
    (Trouble.NOTHING, re.compile(r"^Cannot convert undefined or null to object")),
    (Trouble.NOTHING, re.compile(rf"^{_NOTHING} is not (?:iterable|a function)")),
    (Trouble.NOTHING, re.compile(rf"(?:^|: ){_NOTHING} is not")),
    (
        Trouble.MISSING_MEMBER,
        re.compile(r"^(?P<owner>.*)\.(?P<name>[\w$#]+) is not a (?:function|constructor)"),
    ),
    (Trouble.NOT_CALLABLE, re.compile(r"^(?P<name>[\w$]+) is not a (?:function|constructor)")),
    (Trouble.NOT_CALLABLE, re.compile(r"is not a (?:function|constructor)")),
    (Trouble.WRONG_TYPE, re.compile(r"is not iterable|is not a? ?(?:string|number|array)")),
    (Trouble.WRONG_TYPE, re.compile(r"Cannot mix BigInt|must be of type|Cannot use 'in' operator")),
    (Trouble.EMPTY_INPUT, re.compile(r"^Reduce of empty array")),
    (Trouble.ENDLESS, re.compile(r"^Maximum call stack size exceeded")),
    (Trouble.NO_MODULE, re.compile(r"^Cannot find (?:module|package) '(?P<name>[^']+)'")),
    (
        Trouble.NO_MODULE,
        re.compile(r"does not provide an export named '(?P<name>[^']+)'"),
    ),
)
_BY_ERROR: Final = {
    "RangeError": Trouble.WRONG_VALUE,
    "SyntaxError": Trouble.WRONG_VALUE,
    "URIError": Trouble.WRONG_VALUE,
    "TypeError": Trouble.WRONG_TYPE,
}
"""What an error is where its message says no more."""


@lru_cache(maxsize=256)
def complaint(error: str, message: str) -> Complaint:
    """Return what an error of the class with the message complains of."""
    for trouble, pattern in _PATTERNS if error.endswith("Error") else ():
        if found := pattern.search(message):
            groups = found.groupdict()
            return Complaint(
                trouble=trouble, name=groups.get("name") or "", owner=groups.get("owner") or ""
            )
    return Complaint(trouble=_BY_ERROR.get(error, Trouble.OTHER))
