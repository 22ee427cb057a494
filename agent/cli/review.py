"""`greenloop apply` and `greenloop undo`: the only commands that write the user's files."""

import argparse
from pathlib import Path

from agent.cli.patches import chosen_hunks, patch_of
from agent.cli.screen import Screen
from agent.cli.wording import one_line
from agent.config import Settings, find_top
from agent.edits.patch import Patch
from agent.errors import JournalError, TaskError
from agent.events import RunStarted
from agent.journal.store import RunStore
from agent.journal.stored import StoredRun
from agent.task import HunkId

CONFLICT = 1


def apply(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Write a run's patch, or single hunks, into the user's tree. Raises: AgentError."""
    stored = RunStore(settings.state_dir).open(arguments.run)
    patch = patch_of(stored)
    if patch is None:
        raise TaskError(
            f"run {stored.run} has no patch: only a green one can be applied.",
            remedy=f"`greenloop show {stored.run}` says what it came to.",
        )
    accepted = chosen_hunks(patch, arguments.hunks)
    repo = repository_of(stored)
    conflicts = accept(repo, patch, accepted, undo_dir=stored.undo_dir)
    paths = [str(file.path) for file in patch.files]
    return _report(screen, stored, "applied", paths, conflicts)


def undo(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Take back what apply wrote, to the byte. Raises: AgentError."""
    from agent.workspace.review import Undone
    from agent.workspace.review import undo as take_back

    stored = RunStore(settings.state_dir).open(arguments.run)
    outcome = take_back(repository_of(stored), stored.undo_dir)
    if isinstance(outcome, Undone):
        return _report(screen, stored, "undone", list(map(str, outcome.paths)), [])
    return _report(screen, stored, "undone", [], list(outcome.conflicts))


def accept(
    repo: Path, patch: Patch, accepted: frozenset[HunkId] | None, *, undo_dir: Path
) -> list[str]:
    """Write the patch, or tell line by line why it does not fit; empty: it is written.

    Raises: AgentError.
    """
    from agent.workspace.review import Stale, apply_patch

    outcome = apply_patch(repo, patch, accepted, undo_dir=undo_dir)
    return list(map(str, outcome.conflicts)) if isinstance(outcome, Stale) else []


def repository_of(stored: StoredRun) -> Path:
    """Return the top of the repository that the run was about. Raises: JournalError, TaskError."""
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


def _report(
    screen: Screen, stored: StoredRun, done: str, paths: list[str], conflicts: list[str]
) -> int:
    screen.answer({"run": stored.run, done: not conflicts, "paths": paths, "conflicts": conflicts})
    for conflict in conflicts:
        screen.line(f"conflict: {one_line(conflict)}")
    if conflicts:
        screen.line(f"nothing was {done}: your files have changed since the run.")
        return CONFLICT
    for path in paths:
        screen.line(f"{done}: {one_line(path)}")
    if done == "applied":
        screen.line(f"take it back with: greenloop undo {stored.run}")
    return 0
