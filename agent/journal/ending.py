"""Asks a run that another process carries out to end: a file in its folder, looked for in time.

Ends nothing itself: whoever carries the run out does (see `agent.engine`).
"""

from pathlib import Path
from typing import Final

from agent.journal.files import write_whole
from agent.journal.stored import RunState, StoredRun

REQUEST: Final = "cancel"
LOOKED_FOR_S: Final = 1.0
"""So often a run looks whether it shall end; one look costs some microseconds."""


def ask_to_end(stored: StoredRun) -> bool:
    """Ask a run to end now; False where it is over already. Raises: JournalError."""
    if stored.summary().state is not RunState.RUNNING:
        return False
    write_whole(stored.path / REQUEST, b"")
    return True


def is_end_asked(folder: Path) -> bool:
    """Look whether a run was asked to end."""
    return (folder / REQUEST).exists()


def forget_request(folder: Path) -> None:
    """Take the request back, for a run that goes on."""
    (folder / REQUEST).unlink(missing_ok=True)
