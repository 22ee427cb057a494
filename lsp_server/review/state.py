"""What is decided about one run's proposal: pure, every change gives a new value.

Knows no files, editors or sandboxes: what was put where is told to it, what is left to measure is
asked of it.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from agent.edits.changes import Content, Delta
from agent.edits.hunks import Hunk
from agent.edits.patch import Patch
from agent.task import HunkId, RepoPath, RunId
from lsp_server.review.reviewed import NotEditable, ReviewedFile, retype


class HunkState(StrEnum):
    """What is decided about a hunk."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """It is in the user's file."""
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file of the user's before the first accept and after the last one."""

    before: Content | None
    after: Content | None
    unbroken: bool
    """Nothing was typed between the accepts: undo gives back `before` to the byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the sandbox said of some choice of hunks."""

    verdict: str
    message: str
    receipt: str


NOTHING_LEFT: Final = Measured(verdict="", message="every change is rejected", receipt="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A proposal with all that was decided about it."""

    run: RunId
    original: Patch
    """As the run measured it."""
    whole: Measured
    """What the run itself measured for all of it."""
    files: tuple[ReviewedFile, ...]
    decided: Mapping[HunkId, HunkState] = field(default_factory=dict)
    """Hunks that are not open."""
    taken: Mapping[RepoPath, Taken] = field(default_factory=dict)
    measured: Mapping[str, Measured] = field(default_factory=dict)
    """By `choice`."""
    revision: int = 0

    def state_of(self, hunk: HunkId) -> HunkState:
        """Return what is decided about a hunk."""
        return self.decided.get(hunk, HunkState.OPEN)

    def hunks(self, *states: HunkState, path: RepoPath | None = None) -> tuple[Hunk, ...]:
        """Return the hunks in one of these states, of one file or of all."""
        return tuple(
            hunk
            for file in self.files
            for hunk in file.hunks
            if path in (None, file.path) and self.state_of(hunk.id) in states
        )

    def ids(self, *states: HunkState, path: RepoPath | None = None) -> frozenset[HunkId]:
        """Return the ids of those."""
        return frozenset(hunk.id for hunk in self.hunks(*states, path=path))

    def file(self, path: RepoPath) -> ReviewedFile | None:
        """Return a file of the proposal."""
        return next((file for file in self.files if file.path == path), None)

    def counts(self) -> Mapping[HunkState, int]:
        """Return how many hunks are in each state."""
        return Counter(self.state_of(hunk.id) for file in self.files for hunk in file.hunks)

    @property
    def left(self) -> Delta:
        """What would be in the user's tree if nothing more were rejected."""
        rejected = self.ids(HunkState.REJECTED)
        texts = {file.path: (file.base, file.without(rejected)) for file in self.files}
        return {path: new for path, (old, new) in texts.items() if new != old}

    @property
    def can_undo(self) -> bool:
        """Tell whether something was accepted and can be taken back."""
        return bool(self.taken)


def review_of(run: RunId, patch: Patch, whole: Measured) -> Review:
    """Return the review of a fresh proposal: every hunk is open."""
    files = tuple(
        ReviewedFile(path=file.path, base=file.old, new=file.new, hunks=file.hunks)
        for file in patch.files
    )
    return Review(run=run, original=patch, whole=whole, files=files)


def choice(delta: Delta) -> str:
    """Return a name for what is left of a proposal; equal contents have equal names."""
    digest = hashlib.sha256()
    for path in sorted(delta):
        content = delta[path]
        kind = content.mode.encode() if content else b"none"
        data = content.data if content else b""
        for part in (path.encode("utf-8", "surrogateescape"), kind, data):
            digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()[:16]


def measurement(review: Review) -> Measured | None:
    """Return what is known of what is left; None where it was never measured."""
    left = review.left
    if not left:
        return NOTHING_LEFT
    whole = {file.path: file.new for file in review.original.files}
    return review.whole if left == whole else review.measured.get(choice(left))


def with_measured(review: Review, delta: Delta, measured: Measured) -> Review:
    """Return the review that knows what was measured for a delta."""
    return _next(review, measured={**review.measured, choice(delta): measured})


def rejected(review: Review, hunks: Collection[HunkId]) -> Review:
    """Return the review with these open hunks rejected."""
    return _decide(review, hunks, HunkState.REJECTED)


def reopened(review: Review, hunks: Collection[HunkId]) -> Review:
    """Return the review with these rejected hunks open again."""
    return _decide(review, hunks, HunkState.OPEN)


def accepted(
    review: Review,
    path: RepoPath,
    hunks: Collection[HunkId],
    *,
    before: Content | None,
    after: Content | None,
    is_exact: bool = True,
) -> Review:
    """Return the review after these hunks went into the user's file.

    `is_exact`: nothing else has changed between `before` and `after`.
    """
    known = review.taken.get(path)
    taken = Taken(
        before=known.before if known else before,
        after=after,
        unbroken=is_exact and (not known or (known.unbroken and known.after == before)),
    )
    decided = _decide(review, hunks, HunkState.ACCEPTED)
    return replace(decided, taken={**review.taken, path: taken})


def taken_back(review: Review, paths: Collection[RepoPath]) -> Review:
    """Return the review after everything accepted went out of these files again."""
    hunks = [id_ for path in paths for id_ in review.ids(HunkState.ACCEPTED, path=path)]
    reopened_ = _decide(review, hunks, HunkState.OPEN)
    left = {path: taken for path, taken in review.taken.items() if path not in paths}
    return replace(reopened_, taken=left)


def retyped(review: Review, path: RepoPath, data: bytes) -> Review | NotEditable:
    """Return the review after the proposed text of a file was edited by hand."""
    file = review.file(path)
    if file is None:
        return NotEditable(why="it is not part of this proposal")
    outcome = retype(
        file,
        data,
        accepted=review.ids(HunkState.ACCEPTED, path=path),
        rejected=review.ids(HunkState.REJECTED, path=path),
    )
    if isinstance(outcome, NotEditable):
        return outcome
    original = next((each.hunks for each in review.original.files if each.path == path), ())
    new = replace(outcome.file, edited=not _are_same(outcome.file.hunks, original))
    decided = {
        id_: state
        for id_, state in review.decided.items()
        if id_ not in file.ids or (state is HunkState.ACCEPTED and id_ in new.ids)
    }
    decided |= dict.fromkeys(outcome.rejected, HunkState.REJECTED)
    files = tuple(new if each.path == path else each for each in review.files)
    return _next(review, files=files, decided=decided)


def _are_same(hunks: Collection[Hunk], others: Collection[Hunk]) -> bool:
    places = {(hunk.id, hunk.start, hunk.old, hunk.new) for hunk in hunks}
    return places == {(hunk.id, hunk.start, hunk.old, hunk.new) for hunk in others}


def _decide(review: Review, hunks: Collection[HunkId], state: HunkState) -> Review:
    decided = {id_: each for id_, each in review.decided.items() if id_ not in hunks}
    if state is not HunkState.OPEN:
        decided |= dict.fromkeys(hunks, state)
    return _next(review, decided=decided)


def _next(review: Review, **changes: object) -> Review:
    return replace(review, revision=review.revision + 1, **changes)  # type: ignore[arg-type]
