"""Puts an edited function body into live functions, and takes it out again.

Only where this is sound: a plain function or method whose code is what its source says, with the
same free variables. Everything else is
refused (`Unsound`), and the caller re-imports the edited module in a fresh process instead.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH118, PTH123
from __future__ import annotations
import __future__

import gc
import os
import symtable
import types
from collections.abc import Collection
from typing import Any

FUTURE_FLAGS = 0
for _name in __future__.all_feature_names:
    FUTURE_FLAGS |= getattr(__future__, _name).compiler_flag

_IN_FLIGHT: dict[type[Any], str] = {
    types.GeneratorType: "gi_code",
    types.CoroutineType: "cr_code",
    types.AsyncGeneratorType: "ag_code",
}
"""Kinds of suspended calls, which go on with the code that they began with."""


class Unsound(Exception):
    """This edit cannot be tried by swapping code."""


class Equal(Exception):
    """The edit compiles to what is already there."""


class Swapper:
    """Knows the live functions of the repository as they were when it was made."""

    def __init__(self, root: str, begun: Collection[tuple[str, str, int]] = ()) -> None:
        self._root = os.path.join(root, "")
        self._begun = begun
        self._functions: dict[tuple[str, str], list[types.FunctionType]] = {}
        self._caches: list[Any] = []
        self._running: list[types.CodeType] = []
        self._sources: dict[str, bytes] = {}
        self._imports: dict[str, bytes] = {}
        self._base: dict[tuple[str, int], types.CodeType] = {}
        for thing in gc.get_objects():
            self._remember(thing)

    def _remember(self, thing: Any) -> None:
        if type(thing) is types.FunctionType:
            code = thing.__code__
            if code.co_filename.startswith(self._root):
                self._functions.setdefault((code.co_filename, code.co_name), []).append(thing)
        elif type(thing).__name__ == "_lru_cache_wrapper":
            wrapped: Any = getattr(thing, "__wrapped__", None)
            cached: Any = getattr(wrapped, "__code__", None)
            if cached and cached.co_filename.startswith(self._root):
                # Without parameters and already filled it is a singleton: others hold the one
                is_single = cached.co_argcount + cached.co_kwonlyargcount == 0
                if not (is_single and thing.cache_info().currsize):
                    self._caches.append(thing)
        elif type(thing) in _IN_FLIGHT:
            running: Any = getattr(thing, _IN_FLIGHT[type(thing)])
            if running.co_filename.startswith(self._root):
                self._running.append(running)

    def swap(
        self, path: str, edits: list[list[Any]], unit: dict[str, Any]
    ) -> list[tuple[types.FunctionType, types.CodeType]]:
        """Make the edit live; give the result to `undo`. Raises: Unsound, Equal, SyntaxError."""
        filename = self._root + path
        live = self.live(filename, unit)
        base = self._base_code(filename, unit, live[0])
        if any(not same_code(function.__code__, base) for function in live):
            raise Unsound("the live code is not what the source says")
        text = self._edited_unit(filename, edits, unit)
        edited = compile_unit(text, filename, unit, live[0], self._import_line(filename))
        if same_code(base, edited):
            raise Equal
        parts = (base, *nested(base))
        if any(same_code(part, running) for part in parts for running in self._running):
            raise Unsound("a generator of it is in flight")
        if edited.co_freevars != base.co_freevars or signature(edited) != signature(base):
            raise Unsound("another signature or other free variables")
        swaps = [(function, base, edited) for function in live]
        swaps += self._inner_swaps(filename, base, edited)
        self._clear_caches()
        for function, _old, new in swaps:
            function.__code__ = new
        return [(function, old) for function, old, _new in swaps]

    def ran_already(self, swapped: list[tuple[types.FunctionType, types.CodeType]]) -> bool:
        """Tell whether one of these functions, or one inside of it, ran before it was swapped.

        What it did then is not done again, so that the tests may fail in spite of a right edit.
        """
        return any(
            (code.co_filename, code.co_name, code.co_firstlineno) in self._begun
            for function, old in swapped
            for code in (function.__code__, old, *nested(old))
        )

    def undo(self, swapped: list[tuple[types.FunctionType, types.CodeType]]) -> None:
        """Put the old code back."""
        for function, code in swapped:
            function.__code__ = code
        self._clear_caches()

    def _inner_swaps(
        self, filename: str, base: types.CodeType, edited: types.CodeType
    ) -> list[tuple[types.FunctionType, types.CodeType, types.CodeType]]:
        """Return the exchanges for closures that were made at import, by decorators for example."""
        swaps = []
        old, new = nested(base), nested(edited)
        is_same_shape = [code.co_name for code in old] == [code.co_name for code in new]
        for index, inner in enumerate(old):
            if is_same_shape and same_code(inner, new[index]):
                continue
            named = self._functions.get((filename, inner.co_name), [])
            live = [function for function in named if same_code(function.__code__, inner)]
            if live and (not is_same_shape or inner.co_freevars != new[index].co_freevars):
                raise Unsound("a closure is live already")
            swaps += [(function, inner, new[index]) for function in live]
        return swaps

    def live(self, filename: str, unit: dict[str, Any]) -> list[types.FunctionType]:
        """Return the functions that an edit in this unit concerns. Raises: Unsound."""
        named = self._functions.get((filename, unit["name"]), [])
        rows = range(unit["first_line"], unit["def_line"] + 1)
        live = [function for function in named if function.__code__.co_firstlineno in rows]
        if not live:
            raise Unsound("no such function is live")
        return live

    _live = live

    def _base_code(
        self, filename: str, unit: dict[str, Any], function: types.FunctionType
    ) -> types.CodeType:
        key = (filename, unit["start"])
        if key not in self._base:
            text = self._source(filename)[unit["start"] : unit["end"]]
            imports = self._import_line(filename)
            try:
                self._base[key] = compile_unit(text, filename, unit, function, imports)
            except SyntaxError as problem:
                raise Unsound("the definition does not compile alone") from problem
        return self._base[key]

    def _edited_unit(self, filename: str, edits: list[list[Any]], unit: dict[str, Any]) -> bytes:
        data = apply_edits(self._source(filename), edits)
        grown = len(data) - len(self._source(filename))
        return data[unit["start"] : unit["end"] + grown]

    def _import_line(self, filename: str) -> bytes:
        """Return a line that imports what the file imports at its top.

        The compiler looks there to choose between the byte code for methods and for attributes.
        """
        if filename not in self._imports:
            table = symtable.symtable(self._source(filename), filename, "exec")  # type: ignore[arg-type]
            names = [symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()]
            line = b"import " + ", ".join(sorted(names)).encode("utf-8") if names else b""
            self._imports[filename] = line
        return self._imports[filename]

    def _source(self, filename: str) -> bytes:
        if filename not in self._sources:
            with open(filename, "rb") as file:
                self._sources[filename] = file.read()
        return self._sources[filename]

    def _clear_caches(self) -> None:
        for cache in self._caches:
            cache.cache_clear()


def apply_edits(data: bytes, edits: list[list[Any]]) -> bytes:
    """Return the data with `[start, end, text]` spans replaced; spans do not overlap."""
    for start, end, text in sorted(edits, reverse=True):
        data = data[:start] + text.encode("utf-8", "surrogateescape") + data[end:]
    return data


def compile_unit(
    text: bytes, filename: str, unit: dict[str, Any], like: types.FunctionType, imports: bytes = b""
) -> types.CodeType:
    """Compile one definition as if it stood in its file: same lines, same classes around it."""
    headers = unit["headers"]
    padding = b"\n" * (unit["def_line"] - 1 - len(headers))
    if padding:
        padding = imports + padding
    wrapper = b"".join(
        b" " * depth + header.encode("utf-8") + b"\n" for depth, header in enumerate(headers)
    )
    flags = like.__code__.co_flags & FUTURE_FLAGS
    try:
        code: types.CodeType | None = compile(
            padding + wrapper + text, filename, "exec", flags, dont_inherit=True
        )
    except ValueError as problem:
        raise SyntaxError(str(problem)) from problem
    for name in [*unit["classes"], unit["name"]]:
        code = _inner_named(code, name)
    if code is None:
        raise Unsound("the definition is not where it was")
    return code


def _inner_named(code: types.CodeType | None, name: str) -> types.CodeType | None:
    if code is None:
        return None
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return next((const for const in reversed(inner) if const.co_name == name), None)


def nested(code: types.CodeType) -> list[types.CodeType]:
    """Return every code object inside this one, at any depth."""
    found = []
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found.append(const)
            found.extend(nested(const))
    return found


def signature(code: types.CodeType) -> tuple[Any, ...]:
    """Return what callers and default values depend on."""
    count = code.co_argcount + code.co_kwonlyargcount
    return (
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_varnames[:count],
        code.co_flags & 0x0C,  # *args, **kwargs
    )


def same_code(one: types.CodeType, other: types.CodeType) -> bool:
    """Tell whether both do the same, whatever lines they stand on."""
    if (
        one.co_code != other.co_code
        or one.co_names != other.co_names
        or one.co_varnames != other.co_varnames
        or one.co_freevars != other.co_freevars
        or one.co_cellvars != other.co_cellvars
        or len(one.co_consts) != len(other.co_consts)
    ):
        return False
    return all(
        _same_const(const, other.co_consts[index]) for index, const in enumerate(one.co_consts)
    )


def _same_const(one: Any, other: Any) -> bool:
    if isinstance(one, types.CodeType) and isinstance(other, types.CodeType):
        return same_code(one, other)
    if isinstance(one, frozenset):
        return bool(one == other)
    # repr tells 1 from True and 0.0 from -0.0, which == does not
    return type(one) is type(other) and repr(one) == repr(other)
