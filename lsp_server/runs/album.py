"""The pictures of runs that are looked at now, and the way to all others.

Runs of this process are here from their start until others push them out; runs that another
process carries out while somebody watches them; the rest is read from the shelf when asked for.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio.to_thread
from anyio.abc import TaskGroup

from agent.config import find_top
from agent.errors import AgentError
from agent.events import RunFinished, RunStarted
from agent.journal.records import Record
from agent.journal.stored import StoredRun
from lsp_server.runs.follow import follow, is_going_on
from lsp_server.runs.guarded import guarded
from lsp_server.runs.news import News
from lsp_server.runs.picture import Picture
from lsp_server.runs.shelf import Shelf, Shelved
from lsp_server.runs.state import HunkCount, LogLine, RunLine

OVER_KEPT: Final = 40
"""Runs that are over and whose whole picture is still in memory; the others are read again."""

Counts = Callable[[str], HunkCount | None]
"""How far the review of a run's patch has come, where that is known."""


@dataclass(slots=True)
class _Kept:
    picture: Picture
    is_here: bool = False
    """The host tells of it; else its journal is followed."""


class Album:
    """Pictures by run."""

    def __init__(self, shelf: Shelf, news: News, tasks: TaskGroup, counts: Counts) -> None:
        self._shelf = shelf
        self._news = news
        self._tasks = tasks
        self._counts = counts
        self._kept: dict[str, _Kept] = {}
        self._ours: dict[str, str] = {}
        """Every run that this process' host carried out, with its title."""

    @property
    def under_way(self) -> list[str]:
        """Runs that are looked at and not over."""
        return [run for run, kept in self._kept.items() if not kept.picture.state.is_over]

    def line(self, run: str) -> RunLine | None:
        """Return where a run stands that is looked at; None for any other."""
        kept = self._kept.get(run)
        return self.line_of(kept.picture) if kept else None

    def log(self, run: str, first: int) -> Sequence[LogLine]:
        """Return lines of the log of a run that is looked at."""
        kept = self._kept.get(run)
        return kept.picture.log(first) if kept else ()

    def line_of(self, picture: Picture) -> RunLine:
        """Return where a run stands, with what only this process knows of it."""
        hunks = self._counts(picture.run) if picture.can_review else None
        return self._titled(picture.line(here=picture.run in self._ours, hunks=hunks))

    async def newest(self, top: Path | None, limit: int) -> list[RunLine]:
        """Return the newest runs, of one repository where it is given. Raises: JournalError."""
        lines: dict[str, RunLine] = {}
        for line in await anyio.to_thread.run_sync(self._shelf.newest, limit, top):
            if not line.state.is_over:
                await self.whole(line.run)  # which follows it
            here = line.run in self._ours
            hunks = self._counts(line.run) if line.can_review else None
            lines[line.run] = self._titled(replace(line, here=here, hunks=hunks))
        for run in self._kept:
            looked_at = self.line(run)
            if looked_at and (top is None or _is_same(looked_at.top, top)):
                lines[run] = looked_at
        found = sorted(lines.values(), key=lambda line: line.started_at_unix_s, reverse=True)
        return found[:limit]

    async def whole(self, run: str) -> Picture | None:
        """Return a run's picture, from its journal where it is not looked at; None: no such run.

        Raises: JournalError where it cannot be read.
        """
        kept = self._kept.get(run)
        if kept and not kept.picture.state.is_over:
            return kept.picture
        stored = await anyio.to_thread.run_sync(self._shelf.open, run)
        if stored is None:
            return kept.picture if kept else None
        if kept and not await anyio.to_thread.run_sync(is_going_on, stored):
            return kept.picture
        # Over as far as we know, and somebody carries it out: it was resumed elsewhere.
        shelved = await anyio.to_thread.run_sync(self._shelf.read, stored)
        self._follow(stored, shelved)
        return shelved.picture

    async def take_over(self, run: str) -> Picture:
        """Return the picture of a stored run that this process' host shall go on with.

        Raises:
            LookupError: There is no such run.
            JournalError: It cannot be read.
        """
        kept = self._kept.get(run)
        if kept is None:
            stored = await anyio.to_thread.run_sync(self._shelf.open, run)
            if stored is None:
                raise LookupError(run)
            shelved = await anyio.to_thread.run_sync(self._shelf.read_anew, stored)
            kept = _Kept(picture=shelved.picture)
        kept.is_here = True
        self._kept[run] = kept
        self._news.begin_log_at(run, kept.picture.next_line)
        return kept.picture

    def give_back(self, run: str) -> None:
        """Look no more at a run that could not be gone on with."""
        if run not in self._ours:
            self._kept.pop(run, None)

    def here(self, run: str, title: str = "") -> Picture:
        """Return the picture of a run of this process' host, looked at from now on."""
        self._ours[run] = title or self._ours.get(run, "")
        kept = self._kept.get(run)
        if kept is None or not kept.is_here:
            kept = _Kept(picture=Picture(run, since_unix_s=time.time()), is_here=True)
            self._kept[run] = kept
        return kept.picture

    def take(self, run: str, record: Record) -> None:
        """Take in an event of a run of this process' host."""
        event, picture = record.event, self.here(run)
        if isinstance(event, RunStarted) and picture.top is None:
            picture.top = find_top(Path(event.repo))
        picture.take(record)
        if isinstance(event, RunFinished):
            self._tasks.start_soon(guarded, "the end", run, self._settle, run, picture)
        else:
            self._news.add(run)

    def end_soon(self, run: str, *, is_wanted: bool) -> None:
        """Note that a run was asked to end, or that it could not be."""
        if kept := self._kept.get(run):
            kept.picture.end_soon(is_wanted=is_wanted)
            self._news.add(run)

    async def _settle(self, run: str, picture: Picture) -> None:
        """Add what is kept of a run that has just ended, then say so."""
        with suppress(AgentError):
            stored = await anyio.to_thread.run_sync(self._shelf.open, run)
            if stored is not None:
                picture.take_result(await anyio.to_thread.run_sync(stored.result))
        self._drop_old()
        self._news.tell(run, self)

    def _titled(self, line: RunLine) -> RunLine:
        title = self._ours.get(line.run)
        return replace(line, title=title) if title else line

    def _follow(self, stored: StoredRun, shelved: Shelved) -> None:
        """Look at a run of another process for as long as it goes on and somebody watches."""
        run, kept = stored.run, self._kept.get(stored.run)
        is_known = kept is not None and not kept.picture.state.is_over
        if shelved.picture.state.is_over or is_known or not self._news.is_watched:
            return
        self._kept[run] = _Kept(picture=shelved.picture)
        self._news.begin_log_at(run, shelved.picture.next_line)
        self._news.add(run)
        self._tasks.start_soon(guarded, "following", run, self._stay, stored, shelved)

    async def _stay(self, stored: StoredRun, shelved: Shelved) -> None:
        run = stored.run
        await follow(
            stored,
            shelved,
            on_news=partial(self._news.add, run),
            is_watched=partial(self._is_followed, shelved.picture),
        )
        kept = self._kept.get(run)
        if kept and kept.picture is shelved.picture and not kept.is_here:
            self._news.tell(run, self)
            del self._kept[run]  # it is read again when somebody asks
            self._news.forget(run)

    def _is_followed(self, picture: Picture) -> bool:
        kept = self._kept.get(picture.run)
        return kept is not None and kept.picture is picture and self._news.is_watched

    def _drop_old(self) -> None:
        """Bound what is in memory: the store has it all, but for runs of tests."""
        over = [run for run, kept in self._kept.items() if kept.picture.state.is_over]
        for run in over[: max(len(over) - OVER_KEPT, 0)]:
            del self._kept[run]
            self._news.forget(run)


def _is_same(one: Path | None, other: Path) -> bool:
    """Compare folders as they are named, and where a link may lie between by what they are."""
    return one is not None and (one == other or one.resolve() == other.resolve())
