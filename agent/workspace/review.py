"""Accepted hunks into the user's tree, and out of it again: the only code that writes there.

    take back what a killed apply left → merge every file with what is there now (all or nothing)
    → note before and after in the undo folder → put the files one by one → mark as done

Killed at any moment, every file is whole, either as before or as after, and the next apply or undo
takes the rest back. Nothing is written where a single hunk conflicts.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.edits.changes import Mode
from agent.edits.hunks import FilePatch
from agent.edits.merge import Conflict, Merged, merge_file
from agent.edits.patch import Patch
from agent.errors import TaskError, WorkspaceError
from agent.task import HunkId, RepoPath
from agent.workspace.paths import printable, why_not_repo_path
from agent.workspace.placing import (
    Found,
    Moved,
    find,
    is_occupied,
    missing_folders,
    put,
    remove_empty_folder,
    remove_waiting,
    rights_for,
)
from agent.workspace.steps import (
    Change,
    Step,
    drop_step,
    mark_done,
    mark_undoing,
    read_steps,
    write_step,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The accepted hunks are in the user's tree."""

    files: tuple[RepoPath, ...]
    """What was written; a file that held the change already is not among them."""
    shifted: tuple[HunkId, ...] = ()
    """Hunks that went in at another line, because the file changed elsewhere."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The user's files hold again exactly what they held before."""

    files: tuple[RepoPath, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """The user's tree has moved on; nothing was written."""

    conflicts: tuple[Conflict, ...]

    @property
    def paths(self) -> tuple[RepoPath, ...]:
        """The files in question, sorted."""
        return tuple(sorted({conflict.path for conflict in self.conflicts}))


def apply_patch(
    repo: Path, patch: Patch, accepted: frozenset[HunkId] | None, *, undo_dir: Path
) -> Applied | Stale:
    """Write the accepted hunks (None: all) into the tree at `repo`, and how to undo it.

    Raises: TaskError for an unknown hunk or path, WorkspaceError when the undo folder or the
    repository itself cannot be used.
    """
    files = _accepted_files(patch, accepted)
    chosen = accepted if accepted is not None else {hunk.id for hunk in patch.hunks}
    with _locked(repo, undo_dir):
        notes = _recover(repo, undo_dir)
        changes: list[Change] = []
        shifted: list[HunkId] = []
        conflicts: list[Conflict] = []
        for file in files:
            merged = _merge(repo, file, chosen)
            if isinstance(merged, _Planned):
                shifted += merged.shifted
                changes += merged.changes
            else:
                conflicts += merged
        if conflicts:
            return Stale(conflicts=tuple(conflicts))
        if changes:
            failed = _carry_out(repo, write_step(undo_dir, changes))
            if failed:
                return Stale(conflicts=(failed,))
        written = tuple(change.path for change in changes)
        return Applied(files=written, shifted=tuple(shifted), notes=tuple(notes))


def undo(repo: Path, undo_dir: Path) -> Undone | Stale:
    """Take back everything that was applied from this undo folder, newest first.

    Raises: TaskError when there is nothing to take back, WorkspaceError as `apply_patch`.
    """
    if not undo_dir.is_dir():
        raise _nothing_applied()
    with _locked(repo, undo_dir):
        broken_off = [step for step in read_steps(undo_dir) if not step.is_done]
        notes = _recover(repo, undo_dir)
        steps = read_steps(undo_dir)
        if not steps and not broken_off:
            raise _nothing_applied()
        conflicts = _moved_since(repo, steps)
        if conflicts:
            return Stale(conflicts=conflicts)
        for step in reversed(steps):
            mark_undoing(step)
            failed = _take_back(repo, step)
            if failed:
                return Stale(conflicts=(failed,))
        paths = {change.path for step in (*broken_off, *steps) for change in step.changes}
        return Undone(files=tuple(sorted(paths)), notes=tuple(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """One file that can be written; no change when it is already as wanted."""

    changes: tuple[Change, ...]
    shifted: tuple[HunkId, ...]


def _accepted_files(patch: Patch, accepted: frozenset[HunkId] | None) -> list[FilePatch]:
    """Return the files with an accepted hunk, after a look at ids and paths."""
    unknown = sorted((accepted or frozenset()) - {hunk.id for hunk in patch.hunks})
    if unknown:
        raise TaskError(
            f"the patch has no hunk {', '.join(map(printable, unknown))}",
            remedy="`greenloop show` lists the hunks with their ids",
        )
    for file in patch.files:
        refusal = why_not_repo_path(file.path)
        if refusal:
            raise TaskError(
                f"the patch names {printable(file.path)}, which cannot be written: {refusal}",
                remedy="do not apply it; the stored patch was tampered with or is damaged",
            )
    wanted = [hunk.path for hunk in patch.hunks if accepted is None or hunk.id in accepted]
    return [file for file in patch.files if file.path in wanted]


def _merge(
    repo: Path, file: FilePatch, chosen: frozenset[HunkId] | set[HunkId]
) -> _Planned | Sequence[Conflict]:
    """Return what to write for one file, or why it cannot be written."""
    ids = tuple(hunk.id for hunk in file.hunks if hunk.id in chosen)
    try:
        found = find(repo, file.path)
        occupied = found.content is None and is_occupied(repo, file.path)
    except NotADirectoryError:
        why = "a folder above it is a symlink or a file by now"
        return [Conflict(path=file.path, hunks=ids, why=why)]
    except OSError as exc:
        return [Conflict(path=file.path, hunks=ids, why=f"it cannot be read: {exc.strerror}")]
    if occupied:
        return [Conflict(path=file.path, hunks=ids, why="there is a folder of that name by now")]
    merged = merge_file(file, chosen, found.content)
    if not isinstance(merged, Merged):
        return merged
    if merged.content == found.content:
        return _Planned(changes=(), shifted=())
    if found.is_read_only:
        why = "it is read-only; make it writable first: chmod u+w"
        return [Conflict(path=file.path, hunks=ids, why=why)]
    change = Change(
        path=file.path,
        before=found,
        after=_after(found, merged),
        waiting=f".greenloop-{secrets.token_hex(8)}.tmp",
        folders=tuple(missing_folders(repo, file.path)) if merged.content else (),
    )
    return _Planned(changes=(change,), shifted=merged.shifted)


def _after(found: Found, merged: Merged) -> Found:
    content = merged.content
    if content is None or content.mode is Mode.LINK or not found.rights:
        return Found(content=content)
    return Found(content=content, rights=rights_for(found.rights, content.mode))


def _carry_out(repo: Path, step: Step) -> Conflict | None:
    """Put every file of a step; where one cannot be, take all back and say why."""
    path = step.changes[0].path
    try:
        for change in step.changes:
            path = change.path
            put(repo, path, change.before, change.after, waiting=change.waiting)
        mark_done(step)
    except (Moved, OSError) as exc:
        _take_back(repo, step)
        return _could_not_write(path, exc)
    return None


def _take_back(repo: Path, step: Step) -> Conflict | None:
    """Put what was before wherever a file is as the step left it, and forget the step.

    A file that the step never reached, or that the user changed since, stays as it is.
    """
    for change in reversed(step.changes):
        try:
            remove_waiting(repo, change.path, change.waiting)
            now = find(repo, change.path)
            if now.content == change.after.content and now.content != change.before.content:
                put(repo, change.path, now, change.before, waiting=change.waiting)
        except (Moved, OSError) as exc:
            return _could_not_write(change.path, exc)
        for folder in reversed(change.folders):
            remove_empty_folder(repo, folder)
    drop_step(step)
    return None


def _recover(repo: Path, undo_dir: Path) -> list[str]:
    """Take back what a killed apply or undo left half done; return what to tell of it."""
    notes = []
    for step in reversed(read_steps(undo_dir)):
        if step.is_done:
            continue
        notes += [
            f"{printable(change.path)} was changed after a broken-off apply; it stays as it is"
            for change in step.changes
            if _content_at(repo, change) not in (change.before.content, change.after.content)
        ]
        failed = _take_back(repo, step)
        if failed:
            raise WorkspaceError(
                f"an apply was broken off and cannot be taken back: "
                f"{printable(failed.path)}: {failed.why}",
                remedy=f"make the file writable and try again; its content is in {step.folder}",
            )
    return notes


def _moved_since(repo: Path, steps: Sequence[Step]) -> tuple[Conflict, ...]:
    """Return a conflict for each file that is not as the newest step left it."""
    conflicts = {}
    expected: dict[RepoPath, Found] = {}
    for step in reversed(steps):
        for change in step.changes:
            path = change.path
            try:
                now = expected[path] if path in expected else find(repo, path)
            except OSError as exc:
                conflicts[path] = Conflict(path=path, hunks=(), why=f"{exc.strerror}")
                continue
            if now.content != change.after.content:
                conflicts[path] = Conflict(
                    path=path,
                    hunks=(),
                    why="the file has changed since the patch was applied; undoing would lose that",
                )
            expected[path] = change.before
    return tuple(conflicts[path] for path in sorted(conflicts))


def _content_at(repo: Path, change: Change) -> object:
    try:
        return find(repo, change.path).content
    except OSError:
        return None


def _could_not_write(path: RepoPath, exc: Exception) -> Conflict:
    if isinstance(exc, OSError):
        why = f"it cannot be written: {exc.strerror}"
    else:
        why = "the file was changed at this very moment"
    return Conflict(path=path, hunks=(), why=why)


def _nothing_applied() -> TaskError:
    return TaskError(
        "nothing of this run is applied, so there is nothing to undo",
        remedy="`greenloop apply` puts its patch into your files",
    )


@contextmanager
def _locked(repo: Path, undo_dir: Path) -> Iterator[None]:
    """Let one apply or undo of a run happen at a time."""
    if not repo.is_dir():
        raise WorkspaceError(
            f"the repository {repo} is gone", remedy="put it back where it was, then try again"
        )
    try:
        undo_dir.mkdir(parents=True, exist_ok=True)
        fd = os.open(undo_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise _no_record(undo_dir, exc) from exc
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    except OSError as exc:
        raise _no_record(undo_dir, exc) from exc
    finally:
        os.close(fd)


def _no_record(undo_dir: Path, exc: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"what to undo cannot be noted in {undo_dir}: {exc.strerror}",
        remedy="make room and rights there, then try again: what is half done is taken back first",
    )
