"""Records what functions are called with while tests run: a copy of the arguments before each call.

Keeps few and small ones. A function is known by its live code, so it does not matter how it is
reached. What cannot be copied is left out.
"""

from __future__ import annotations

import copy
import inspect
import sys
import threading
import time
from typing import Any

from .observe_text import state_of, text_of  # noqa: TID252 - see inside/__init__

MOST_PARTS = 800
"""Parts of the arguments of a call that is kept."""
MOST_KEPT = 48
"""Calls of one function that are kept; the replay takes fewer."""
MOST_SEEN = 3000
"""Calls of one function that are looked at."""


class Function:
    """One function that some patch edits."""

    def __init__(self, live: Any, path: str) -> None:
        self.live = live
        self.path = path
        self.code = live.__code__
        count = self.code.co_argcount
        names = self.code.co_varnames
        self.positional = names[:count]
        self.keywords = names[count : count + self.code.co_kwonlyargcount]
        at = count + self.code.co_kwonlyargcount
        self.rest = names[at] if self.code.co_flags & inspect.CO_VARARGS else ""
        at += bool(self.rest)
        self.more = names[at] if self.code.co_flags & inspect.CO_VARKEYWORDS else ""

    @property
    def defaults(self) -> dict[str, Any]:
        """Return parameters that have a default value, with it."""
        given = self.live.__defaults__ or ()
        first = len(self.positional) - len(given)
        found = {self.positional[first + at]: value for at, value in enumerate(given)}
        found.update(self.live.__kwdefaults__ or {})
        return found


class Call:
    """Arguments of one call, by parameter."""

    def __init__(self, function: Function, values: dict[str, Any]) -> None:
        self.function = function
        self.values = values

    def run(self, live: Any) -> Any:
        """Call the given function with them."""
        function, values = self.function, self.values
        positional = [values[name] for name in function.positional if name in values]
        named = {name: values[name] for name in function.keywords if name in values}
        if function.rest in values and len(positional) == len(function.positional):
            positional.extend(values[function.rest])
        missing = [name for name in function.positional if name not in values]
        if missing:
            at = function.positional.index(missing[0])
            positional = [values[name] for name in function.positional[:at]]
            after = function.positional[at + 1 :]
            named.update({name: values[name] for name in after if name in values})
        named.update(values.get(function.more) or {})
        return live(*positional, **named)


class Recorder:
    """Between `start` and `stop`, keeps the calls of some functions."""

    def __init__(self, functions: list[Function], seconds: float) -> None:
        self._functions = {function.code: function for function in functions}
        self._left_s = seconds
        self._seen: dict[Function, int] = {}
        self._texts: set[tuple[Function, str]] = set()
        self._is_busy = False
        self._thread = threading.get_ident()
        self.kept: dict[Function, list[Call]] = {function: [] for function in functions}
        """In the order in which they came."""

    @property
    def is_full(self) -> bool:
        """Tell whether more tests would bring nothing."""
        return self._left_s <= 0 or all(len(k) >= MOST_KEPT for k in self.kept.values())

    def start(self) -> None:
        """Begin to listen to this thread."""
        sys.setprofile(self._on_event)

    def stop(self) -> None:
        """End."""
        sys.setprofile(None)

    def _on_event(self, frame: Any, event: str, _argument: Any) -> None:
        if event != "call":
            return
        function = self._functions.get(frame.f_code)
        if function is None or self._is_busy or self._left_s <= 0:
            return
        self._seen[function] = self._seen.get(function, 0) + 1
        if self._seen[function] > MOST_SEEN or len(self.kept[function]) >= MOST_KEPT:
            return
        started = time.perf_counter()
        self._is_busy = True
        try:
            self._keep(function, frame.f_locals)
        except Exception:  # noqa: BLE001 - copying runs the repository's own methods
            return
        finally:
            self._is_busy = False
            self._left_s -= time.perf_counter() - started

    def _keep(self, function: Function, found: Any) -> None:
        names = [*function.positional, *function.keywords, function.rest, function.more]
        if any(name and name not in found for name in names):
            return  # a generator that goes on has lost or changed some
        values = {name: found[name] for name in names if name}
        if parts(values, MOST_PARTS) > MOST_PARTS:
            return
        text = text_of(values)
        if (function, text) in self._texts:
            return
        self._texts.add((function, text))
        for way in (copy.deepcopy, by_state):
            copied = way(values)
            if text_of(copied) == text:
                self.kept[function].append(Call(function, without_defaults(function, copied)))
                return


def without_defaults(function: Function, values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is the default anyway: most likely nobody gave it, and an edit may change it.

    Only as long as no later argument was given by its place.
    """
    if values.get(function.rest):
        return values
    defaults = {name: text_of(value) for name, value in function.defaults.items()}
    return {
        name: value
        for name, value in values.items()
        if name not in defaults or text_of(value) != defaults[name]
    }


def by_state(values: dict[str, Any]) -> dict[str, Any]:
    """Copy values together, objects by their attributes: some make something else when copied."""
    memo: dict[int, Any] = {}
    twins: list[tuple[Any, Any]] = []
    for value in values.values():
        if hasattr(value, "__dict__") and not callable(value):
            twin = object.__new__(type(value))
            memo[id(value)] = twin
            twins.append((value, twin))
    for value, twin in twins:
        twin.__dict__.update(copy.deepcopy(value.__dict__, memo))
    return copy.deepcopy(values, memo)


def parts(value: Any, most: int) -> int:
    """Count what a value is made of, and stop soon after so many."""
    count = 0
    stack = [value]
    met: set[int] = set()
    while stack and count <= most:
        one = stack.pop()
        count += 1
        if id(one) in met or isinstance(one, (type, str, bytes, int, float)):
            continue
        met.add(id(one))
        if isinstance(one, dict):
            stack.extend(one.keys())
            stack.extend(one.values())
        elif isinstance(one, (list, tuple, set, frozenset)):
            stack.extend(one)
        stack.extend(state_of(one).values())
    return count
