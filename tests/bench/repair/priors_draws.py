"""What the templates draw at the statements that a fix changed, and which drawing is the fix.

Draws as the search does, without an error message: histories tell none. Edits that parse alike
count once, for the template that comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.edits.spans import ByteEdit, apply_edits
from agent.repair.forms import form
from agent.repair.lang import grammar_for
from agent.repair.lang.base import Region
from agent.repair.priors import detail
from agent.repair.proposal import Sketch
from agent.repair.source import Source
from agent.repair.templates import drawn
from agent.repo.languages import Language
from agent.task import RepoPath
from tests.bench.repair.priors_history import SmallFix, Window, window
from tests.bench.repair.priors_words import changed_words

MOST_CHANGED: Final = 60
"""Words changed, in and out; nothing is drawn where more are, no edit writes as much."""
SLACK_BYTES: Final = 8
"""Texts that differ in length by more are not compared: neutral arithmetic is shorter."""
WITH_COMMENT_BYTES: Final = 400

Key = tuple[str, str]
"""Template and detail."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One edit that was drawn."""

    key: Key
    prior: float
    """As set by hand."""
    tier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A fix with everything drawn at the statements that it changes."""

    repository: str
    commit: str
    draws: tuple[Draw, ...]
    right: int | None
    """Which of them is the fix; None: none is."""
    is_tested: bool
    old: bytes
    """The changed lines."""
    new: bytes


def example(fix: SmallFix) -> Example | None:
    """Return what is drawn for a fix; None where nothing of it can be edited."""
    rows = window(fix.before, fix.after)
    if rows is None:
        return None
    old = fix.before[_byte(fix.before, rows.first) : _byte(fix.before, rows.last)]
    new = fix.after[_byte(fix.after, rows.first) : _byte(fix.after, rows.last_after)]
    draws, right = ([], None) if changed_words(old, new) > MOST_CHANGED else _drawn(fix, rows)
    return Example(
        repository=fix.repository,
        commit=fix.commit,
        is_tested=fix.is_tested,
        draws=tuple(draws),
        right=right,
        old=old,
        new=new,
    )


def _drawn(fix: SmallFix, rows: Window) -> tuple[list[Draw], int | None]:
    """Return everything drawn at the changed statements, and which of it is the fix."""
    source = Source(RepoPath(fix.path), fix.before, grammar_for(Language.PYTHON))
    regions = _changed(source, rows)
    if not regions:
        return [], None
    first = min([rows.first, *(region.first_row for region in regions)])
    last = max([rows.last, *(region.last_row + 1 for region in regions)])
    start, end = _byte(fix.before, first), _byte(fix.before, last)
    new_end = len(fix.after) - (len(fix.before) - end)
    wanted = _Wanted(fix.before[start:end], fix.after[start:new_end], start)
    return wanted.find(source, regions)


class _Wanted:
    """The lines around a fix, before and after, and how to tell the fix among edits."""

    def __init__(self, old: bytes, new: bytes, start: int) -> None:
        self._old = old
        self._start = start
        self._form = form(Language.PYTHON, new)
        self._squeezed = _squeeze(new)
        self._slack = WITH_COMMENT_BYTES if b"#" in old + new else SLACK_BYTES

    def find(self, source: Source, regions: Sequence[Region]) -> tuple[list[Draw], int | None]:
        """Return every distinct edit, and the place of the right one among them."""
        sketches = [sketch for region in regions for sketch in drawn(source, region, None)]
        seen = {_squeeze(self._old)}
        draws: list[Draw] = []
        right: int | None = None
        for sketch in sorted(sketches, key=lambda each: -each.prior):
            after = self._after(sketch)
            key = _squeeze(after) if after is not None else repr(sketch.edits).encode()
            if key in seen:
                continue
            seen.add(key)
            if right is None and after is not None and self._is_right(after, key):
                right = len(draws)
            draws.append(Draw((sketch.template, detail(sketch)), sketch.prior, sketch.tier))
        return draws, right

    def _after(self, sketch: Sketch) -> bytes | None:
        """Return the lines with the edit; None where it lies outside of them."""
        if any(
            edit.start < self._start or edit.end > self._start + len(self._old)
            for edit in sketch.edits
        ):
            return None
        moved = [
            ByteEdit(edit.start - self._start, edit.end - self._start, edit.text)
            for edit in sketch.edits
        ]
        return apply_edits(self._old, moved)

    def _is_right(self, after: bytes, squeezed: bytes) -> bool:
        if squeezed == self._squeezed:
            return True
        is_near = abs(len(squeezed) - len(self._squeezed)) <= self._slack
        return is_near and form(Language.PYTHON, after) == self._form


def _changed(source: Source, rows: Window) -> list[Region]:
    """Return the statements that the lines belong to; for added lines those around them."""
    spans = [_around(source.data, start, end) for start, end in rows.changed]
    return [
        each
        for each in source.regions
        if any(each.first_row <= last and each.last_row >= first for first, last in spans)
    ]


def _around(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the first and the last of some rows; where there are none, their neighbours."""
    if end > start:
        return start, end - 1
    lines = data.splitlines()
    before = (row for row in range(start - 1, -1, -1) if lines[row].strip())
    after = (row for row in range(start, len(lines)) if lines[row].strip())
    first = next(before, 0)
    return first, next(after, first)


def _byte(data: bytes, row: int) -> int:
    """Return where a row begins."""
    at = 0
    for _ in range(row):
        found = data.find(b"\n", at)
        if found < 0:
            return len(data)
        at = found + 1
    return at


def _squeeze(data: bytes) -> bytes:
    """Return the text without layout; indentation stays, it says what belongs to what."""
    lines = [line for line in data.splitlines() if line.strip()]
    depth = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return b"\n".join(
        line[depth : len(line) - len(line.lstrip())] + b"".join(line.split()) for line in lines
    )
