"""Tests, suites and stubs of a document: read in a thread, moved along while somebody types.

A request never waits for a file to be parsed, unless it is the first one of a document: what was
read of an older version is moved by the edits since. Knows nothing of results or actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from lsprotocol import types

from agent.repo.facts import Definition, Unread
from agent.repo.reading.outline import read_outline
from agent.task import RepoPath
from lsp_server.convert import Encoding, Lines
from lsp_server.marks import Span

Kind = Literal["test", "suite", "stub"]

_FUNCTIONS: Final = frozenset({"function", "method", "test"})
_BY_PYTEST: Final = (".py", ".pyw")
_DECLARING: Final = (".pyi", ".d.ts", ".d.mts", ".d.cts")
"""Files in which nothing has a body, and nothing shall have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A test, a class or block of tests, or a function that is still to be written."""

    kind: Kind
    id: str
    """Test id as the runner names it; where it does not, and of a stub, `path:line`."""
    name: str
    """With what is around it: `TestCart.test_total`."""
    span: Span
    """The whole of it."""
    name_span: Span
    parent: int
    """Place of the suite around it in the same tuple; -1: none."""

    @property
    def range(self) -> types.Range:
        """The whole of it."""
        return self.span.range

    @property
    def selection_range(self) -> types.Range:
        """Its name."""
        return self.name_span.range


def read_units(path: RepoPath, lines: Sequence[str], encoding: Encoding) -> tuple[Unit, ...]:
    """Return the units of a text in source order. For a thread: takes 0.1 s for 5,000 lines."""
    data = "".join(lines).encode("utf-8", "surrogatepass")
    found = read_outline(path, data)
    if isinstance(found, Unread):
        return ()
    return _Reading(path, data, found, Lines(lines, encoding)).units()


class _Reading:
    """The definitions of one text while units are made of them."""

    def __init__(
        self, path: RepoPath, data: bytes, definitions: Sequence[Definition], lines: Lines
    ) -> None:
        self._path: Final = path
        self._data: Final = data
        self._definitions: Final = definitions
        self._lines: Final = lines
        self._ids: Final[dict[int, str]] = {}
        """Test ids by place of the definition, of suites and tests."""
        self._starts: Final = [0]
        at = data.find(b"\n") + 1
        while at:
            self._starts.append(at)
            at = data.find(b"\n", at) + 1

    def units(self) -> tuple[Unit, ...]:
        parents = {one.parent for one in self._definitions if one.is_test and one.kind == "test"}
        made: list[Unit] = []
        places: dict[int, int] = {}
        for place, one in enumerate(self._definitions):
            kind = self._kind(place, one, is_block=place in parents)
            if kind is None:
                continue
            places[place] = len(made)
            made.append(self._unit(kind, place, one, places.get(one.parent, -1)))
        holding = {unit.parent for unit in made}
        return _without(made, {at for at, one in enumerate(made) if one.kind == "suite"} - holding)

    def _kind(self, place: int, one: Definition, *, is_block: bool) -> Kind | None:
        is_stub = one.is_stub and one.kind in _FUNCTIONS and not self._path.endswith(_DECLARING)
        if not one.is_test or (one.parent >= 0 and one.parent not in self._ids):
            return "stub" if is_stub and not one.is_test else None
        if one.kind not in _FUNCTIONS:
            self._ids[place] = self._id(one)
            return "suite"
        if one.kind == "test" and not is_block:
            return "test"
        if one.kind == "test":
            self._ids[place] = self._id(one)
            return "suite"
        return "test"

    def _id(self, one: Definition) -> str:
        if not self._path.endswith(_BY_PYTEST):
            return f"{self._path}:{one.name_line}"
        around = self._ids[one.parent] if one.parent >= 0 else self._path
        return f"{around}::{one.name}"

    def _unit(self, kind: Kind, place: int, one: Definition, parent: int) -> Unit:
        place_id = f"{self._path}:{one.name_line}"
        start = self._data.find(one.name.encode("utf-8", "surrogateescape"), self._row(one))
        start = one.start if start < 0 else start
        end = start + len(one.name.encode("utf-8", "surrogateescape"))
        return Unit(
            kind=kind,
            id=place_id if kind == "stub" else self._ids.get(place) or self._id(one),
            name=one.qualified,
            span=Span.of(self._lines.range(one.start, one.end)),
            name_span=Span.of(self._lines.range(start, min(end, one.end))),
            parent=parent,
        )

    def _row(self, one: Definition) -> int:
        return max(self._starts[min(one.name_line, len(self._starts)) - 1], one.start)


def _without(made: Sequence[Unit], left_out: set[int]) -> tuple[Unit, ...]:
    """Return the units without some, parents renumbered: a class with no test in it is no suite."""
    places: dict[int, int] = {-1: -1}
    kept: list[Unit] = []
    for at, unit in enumerate(made):
        if at not in left_out:
            places[at] = len(kept)
            kept.append(replace(unit, parent=places.get(unit.parent, -1)))
    return tuple(kept)
