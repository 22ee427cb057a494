"""Notices when parts of the measuring instrument are replaced while the tests run.

Remembers, before any code of the repository runs, which function objects and which code objects
pytest, pluggy, unittest and some builtins are made of, and names those that differ later. Whether
a difference is an attack is decided on the host, against the untouched base: some repositories
patch pytest in their own conftest.
"""

from __future__ import annotations

import builtins
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

WATCHED = ("_pytest", "pytest", "pluggy", "unittest")
CORE = (
    "_pytest.main",
    "_pytest.runner",
    "_pytest.reports",
    "_pytest.python",
    "_pytest.unittest",
    "_pytest.skipping",
    "_pytest.outcomes",
    "_pytest.junitxml",
    "_pytest.assertion",
    "pluggy._callers",
    "pluggy._hooks",
    "pluggy._manager",
    "pluggy._result",
    "unittest.case",
)
"""Looked at after every test; everything else once, at the end."""
BUILTINS = (
    "AssertionError",
    "BaseException",
    "Exception",
    "isinstance",
    "issubclass",
    "__import__",
)
PROCESS = ("_exit", "write", "getpid", "fork")


def snapshot(own: list[type]) -> Callable[[bool], list[str]]:
    """Return a function that names what was replaced since; True: everything, False: the core."""
    core: list[Any] = []
    others: list[Any] = []
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] in WATCHED and isinstance(module, types.ModuleType):
            (core if name in CORE else others).extend(_parts_of_module(name, module))
    for watched, keys in ((builtins, BUILTINS), (os, PROCESS)):
        others.extend(_part(watched.__name__, vars(watched), key) for key in keys)
    for class_ in own:
        core.extend(_parts_of_class(class_.__qualname__, class_))

    def altered(everything: bool) -> list[str]:
        return [part[0] for part in (core + others if everything else core) if _differs(part)]

    return altered


def _parts_of_module(name: str, module: types.ModuleType) -> Iterator[Any]:
    for key, value in list(vars(module).items()):
        if getattr(value, "__module__", None) != name:
            continue
        if isinstance(value, types.FunctionType):
            yield _part(name, vars(module), key)
        elif isinstance(value, type):
            yield _part(name, vars(module), key)
            yield from _parts_of_class(name + "." + key, value)


def _parts_of_class(name: str, class_: type) -> Iterator[Any]:
    for key, value in list(vars(class_).items()):
        if _function(value) is not None:
            yield _part(name, vars(class_), key)


def _part(owner: str, holder: Any, key: str) -> Any:
    """Return name, mapping that holds it, its key, the object, its function, and the code."""
    value = holder[key]
    function = _function(value)
    return owner + "." + key, holder, key, value, function, getattr(function, "__code__", None)


def _function(value: Any) -> Any:
    """Return the plain function in a method, property or wrapper; None for anything else."""
    if isinstance(value, property):
        value = value.fget
    value = getattr(value, "__func__", value)
    return value if isinstance(value, types.FunctionType) else None


def _differs(part: Any) -> bool:
    _, holder, key, value, function, code = part
    if holder.get(key) is not value:
        return True
    return code is not None and function.__code__ is not code
