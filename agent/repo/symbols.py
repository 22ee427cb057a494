"""What a file defines: classes, functions, methods, constants, each with its lines.

By the syntax tree where there is a grammar; elsewhere by the look of the lines, and `exact` is
false. Knows one file at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.repo.facts import Definition, FileFacts
from agent.repo.reading import read_facts
from agent.task import RepoPath


class SymbolKind(StrEnum):
    """What is defined."""

    CLASS = "class"
    FUNCTION = "function"
    METHOD = "method"
    VALUE = "value"
    """Assigned at the top of the file or of a class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """One definition."""

    name: str
    qualified: str
    """With the definitions around it, joined by dots: `Cart.total`, `outer.inner`."""
    kind: SymbolKind
    line: int
    """First line, decorators included, 1-based."""
    end_line: int
    """Last line."""
    name_line: int
    """Line on which the name stands."""
    header: str
    """The definition without its body, on one line."""
    depth: int = 0
    """How many definitions are around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolTable:
    """What a file defines, in source order, outer ones before what is in them."""

    symbols: tuple[Symbol, ...]
    exact: bool
    """Read from a syntax tree. False: by the look of the lines, so ends may be off."""

    def named(self, name: str) -> tuple[Symbol, ...]:
        """Return the definitions of that name: by whole qualified name, else by its last parts.

        A name defined again under the same qualified name (overloads, properties) is given each
        time.
        """
        whole = tuple(symbol for symbol in self.symbols if symbol.qualified == name)
        if whole:
            return whole
        end = f".{name}"
        return tuple(symbol for symbol in self.symbols if symbol.qualified.endswith(end))

    def around(self, line: int) -> Symbol | None:
        """Return the innermost class, function or method that holds the line."""
        holding = [
            symbol
            for symbol in self.symbols
            if symbol.kind is not SymbolKind.VALUE and symbol.line <= line <= symbol.end_line
        ]
        return max(holding, key=lambda symbol: symbol.depth) if holding else None


def read_symbols(path: RepoPath, data: bytes) -> SymbolTable:
    """Return what the file defines; nothing for what is no source text."""
    facts = read_facts(path, data)
    if isinstance(facts, FileFacts):
        return symbols_of(facts)
    from agent.repo.text_symbols import text_symbols

    return SymbolTable(symbols=text_symbols(path, data), exact=False)


def symbols_of(facts: FileFacts) -> SymbolTable:
    """Return what a file that was read defines."""
    depths: list[int] = []
    for one in facts.definitions:
        depths.append(depths[one.parent] + 1 if one.parent >= 0 else 0)
    symbols = map(_symbol, facts.definitions, depths)
    return SymbolTable(symbols=tuple(symbols), exact=True)


def _symbol(one: Definition, depth: int) -> Symbol:
    return Symbol(
        name=one.name,
        qualified=one.qualified,
        kind=_kind(one),
        line=one.line,
        end_line=one.end_line,
        name_line=one.name_line,
        header=one.signature or one.name,
        depth=depth,
    )


def _kind(one: Definition) -> SymbolKind:
    match one.kind:
        case "method":
            return SymbolKind.METHOD
        case "function" | "macro" | "test":
            return SymbolKind.FUNCTION
        case "constant" | "field":
            return SymbolKind.VALUE
        case "type" if one.line == one.end_line:
            return SymbolKind.VALUE
        case _:
            return SymbolKind.CLASS


def names_alike(name: str, known: Sequence[str], *, most: int = 8) -> tuple[str, ...]:
    """Return known names that may have been meant, likeliest first.

    Same letters in another case or without underscores, then what contains it, then what is
    spelled much like it.
    """
    from difflib import get_close_matches

    plain = _plain(name)
    different = dict.fromkeys(known)
    same = [other for other in different if _plain(other) == plain]
    holding = sorted((o for o in different if plain and plain in _plain(o)), key=len)
    close = get_close_matches(name, list(different), n=most, cutoff=0.75)
    return tuple(dict.fromkeys([*same, *holding, *close]))[:most]


def _plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].replace("_", "").lower()
