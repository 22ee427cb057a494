"""`greenloop apply` and `greenloop undo`: the only commands that write the user's files."""

import argparse
from typing import Any

from agent.accept import patch_of, repository_of
from agent.cli.patches import chosen_hunks
from agent.cli.screen import Screen
from agent.config import Settings, top_here
from agent.edits.merge import Conflict
from agent.errors import TaskError
from agent.journal.store import RunStore
from agent.journal.stored import StoredRun
from agent.telling.wording import one_line
from agent.workspace.review import Applied, Stale, Undone, apply_patch
from agent.workspace.review import undo as take_back

CONFLICT = 1


def apply(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Write a run's patch, or single hunks, into the user's tree. Raises: AgentError."""
    stored = RunStore(settings.state_dir).open(arguments.run, top=top_here())
    patch = patch_of(stored)
    if patch is None:
        raise TaskError(
            f"run {stored.run} has no patch: only a green one can be applied.",
            remedy=f"`greenloop show {stored.run}` says what it came to.",
        )
    accepted = chosen_hunks(patch, arguments.hunks)
    outcome = apply_patch(repository_of(stored), patch, accepted, undo_dir=stored.undo_dir)
    return _report(screen, stored, "applied", outcome)


def undo(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Take back what apply wrote, to the byte. Raises: AgentError."""
    stored = RunStore(settings.state_dir).open(arguments.run, top=top_here())
    outcome = take_back(repository_of(stored), stored.undo_dir)
    return _report(screen, stored, "undone", outcome)


def conflict_lines(outcome: Stale) -> list[str]:
    """Return the places where the patch no longer fits, and what stands there instead."""
    lines = []
    for conflict in outcome.conflicts:
        place = f"{one_line(conflict.path)}:{conflict.line}" if conflict.line else conflict.path
        lines.append(f"conflict: {one_line(place)}: {one_line(conflict.why)}")
        for mark, text in (("expected", conflict.expected), ("found", conflict.found)):
            shown = text.decode("utf-8", "backslashreplace").splitlines()
            lines += [f"  {mark}: {line}" for line in shown]
    return lines


def _report(screen: Screen, stored: StoredRun, done: str, outcome: Applied | Undone | Stale) -> int:
    if isinstance(outcome, Stale):
        conflicts = [_conflict_to_json(conflict) for conflict in outcome.conflicts]
        screen.answer({"run": stored.run, done: False, "conflicts": conflicts})
        for line in conflict_lines(outcome):
            screen.line(line)
        screen.line(f"nothing was {done}: your files have changed since.")
        return CONFLICT
    files, notes = list(map(str, outcome.files)), list(outcome.notes)
    screen.answer({"run": stored.run, done: True, "files": files, "notes": notes})
    for path in files:
        screen.line(f"{done}: {one_line(path)}")
    if not files:
        screen.line("your files hold it already; nothing to do.")
    for note in notes:
        screen.line(f"note: {one_line(note)}")
    if done == "applied" and files:
        screen.line(f"take it back with: greenloop undo {stored.run}")
    return 0


def _conflict_to_json(conflict: Conflict) -> dict[str, Any]:
    return {
        "path": conflict.path,
        "line": conflict.line or None,
        "hunks": list(conflict.hunks),
        "why": conflict.why,
        "expected": conflict.expected.decode("utf-8", "backslashreplace"),
        "found": conflict.found.decode("utf-8", "backslashreplace"),
    }
