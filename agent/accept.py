"""The front door to the user's files for whoever reviews a patch: read, put, take back.

Decides nothing: which hunks go in, and what a file shall be, is worked out before. Everything here
is blocking work and hops to a thread; it is never left half done by a cancellation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from agent.config import find_top
from agent.edits.changes import Content
from agent.edits.hunks import split_file
from agent.edits.merge import Conflict
from agent.edits.patch import Patch, patch_from_json
from agent.errors import JournalError, TaskError
from agent.events import RunStarted
from agent.journal.stored import StoredRun
from agent.task import RepoPath
from agent.workspace.placing import find, is_occupied
from agent.workspace.review import Stale, apply_patch, undo
from agent.workspace.steps import drop_step, read_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why a path of the user's tree cannot be looked at; one line for a person."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of writing: everything, or nothing where there is a conflict."""

    conflicts: tuple[Conflict, ...] = ()
    notes: tuple[str, ...] = ()


Wanted = Mapping[RepoPath, tuple[Content | None, Content | None]]
"""What each path was found to be, and what it shall be."""


def repository_of(stored: StoredRun) -> Path:
    """Return the top of the repository that a run was about. Raises: JournalError, TaskError."""
    started = stored.summary().started
    if not isinstance(started, RunStarted):
        raise JournalError(
            f"run {stored.run} died before its first record.", remedy="Start the run again."
        )
    repo = Path(started.repo)
    if not repo.is_dir():
        raise TaskError(
            f"the repository of run {stored.run} is no longer at {repo}.",
            remedy="Put it back there, or start a new run where it is now.",
        )
    return find_top(repo)


def patch_of(stored: StoredRun) -> Patch | None:
    """Return the patch of a run; None where nothing became green. Raises: JournalError."""
    kept = stored.patch()
    if kept is None:
        return None
    try:
        return patch_from_json(kept)
    except ValueError as exc:
        raise JournalError(
            f"{stored.path}: the patch is damaged: {exc}.", remedy="Start the run again."
        ) from exc


async def read_files(
    repo: Path, paths: Iterable[RepoPath]
) -> Mapping[RepoPath, Content | Unreadable | None]:
    """Return what is at each path now, links not followed."""
    wanted = tuple(paths)
    return await anyio.to_thread.run_sync(lambda: {path: _read(repo, path) for path in wanted})


async def write_files(repo: Path, wanted: Wanted, undo_dir: Path) -> Written:
    """Write files that are as they were found, whole or not at all, and note how to undo it.

    Raises: TaskError, WorkspaceError.
    """
    return await anyio.to_thread.run_sync(_write, repo, wanted, undo_dir)


async def take_back(repo: Path, undo_dir: Path) -> Written:
    """Give back exactly what was before everything that is noted there.

    Raises: TaskError when nothing is noted, WorkspaceError.
    """
    return await anyio.to_thread.run_sync(_take_back, repo, undo_dir)


async def write_back(
    repo: Path, wanted: Wanted, undo_dir: Path, *, undone: frozenset[RepoPath]
) -> Written:
    """Write files as `write_files`, and forget what was noted of those that are undone with it.

    Raises: TaskError, WorkspaceError.
    """
    return await anyio.to_thread.run_sync(_write_back, repo, wanted, undo_dir, undone)


async def noted_paths(undo_dir: Path) -> frozenset[RepoPath]:
    """Return the files that `take_back` would give back. Raises: WorkspaceError."""
    return await anyio.to_thread.run_sync(_noted, undo_dir)


def _read(repo: Path, path: RepoPath) -> Content | Unreadable | None:
    try:
        found = find(repo, path)
        occupied = found.content is None and is_occupied(repo, path)
    except NotADirectoryError:
        return Unreadable(why="a folder above it is a symlink or a file by now")
    except OSError as exc:
        return Unreadable(why=f"it cannot be read: {exc.strerror}")
    return Unreadable(why="there is a folder of that name by now") if occupied else found.content


def _write(repo: Path, wanted: Wanted, undo_dir: Path) -> Written:
    files = (split_file(path, old, new) for path, (old, new) in sorted(wanted.items()))
    outcome = apply_patch(repo, Patch(files=tuple(files)), None, undo_dir=undo_dir)
    if isinstance(outcome, Stale):
        return Written(conflicts=outcome.conflicts)
    return Written(notes=outcome.notes)


def _take_back(repo: Path, undo_dir: Path) -> Written:
    outcome = undo(repo, undo_dir)
    if isinstance(outcome, Stale):
        return Written(conflicts=outcome.conflicts)
    return Written(notes=outcome.notes)


def _write_back(repo: Path, wanted: Wanted, undo_dir: Path, undone: frozenset[RepoPath]) -> Written:
    # Noted elsewhere while it goes on, so that a kill leaves no half of it either.
    backwards = undo_dir.with_name(f"{undo_dir.name}.back")
    written = _write(repo, wanted, backwards)
    if not written.conflicts:
        for step in read_steps(backwards):
            drop_step(step)
        for step in read_steps(undo_dir):
            if undone.issuperset(change.path for change in step.changes):
                drop_step(step)
    return written


def _noted(undo_dir: Path) -> frozenset[RepoPath]:
    steps = read_steps(undo_dir)
    return frozenset(change.path for step in steps for change in step.changes)
