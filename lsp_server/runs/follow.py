"""Follows a run that another process carries out, by reading what is added to its journal."""

from collections.abc import Callable
from typing import Final

import anyio
import anyio.to_thread

from agent.errors import JournalError
from agent.journal.files import journal_errors
from agent.journal.records import Record, read_records
from agent.journal.stored import JOURNAL, RunState, StoredRun
from lsp_server.runs.picture import Picture
from lsp_server.runs.shelf import DIED, Shelved

EVERY_S: Final = 0.5
LOCK_EVERY: Final = 4
"""Looks at the journal for one at the lock."""


async def follow(
    stored: StoredRun,
    shelved: Shelved,
    *,
    on_news: Callable[[], None],
    is_watched: Callable[[], bool],
    every_s: float = EVERY_S,
) -> None:
    """Keep a picture up to date until its run is over or nobody watches any more."""
    picture, offset, looks = shelved.picture, shelved.read_bytes, 0
    while not _is_over(picture) and is_watched():
        await anyio.sleep(every_s)
        looks += 1
        is_dead = looks % LOCK_EVERY == 0 and not await anyio.to_thread.run_sync(
            is_going_on, stored
        )
        # Read after the lock was seen free: what was written until then is all there is.
        records, offset = await anyio.to_thread.run_sync(_added, stored, offset)
        for record in records:
            picture.take(record)
        if is_dead:
            picture.lose(DIED)
        if _is_over(picture):
            picture.take_result(await anyio.to_thread.run_sync(_result, stored))
        if records or is_dead:
            on_news()


def _is_over(picture: Picture) -> bool:
    return picture.state.is_over


def _added(stored: StoredRun, offset: int) -> tuple[list[Record], int]:
    """Return the whole records from there on, and where they end."""
    path = stored.path / JOURNAL
    try:
        with journal_errors("read", path), path.open("rb") as file:
            file.seek(offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        return [*read_records(whole)], offset + len(whole)
    except JournalError:
        return [], offset  # deleted, or of a later version: there is nothing to tell


def is_going_on(stored: StoredRun) -> bool:
    """Look whether some process carries a run out. Blocking."""
    try:
        return stored.summary().state is RunState.RUNNING
    except JournalError:
        return False


def _result(stored: StoredRun) -> dict[str, object] | None:
    try:
        return stored.result()
    except JournalError:
        return None
