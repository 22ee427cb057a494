"""Unified diff text of one file, in the form that `git apply` takes (git-diff(1))."""

import base64
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

from agent.edits.changes import Content, Mode
from agent.edits.diff import Block, diff_lines, split_lines
from agent.edits.hunks import FilePatch, is_binary
from agent.task import RepoPath

CONTEXT_LINES: Final = 3
_NO_FILE: Final = b"/dev/null"
_BINARY_LINE_BYTES: Final = 52
"""Most that one line of a binary patch may hold; its first letter is the count."""
_ESCAPES: Final = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


def render_file(file: FilePatch) -> bytes:
    """Return the diff of one path; empty when nothing differs."""
    old, new = file.old, file.new
    if old == new:
        return b""
    if old and new and (old.mode is Mode.LINK) is not (new.mode is Mode.LINK):
        return _render(file.path, old, None) + _render(file.path, None, new)
    return _render(file.path, old, new)


def _render(path: RepoPath, old: Content | None, new: Content | None) -> bytes:
    a, b = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    head = b"diff --git %s %s\n" % (a, b) + _modes(old, new)
    old_data, new_data = old.data if old else b"", new.data if new else b""
    if old_data == new_data:
        return head
    mode = b" " + old.mode.encode() if old and new and old.mode is new.mode else b""
    head += b"index %s..%s%s\n" % (_blob_id(old), _blob_id(new), mode)
    if is_binary(old_data) or is_binary(new_data):
        return head + b"GIT binary patch\n" + _literal(new_data) + _literal(old_data)
    names = b"--- %s\n+++ %s\n" % (_name_line(a, path, old), _name_line(b, path, new))
    return head + names + b"".join(_hunks(split_lines(old_data), split_lines(new_data)))


def _modes(old: Content | None, new: Content | None) -> bytes:
    if old is None:
        return b"new file mode %s\n" % new.mode.encode() if new else b""
    if new is None:
        return b"deleted file mode %s\n" % old.mode.encode()
    if old.mode is new.mode:
        return b""
    return b"old mode %s\nnew mode %s\n" % (old.mode.encode(), new.mode.encode())


def _blob_id(content: Content | None) -> bytes:
    if content is None:
        return b"0" * 40
    header = b"blob %d\0" % len(content.data)
    return hashlib.sha1(header + content.data, usedforsecurity=False).hexdigest().encode()


def _name_line(name: bytes, path: RepoPath, content: Content | None) -> bytes:
    """Return the name for a `---` or `+++` line; a tab ends one with a space in it, as in git."""
    if content is None:
        return _NO_FILE
    return name + b"\t" if " " in path else name


def _quoted(name: str) -> bytes:
    """Return the name, in quotes with escapes where git puts them (core.quotePath)."""
    raw = name.encode("utf-8", "surrogateescape")
    shown = "".join(_escaped(byte) for byte in raw).encode()
    return raw if shown == raw else b'"' + shown + b'"'


def _escaped(byte: int) -> str:
    if byte in _ESCAPES:
        return "\\" + _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def _literal(data: bytes) -> bytes:
    packed = zlib.compress(data)
    lines = [b"literal %d\n" % len(data)]
    for at in range(0, len(packed), _BINARY_LINE_BYTES):
        piece = packed[at : at + _BINARY_LINE_BYTES]
        count = len(piece)
        letter = chr(ord("A") + count - 1) if count <= 26 else chr(ord("a") + count - 27)
        lines.append(letter.encode() + base64.b85encode(piece, pad=True) + b"\n")
    return b"".join(lines) + b"\n"


def _groups(blocks: Sequence[Block]) -> list[list[Block]]:
    """Put blocks together that are so near to each other that their context lines meet."""
    groups: list[list[Block]] = []
    for block in blocks:
        if groups and block.old_start - groups[-1][-1].old_end <= 2 * CONTEXT_LINES:
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _hunks(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[bytes]:
    for group in _groups(diff_lines(old, new)):
        yield _hunk(old, new, group)


def _hunk(old: Sequence[bytes], new: Sequence[bytes], blocks: Sequence[Block]) -> bytes:
    before = min(CONTEXT_LINES, blocks[0].old_start)
    after = min(CONTEXT_LINES, len(old) - blocks[-1].old_end)
    old_start, new_start = blocks[0].old_start - before, blocks[0].new_start - before
    old_end, new_end = blocks[-1].old_end + after, blocks[-1].new_end + after
    lines = []
    at = old_start
    for block in blocks:
        lines += [b" " + line for line in old[at : block.old_start]]
        lines += [b"-" + line for line in old[block.old_start : block.old_end]]
        lines += [b"+" + line for line in new[block.new_start : block.new_end]]
        at = block.old_end
    lines += [b" " + line for line in old[at:old_end]]
    head = b"@@ -%s +%s @@\n" % (_range(old_start, old_end), _range(new_start, new_end))
    return head + b"".join(_ended(line) for line in lines)


def _range(start: int, end: int) -> bytes:
    """Return `line,count`; an empty range names the line before it, a count of one is left out."""
    if end == start:
        return b"%d,0" % start
    return b"%d" % (start + 1) if end == start + 1 else b"%d,%d" % (start + 1, end - start)


def _ended(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"
