"""Places in a text that move along with edits before them. Pure.

Counted as the client counts, so that nothing of the text is needed to move them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lsprotocol import types

from lsp_server.convert import Encoding, lines_of, units_of

Place = tuple[int, int]
"""Line and character, from 0."""

_ENDS: Final = "\r\n"


@dataclass(frozen=True, slots=True)
class Span:
    """A range as plain numbers: thousands are looked at for a request."""

    start: Place
    end: Place

    @staticmethod
    def of(range_: types.Range) -> "Span":
        """Return the span of a range."""
        return Span(
            (range_.start.line, range_.start.character), (range_.end.line, range_.end.character)
        )

    @property
    def range(self) -> types.Range:
        """The same as LSP has it."""
        return types.Range(
            start=types.Position(line=self.start[0], character=self.start[1]),
            end=types.Position(line=self.end[0], character=self.end[1]),
        )

    @property
    def json(self) -> dict[str, dict[str, int]]:
        """The same as plain JSON, for what carries params."""
        return {
            "start": {"line": self.start[0], "character": self.start[1]},
            "end": {"line": self.end[0], "character": self.end[1]},
        }

    def touches(self, other: "Span") -> bool:
        """Tell whether they have a place in common; an empty one at an edge counts."""
        return self.start <= other.end and other.start <= self.end

    def holds(self, other: "Span") -> bool:
        """Tell whether the other one lies wholly within."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a change does to places: what stood up to `old_end` stands from `new_end` on."""

    start: Place
    old_end: Place
    new_end: Place

    def place(self, place: Place, *, is_end: bool = False) -> Place:
        """Return where a place is after the edit; one that was replaced is at its edge.

        What is put in right at the place goes before a start and after an end.
        """
        if place < self.start or (is_end and place == self.start):
            return place
        if place < self.old_end:
            return self.start if is_end else self.new_end
        line, character = place
        if line == self.old_end[0]:
            character += self.new_end[1] - self.old_end[1]
        return line + self.new_end[0] - self.old_end[0], character

    def before(self, place: Place) -> Place:
        """Return where a place was before the edit; what was put in was at its start."""
        if place < self.start:
            return place
        if place < self.new_end:
            return self.start
        line, character = place
        if line == self.new_end[0]:
            character += self.old_end[1] - self.new_end[1]
        return line + self.old_end[0] - self.new_end[0], character

    def span(self, span: Span) -> Span | None:
        """Return where a span is after the edit; None where nothing of it is left."""
        if span.end < self.start:
            return span
        start, end = self.place(span.start), self.place(span.end, is_end=True)
        return Span(start, end) if start < end else None


def edit_of(start: types.Position, end: types.Position, text: str, encoding: Encoding) -> Edit:
    """Return the edit that puts a text in place of a range."""
    old_start, old_end = (start.line, start.character), (end.line, end.character)
    lines = lines_of(text)
    last = lines[-1] if lines and lines[-1][-1] not in _ENDS else ""
    rows = len(lines) - bool(last)
    width = units_of(last, encoding)
    new_end = (old_start[0] + rows, width if rows else old_start[1] + width)
    return Edit(start=old_start, old_end=old_end, new_end=new_end)


def after_all(span: Span, edits: Iterable[Edit]) -> Span:
    """Return where a span is after edits, one after the other; empty where nothing is left."""
    for edit in edits:
        span = edit.span(span) or Span(edit.new_end, edit.new_end)
    return span
