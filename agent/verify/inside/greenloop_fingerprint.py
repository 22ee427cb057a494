"""Notices when parts of the measuring instrument are replaced while the tests run.

Remembers, before any code of the repository runs, which objects pytest, pluggy, unittest and the
builtins are made of; later also the tests themselves and how hooks are called; and names what
differs afterwards. Whether a difference is an attack is decided on the host, against the
untouched base: some repositories patch pytest in their own conftest.
"""

from __future__ import annotations

import builtins
import operator
import os
import posixpath
import sys
import types
import unittest
from collections.abc import Iterator, Mapping
from typing import Any

# From here on our functions have builtins of their own, which nobody can replace by name.
globals()["__builtins__"] = dict(vars(builtins))
is_ = operator.is_

WATCHED = ("_pytest", "pytest", "pluggy", "unittest", "json")
CORE = (
    "_pytest.main",
    "_pytest.runner",
    "_pytest.reports",
    "_pytest.python",
    "_pytest.nodes",
    "_pytest.unittest",
    "_pytest.skipping",
    "_pytest.outcomes",
    "_pytest.junitxml",
    "_pytest.assertion",
    "pluggy._callers",
    "pluggy._execution",
    "pluggy._caller",
    "pluggy._hooks",
    "pluggy._manager",
    "pluggy._result",
    "unittest.case",
    "json.encoder",
)
"""Looked at before a test is called too, when its fixtures may have replaced other things."""
PROCESS = ("_exit", "write", "getpid", "fork", "lstat", "readlink", "fspath")
CASE = frozenset(key for key, value in vars(unittest.TestCase).items() if callable(value))


class Fingerprint:
    """What the instrument was made of when it was made, and what has been seen to differ since."""

    def __init__(self, own: list[types.ModuleType]) -> None:
        self.seen: dict[str, None] = {}
        self._core: list[Any] = []
        self._others: list[Any] = []
        self._codes: list[Any] = []
        self._classes: list[Any] = []
        self._tests: dict[str, Any] = {}
        self._hooks: list[Any] = []
        self._objects: list[Any] = []
        self._mine = tuple(vars(module) for module in own)
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in WATCHED and isinstance(module, types.ModuleType):
                self._remember_module(name, module)
        for module in own:
            self._remember_module(module.__name__, module)
        self._remember(self._others, "builtins", vars(builtins), list(vars(builtins)))
        self._remember(self._others, "os", vars(os), PROCESS)
        self._remember(self._others, "os.path", vars(posixpath), _callables(vars(posixpath)))

    def _remember_module(self, name: str, module: types.ModuleType) -> None:
        held = vars(module)
        core = name in CORE or any(held is space for space in self._mine)
        parts = self._core if core else self._others
        own = [key for key in held if getattr(held[key], "__module__", None) == name]
        self._remember(parts, name, held, _callables(held) if core else _callables(held, own))
        for key in own:
            class_ = held[key]
            if isinstance(class_, type):
                place = name + "." + key
                self._remember(parts, place, vars(class_), _functions(vars(class_)))
                if core:
                    self._classes.append((place, class_, frozenset(vars(class_))))

    def _remember(self, parts: list[Any], name: str, holder: Any, keys: Any) -> None:
        if keys:
            parts.append(_part(name, holder, keys))
        for key in keys:
            function = _function(holder.get(key))
            if function is not None:
                self._codes.append((name + "." + key, function, function.__code__))

    def check(self) -> None:
        """Look at everything that may differ only while a test runs."""
        self._check_core()
        self._check_parts(self._others)

    def _check_core(self) -> None:
        self._check_parts(self._core)
        for name, class_, keys in self._classes:
            if len(vars(class_)) > len(keys):
                for key, value in list(vars(class_).items()):
                    if key not in keys and (callable(value) or hasattr(type(value), "__get__")):
                        self.seen[name + "." + key + " (added)"] = None

    def _check_parts(self, parts: Any) -> None:
        for name, holder, keys, values, all_of in parts:
            try:
                if all(map(is_, all_of(holder), values)):
                    continue
            except KeyError:  # one is gone
                pass
            for place, key in enumerate(keys):
                if holder.get(key) is not values[place]:
                    self.seen[name + "." + key] = None

    def check_session(self) -> None:
        """Look at who answers to which hook, and how; only good while the session runs."""
        for name, caller, execute, functions in self._hooks:
            now = [implementation.function for implementation in caller.get_hookimpls()]
            if caller._hookexec is not execute:
                self.seen["the way of calling " + name] = None
            if len(now) == len(functions) and all(map(is_, now, functions)):
                continue
            for one, other in ((now, functions), (functions, now)):
                for function in one:
                    if not any(_is(function, known) for known in other):
                        place = str(getattr(function, "__module__", ""))
                        self.seen["hook " + name + " of " + place] = None
        for thing, class_, keys in self._objects:
            if type(thing) is not class_:
                self.seen["the class of a " + class_.__name__] = None
            self._check_hidden(class_.__name__, thing, class_, keys)

    def _check_hidden(self, name: str, thing: Any, class_: type, known: Any) -> None:
        """Look for attributes of an object that stand before functions of its class."""
        for key in getattr(thing, "__dict__", ()):
            if key not in known and isinstance(
                getattr(class_, key, None), (types.FunctionType, property)
            ):
                self.seen[name + " (" + key + ")"] = None

    def check_everything(self) -> list[str]:
        """Look at every part and every test; return the names of all that was ever seen."""
        self.check()
        for name, function, code in self._codes:
            if function.__code__ is not code:
                self.seen[name] = None
        for id_ in self._tests:
            self._check_function(id_)
        names = list(self.seen)
        names.sort()
        return names

    def remember_session(self, session: Any) -> None:
        """Remember who answers to which hook, how hooks are called, and what by."""
        manager = session.config.pluginmanager
        hooks = vars(manager.hook)
        for name in list(hooks):
            caller = hooks[name]
            if name.startswith("pytest_") and hasattr(caller, "_hookexec"):
                functions = [implementation.function for implementation in caller.get_hookimpls()]
                self._hooks.append((name, caller, caller._hookexec, functions))
                self._objects.append((caller, type(caller), ()))
        self._core.append(_part("pluginmanager", vars(manager), ("_inner_hookexec",)))
        for thing in (session, session.config, manager, *manager.get_plugins()):
            if not isinstance(thing, (types.ModuleType, type)):
                keys = frozenset(getattr(thing, "__dict__", ()))
                self._objects.append((thing, type(thing), keys))

    def remember_test(self, item: Any) -> None:
        """Remember what a test is made of, when it is collected."""
        function = _function(getattr(item, "obj", None))
        if function is None:
            return
        parts = []
        class_, module = getattr(item, "cls", None), getattr(item, "module", None)
        if module is not None:
            parts.append(_part(module.__name__, vars(module), _callables(vars(module))))
        held = frozenset(vars(class_)) if class_ is not None else frozenset()
        if class_ is not None:
            parts.append(_part(class_.__qualname__, vars(class_), _functions(vars(class_))))
        known = (function, function.__code__, parts, class_, held, type(item))
        self._tests[item.nodeid] = known

    def check_test(self, item: Any) -> None:
        """Look whether a test that is about to be called is still the one that was collected."""
        self._check_core()
        id_ = item.nodeid
        if id_ in self._tests and _function(getattr(item, "obj", None)) is not self._tests[id_][0]:
            self.seen[id_] = None
        self.check_item(item)

    def check_item(self, item: Any) -> None:
        """Look at a test before and after its call; what it runs may be replaced by then."""
        id_ = item.nodeid
        if id_ not in self._tests:
            return
        _, _, parts, class_, held, type_ = self._tests[id_]
        if type(item) is not type_:
            self.seen[id_ + " (its class)"] = None
        self._check_function(id_)
        self._check_parts(parts)
        for key in vars(class_) if class_ is not None else ():
            if key not in held and callable(getattr(super(class_, class_), key, None)):
                self.seen[class_.__qualname__ + "." + key] = None
        self._check_hidden(id_, item, type_, ())
        instance = getattr(item, "_instance", None) or getattr(item, "_testcase", None)
        if isinstance(instance, unittest.TestCase):
            for key in vars(instance):
                if key in CASE:
                    self.seen[id_ + " (self." + key + ")"] = None

    def _check_function(self, id_: str) -> None:
        function, code = self._tests[id_][:2]
        if function.__code__ is not code:
            self.seen[id_] = None


class Unwatched:
    """In place of a fingerprint where nobody judges by the run: searching, not verdicts."""

    def check(self) -> None:
        """Look at nothing."""

    def check_everything(self) -> list[str]:
        """Return that nothing was seen."""
        return []

    def remember_test(self, item: Any) -> None:
        """Remember nothing."""

    check_test = check_item = remember_session = remember_test
    check_session = check


def _callables(held: Mapping[str, Any], keys: Any = None) -> tuple[str, ...]:
    return tuple(key for key in (held if keys is None else keys) if callable(held[key]))


def _functions(held: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key for key, _ in _plain(held))


def _plain(held: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in list(held.items()):
        function = _function(value)
        if function is not None:
            yield key, function


def _part(name: str, holder: Any, keys: Any) -> Any:
    """Return a name, the mapping that has it, keys of that, their values, and how to get these."""
    known = tuple(keys)
    all_of = operator.itemgetter(*known, *known[:1]) if known else _nothing
    return name, holder, known, tuple(holder[key] for key in known), all_of


def _nothing(_holder: Any) -> tuple[()]:
    return ()


def _function(value: Any) -> Any:
    """Return the plain function in a method, property or wrapper; None for anything else."""
    if isinstance(value, property):
        value = value.fget
    value = getattr(value, "__func__", value)
    return value if isinstance(value, types.FunctionType) else None


def _is(one: Any, other: Any) -> bool:
    """Bound methods are made anew at each look; they are equal when they are the same."""
    return one is other or (
        getattr(one, "__func__", one) is getattr(other, "__func__", None)
        and getattr(one, "__self__", None) is getattr(other, "__self__", one)
    )
