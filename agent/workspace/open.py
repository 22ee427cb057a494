"""Takes the base of a repository: the exact content a run starts from.

    find the repository → list its paths (git) ∥ compare them with the last time (stat)
    → bring a free slot to that state → form and record its tree

The user's repository is only read. Everything of ours lies in the state folder, one folder a
repository, outside of whatever a sandbox may see.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.errors import TaskError, WorkspaceError
from agent.task import RepoPath
from agent.workspace.base import Base
from agent.workspace.intake import survey
from agent.workspace.listing import (
    Tracked,
    copy_index,
    forget_index,
    form_listing,
    open_trusted,
    read_tracked,
    read_untracked,
)
from agent.workspace.manifest import Record, content_key, load_manifest
from agent.workspace.paths import printable, why_not_repo_path
from agent.workspace.slots import Slot, locked, remove_forgotten_slots, remove_spare_slots
from agent.workspace.taking import Look, Taking
from agent.workspace.trusted_git import Repository, TrustedGit, find_repository


@contextmanager
def open_workspace(
    start: Path, *, state_dir: Path, overlay: Mapping[RepoPath, bytes]
) -> Iterator[Base]:
    """Take the base of the repository that holds `start`, and keep it until the context ends.

    `overlay` is what the editor shows instead of the file on disk. Files are read one after the
    other: each is whole, but a program that writes several at that moment may be caught between
    two. Blocking. Raises: TaskError, WorkspaceError.
    """
    try:
        base, slot = _take(start, state_dir, overlay)
    except OSError as exc:
        place = printable(os.fsdecode(exc.filename)) if exc.filename else str(state_dir)
        raise WorkspaceError(
            f"cannot take a copy of the repository: {exc.strerror}: {place}",
            remedy=f"make room and rights in {state_dir}, or set another state folder",
        ) from exc
    try:
        yield base
    finally:
        slot.close()


def _check_overlay(overlay: Mapping[RepoPath, bytes]) -> None:
    for path in overlay:
        refusal = why_not_repo_path(path)
        if refusal:
            raise TaskError(
                f"an unsaved buffer cannot be at {printable(path)}: {refusal}",
                remedy="close or save that buffer",
            )


def _take(start: Path, state_dir: Path, overlay: Mapping[RepoPath, bytes]) -> tuple[Base, Slot]:
    repository = find_repository(start)
    _check_overlay(overlay)
    home = home_of(repository.top, state_dir)
    with locked(home):
        git = open_trusted(repository, home / "git")
        look = _look_or_mend(repository, git, home, state_dir)
        taking = Taking(repository=repository, git=git, home=home, look=look, overlay=overlay)
        slot, tree = taking.run()
        remove_spare_slots(home)
    remove_forgotten_slots(home.parent, time.time())
    base = Base(
        repo=repository.top,
        dir=slot.files,
        commit=repository.commit,
        tree=tree.hex(),
        dirty_files=len(look.listing.dirty.union(map(os.fsencode, overlay))),
        notes=(*look.listing.notes, *taking.notes),
    )
    return base, slot


def home_of(top: Path, state_dir: Path) -> Path:
    """Return our folder for a repository."""
    return state_dir / "bases" / hashlib.sha256(os.fsencode(top)).hexdigest()[:16]


def _look_or_mend(repository: Repository, git: TrustedGit, home: Path, state_dir: Path) -> Look:
    """Look; where git cannot, suspect our own copies before the user's repository.

    First the index is copied anew, then the whole git dir is set aside; what was recorded in it
    comes back if that was not the reason.
    """
    with suppress(WorkspaceError):
        return _look(repository, git, home, state_dir)
    forget_index(git)
    with suppress(WorkspaceError):
        return _look(repository, git, home, state_dir)
    aside = home / "git.damaged"
    shutil.rmtree(aside, ignore_errors=True)
    git.git_dir.rename(aside)
    open_trusted(repository, git.git_dir)
    try:
        return _look(repository, git, home, state_dir)
    except WorkspaceError:
        shutil.rmtree(git.git_dir)
        aside.rename(git.git_dir)
        raise


def _look(repository: Repository, git: TrustedGit, home: Path, state_dir: Path) -> Look:
    """Return the paths of the repository and how they compare with what was last read.

    While git looks at the work tree, paths that it cannot vouch for are looked at here: those
    that differed from the index then, and all of them when the index itself has changed.
    """
    top = os.fsencode(repository.top)
    index = copy_index(repository, git)
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(read_untracked, git)
        tracked = read_tracked(git, index)
        seen = load_manifest(home / "seen")
        known = seen.records if seen else {}
        sure = _as_indexed(tracked, known) if seen and seen.index == index else {}
        first = survey(top, [path for path in tracked.keys if path not in sure], known)
        untracked = looking.result()
    listing = form_listing(repository, git, tracked, untracked)
    others = _outside(state_dir, repository.top, listing.others)
    doubtful = [path for path in untracked.dirty if path in sure]
    for path in (*doubtful, *tracked.gitlinks):
        sure.pop(path, None)
    rest = survey(top, [*doubtful, *others], known)
    return Look(
        listing=listing,
        unchanged={**sure, **first.unchanged, **rest.unchanged},
        changed=(*first.changed, *rest.changed),
        seen=seen,
        index=index,
    )


def _as_indexed(tracked: Tracked, known: Mapping[bytes, Record]) -> dict[bytes, Record]:
    """Return the records of files that had exactly the bytes and mode of the index when last read.

    If git finds one clean against that same index now, it still has them: a line-end or filter
    setting could only hide a change from git where those bytes differ.
    """
    flagged = set(tracked.flagged)
    return {
        path: record
        for path, key in tracked.keys.items()
        if (record := known.get(path)) and content_key(record) == key and path not in flagged
    }


def _outside(state_dir: Path, top: Path, paths: Iterable[bytes]) -> Iterable[bytes]:
    """Leave out what lies in our own state folder, should it be inside the repository."""
    state = state_dir.resolve()
    if not state.is_relative_to(top):
        return paths
    own = os.fsencode(state.relative_to(top)) + b"/"
    return [path for path in paths if not path.startswith(own)]
