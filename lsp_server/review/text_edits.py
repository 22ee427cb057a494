"""From one text of a document to another in few small edits, at positions of LSP.

Cursors, marks and folds of lines that stay the same stay where they are. Pure.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from lsprotocol import types

from agent.edits.diff import Block, diff_lines
from lsp_server.convert import Encoding, lines_of, span_of, units_of

_FIRST: Final = types.Position(line=0, character=0)


def text_edits(old: str, new: str, encoding: Encoding) -> list[types.TextEdit]:
    """Return the edits that make `new` of `old`, in order; they do not overlap."""
    if not old and new:
        # Neovim 0.10 has an empty line there that it does not tell of; clients cut a range off at
        # the end of their text, so that this takes that line as well.
        whole = types.Range(start=_FIRST, end=types.Position(line=1, character=0))
        return [types.TextEdit(range=whole, new_text=new)]
    before, after = lines_of(old), lines_of(new)
    blocks = diff_lines(_keys(before), _keys(after))
    return [edit for block in blocks for edit in _edits_of(before, after, block, encoding)]


def with_edits(text: str, edits: Sequence[types.TextEdit], encoding: Encoding) -> str:
    """Return what a client makes of a text by such edits, also where they were not made for it."""
    data = text.encode("utf-8", "surrogatepass")
    spans = [(*span_of(text, edit.range, encoding), edit.new_text) for edit in edits]
    for start, end, new in sorted(spans, key=lambda span: span[0], reverse=True):
        data = data[:start] + new.encode("utf-8", "surrogatepass") + data[end:]
    return data.decode("utf-8", "surrogatepass")


def with_ends_of(text: str, shown: str) -> str:
    """Return a text with the line ends that an editor shows, where those are all alike."""
    ends = line_ends(shown)
    if len(ends) != 1:
        return text
    (end,) = ends
    return "".join(_bare(line) + (end if _bare(line) != line else "") for line in lines_of(text))


def line_ends(text: str) -> frozenset[str]:
    """Return the kinds of line ends in a text."""
    return frozenset(line[len(_bare(line)) :] for line in lines_of(text)) - {""}


def is_same_text(one: str, other: str) -> bool:
    """Tell whether two texts differ in nothing but the kind of their line ends.

    Neovim tells an empty text as one empty line.
    """
    return one == other or _with_feeds(one) == _with_feeds(other)


def _with_feeds(text: str) -> str:
    shown = text.replace("\r\n", "\n").replace("\r", "\n")
    return "" if shown == "\n" else shown


def _keys(lines: Sequence[str]) -> list[bytes]:
    return [line.encode("utf-8", "surrogatepass") for line in lines]


def _bare(line: str) -> str:
    return line.rstrip("\r\n")


def _edits_of(
    before: Sequence[str], after: Sequence[str], block: Block, encoding: Encoding
) -> Iterator[types.TextEdit]:
    first, new_first = block.old_start, block.new_start
    if first and block.old_end == len(before):
        # With the line above it, no edit has to name the place after the last line end, which
        # Neovim 0.10 takes for one more line.
        first, new_first = first - 1, new_first - 1
    old = "".join(before[first : block.old_end])
    new = "".join(after[new_first : block.new_end])
    tail = _common(old[::-1], new[::-1])
    head = _common(old[: len(old) - tail], new[: len(new) - tail])
    head, tail = _outside_of_line_ends(old, new, head, tail)
    yield types.TextEdit(
        range=types.Range(
            start=_position(before, first, old[:head], encoding),
            end=_position(before, first, old[: len(old) - tail], encoding),
        ),
        new_text=new[head : len(new) - tail],
    )


def _common(one: str, other: str) -> int:
    length = min(len(one), len(other))
    return next((n for n in range(length) if one[n] != other[n]), length)


def _outside_of_line_ends(old: str, new: str, head: int, tail: int) -> tuple[int, int]:
    """Keep both edges out of CR LF: no position lies between the two."""
    if head and old[head - 1] == "\r":
        head -= 1
    while tail and any(
        text[len(text) - tail] == "\n" and text[: len(text) - tail].endswith("\r")
        for text in (old, new)
    ):
        tail -= 1
    return head, tail


def _position(lines: Sequence[str], first: int, text: str, encoding: Encoding) -> types.Position:
    """Return the position after some text that begins at the start of line `first`."""
    passed = lines_of(text)
    if not passed:
        return _start_of(lines, first, encoding)
    last = passed[-1]
    if _bare(last) != last:
        return _start_of(lines, first + len(passed), encoding)
    return types.Position(line=first + len(passed) - 1, character=units_of(last, encoding))


def _start_of(lines: Sequence[str], line: int, encoding: Encoding) -> types.Position:
    """Return the start of a line; behind a last line without an end there is only its own end."""
    if line and line == len(lines) and lines[-1] == _bare(lines[-1]):
        return types.Position(line=line - 1, character=units_of(lines[-1], encoding))
    return types.Position(line=line, character=0)
