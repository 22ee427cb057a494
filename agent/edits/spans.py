"""Byte edits: replace spans of a file's bytes. Knows nothing of lines, text or encodings."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ByteEdit:
    """Put `text` in place of the bytes from `start` up to, not including, `end`."""

    start: int
    end: int
    text: bytes


def apply_edits(data: bytes, edits: Iterable[ByteEdit]) -> bytes:
    """Return the data with every edit made; all offsets are those of the original data.

    Edits come in any order. Two insertions at one place are made in the order of their texts.
    Raises: ValueError when edits overlap or lie outside the data.
    """
    pieces: list[bytes] = []
    done = 0
    for edit in sorted(edits):
        if not done <= edit.start <= edit.end <= len(data):
            raise ValueError(
                f"edit of bytes {edit.start}..{edit.end} overlaps another one or lies outside of "
                f"{len(data)} bytes"
            )
        pieces += [data[done : edit.start], edit.text]
        done = edit.end
    pieces.append(data[done:])
    return b"".join(pieces)
