"""Lays hunks of a reviewed file over the file as it is now, and takes them out again.

Three texts are compared: what was put there so far (the base and the accepted hunks), the same with
the chosen hunks, and what the editor or the disk holds. One hunk that meets newer typing does not
stop the others. Pure; `agent.edits.merge` does the comparing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.edits.changes import Content
from agent.edits.diff import Block, diff_lines, split_lines
from agent.edits.hunks import FilePatch, Hunk, HunkKind, join_file
from agent.edits.merge import Conflict, Merged, merge_file
from agent.task import HunkId
from lsp_server.review.reviewed import ReviewedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """What the file shall be."""

    content: Content | None
    hunks: tuple[HunkId, ...]
    """The chosen hunks that are in it."""
    conflicts: tuple[Conflict, ...]
    """Why the others are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Lines of the file as it is now; 0-based, only line feeds end a line."""

    line0: int
    count: int


def lay(
    file: ReviewedFile,
    *,
    inside: Collection[HunkId],
    chosen: Collection[HunkId],
    now: Content | None,
) -> Laid:
    """Put as many of the chosen hunks as can be into `now`; those `inside` are in it already."""
    patch = _onto(file, frozenset(inside) - frozenset(chosen))
    wanted = tuple(hunk.id for hunk in patch.hunks if hunk.id in chosen)
    left = wanted
    conflicts: tuple[Conflict, ...] = ()
    while left:
        merged = merge_file(patch, left, now)
        if isinstance(merged, Merged):
            return Laid(content=merged.content, hunks=left, conflicts=conflicts)
        conflicts += merged
        refused = {id_ for conflict in merged for id_ in conflict.hunks}
        left = tuple(id_ for id_ in left if id_ not in refused)
    return _modes_alone(patch, wanted, now, conflicts)


def take_out(
    file: ReviewedFile, *, inside: Collection[HunkId], now: Content | None
) -> Merged | tuple[Conflict, ...]:
    """Return `now` without the hunks that are inside it, or every place where that would lose text.

    What was typed elsewhere in the file stays.
    """
    put = [hunk for hunk in file.hunks if hunk.id in inside]
    reverse = FilePatch(
        path=file.path,
        old=file.just(inside),
        new=file.base,
        hunks=tuple(_reversed(_shifted(hunk, put)) for hunk in put),
    )
    return merge_file(reverse, [hunk.id for hunk in put], now)


def places(
    file: ReviewedFile, *, inside: Collection[HunkId], now: Content | None
) -> Mapping[HunkId, Place]:
    """Return where each hunk's lines are in `now`: the old ones, or the new ones once inside.

    Lines that have been changed there are given as what they became.
    """
    put = [hunk for hunk in file.hunks if hunk.id in inside]
    there = file.just(inside)
    if now is None:
        return {}
    known = split_lines(there.data) if there else []
    blocks = diff_lines(known, split_lines(now.data))
    found = {}
    for hunk in file.hunks:
        is_in = hunk.id in inside
        if hunk.kind is not HunkKind.TEXT:
            found[hunk.id] = Place(line0=0, count=0 if hunk.kind is HunkKind.MODE else len(known))
            continue
        start = _shifted(hunk, put).old_start_line - 1
        count = len(split_lines(hunk.new if is_in else hunk.old))
        found[hunk.id] = _moved(blocks, start, start + count)
    return found


def _onto(file: ReviewedFile, inside: Collection[HunkId]) -> FilePatch:
    """Return the file's other hunks as a patch of the base with those inside it."""
    put = [hunk for hunk in file.hunks if hunk.id in inside]
    return FilePatch(
        path=file.path,
        old=join_file(file.patch, inside),
        new=file.new,
        hunks=tuple(_shifted(hunk, put) for hunk in file.hunks if hunk.id not in inside),
    )


def _shifted(hunk: Hunk, put: Sequence[Hunk]) -> Hunk:
    """Return a hunk as it stands once the others are in the file."""
    before = [
        other
        for other in put
        if other.kind is HunkKind.TEXT and other.start < hunk.start and other.id != hunk.id
    ]
    data = sum(len(other.new) - len(other.old) for other in before)
    lines = sum(len(split_lines(other.new)) - len(split_lines(other.old)) for other in before)
    return replace(hunk, start=hunk.start + data, old_start_line=hunk.old_start_line + lines)


def _reversed(hunk: Hunk) -> Hunk:
    kinds = {HunkKind.CREATE: HunkKind.DELETE, HunkKind.DELETE: HunkKind.CREATE}
    return replace(hunk, kind=kinds.get(hunk.kind, hunk.kind), old=hunk.new, new=hunk.old)


def _modes_alone(
    patch: FilePatch,
    wanted: Sequence[HunkId],
    now: Content | None,
    conflicts: tuple[Conflict, ...],
) -> Laid:
    """A file that can only be replaced as a whole may still get its executable bit."""
    modes = [hunk.id for hunk in patch.hunks if hunk.kind is HunkKind.MODE and hunk.id in wanted]
    merged = merge_file(patch, modes, now) if modes else None
    if not isinstance(merged, Merged):
        return Laid(content=now, hunks=(), conflicts=conflicts)
    others = [
        replace(conflict, hunks=tuple(id_ for id_ in conflict.hunks if id_ not in modes))
        for conflict in conflicts
    ]
    return Laid(content=merged.content, hunks=tuple(modes), conflicts=tuple(others))


def _moved(blocks: Sequence[Block], start: int, end: int) -> Place:
    """Return where lines are after the blocks have changed, as far as that can be known."""
    first, last = _line_after(blocks, start, at_end=False), _line_after(blocks, end, at_end=True)
    return Place(line0=first, count=max(last - first, 0))


def _line_after(blocks: Sequence[Block], line0: int, *, at_end: bool) -> int:
    shift = 0
    for block in blocks:
        if line0 < block.old_start or (at_end and line0 == block.old_start):
            break
        if line0 < block.old_end or (at_end and line0 == block.old_end):
            return block.new_end if at_end else block.new_start
        shift = block.new_end - block.old_end
    return line0 + shift
