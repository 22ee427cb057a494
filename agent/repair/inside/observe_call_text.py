"""Writes an input as the call that a developer would type into a test.

Only where the function can be reached by an import and every argument has a simple expression.
"""

from __future__ import annotations

import inspect
import sys
import types
from typing import Any

from .observe_inputs import RECEIVERS, Input  # noqa: TID252 - see inside/__init__
from .observe_text import LONGEST_EXPRESSION, Expression, express, text_of  # noqa: TID252

_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_MAKERS = ("__init__", "__new__", "__post_init__", "__init_subclass__")


class CallText:
    """A call as source."""

    def __init__(self) -> None:
        self.inline = ""
        """Everything in one expression."""
        self.named = ""
        """The same with variables for what the call may change."""
        self.setup: list[str] = []
        """Assignments of these variables."""
        self.imports: list[str] = []


def call_of(one: Input) -> CallText | None:
    """Return the source of a call; None where there is no simple one."""
    function = one.call.function
    steps = function.live.__qualname__.split(".")
    module = sys.modules.get(function.live.__module__)
    if module is None or module.__name__ == "__main__" or not all(map(_is_callable, steps)):
        return None
    holder: Any = module
    for step in steps[:-1]:
        holder = getattr(holder, step, None)
    found = None if holder is None else inspect.getattr_static(holder, steps[-1], None)
    if found is None:
        return None
    values = dict(one.call.values)
    text = _Writing()
    if holder is module or isinstance(found, staticmethod):
        text.imports.add(f"from {module.__name__} import {steps[0]}")
        callee = (".".join(steps), ".".join(steps))
    else:
        receiver = values.pop(function.positional[0], None) if function.positional else None
        if receiver is None or not text.add(receiver, "", _variable(receiver)):
            return None
        callee = (f"{text.inline.pop()}.{steps[-1]}", f"{text.named.pop()}.{steps[-1]}")
    if isinstance(found, property) or hasattr(found, "func"):
        return text.whole(*callee)
    if not _add_arguments(text, one, values):
        return None
    return text.whole(
        f"{callee[0]}({', '.join(text.inline)})", f"{callee[1]}({', '.join(text.named)})"
    )


class _Writing:
    """Arguments as they are written, inline and by variables."""

    def __init__(self) -> None:
        self.inline: list[str] = []
        self.named: list[str] = []
        self.imports: set[str] = set()
        self._setup: list[str] = []
        self._names: dict[str, Any] = {}

    def add(self, value: Any, word: str, variable: str) -> bool:
        """Write one argument; False where it cannot be."""
        part = express(value)
        if part is None:
            return False
        for name, thing in part.names.items():
            if self._names.setdefault(name, thing) is not thing:
                return False
        self.inline.append(word + part.source)
        is_fixed = isinstance(value, (*_PLAIN, type, types.FunctionType))
        self.named.append(word + (part.source if is_fixed or not variable else variable))
        if not is_fixed and variable:
            self._setup.append(f"{variable} = {part.source}")
        return True

    def whole(self, inline: str, named: str) -> CallText | None:
        """Return the text of the call, unless it is too long to be read."""
        if len(inline) > LONGEST_EXPRESSION:
            return None
        text = CallText()
        text.inline, text.named, text.setup = inline, named, self._setup
        text.imports = sorted(self.imports.union(Expression("", self._names).imports()))
        return text


def _add_arguments(text: _Writing, one: Input, values: dict[str, Any]) -> bool:
    """Write the arguments, leaving out what is the default anyway."""
    function = one.call.function
    defaults = function.defaults
    rest = values.get(function.rest) or ()
    by_name = False
    for name in function.positional:
        if name not in values:
            by_name = by_name or name not in RECEIVERS
            continue
        if not rest and _is_default(defaults, name, values[name]):
            by_name = True
            continue
        word = f"{name}=" if (by_name or name in defaults) and not rest else ""
        if not text.add(values[name], word, name):
            return False
    if not all(text.add(value, "", "") for value in rest):
        return False
    keywords = {name: values[name] for name in function.keywords if name in values}
    return all(
        _is_default(defaults, name, value) or text.add(value, f"{name}=", name)
        for name, value in {**keywords, **(values.get(function.more) or {})}.items()
    )


def _is_default(defaults: dict[str, Any], name: str, value: Any) -> bool:
    return name in defaults and text_of(defaults[name]) == text_of(value)


def _is_callable(step: str) -> bool:
    """Tell whether a test can call what has this name, and see what it returns."""
    is_private = step.startswith("__") and not step.endswith("__")
    return step.isidentifier() and step not in _MAKERS and not is_private


def _variable(value: Any) -> str:
    name = type(value).__name__.strip("_").lower()
    return name if name.isidentifier() else "thing"
