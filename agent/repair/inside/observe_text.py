"""Writes values down: as text that is equal where they are, and as expressions that give them back.

The text leaves out what differs from process to process: addresses, the order of sets. Expressions
are for a developer to read, so only short and simple ones are made. Runs the repository's own
`__repr__` and constructors, within whatever limits the caller has set.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
import types
from enum import Enum
from typing import Any

DEEPEST = 8
MOST_PARTS = 1500
"""Parts of a value that are written down; the rest counts as equal."""
LONGEST_REPR = 2000
MOST_DRAINED = 200
"""Items taken out of an iterator."""
LONGEST_EXPRESSION = 160
_ADDRESS = re.compile(r"\b(at )?0x[0-9a-fA-F]+")
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class Text:
    """One value's text; cycles and values met again are numbered in the order of meeting."""

    def __init__(self) -> None:
        self._left = MOST_PARTS
        self._met: dict[int, int] = {}
        self._kept: list[Any] = []

    def of(self, value: Any, depth: int = 0) -> str:
        """Return the text."""
        self._left -= 1
        kind = type(value)
        if kind in _PLAIN:
            return repr(value)[:LONGEST_REPR]
        if self._left < 0 or depth > DEEPEST:
            return "..."
        if isinstance(value, (type, types.ModuleType)):
            return f"<{getattr(value, '__name__', '')}>"
        if callable(value) and hasattr(value, "__qualname__"):
            return f"<{value.__qualname__}>"
        number = self._met.get(id(value))
        if number is not None:
            return f"<again {number}>"
        self._met[id(value)] = len(self._met)
        self._kept.append(value)
        return self._whole(value, depth + 1)

    def _whole(self, value: Any, depth: int) -> str:
        name = type(value).__qualname__
        if isinstance(value, Enum):
            return f"{name}.{value.name}"
        parts = []
        if isinstance(value, (list, tuple)):
            inner = [self.of(one, depth) for one in self._some(value)]
            parts.append("[" + ", ".join(inner) + "]")
        elif isinstance(value, (set, frozenset)):
            inner = sorted(Text().of(one, depth) for one in self._some(list(value)))
            parts.append("{" + ", ".join(inner) + "}")
        elif isinstance(value, dict):
            keys = sorted((Text().of(key, depth), at) for at, key in enumerate(value))
            held = list(value.values())
            inner = [f"{text}: {self.of(held[at], depth)}" for text, at in self._some(keys)]
            parts.append("{" + ", ".join(inner) + "}")
        elif isinstance(value, (int, float, str, bytes)):
            parts.append(repr(value)[:LONGEST_REPR])
        elif is_iterator(value):
            return "iterator" + self._drained(value, depth)
        elif isinstance(value, BaseException):
            parts.append(self.of(value.args, depth))
        elif hasattr(value, "tolist"):
            parts.append(self.of(value.tolist(), depth))
        state = state_of(value)
        if state:
            parts.append(self.of(state, depth))
        if not parts and "__repr__" in _own_names(type(value)):
            parts.append(without_addresses(repr(value)[:LONGEST_REPR]))
        return f"{name}({' '.join(parts)})"

    def _some(self, values: Any) -> Any:
        return values[: max(self._left, 0)]

    def _drained(self, iterator: Any, depth: int) -> str:
        found = []
        for one in iterator:
            found.append(self.of(one, depth))
            if len(found) == MOST_DRAINED:
                found.append("...")
                break
        return "[" + ", ".join(found) + "]"


def text_of(value: Any) -> str:
    """Return what is equal for values that are alike. May raise what the repository raises."""
    return Text().of(value)


def is_iterator(value: Any) -> bool:
    """Tell whether it is a generator or one of the language's own iterators."""
    kind = type(value)
    return hasattr(kind, "__next__") and kind.__module__ in ("builtins", "itertools")


def state_of(value: Any) -> dict[str, Any]:
    """Return an object's attributes, from its `__dict__` and its slots."""
    found = dict(getattr(value, "__dict__", None) or {})
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            mangled = (
                f"_{kind.__name__.lstrip('_')}{name}" if name[:2] == "__" != name[-2:] else name
            )
            if mangled not in ("__dict__", "__weakref__") and hasattr(value, mangled):
                found[mangled] = getattr(value, mangled)
    return found


def _own_names(kind: type[Any]) -> set[str]:
    """Return what a class has of its own or from any base but `object`."""
    return {name for one in kind.__mro__ if one is not object for name in vars(one)}


def without_addresses(text: str) -> str:
    """Take memory addresses out of a text."""
    return _ADDRESS.sub("", text)


class Expression:
    """Python source for a value, and the names that it needs."""

    def __init__(self, source: str, names: dict[str, Any] | None = None) -> None:
        self.source = source
        self.names: dict[str, Any] = names or {}
        """By name: the class or module that it has to stand for."""

    def imports(self) -> list[str]:
        """Return the import statements that make the names known, sorted."""
        found = []
        for name, thing in self.names.items():
            if isinstance(thing, types.ModuleType):
                found.append(f"import {name}")
            else:
                found.append(f"from {thing.__module__} import {name}")
        return sorted(found)


def express(value: Any) -> Expression | None:
    """Return an expression that evaluates to an equal value; None where no simple one does."""
    found = _Writer().of(value, 0)
    if found is None or type(value) in _PLAIN:
        return found
    return found if gives_back(found, value) else None


def gives_back(expression: Expression, value: Any) -> bool:
    """Tell whether the expression evaluates to something like the value."""
    try:
        again = eval(expression.source, dict(expression.names))  # noqa: S307 - in the sandbox
        return type(again) is type(value) and text_of(again) == text_of(value)
    except Exception:  # noqa: BLE001 - the repository's constructors may raise anything
        return False


class _Writer:
    """Writes one value; gives up on more parts than a short expression can have."""

    def __init__(self) -> None:
        self._left = LONGEST_EXPRESSION

    def of(self, value: Any, depth: int) -> Expression | None:
        self._left -= 1
        kind = type(value)
        if depth > DEEPEST or self._left < 0:
            return None
        if kind is float and (value != value or value in (float("inf"), float("-inf"))):
            return None if value != value else Expression(f'float("{value}")')
        if kind in _PLAIN:
            return _short(repr(value))
        if kind in (list, tuple, set, frozenset):
            return self._container(value, depth)
        if kind is dict:
            return self._mapping(value, depth)
        found = _named(value) or _by_repr(value)
        if found is not None and gives_back(found, value):
            return found
        return self._by_constructor(value, depth)

    def _container(self, value: Any, depth: int) -> Expression | None:
        if len(value) > LONGEST_EXPRESSION // 3:
            return None
        sources: list[str] = []
        names: dict[str, Any] = {}
        for one in value:
            part = self.of(one, depth + 1)
            if part is None or not _join(names, part.names):
                return None
            sources.append(part.source)
        if isinstance(value, list):
            return _short("[" + ", ".join(sources) + "]", names)
        if isinstance(value, tuple):
            comma = "," if len(sources) == 1 else ""
            return _short("(" + ", ".join(sources) + comma + ")", names)
        inner = "{" + ", ".join(sorted(sources)) + "}" if sources else ""
        if isinstance(value, frozenset):
            return _short(f"frozenset({inner})", names)
        return _short(inner or "set()", names)

    def _mapping(self, value: dict[Any, Any], depth: int) -> Expression | None:
        if len(value) > LONGEST_EXPRESSION // 5:
            return None
        sources = []
        names: dict[str, Any] = {}
        for pair in value.items():
            key, held = (self.of(one, depth + 1) for one in pair)
            if key is None or held is None or not _join(names, key.names):
                return None
            if not _join(names, held.names):
                return None
            sources.append(f"{key.source}: {held.source}")
        return _short("{" + ", ".join(sources) + "}", names)

    def _by_constructor(self, value: Any, depth: int) -> Expression | None:
        """Call the class with the attributes that are named like its parameters."""
        kind = type(value)
        if not is_importable(kind) or not getattr(value, "__dict__", None):
            return None
        try:
            parameters = inspect.signature(kind).parameters.values()
        except (TypeError, ValueError):
            return None
        names = {kind.__name__: kind}
        sources = []
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            is_known, held = _attribute(value, parameter.name)
            if not is_known and parameter.default is parameter.empty:
                return None
            if not is_known or (parameter.default is held and not _is_positional(parameter)):
                continue
            part = self.of(held, depth + 1)
            if part is None or not _join(names, part.names):
                return None
            word = "" if _is_positional(parameter) else f"{parameter.name}="
            sources.append(word + part.source)
        return _short(f"{kind.__name__}({', '.join(sources)})", names)


def _short(source: str, names: dict[str, Any] | None = None) -> Expression | None:
    return Expression(source, names) if len(source) <= LONGEST_EXPRESSION else None


def _join(names: dict[str, Any], more: dict[str, Any]) -> bool:
    """Add names; False where one already stands for something else."""
    return all(names.setdefault(name, thing) is thing for name, thing in more.items())


def _named(value: Any) -> Expression | None:
    """Write a member of an enumeration, a class or a function by its name."""
    if isinstance(value, Enum) and is_importable(type(value)):
        name = type(value).__name__
        return Expression(f"{name}.{value.name}", {name: type(value)})
    if isinstance(value, (type, types.FunctionType)) and is_importable(value):
        return Expression(value.__name__, {value.__name__: value})
    return None


def is_importable(thing: Any) -> bool:
    """Tell whether `from module import name` gives just this class or function."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    name = getattr(thing, "__name__", "")
    if module is None or module.__name__ in ("builtins", "__main__"):
        return False
    return bool(name) and getattr(module, name, None) is thing


def _by_repr(value: Any) -> Expression | None:
    """Take the value's own repr, where it is an expression whose names can be imported."""
    source = repr(value)
    if len(source) > LONGEST_EXPRESSION:
        return None
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    dotted = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in _BUILTINS:
            thing = _meant(node.id, type(value), is_dotted=node in dotted)
            if not isinstance(thing, types.ModuleType) and not is_importable(thing):
                return None
            names[node.id] = thing
    return Expression(source, names) if isinstance(tree.body, ast.Call) else None


def _meant(name: str, kind: type[Any], *, is_dotted: bool) -> Any:
    """Return what a name in the repr of such a value stands for; None where that is open."""
    if kind.__name__ == name and not is_dotted:
        return kind
    if is_dotted and name in sys.modules:
        return sys.modules[name]
    return getattr(sys.modules.get(kind.__module__), name, None)


_BUILTINS = frozenset(dir(builtins))


def made_from(value: Any) -> list[str]:
    """Return the attributes of an object that its constructor takes under the same name."""
    held = getattr(value, "__dict__", None)
    if not held or isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return []
    try:
        names = list(inspect.signature(type(value)).parameters)
    except (TypeError, ValueError):
        return []
    return [spelled for name in names if (spelled := _spelling(value, name)) in held]


def _is_positional(parameter: Any) -> bool:
    return parameter.kind is not parameter.KEYWORD_ONLY and parameter.default is parameter.empty


def _attribute(value: Any, name: str) -> tuple[bool, Any]:
    spelled = _spelling(value, name)
    return bool(spelled), value.__dict__.get(spelled)


def _spelling(value: Any, name: str) -> str:
    """Return under which name an object keeps what its constructor calls so; empty for none."""
    for spelled in (name, f"_{name}", f"_{type(value).__name__.lstrip('_')}__{name}"):
        if spelled in value.__dict__:
            return spelled
    return ""
