"""Lays accepted hunks over a file that may have changed since: shift them, or name the conflict.

Three texts: the base, the base with the hunks, and the file as it is now. A hunk goes in where its
lines still stand as they were, wherever that is now. Where the user changed the same lines, or the
lines right beside them, nobody can tell which text is meant: that is a conflict, as in git.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from agent.edits.changes import Content, Mode
from agent.edits.diff import Block, diff_lines, split_lines
from agent.edits.hunks import FilePatch, Hunk, HunkKind, join_file
from agent.edits.spans import ByteEdit, apply_edits
from agent.task import HunkId, RepoPath

_SHOWN_BYTES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What the file shall be."""

    content: Content | None
    shifted: tuple[HunkId, ...] = ()
    """Hunks that went in at another line than in the base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why a hunk cannot go in; nothing was written."""

    path: RepoPath
    hunks: tuple[HunkId, ...]
    why: str
    """One line for a person: what is there now, and what would have to be."""
    line: int = 0
    """Where in the file as it is now, 1-based; 0 where the whole file is meant."""
    expected: bytes = b""
    """What stood there in the base; cut off when long."""
    found: bytes = b""
    """What stands there now; cut off when long."""


def merge_file(
    file: FilePatch, accepted: Collection[HunkId], now: Content | None
) -> Merged | tuple[Conflict, ...]:
    """Return what the file shall be with the accepted hunks, or every conflict in it."""
    chosen = [hunk for hunk in file.hunks if hunk.id in accepted]
    wanted = join_file(file, accepted)
    if now == file.old or now == wanted:
        return Merged(content=wanted)
    why = _why_not_by_lines(file, chosen, now)
    if why or file.old is None or now is None:
        ids = tuple(hunk.id for hunk in chosen)
        return (Conflict(path=file.path, hunks=ids, why=why),)
    return _merge_lines(file.old, chosen, now)


def _why_not_by_lines(file: FilePatch, chosen: Sequence[Hunk], now: Content | None) -> str:
    """Say why a changed path cannot be merged line by line; empty when it can."""
    if file.old is None:
        return "there is a file of that name by now"
    if now is None:
        return "the file is gone"
    if file.new is None:
        return "the file has changed since; deleting it would lose that"
    if now.mode is Mode.LINK and file.old.mode is not Mode.LINK:
        return "the file has become a symlink"
    if any(hunk.kind is HunkKind.REPLACE for hunk in chosen):
        return "the file has changed since, and it can only be replaced as a whole"
    return ""


def _merge_lines(
    old: Content, chosen: Sequence[Hunk], now: Content
) -> Merged | tuple[Conflict, ...]:
    placing = _Placing(old.data, now.data)
    edits: list[ByteEdit] = []
    shifted: list[HunkId] = []
    conflicts: list[Conflict] = []
    mode = now.mode
    for hunk in chosen:
        if hunk.kind is HunkKind.MODE:
            mode = Mode(hunk.new.decode())
            continue
        match placing.place(hunk):
            case Conflict() as conflict:
                conflicts.append(conflict)
            case ByteEdit() as edit:
                edits.append(edit)
                if now.data.count(b"\n", 0, edit.start) != hunk.old_start_line - 1:
                    shifted.append(hunk.id)
            case None:
                pass
    if conflicts:
        return tuple(conflicts)
    return Merged(
        content=Content(data=apply_edits(now.data, edits), mode=mode), shifted=tuple(shifted)
    )


class _Placing:
    """Finds the lines of the base in the file as it is now."""

    def __init__(self, old: bytes, now: bytes) -> None:
        old_lines, self._now_lines = split_lines(old), split_lines(now)
        self._old_starts = [0, *accumulate(map(len, old_lines))]
        self._now_starts = [0, *accumulate(map(len, self._now_lines))]
        self._blocks = diff_lines(old_lines, self._now_lines)

    def place(self, hunk: Hunk) -> ByteEdit | Conflict | None:
        """Return the edit of the file as it is now; None when the very change is there already."""
        first = hunk.old_start_line - 1
        end = first + len(split_lines(hunk.old))
        near = [b for b in self._blocks if b.old_start <= end and b.old_end >= first]
        if near:
            return None if self._is_made(hunk, near) else self._conflict(hunk, near)
        earlier = [block for block in self._blocks if block.old_end < first]
        line = first + (earlier[-1].new_end - earlier[-1].old_end if earlier else 0)
        start = self._now_starts[line]
        return ByteEdit(start, start + len(hunk.old), hunk.new)

    def _is_made(self, hunk: Hunk, near: Sequence[Block]) -> bool:
        start, end = self._old_starts[near[0].old_start], self._old_starts[near[-1].old_end]
        return (
            len(near) == 1
            and (start, end) == (hunk.start, hunk.start + len(hunk.old))
            and self._text(near) == hunk.new
        )

    def _conflict(self, hunk: Hunk, near: Sequence[Block]) -> Conflict:
        return Conflict(
            path=hunk.path,
            hunks=(hunk.id,),
            why="these lines, or lines right beside them, have changed since",
            line=near[0].new_start + 1,
            expected=hunk.old[:_SHOWN_BYTES],
            found=self._text(near)[:_SHOWN_BYTES],
        )

    def _text(self, near: Sequence[Block]) -> bytes:
        return b"".join(self._now_lines[near[0].new_start : near[-1].new_end])
