"""The names of a repository's files as they are now, and nothing else of them. Blocking."""

import os
from pathlib import Path

from agent.errors import WorkspaceError
from agent.task import RepoPath
from agent.workspace.listing import (
    copy_index,
    form_listing,
    open_trusted,
    read_tracked,
    read_untracked,
)
from agent.workspace.open import home_of
from agent.workspace.slots import locked
from agent.workspace.trusted_git import find_repository


def list_paths(start: Path, *, state_dir: Path) -> tuple[RepoPath, ...]:
    """Return every path that git tracks, or neither tracks nor ignores, sorted.

    One that was deleted without telling git is among them. Raises: TaskError, WorkspaceError.
    """
    repository = find_repository(start)
    home = home_of(repository.top, state_dir)
    try:
        with locked(home):
            git = open_trusted(repository, home / "git")
            tracked = read_tracked(git, copy_index(repository, git))
            listing = form_listing(repository, git, tracked, read_untracked(git))
    except OSError as exc:
        raise WorkspaceError(
            f"cannot list the files of {repository.top}: {exc.strerror}",
            remedy=f"make room and rights in {state_dir}, or set another state folder",
        ) from exc
    paths = map(os.fsdecode, (*listing.tracked, *listing.others))
    return tuple(sorted(map(RepoPath, paths)))
