"""Finds the one place of an old text in a file and puts the new one there, or says why not.

Matching is exact, with one tolerance: where the file ends its lines with CR LF and the text with
LF (or the other way round), the file's line ends win, in the new text too. Nothing else is guessed.
A miss names the nearest place and the first line that differs, and how: that text is what a model
or a person mends the next try with.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from agent.edits.diff import split_lines
from agent.edits.spans import ByteEdit, apply_edits

MOST_PLACES: Final = 20
"""So many places of an ambiguous text are listed; more help nobody."""
_VOTES_A_LINE: Final = 200
"""A line as common as `}` votes for its first places only, so that time stays bounded."""
_LOOKED_AT_LINES: Final = 20_000
_SHOWN_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The text was found once and replaced."""

    data: bytes
    edit: ByteEdit
    line: int
    """Line of the edit, 1-based."""
    note: str = ""
    """What was tolerated; empty for an exact match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first line in which the old text and its nearest place differ."""

    text_line: int
    """Line of the old text, 1-based."""
    file_line: int
    """Line of the file, 1-based."""
    text: str
    file: str
    how: str
    """What kind of difference it is, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMatch:
    """The old text is not in the file."""

    why: str
    nearest_line: int = 0
    """Where the most of its lines are, 1-based; 0 where nothing is alike."""
    equal_lines: int = 0
    """How many of its lines agree there."""
    all_lines: int = 0
    difference: Difference | None = None

    @property
    def message(self) -> str:
        """What happened, where the text nearly is, what differs first, and what to do."""
        if not self.nearest_line:
            return f"{self.why} Read the file again and copy the text from there."
        place = (
            f"{self.why} The nearest place is line {self.nearest_line}: {self.equal_lines} of "
            f"{self.all_lines} lines agree."
        )
        if self.difference is None:
            return place
        at = self.difference
        return (
            f"{place} The first difference is in line {at.text_line} of the old text, line "
            f"{at.file_line} of the file ({at.how}):\n"
            f"  old text: {at.text}\n  the file: {at.file}\n"
            f"Copy that line as the file has it and try again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """The old text is in the file more than once."""

    spans: tuple[tuple[int, int], ...]
    """Byte offsets, start and end, of the first places."""
    lines: tuple[int, ...]
    """The line on which each begins, 1-based."""

    @property
    def message(self) -> str:
        """Where the places are, and what to do."""
        lines = ", ".join(map(str, self.lines))
        more = " and more" if len(self.lines) == MOST_PLACES else ""
        return (
            f"The old text is in the file {len(self.lines)} times{more}, at lines {lines}. "
            f"Add lines before or after it until it names one place."
        )


def replace_text(data: bytes, old: bytes, new: bytes) -> Applied | NoMatch | Ambiguous:
    """Replace the old text by the new one where it stands exactly once."""
    if not old:
        return NoMatch(why="The old text is empty.")
    note = ""
    spans = _places(data, old)
    if not spans:
        as_file, new_as_file = _with_line_ends_of(data, old), _with_line_ends_of(data, new)
        spans = _places(data, as_file)
        old, new, note = as_file, new_as_file, "line ends of the file kept"
    if not spans:
        return _miss(data, old)
    if len(spans) > 1:
        lines = tuple(data.count(b"\n", 0, start) + 1 for start, _ in spans)
        return Ambiguous(spans=spans, lines=lines)
    edit = ByteEdit(*spans[0], new)
    line = data.count(b"\n", 0, edit.start) + 1
    return Applied(data=apply_edits(data, [edit]), edit=edit, line=line, note=note)


def _places(data: bytes, old: bytes) -> tuple[tuple[int, int], ...]:
    """Return every place of the text, overlapping ones too."""
    spans: list[tuple[int, int]] = []
    at = data.find(old)
    while at >= 0 and len(spans) < MOST_PLACES:
        spans.append((at, at + len(old)))
        at = data.find(old, at + 1)
    return tuple(spans)


def _with_line_ends_of(data: bytes, text: bytes) -> bytes:
    """Return the text with CR LF where every line of the data ends so, else with LF."""
    plain = text.replace(b"\r\n", b"\n")
    feeds = data.count(b"\n")
    return plain.replace(b"\n", b"\r\n") if feeds and data.count(b"\r\n") == feeds else plain


def _miss(data: bytes, old: bytes) -> NoMatch:
    why = "The old text is not in the file."
    wanted, present = split_lines(old), split_lines(data)
    start = _nearest(wanted, present)
    if start is None:
        return NoMatch(why=why, all_lines=len(wanted))
    pairs = [(text, _line_at(present, start + n)) for n, text in enumerate(wanted)]
    unequal = [n for n, (text, file) in enumerate(pairs) if not _is_equal(text, file, n, wanted)]
    difference = None
    if unequal:
        first = unequal[0]
        text, file = pairs[first]
        difference = Difference(
            text_line=first + 1,
            file_line=start + first + 1,
            text=_shown(text),
            file=_shown(file) if file is not None else "(the file ends before it)",
            how=_how(text, file),
        )
    return NoMatch(
        why=why,
        nearest_line=max(start, 0) + 1,
        equal_lines=len(wanted) - len(unequal),
        all_lines=len(wanted),
        difference=difference,
    )


def _nearest(wanted: Sequence[bytes], present: Sequence[bytes]) -> int | None:
    """Return the 0-based file line at which the most lines of the text stand, blanks aside."""
    places: dict[bytes, list[int]] = {}
    for number, line in enumerate(present):
        places.setdefault(_squeezed(line), []).append(number)
    votes: Counter[int] = Counter()
    for number, line in enumerate(wanted):
        squeezed = _squeezed(line)
        if squeezed:
            votes.update(at - number for at in places.get(squeezed, [])[:_VOTES_A_LINE])
    if votes:
        most = max(votes.values())
        return max(min(at for at, count in votes.items() if count == most), 0)
    return _alike(wanted, present)


def _alike(wanted: Sequence[bytes], present: Sequence[bytes]) -> int | None:
    """Return where a line stands that resembles the first line of the text that says something."""
    lines = [_squeezed(line).decode("utf-8", "replace") for line in present[:_LOOKED_AT_LINES]]
    for number, line in enumerate(wanted):
        text = _squeezed(line).decode("utf-8", "replace")
        if text:
            close = get_close_matches(text[:_SHOWN_CHARACTERS], lines, n=1, cutoff=0.6)
            return max(lines.index(close[0]) - number, 0) if close else None
    return None


def _line_at(lines: Sequence[bytes], number: int) -> bytes | None:
    return lines[number] if 0 <= number < len(lines) else None


def _is_equal(text: bytes, file: bytes | None, number: int, wanted: Sequence[bytes]) -> bool:
    """Compare lines; the first and the last of the text may be a part of one."""
    if file is None:
        return False
    if number == len(wanted) - 1 and not text.endswith(b"\n"):
        return file.endswith(text) if number == 0 else file.startswith(text)
    return file.endswith(text) if number == 0 else file == text


def _how(text: bytes, file: bytes | None) -> str:
    if file is None:
        return "missing"
    text, file = text.rstrip(b"\r\n"), file.rstrip(b"\r\n")
    if text == file:
        return "line end"
    if text.rstrip() == file.rstrip():
        return "blanks at its end"
    if text.strip() == file.strip():
        return f"indentation: {_indent(text)} in the old text, {_indent(file)} in the file"
    if _squeezed(text) == _squeezed(file):
        return "blanks inside"
    if text.lower() == file.lower():
        return "upper and lower case"
    return "text"


def _indent(line: bytes) -> str:
    lead = line[: len(line) - len(line.lstrip())]
    counts = {"tab": lead.count(b"\t"), "space": lead.count(b" ")}
    named = [f"{n} {name}{'s' * (n > 1)}" for name, n in counts.items() if n]
    return " and ".join(named) or "none"


def _squeezed(line: bytes) -> bytes:
    return b" ".join(line.split())


def _shown(line: bytes) -> str:
    """Return a line so that blanks and odd bytes can be told apart."""
    text = repr(line.rstrip(b"\r\n").decode("utf-8", "backslashreplace"))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
