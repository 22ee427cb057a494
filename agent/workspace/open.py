"""Takes the base of a repository: the exact content a run starts from.

    find the repository → list its paths (git) ∥ compare them with the last time (stat)
    → bring a free slot to that state → form and record its tree

The user's repository is only read. Everything of ours lies in the state folder, one folder a
repository, outside of whatever a sandbox may see.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from agent.errors import TaskError, WorkspaceError
from agent.task import RepoPath
from agent.workspace.base import Base
from agent.workspace.intake import Survey, survey
from agent.workspace.listing import (
    Listing,
    form_listing,
    open_trusted,
    read_tracked,
    read_untracked,
)
from agent.workspace.manifest import Manifest, load_manifest
from agent.workspace.paths import printable, why_not_repo_path
from agent.workspace.slots import Slot, locked, remove_spare_slots
from agent.workspace.taking import Taking
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
    home = state_dir / "bases" / hashlib.sha256(os.fsencode(repository.top)).hexdigest()[:16]
    with locked(home):
        git = open_trusted(repository, home / "git")
        listing, found, seen = _look(repository, git, home, state_dir)
        taking = Taking(
            repository=repository, git=git, home=home, listing=listing, seen=seen, overlay=overlay
        )
        slot, tree = taking.run(found)
        remove_spare_slots(home)
    base = Base(
        repo=repository.top,
        dir=slot.files,
        commit=repository.commit,
        tree=tree.hex(),
        dirty_files=len(listing.dirty.union(map(os.fsencode, overlay))),
        notes=(*listing.notes, *taking.notes),
    )
    return base, slot


def _look(
    repository: Repository, git: TrustedGit, home: Path, state_dir: Path
) -> tuple[Listing, Survey, Manifest | None]:
    """Return the paths, how they compare with what was last read, and what that was."""
    tracked = read_tracked(repository, git)
    seen = load_manifest(home / "seen")
    known = seen.entries if seen else {}
    top = os.fsencode(repository.top)
    with ThreadPoolExecutor(1) as pool:
        untracked = pool.submit(read_untracked, git)
        first = survey(top, tracked.oids, known)
        listing = form_listing(repository, git, tracked, untracked.result())
    rest = survey(top, _outside(state_dir, repository.top, listing.others), known)
    both = Survey(
        unchanged={**first.unchanged, **rest.unchanged}, changed=first.changed + rest.changed
    )
    return listing, both, seen


def _outside(state_dir: Path, top: Path, paths: Iterable[bytes]) -> Iterable[bytes]:
    """Leave out what lies in our own state folder, should it be inside the repository."""
    state = state_dir.resolve()
    if not state.is_relative_to(top):
        return paths
    own = os.fsencode(state.relative_to(top)) + b"/"
    return [path for path in paths if not path.startswith(own)]
