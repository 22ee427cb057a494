"""One file under review: the base, the hunks over it, and the text that comes of both.

Pure: values in, values out. The text that a person edits is the base with every hunk that is not
rejected; what they type changes only the hunks that it touches, so that the others keep their ids
and what was decided about them.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from agent.edits.changes import Content, Mode
from agent.edits.diff import Block, diff_lines, split_lines
from agent.edits.encoding import why_no_text
from agent.edits.hunks import FilePatch, Hunk, HunkKind, join_file, split_file
from agent.edits.spans import ByteEdit, apply_edits
from agent.task import HunkId, RepoPath


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedFile:
    """One path of a proposal. Its hunks never overlap or touch each other."""

    path: RepoPath
    base: Content | None
    new: Content | None
    """The base with every hunk in it, the rejected ones too."""
    hunks: tuple[Hunk, ...]
    """By their place in the base."""
    edited: bool = False
    """The hunks are not those of the run any more."""

    @property
    def patch(self) -> FilePatch:
        """The file as `agent.edits` knows it."""
        return FilePatch(path=self.path, old=self.base, new=self.new, hunks=self.hunks)

    @property
    def ids(self) -> frozenset[HunkId]:
        """Ids of all its hunks."""
        return frozenset(hunk.id for hunk in self.hunks)

    def without(self, dropped: Collection[HunkId]) -> Content | None:
        """Return the content with every hunk but the dropped ones."""
        return join_file(self.patch, self.ids.difference(dropped))

    def just(self, chosen: Collection[HunkId]) -> Content | None:
        """Return the content with the chosen hunks only."""
        return join_file(self.patch, chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyped:
    """A file after the proposed text was edited by hand."""

    file: ReviewedFile
    rejected: frozenset[HunkId]
    """Its hunks that are rejected now; taking a hunk's lines out again is a rejection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEditable:
    """Why the proposed text cannot become this; one line for a person."""

    why: str


def retype(
    file: ReviewedFile,
    data: bytes,
    *,
    accepted: Collection[HunkId],
    rejected: Collection[HunkId],
) -> Retyped | NotEditable:
    """Return the file whose text, without what is rejected, is now `data`."""
    shown = file.without(rejected)
    kept = frozenset(rejected) & file.ids
    if (shown.data if shown else b"") == data:
        return Retyped(file=file, rejected=kept)
    for content in (file.base, shown):
        why = _why_no_text(content)
        if why:
            return NotEditable(why=f"{why}, so it is accepted or rejected as a whole")
    if file.base is None or shown is None or any(_is_whole(hunk) for hunk in file.hunks):
        return _retype_whole(file, data, shown, accepted)
    return _retype_lines(file, file.base, shown, data, frozenset(accepted), kept)


def with_hunks(file: ReviewedFile, hunks: Sequence[Hunk]) -> ReviewedFile:
    """Return the file with other hunks of the same base; texts and order are worked out."""
    ordered = tuple(sorted(hunks, key=lambda hunk: (hunk.kind is not HunkKind.MODE, hunk.start)))
    return replace(file, hunks=ordered, new=_all_of(file.base, ordered, file.new), edited=True)


def _all_of(base: Content | None, hunks: Sequence[Hunk], new: Content | None) -> Content | None:
    """Return the base with all of the hunks; `new` knows what whole-file hunks lead to."""
    if base is None or any(_is_whole(hunk) for hunk in hunks):
        return new
    mode = base.mode
    edits = []
    for hunk in hunks:
        if hunk.kind is HunkKind.MODE:
            mode = Mode(hunk.new.decode())
        else:
            edits.append(ByteEdit(hunk.start, hunk.start + len(hunk.old), hunk.new))
    return Content(data=apply_edits(base.data, edits), mode=mode)


def _is_whole(hunk: Hunk) -> bool:
    return hunk.kind not in (HunkKind.TEXT, HunkKind.MODE)


def _why_no_text(content: Content | None) -> str:
    if content is None:
        return ""
    return "it is a symlink" if content.mode is Mode.LINK else why_no_text(content.data)


def _retype_whole(
    file: ReviewedFile, data: bytes, shown: Content | None, accepted: Collection[HunkId]
) -> Retyped | NotEditable:
    """The file is added, deleted or replaced: its text is all that there is to decide about."""
    if file.ids.intersection(accepted):
        return _is_in_already()
    known = shown or file.base or file.new
    mode = known.mode if known else Mode.FILE
    split = split_file(file.path, file.base, Content(data=data, mode=mode))
    retyped = ReviewedFile(
        path=file.path, base=file.base, new=split.new, hunks=split.hunks, edited=True
    )
    return Retyped(file=retyped, rejected=frozenset())


def _is_in_already() -> NotEditable:
    return NotEditable(
        why="these lines are accepted and stand in your file by now; edit them there"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """Where a hunk is in the text that is edited, in lines."""

    hunk: Hunk
    base_start: int
    base_end: int
    start: int
    end: int


def _retype_lines(
    file: ReviewedFile,
    base: Content,
    shown: Content,
    data: bytes,
    accepted: frozenset[HunkId],
    rejected: frozenset[HunkId],
) -> Retyped | NotEditable:
    placed = list(_places(file.hunks, rejected))
    in_text = [place for place in placed if place.hunk.id not in rejected]
    base_lines, text_lines = split_lines(base.data), split_lines(data)
    offsets = [0, *accumulate(map(len, base_lines))]
    fresh: list[Hunk] = []
    in_regions: list[Hunk] = []
    for region in _regions(diff_lines(split_lines(shown.data), text_lines), in_text):
        if any(place.hunk.id in accepted for place in region.hunks):
            return _is_in_already()
        in_regions += [place.hunk for place in region.hunks]
        fresh += _hunks_of(file.path, region, base_lines, text_lines, offsets)
    kept = [hunk for hunk in file.hunks if not any(_touch(hunk, other) for other in fresh)]
    taken_out = {hunk.id for hunk in in_regions if hunk in kept}
    added = _named(fresh, file.hunks)
    retyped = with_hunks(file, [*kept, *added])
    still_rejected = (rejected | taken_out) - {hunk.id for hunk in added}
    return Retyped(file=retyped, rejected=still_rejected & retyped.ids)


def _named(fresh: Sequence[Hunk], known: Sequence[Hunk]) -> list[Hunk]:
    """Return the hunks with ids; one that is there already keeps its own."""
    ids = {_same(hunk): hunk.id for hunk in known}
    taken = set(ids.values())
    named = []
    for hunk in fresh:
        id_ = ids.get(_same(hunk)) or _free_id(hunk, taken)
        taken.add(id_)
        named.append(replace(hunk, id=id_))
    return named


def _places(hunks: Sequence[Hunk], rejected: Collection[HunkId]) -> Iterator[_Shown]:
    shift = 0
    for hunk in hunks:
        if hunk.kind is not HunkKind.TEXT:
            continue
        first, old, new = hunk.old_start_line - 1, _count(hunk.old), _count(hunk.new)
        lines = old if hunk.id in rejected else new
        yield _Shown(
            hunk=hunk,
            base_start=first,
            base_end=first + old,
            start=first + shift,
            end=first + shift + lines,
        )
        shift += lines - old


def _count(data: bytes) -> int:
    return len(split_lines(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    """Lines that the person changed, with the hunks in them; its edges lie outside of hunks."""

    base_start: int
    base_end: int
    text_start: int
    text_end: int
    hunks: tuple[_Shown, ...]


def _regions(blocks: Sequence[Block], placed: Sequence[_Shown]) -> Iterator[_Region]:
    """Put together what touches: typed blocks, the hunks at them, and what touches those."""
    left = list(blocks)
    while left:
        cluster = [left.pop(0)]
        start, end = cluster[0].old_start, cluster[0].old_end
        hunks: list[_Shown] = []
        while True:
            more = [
                place
                for place in placed
                if place not in hunks and place.start <= end and place.end >= start
            ]
            hunks += more
            start = min([start, *(place.start for place in more)])
            end = max([end, *(place.end for place in more)])
            near = [block for block in left if block.old_start <= end]
            if not more and not near:
                break
            cluster += near
            left = left[len(near) :]
            end = max([end, *(block.old_end for block in near)])
        yield _region(start, end, cluster, sorted(hunks, key=lambda place: place.start), placed)


def _region(
    start: int,
    end: int,
    cluster: Sequence[Block],
    hunks: Sequence[_Shown],
    placed: Sequence[_Shown],
) -> _Region:
    before = [place for place in placed if place.end < start]
    shift = before[-1].base_end - before[-1].end if before else 0
    inner = [place.base_end - place.end for place in hunks]
    return _Region(
        base_start=start + shift,
        base_end=end + (inner[-1] if inner else shift),
        text_start=cluster[0].new_start - (cluster[0].old_start - start),
        text_end=cluster[-1].new_end + (end - cluster[-1].old_end),
        hunks=tuple(hunks),
    )


def _hunks_of(
    path: RepoPath,
    region: _Region,
    base_lines: Sequence[bytes],
    text_lines: Sequence[bytes],
    offsets: Sequence[int],
) -> list[Hunk]:
    old = base_lines[region.base_start : region.base_end]
    new = text_lines[region.text_start : region.text_end]
    return [
        Hunk(
            id=HunkId(""),
            path=path,
            kind=HunkKind.TEXT,
            old_start_line=region.base_start + block.old_start + 1,
            new_start_line=region.text_start + block.new_start + 1,
            start=offsets[region.base_start + block.old_start],
            old=b"".join(old[block.old_start : block.old_end]),
            new=b"".join(new[block.new_start : block.new_end]),
        )
        for block in diff_lines(old, new)
    ]


def _same(hunk: Hunk) -> tuple[HunkKind, int, bytes, bytes]:
    return (hunk.kind, hunk.start, hunk.old, hunk.new)


def _touch(hunk: Hunk, other: Hunk) -> bool:
    if hunk.kind is not HunkKind.TEXT:
        return False
    return hunk.start <= other.start + len(other.old) and other.start <= hunk.start + len(hunk.old)


def _free_id(hunk: Hunk, taken: Collection[HunkId]) -> HunkId:
    """Return an id over path, place and texts, as ids of a patch look; none that is taken."""
    path = hunk.path.encode("utf-8", "surrogateescape")
    for attempt in range(len(taken) + 1):
        digest = hashlib.sha256(b"typed %d" % attempt)
        for part in (path, b"%d" % hunk.start, hunk.old, hunk.new):
            digest.update(b"%d:" % len(part) + part)
        id_ = HunkId(digest.hexdigest()[:12])
        if id_ not in taken:
            return id_
    raise AssertionError("more hunks than ids")
