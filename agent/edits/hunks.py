"""A patch as small pieces that a person accepts or rejects one by one.

A hunk changes exactly its bytes: line ends, a BOM, a missing final newline and bytes that are no
UTF-8 go through untouched, because nothing here decodes anything.
"""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final

from agent.edits.changes import Content, Mode
from agent.edits.diff import diff_lines, split_lines
from agent.edits.spans import ByteEdit, apply_edits
from agent.task import HunkId, RepoPath

_BINARY_PROBE_BYTES: Final = 8000
"""A NUL among so many first bytes makes a file binary, as in git."""


class HunkKind(StrEnum):
    """What a hunk changes."""

    TEXT = "text"
    """Some lines of a file that exists before and after."""
    MODE = "mode"
    """The executable bit alone."""
    CREATE = "create"
    DELETE = "delete"
    REPLACE = "replace"
    """All of a file: it is binary, or a file becomes a link or the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One change that is accepted or rejected as a whole."""

    id: HunkId
    path: RepoPath
    kind: HunkKind
    old_start_line: int
    """First line it replaces, 1-based; for an insertion, the line it is put before."""
    new_start_line: int
    """Where `new` begins when every hunk is accepted."""
    start: int
    """Byte offset of `old` in the base file."""
    old: bytes
    """What is replaced; a mode's digits for MODE."""
    new: bytes
    """What it is replaced by; a mode's digits for MODE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePatch:
    """One path before and after, with the hunks that lead from the one to the other."""

    path: RepoPath
    old: Content | None
    new: Content | None
    hunks: tuple[Hunk, ...]


def split_file(path: RepoPath, old: Content | None, new: Content | None) -> FilePatch:
    """Return the patch of one path; without hunks when nothing differs."""
    return FilePatch(path=path, old=old, new=new, hunks=tuple(_hunks(path, old, new)))


def join_file(file: FilePatch, accepted: Collection[HunkId]) -> Content | None:
    """Return the path's content with just the accepted hunks in it."""
    chosen = [hunk for hunk in file.hunks if hunk.id in accepted]
    if len(chosen) == len(file.hunks):
        return file.new
    if not chosen or file.old is None or file.new is None:
        return file.old
    edits = [
        ByteEdit(hunk.start, hunk.start + len(hunk.old), hunk.new)
        for hunk in chosen
        if hunk.kind is HunkKind.TEXT or hunk.kind is HunkKind.REPLACE
    ]
    mode_too = any(hunk.kind is HunkKind.MODE for hunk in chosen)
    mode = file.new.mode if mode_too else file.old.mode
    return Content(data=apply_edits(file.old.data, edits), mode=mode)


def is_binary(data: bytes) -> bool:
    """Tell whether git would not show the data as text."""
    return b"\0" in data[:_BINARY_PROBE_BYTES]


def _hunks(path: RepoPath, old: Content | None, new: Content | None) -> list[Hunk]:
    if old == new:
        return []
    make = _Maker(path)
    if old is None and new is not None:
        return [make.whole(HunkKind.CREATE, b"", new.data, new.mode)]
    if old is not None and new is None:
        return [make.whole(HunkKind.DELETE, old.data, b"", old.mode)]
    if old is None or new is None:
        return []
    if Mode.LINK in (old.mode, new.mode):
        return [make.whole(HunkKind.REPLACE, old.data, new.data, f"{old.mode}{new.mode}")]
    hunks = []
    if old.mode is not new.mode:
        hunks.append(make.hunk(HunkKind.MODE, old.mode.encode(), new.mode.encode()))
    if old.data == new.data:
        return hunks
    if is_binary(old.data) or is_binary(new.data):
        return [*hunks, make.whole(HunkKind.REPLACE, old.data, new.data, "")]
    return [*hunks, *_text_hunks(make, old.data, new.data)]


def _text_hunks(make: "_Maker", old: bytes, new: bytes) -> list[Hunk]:
    old_lines, new_lines = split_lines(old), split_lines(new)
    offsets = [0, *accumulate(map(len, old_lines))]
    return [
        make.hunk(
            HunkKind.TEXT,
            b"".join(old_lines[block.old_start : block.old_end]),
            b"".join(new_lines[block.new_start : block.new_end]),
            start=offsets[block.old_start],
            lines=(block.old_start + 1, block.new_start + 1),
        )
        for block in diff_lines(old_lines, new_lines)
    ]


class _Maker:
    """Makes the hunks of one path; equal ones get different ids, by their order."""

    def __init__(self, path: RepoPath) -> None:
        self._path = path
        self._made: Counter[tuple[bytes, ...]] = Counter()

    def whole(self, kind: HunkKind, old: bytes, new: bytes, modes: str) -> Hunk:
        """Return the hunk of a whole file, whose mode is part of what it is."""
        return self.hunk(kind, old, new, more=modes.encode())

    def hunk(
        self,
        kind: HunkKind,
        old: bytes,
        new: bytes,
        *,
        start: int = 0,
        lines: tuple[int, int] = (1, 1),
        more: bytes = b"",
    ) -> Hunk:
        path = self._path.encode("utf-8", "surrogateescape")
        parts = (path, kind.encode(), old, new, more)
        occurrence = self._made[parts]
        self._made[parts] += 1
        digest = hashlib.sha256()
        for part in (*parts, b"%d" % occurrence):
            digest.update(b"%d:" % len(part) + part)
        return Hunk(
            id=HunkId(digest.hexdigest()[:12]),
            path=self._path,
            kind=kind,
            old_start_line=lines[0],
            new_start_line=lines[1],
            start=start,
            old=old,
            new=new,
        )
