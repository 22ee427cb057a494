"""`greenloop verify`: measure again what a receipt says, and tell whether it holds."""

import argparse
from pathlib import Path

import anyio

from agent.cli.screen import Screen
from agent.config import Settings
from agent.errors import JournalError, TaskError
from agent.journal.store import RunStore


def verify(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Replay a receipt. Raises: AgentError, SandboxError."""
    raise NotImplementedError


def receipt_path(name: str, state_dir: Path) -> Path:
    """Return the receipt that is meant: a file, or the receipt of a run.

    Raises: TaskError, JournalError.
    """
    path = Path(name)
    if path.is_file():
        return path
    try:
        stored = RunStore(state_dir).open(name)
    except JournalError as exc:
        raise TaskError(
            f"{name} is neither a receipt's file nor a run.",
            remedy="`greenloop runs` lists the runs.",
        ) from exc
    if not stored.receipt_path.is_file():
        raise TaskError(
            f"run {stored.run} has no receipt: only a green one leaves evidence.",
            remedy=f"`greenloop show {stored.run}` says what it came to.",
        )
    return stored.receipt_path
