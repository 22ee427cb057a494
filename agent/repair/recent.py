"""Which suspected lines changed of late: not yet committed first, then by the last commits.

Whoever just broke something is shown it first. Looks at the files that are suspected most, for a
moment; where git does not answer in that time nothing counts as recent. Judges nothing: how much a
change weighs is for `agent.repair.locate.boosted`.
"""

from collections.abc import Mapping
from typing import Final

import anyio
import anyio.to_thread

from agent.edits.diff import diff_lines
from agent.errors import WorkspaceError
from agent.repair.locate import Line, Suspicions
from agent.task import RepoPath
from agent.workspace.base import Base
from agent.workspace.past import past_texts

LONGEST_S: Final = 0.5
"""Seconds of waiting for git."""
MOST_FILES: Final = 20
"""Suspected files that are looked at, by their most suspected line."""
FRESHNESS: Final[Mapping[int, float]] = {0: 1.0, 1: 0.6, 5: 0.4, 20: 0.2}
"""By the number of commits before HEAD since which a line changed; 0 is what is not committed."""


async def recent_changes(base: Base, found: Suspicions) -> Mapping[Line, float]:
    """Return how fresh suspected lines are, from 0 to 1; lines that did not change are left out."""
    paths = suspected_files(found)[:MOST_FILES]
    fresh: dict[Line, float] = {}
    with anyio.move_on_after(LONGEST_S):
        fresh = await anyio.to_thread.run_sync(_fresh_lines, base, paths, abandon_on_cancel=True)
    return {line: fresh[line] for line in found.lines if line in fresh}


def suspected_files(found: Suspicions) -> list[RepoPath]:
    """Return the files by their most suspected line, highest first."""
    best: dict[RepoPath, float] = {}
    for (path, _line), score in found.lines.items():
        best[path] = max(best.get(path, 0.0), score)
    return sorted(best, key=lambda path: (-best[path], path))


def _fresh_lines(base: Base, paths: list[RepoPath]) -> dict[Line, float]:
    try:
        past = past_texts(base, paths, tuple(FRESHNESS), wall_s=LONGEST_S)
        present = {path: base.read(path) for path in paths}
    except WorkspaceError:
        return {}
    fresh: dict[Line, float] = {}
    for path, content in present.items():
        if content is not None:
            then = {ago: past.get((path, ago)) for ago in FRESHNESS}
            for line, freshness in freshness_of(content.data, then).items():
                fresh[path, line] = freshness
    return fresh


def freshness_of(now: bytes, past: Mapping[int, bytes | None]) -> dict[int, float]:
    """Return the changed lines of a text, given what it was so many commits ago.

    Where lines were taken out, the ones on both sides count as changed. A text that was not there
    yet says nothing: all of it would be new.
    """
    fresh: dict[int, float] = {}
    lines = _lines(now)
    for ago, freshness in FRESHNESS.items():
        then = past.get(ago)
        for line in changed_lines(_lines(then), lines) if then is not None else ():
            fresh.setdefault(line, freshness)
    return fresh


def changed_lines(old: list[bytes], new: list[bytes]) -> set[int]:
    """Return the lines of the new text, from 1 on, that an edit put in or has on its border."""
    changed: set[int] = set()
    for block in diff_lines(old, new):
        if block.new_start == block.new_end:
            changed.update({block.new_start, block.new_start + 1} - {0})
        else:
            changed.update(range(block.new_start + 1, block.new_end + 1))
    return changed


def _lines(data: bytes) -> list[bytes]:
    """Return the lines without their ends, which filters of git may have changed."""
    return [line.rstrip(b"\r") for line in data.split(b"\n")]
