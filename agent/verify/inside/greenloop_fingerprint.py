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
SEARCHES = frozenset({"gc.get_objects", "gc.get_referrers", "gc.get_referents"})
"""How code finds objects that nobody gave it, ours among them."""


class Fingerprint:
    """What the instrument was made of when it was made, and what has been seen to differ since."""

    def __init__(self, own: list[type]) -> None:
        self.seen: dict[str, None] = {}
        self._core: list[Any] = []
        self._others: list[Any] = []
        self._tests: dict[str, Any] = {}
        for name, module in sorted(sys.modules.items()):
            if name.partition(".")[0] in WATCHED and isinstance(module, types.ModuleType):
                parts = self._core if name in CORE else self._others
                parts.extend(_parts_of_module(name, module))
        for watched, keys in ((builtins, BUILTINS), (os, PROCESS)):
            self._others.extend(_part(watched.__name__, vars(watched), key) for key in keys)
        for class_ in own:
            self._core.extend(_parts_of_class(class_.__qualname__, class_))

    def check(self) -> None:
        """Look at the core."""
        self.seen.update((part[0], None) for part in self._core if _differs(part))

    def check_everything(self) -> list[str]:
        """Look at every part and every test; return the names of all that was ever seen."""
        self.check()
        self.seen.update((part[0], None) for part in self._others if _differs(part))
        for id_, (function, code) in self._tests.items():
            if function.__code__ is not code:
                self.seen[id_] = None
        return sorted(self.seen)

    def remember_test(self, id_: str, call: Any) -> None:
        """Remember what a test is made of, when it is collected."""
        function = _function(call)
        if function is not None:
            self._tests[id_] = (function, function.__code__)

    def check_test(self, id_: str, call: Any) -> None:
        """Look whether a test that is about to run is still the one that was collected."""
        function, code = self._tests.get(id_, (None, None))
        if function is None:
            return
        if _function(call) is not function or function.__code__ is not code:
            self.seen[id_] = None

    def listen(self, place_of: Callable[[str], str]) -> None:
        """From now on note who searches memory; `place_of` names a file, or nothing to ignore it.

        Audit hooks cannot be taken out again by Python code.
        """
        frame_of, seen = sys._getframe, self.seen

        def hear(event: str, _arguments: Any) -> None:
            if event in SEARCHES:
                place = place_of(frame_of(1).f_code.co_filename)
                if place:
                    seen[event + " called from " + place] = None

        sys.addaudithook(hear)


class Unwatched:
    """In place of a fingerprint where nobody judges by the run: searching, not verdicts."""

    def check(self) -> None:
        """Look at nothing."""

    def check_everything(self) -> list[str]:
        """Return that nothing was seen."""
        return []

    def remember_test(self, id_: str, call: Any) -> None:
        """Remember nothing."""

    check_test = remember_test

    def listen(self, place_of: Callable[[str], str]) -> None:
        """Note nothing."""


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
