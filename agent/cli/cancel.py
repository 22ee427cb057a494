"""`greenloop cancel`: end a run that goes on in another process, an editor's for instance."""

import argparse
import time
from typing import Final

from agent.cli.progress import busy
from agent.cli.screen import Screen
from agent.config import Settings, top_here
from agent.errors import Infrastructure, TaskError
from agent.journal.ending import ask_to_end
from agent.journal.store import RunStore
from agent.journal.stored import RunState, StoredRun

WAIT_S: Final = 60.0
LOOK_S: Final = 0.1


def cancel(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Ask for the end of a run and wait for it. Raises: AgentError."""
    stored = RunStore(settings.state_dir).open(arguments.run, top=top_here())
    if not ask_to_end(stored):
        finished = stored.summary().finished
        raise TaskError(
            f"run {stored.run} is over: {finished.verdict if finished else 'interrupted'}.",
            remedy=f"`greenloop show {stored.run}` shows it.",
        )
    with busy(screen, f"ending run {stored.run}"):
        _wait_for_its_end(stored)
    screen.answer({"run": stored.run, "cancelled": True})
    screen.line(f"run {stored.run} is ended; nothing was changed")
    return 0


def _wait_for_its_end(stored: StoredRun) -> None:
    until_s = time.monotonic() + WAIT_S
    while stored.summary().state is RunState.RUNNING:
        if time.monotonic() > until_s:
            raise Infrastructure(
                f"run {stored.run} does not end.",
                remedy="Its process may be stopped; end that process, and `greenloop runs` lists"
                " the run as interrupted.",
            )
        time.sleep(LOOK_S)
