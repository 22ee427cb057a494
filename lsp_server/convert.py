"""Between bytes, which everything inside counts in, and positions and URIs, which LSP counts in.

The only place that knows UTF-16. A position past the end of a line or of a text means that end, as
the specification has it; one inside a character means the character's start. Pure.
"""

import os
import re
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import quote, unquote_to_bytes, urlsplit

from lsprotocol import types

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_UNQUOTED: Final = "/!$&'()*+,;=:@"
"""What a path may hold as it is (RFC 3986, pchar)."""


def encoding_named(name: str | None) -> Encoding:
    """Return the encoding of that name; UTF-16, the one every client knows, for any other."""
    return next((one for one in get_args(Encoding) if one == name), "utf-16")


def lines_of(text: str) -> list[str]:
    """Return the lines with their ends: CR LF, CR or LF, and nothing else.

    A text that ends with a line end has no empty line after it here, though a position may name it.
    """
    return _LINE.findall(text)


def units_of(text: str, encoding: Encoding) -> int:
    """Return how many units a piece of a line counts."""
    if text.isascii():
        return len(text)
    match encoding:
        case "utf-32":
            return len(text)
        case "utf-16":
            return len(text) + sum(character > "\uffff" for character in text)
        case "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))


def column_of(line: str, character: int, encoding: Encoding) -> int:
    """Return the place in a line, counted in characters of it, that so many units lead to."""
    bare = line.rstrip("\r\n")
    if encoding == "utf-32" or bare.isascii():
        return min(character, len(bare))
    units = 0
    for column, each in enumerate(bare):
        units += units_of(each, encoding)
        if units > character:
            return column
    return len(bare)


class Lines:
    """A text by lines, between places in it counted in bytes of UTF-8 and positions."""

    __slots__ = ("_encoding", "_starts", "lines")

    def __init__(self, lines: Sequence[str], encoding: Encoding) -> None:
        self.lines: Final = lines
        self._encoding: Final = encoding
        self._starts: Final = [0]
        at = 0
        for line in lines:
            at += len(line) if line.isascii() else len(line.encode("utf-8", "surrogatepass"))
            self._starts.append(at)

    def position(self, offset: int) -> types.Position:
        """Return the position of a byte; what lies past the end means the end."""
        row = bisect_right(self._starts, min(max(offset, 0), self._starts[-1])) - 1
        if row < len(self.lines):
            line = self.lines[row]
            before = _head(line, offset - self._starts[row])
            bare = line.rstrip("\r\n")
            return _position(row, units_of(before[: len(bare)], self._encoding))
        last = self.lines[-1] if self.lines else ""
        if not last or last[-1] in "\r\n":
            return _position(row, 0)
        return _position(row - 1, units_of(last, self._encoding))

    def offset(self, position: types.Position) -> int:
        """Return the byte at a position."""
        if position.line >= len(self.lines):
            return self._starts[-1]
        line = self.lines[position.line]
        before = line[: column_of(line, position.character, self._encoding)]
        return self._starts[position.line] + len(before.encode("utf-8", "surrogatepass"))

    def range(self, start: int, end: int) -> types.Range:
        """Return the range of the bytes from `start` up to, not including, `end`."""
        return types.Range(start=self.position(start), end=self.position(end))

    def span(self, range_: types.Range) -> tuple[int, int]:
        """Return the first byte of a range and the one after its last."""
        start, end = sorted((self.offset(range_.start), self.offset(range_.end)))
        return start, end


def range_of(text: str, start: int, end: int, encoding: Encoding) -> types.Range:
    """Return the range of some bytes of a text's UTF-8."""
    return Lines(lines_of(text), encoding).range(start, end)


def span_of(text: str, range_: types.Range, encoding: Encoding) -> tuple[int, int]:
    """Return the bytes of a text's UTF-8 that a range covers: the first, the one after the last."""
    return Lines(lines_of(text), encoding).span(range_)


def line_range(line0: int, count: int = 1) -> types.Range:
    """Return the range of whole lines with their ends; of no lines: the place before one."""
    return types.Range(start=_position(line0, 0), end=_position(line0 + count, 0))


def path_of(uri: str) -> Path | None:
    """Return the absolute path that a `file:` URI names on this machine; None for any other.

    Bytes that are no UTF-8 become surrogates, as everywhere in names of files.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # such as a bracket in the place of a host
        return None
    if parts.scheme.lower() != "file" or parts.netloc.lower() not in {"", "localhost"}:
        return None
    # A client that left `?` or `#` as they are can have meant nothing but the name.
    rest = uri.split(":", 1)[1].removeprefix("//").removeprefix(parts.netloc)
    data = unquote_to_bytes(rest)
    if not data.startswith(b"/") or b"\0" in data:
        return None
    return Path(os.path.normpath(os.fsdecode(data)))


def uri_of(path: Path) -> str:
    """Return the `file:` URI of an absolute path."""
    return "file://" + quote(os.fsencode(path), safe=_UNQUOTED)


def _position(line0: int, character: int) -> types.Position:
    return types.Position(line=line0, character=character)


def _head(line: str, offset: int) -> str:
    """Return the characters of a line that lie wholly before a byte of it."""
    if line.isascii():
        return line[:offset]
    at = 0
    for column, character in enumerate(line):
        at += units_of(character, "utf-8")
        if at > offset:
            return line[:column]
    return line
