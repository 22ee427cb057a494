"""The text of a proposal for an editor, and what an editor made of it as bytes again.

Editors show text without a byte order mark, and some with other line ends. Lines that nobody
changed keep their bytes, whatever the editor did to their ends.
"""

from agent.edits.changes import Content
from agent.edits.diff import diff_lines, split_lines
from agent.edits.encoding import (
    UTF8_BOM,
    decode,
    encode_like,
    encoding_of,
    with_line_ends_like,
)
from agent.edits.hunks import is_binary


def is_text(content: Content | None) -> bool:
    """Tell whether a content can be shown as text; none at all can."""
    return content is None or not is_binary(content.data)


def text_of(content: Content | None) -> str:
    """Return a content as an editor shows it; empty for none and for binary."""
    return decode(content.data) if content is not None and is_text(content) else ""


def piece_of(data: bytes, *, of: Content | None) -> str:
    """Return some lines of a file as text."""
    encoding = encoding_of(of.data if of is not None else data)
    return data.removeprefix(UTF8_BOM).decode(encoding, "replace")


def bytes_of(text: str, *, like: Content | None) -> bytes | None:
    """Return a text in the form of a file, whose lines keep their bytes where they are still there.

    None: the file's encoding cannot hold the text.
    """
    known = like.data if like is not None else b""
    data = encode_like(known, text)
    if data is None:
        return None
    if known.startswith(UTF8_BOM) and not data.startswith(UTF8_BOM):
        data = UTF8_BOM + data
    return _with_known_lines(known, data)


def _with_known_lines(known: bytes, data: bytes) -> bytes:
    """Return the data with the line ends of the known lines that are still in it."""
    old, new = split_lines(known), split_lines(data)
    pieces: list[bytes] = []
    at = 0
    for block in diff_lines([_bare(line) for line in old], [_bare(line) for line in new]):
        pieces += old[at : block.old_start]
        typed = b"".join(new[block.new_start : block.new_end])
        pieces.append(with_line_ends_like(known, typed))
        at = block.old_end
    return b"".join([*pieces, *old[at:]])


def _bare(line: bytes) -> bytes:
    return line.rstrip(b"\r\n") + b"\n" if line.endswith(b"\n") else line
