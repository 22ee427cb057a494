"""Notices when parts of the measuring instrument are replaced while the tests run.

Remembers, before any code of the repository runs, which objects pytest, pluggy, unittest and the
builtins are made of; later also the tests themselves and how hooks are called; and names what
differs afterwards. Whether a difference is an attack is decided on the host, against the
untouched base: some repositories patch pytest in their own conftest.
"""

from __future__ import annotations

import builtins
import inspect
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

# From here on our functions have builtins of their own, which nobody can replace by name.
globals()["__builtins__"] = dict(vars(builtins))

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
"""Looked at after every test; everything else once, at the end."""
PROCESS = ("_exit", "write", "getpid", "fork")
SEARCHES = frozenset(
    {
        "gc.get_objects",
        "gc.get_referrers",
        "gc.get_referents",
        "sys._getframe",
        "sys._getframemodulename",
        "sys._current_frames",
        "sys._current_exceptions",
        "sys.settrace",
        "sys.setprofile",
        "sys.monitoring.register_callback",
    }
)
"""How code finds, or watches, what nobody gave it."""
FRAMES = frozenset({"tb_frame", "gi_frame", "cr_frame", "ag_frame"})
"""Attributes by which code gets to the frames of others."""


class Fingerprint:
    """What the instrument was made of when it was made, and what has been seen to differ since."""

    __slots__ = ("_classes", "_core", "_hooks", "_mine", "_others", "_tests", "seen")

    def __init__(self, own: list[type]) -> None:
        self.seen: dict[str, None] = {}
        self._core: list[Any] = []
        self._others: list[Any] = []
        self._classes: list[Any] = []
        self._tests: dict[str, Any] = {}
        self._hooks: list[Any] = []
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in WATCHED and isinstance(module, types.ModuleType):
                self._remember_module(name, module)
        self._others += [_part("builtins", vars(builtins), key) for key in vars(builtins)]
        self._others += [_part("os", vars(os), key) for key in PROCESS]
        self._mine = [vars(sys.modules[class_.__module__]) for class_ in own]
        for class_ in own:
            self._core += _parts_of_class(class_.__qualname__, class_)

    def _remember_module(self, name: str, module: types.ModuleType) -> None:
        core = name in CORE
        parts = self._core if core else self._others
        for key, value in list(vars(module).items()):
            own = getattr(value, "__module__", None) == name
            if callable(value) and (own or core):
                parts.append(_part(name, vars(module), key))
            if own and isinstance(value, type):
                parts.extend(_parts_of_class(name + "." + key, value))
                if core:
                    self._classes.append((name + "." + key, value, frozenset(vars(value))))

    def check(self) -> None:
        """Look at the core."""
        for part in self._core:
            if _differs(part):
                self.seen[part[0]] = None
        for name, class_, keys in self._classes:
            if len(vars(class_)) > len(keys):
                for key, value in list(vars(class_).items()):
                    if key not in keys and (callable(value) or hasattr(type(value), "__get__")):
                        self.seen[name + "." + key + " (added)"] = None

    def check_hooks(self) -> None:
        """Look at who answers to which hook; only good while the session runs."""
        for name, caller, execute, functions in self._hooks:
            now = [implementation.function for implementation in caller.get_hookimpls()]
            if caller._hookexec is not execute:
                self.seen["the way of calling " + name] = None
            for one, other in ((now, functions), (functions, now)):
                for function in one:
                    if not any(_is(function, known) for known in other):
                        place = str(getattr(function, "__module__", ""))
                        self.seen["hook " + name + " of " + place] = None

    def check_everything(self) -> list[str]:
        """Look at every part and every test; return the names of all that was ever seen."""
        self.check()
        for part in self._others:
            if _differs(part):
                self.seen[part[0]] = None
        for id_ in self._tests:
            self._check_function(id_)
        names = list(self.seen)
        names.sort()
        return names

    def remember_hooks(self, manager: Any) -> None:
        """Remember who answers to which hook, and how hooks are called."""
        hooks = vars(manager.hook)
        for name in list(hooks):
            caller = hooks[name]
            if name.startswith("pytest_") and hasattr(caller, "_hookexec"):
                functions = [implementation.function for implementation in caller.get_hookimpls()]
                self._hooks.append((name, caller, caller._hookexec, functions))
        self._core.append(_part("pluginmanager", vars(manager), "_inner_hookexec"))

    def remember_test(self, item: Any) -> None:
        """Remember what a test is made of, when it is collected."""
        function = _function(getattr(item, "obj", None))
        if function is None:
            return
        parts = []
        class_, module = getattr(item, "cls", None), getattr(item, "module", None)
        if module is not None:
            names = [key for key, value in vars(module).items() if callable(value)]
            parts += [_part(module.__name__, vars(module), key) for key in names]
        held = frozenset(vars(class_)) if class_ is not None else frozenset()
        if class_ is not None:
            parts += _parts_of_class(class_.__qualname__, class_)
        self._tests[item.nodeid] = (function, function.__code__, parts, class_, held)

    def check_test(self, item: Any) -> None:
        """Look whether a test that is about to run is still the one that was collected."""
        id_ = item.nodeid
        if id_ not in self._tests:
            return
        function, _, parts, class_, held = self._tests[id_]
        if _function(getattr(item, "obj", None)) is not function:
            self.seen[id_] = None
        self._check_function(id_)
        for part in parts:
            if _differs(part):
                self.seen[part[0]] = None
        for key in vars(class_) if class_ is not None else ():
            if key not in held and callable(getattr(super(class_, class_), key, None)):
                self.seen[class_.__qualname__ + "." + key] = None
        for key in vars(item):
            if isinstance(getattr(type(item), key, None), (types.FunctionType, property)):
                self.seen[id_ + " (" + key + ")"] = None

    def _check_function(self, id_: str) -> None:
        function, code = self._tests[id_][:2]
        if function.__code__ is not code:
            self.seen[id_] = None

    def listen(self, place_of: Callable[[str], str]) -> None:
        """From now on note who searches memory; `place_of` names a file, or nothing to ignore it.

        Audit hooks cannot be taken out again by Python code.
        """
        frame_of, seen, mine = sys._getframe, self.seen, self._mine
        givers = {inspect.__file__}  # its functions hand frames to whoever calls them
        busy: list[None] = []  # asking for the caller's frame is itself an event

        def hear(event: str, arguments: Any) -> None:
            if busy:
                return
            if event == "object.__getattr__":
                if arguments[1] not in FRAMES:
                    return
                event = arguments[1]
            elif event == "object.__setattr__":
                if arguments[1] != "__code__":
                    return
                event = "__code__"
            elif event not in SEARCHES:
                return
            busy.append(None)
            try:
                frame = frame_of(1)
                while frame.f_back and frame.f_code.co_filename in givers:
                    frame = frame.f_back
                if any(frame.f_globals is space for space in mine):
                    return
                place = place_of(_file_of(frame))
                if place:
                    seen[event + " used by " + place] = None
            finally:
                busy.clear()

        sys.addaudithook(hear)


class Unwatched:
    """In place of a fingerprint where nobody judges by the run: searching, not verdicts."""

    def check(self) -> None:
        """Look at nothing."""

    def check_everything(self) -> list[str]:
        """Return that nothing was seen."""
        return []

    def remember_test(self, item: Any) -> None:
        """Remember nothing."""

    check_test = remember_hooks = remember_test
    check_hooks = check

    def listen(self, place_of: Callable[[str], str]) -> None:
        """Note nothing."""


def _file_of(frame: Any) -> str:
    """Return the file of running code; for code that is no module's, whatever it claims, `<>`."""
    module = sys.modules.get(frame.f_globals.get("__name__"))
    known = module is not None and vars(module) is frame.f_globals
    return frame.f_code.co_filename if known else "<>"


def _parts_of_class(name: str, class_: type) -> Iterator[Any]:
    for key, value in list(vars(class_).items()):
        if _function(value) is not None:
            yield _part(name, vars(class_), key)


def _part(owner: str, holder: Any, key: str) -> Any:
    """Return name, mapping that holds it, its key, the object, its function, and the code."""
    value = holder.get(key)
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


def _is(one: Any, other: Any) -> bool:
    """Bound methods are made anew at each look; they are equal when they are the same."""
    return one is other or (
        getattr(one, "__func__", one) is getattr(other, "__func__", None)
        and getattr(one, "__self__", None) is getattr(other, "__self__", one)
    )
