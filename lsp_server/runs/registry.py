"""The runs of this process and how to find all others: started, watched, ended, resumed.

A run belongs to nobody's connection. This process' own runs are told of by the host; those that
another process carries out are read from their journals, again and again while somebody watches.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from agent.config import find_top
from agent.errors import AgentError
from agent.events import RunFinished, RunStarted
from agent.host.api import Host, TestsSpec
from agent.journal.records import Record
from agent.journal.stored import StoredRun
from agent.task import RunId, TaskSpec
from agent.telling.wording import headline, shortened
from lsp_server.convert import path_of
from lsp_server.runs.follow import follow
from lsp_server.runs.news import Client, News
from lsp_server.runs.picture import Picture
from lsp_server.runs.progress import Token
from lsp_server.runs.shelf import Shelf, Shelved
from lsp_server.runs.state import HunkCount, LogLine, RunLine, RunState, State
from lsp_server.wire.errors import Refused

OVER_KEPT: Final = 40
"""Runs that are over and whose whole picture is still in memory; the others are read again."""
LIST_LIMIT: Final = 50
ACKNOWLEDGED_S: Final = 0.15
"""A cancel is answered at the latest now, though its clean-up goes on."""

NOT_FOUND_REMEDY: Final = "Ask for the list of runs; it may have been deleted."

logger = logging.getLogger(__name__)

Listener = Callable[[RunId, Record], None]
Counts = Callable[[str], HunkCount | None]


@dataclass(slots=True)
class _Kept:
    """A run that is looked at here."""

    picture: Picture
    is_here: bool = False
    """The host tells of it; else its journal is followed."""


class _Answer:
    """What the host said to a cancel, once it has."""

    def __init__(self) -> None:
        self.given = anyio.Event()
        self.cancelled = True
        self.error: AgentError | None = None


class Registry:
    """All runs, as far as clients can ask for them."""

    def __init__(self, host: Host, shelf: Shelf, tasks: TaskGroup, *, counts: Counts) -> None:
        """Listen to a host; `counts` says how far the review of a run's patch has come."""
        self._host = host
        self._shelf = shelf
        self._tasks = tasks
        self._counts = counts
        self._kept: dict[str, _Kept] = {}
        self._ours: set[str] = set()
        self._listeners: list[Listener] = []
        self._news = News(self)
        host.listen(self._hear)
        tasks.start_soon(self._news.pump)

    def join(self, client: Client) -> None:
        """Tell a client of runs from now on, first of those under way."""
        self._news.join(client)
        for run, kept in self._kept.items():
            if not kept.picture.state.is_over:
                self._news.add_again(run)

    def leave(self, client: Client) -> None:
        """Tell it nothing more; its runs go on."""
        self._news.leave(client)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Hear each event of the runs of this process; returns the way to hear no more."""
        self._listeners.append(listener)
        return partial(self._unlisten, listener)

    def touch(self, run: str) -> None:
        """Say that something of a run is new that no event tells: its review."""
        self._news.add(run)

    async def start(
        self,
        client: Client,
        task: TaskSpec,
        *,
        title: str,
        folder_uri: str,
        flags: Mapping[str, object],
        token: Token | None,
    ) -> RunId:
        """Start a run and return its id at once. Raises: AgentError."""
        run = await self._host.start(task, flags=flags)
        self._begun(run, task.kind.value, title, folder_uri)
        self._own(client, run, token)
        self._news.tell(run)
        return run

    async def run_tests(
        self,
        client: Client,
        spec: TestsSpec,
        *,
        title: str,
        folder_uri: str,
        flags: Mapping[str, object],
        token: Token | None,
    ) -> RunId:
        """Run tests and return the id of that at once. Raises: AgentError."""
        run = await self._host.run_tests(spec, flags=flags)
        self._begun(run, "test", title, folder_uri)
        self._own(client, run, token)
        self._news.tell(run)
        return run

    async def cancel(self, run: str) -> bool:
        """Ask a run to end; False where it is over already.

        Raises:
            Refused: There is no such run.
        """
        line = await self.find(run)
        if line.state.is_over:
            return False
        kept = self._kept.get(run)
        if kept:
            kept.picture.end_soon()
            self._news.add(run)
        answer = _Answer()
        self._tasks.start_soon(self._cancel, RunId(run), answer)
        with anyio.move_on_after(ACKNOWLEDGED_S):
            await answer.given.wait()
        if answer.error:
            raise answer.error
        return answer.cancelled

    async def resume(self, client: Client, run: str, *, token: Token | None) -> RunId:
        """Go on with a run whose process has ended.

        Raises:
            Refused: There is no such run, or nothing to go on with.
            AgentError: It cannot go on.
        """
        line = await self.find(run)
        if not line.can_resume:
            raise Refused("bad_request", _why_not(line), "Start a new run to try again.")
        kept = self._kept.get(run) or _Kept(picture=await self._read_anew(run))
        before, kept.is_here = kept.is_here, True
        self._kept[run] = kept
        try:
            going_on = await self._host.resume(RunId(run))
        except AgentError:
            kept.is_here = before
            raise
        self._ours.add(run)
        self._own(client, run, token)
        self._news.begin_log_at(run, kept.picture.next_line)
        self._news.tell(run)
        return going_on

    async def find(self, run: str) -> RunLine:
        """Return where a run stands.

        Raises:
            Refused: There is no such run.
        """
        line = self.line(run)
        if line is not None:
            return line
        return (await self.whole(run)).line

    async def newest(self, *, top: Path | None, limit: int) -> list[RunLine]:
        """Return the newest runs, of one repository where it is given. Raises: JournalError."""
        stored = await anyio.to_thread.run_sync(self._shelf.newest, limit, top)
        lines = {each.run: self._counted(each) for each in stored}
        for run in self._kept:
            line = self.line(run)
            if line and (top is None or line.top == top):
                lines[run] = line
        for line in stored:
            if not line.state.is_over:
                await self._whole(line.run)  # and follow it
        found = sorted(lines.values(), key=lambda line: line.started_at_unix_s, reverse=True)
        return found[:limit]

    async def picture(self, run: str) -> RunState | None:
        """Return everything that is known of a run, whoever carries it out; None: there is none.

        Raises: JournalError where it cannot be read.
        """
        picture = await self._whole(run)
        return picture.whole(self._line_of(picture)) if picture else None

    async def whole(self, run: str) -> RunState:
        """Return everything that is known of a run.

        Raises:
            Refused: There is no such run.
            JournalError: It cannot be read.
        """
        state = await self.picture(run)
        if state is None:
            raise _not_found(run)
        return state

    async def lines(self, run: str, first: int) -> Sequence[LogLine]:
        """Return the lines of a run's log from that number on, at most the newest 1000.

        Raises: JournalError where it cannot be read.
        """
        picture = await self._whole(run)
        return picture.log(first) if picture else ()

    def line(self, run: str) -> RunLine | None:
        """Return where a run stands that is looked at here; None for any other."""
        kept = self._kept.get(run)
        return self._line_of(kept.picture) if kept else None

    def log(self, run: str, first: int) -> Sequence[LogLine]:
        """Return lines of a run that is looked at here."""
        kept = self._kept.get(run)
        return kept.picture.log(first) if kept else ()

    def run_of(self, client: Client, token: object) -> str | None:
        """Return the run whose progress has that token at that client."""
        bars = self._news.bars(client)
        return bars.run_of(token) if bars else None

    def _line_of(self, picture: Picture) -> RunLine:
        hunks = self._counts(picture.run) if picture.can_review else None
        return picture.line(here=picture.run in self._ours, hunks=hunks)

    def _counted(self, line: RunLine) -> RunLine:
        """Add to a line of the store what only this process knows."""
        hunks = self._counts(line.run) if line.can_review else None
        return replace(line, here=line.run in self._ours, hunks=hunks)

    async def _cancel(self, run: RunId, answer: _Answer) -> None:
        try:
            answer.cancelled = await self._host.cancel(run)
        except AgentError as exc:
            answer.error = exc
            logger.warning("run %s could not be cancelled: %s", run, exc.message)
            if kept := self._kept.get(run):
                kept.picture.end_soon(is_wanted=False)
                self._news.add(run)
        finally:
            answer.given.set()

    async def _whole(self, run: str) -> Picture | None:
        """Return a run's picture, read from its journal where it is not looked at here."""
        if kept := self._kept.get(run):
            return kept.picture
        stored = await anyio.to_thread.run_sync(self._shelf.open, run)
        if stored is None:
            return None
        shelved = await anyio.to_thread.run_sync(self._shelf.read, stored)
        self._follow(stored, shelved)
        return shelved.picture

    async def _read_anew(self, run: str) -> Picture:
        """Return a picture of a stored run that is nobody else's."""
        stored = await anyio.to_thread.run_sync(self._shelf.open, run)
        if stored is None:
            raise _not_found(run)
        return (await anyio.to_thread.run_sync(self._shelf.read_anew, stored)).picture

    def _follow(self, stored: StoredRun, shelved: Shelved) -> None:
        """Look at a run of another process for as long as it goes on and somebody watches."""
        run, picture = stored.run, shelved.picture
        if picture.state.is_over or run in self._kept or not self._news.is_watched:
            return
        self._kept[run] = _Kept(picture=picture)
        self._news.begin_log_at(run, picture.next_line)
        self._tasks.start_soon(self._stay, stored, shelved)

    async def _stay(self, stored: StoredRun, shelved: Shelved) -> None:
        run = stored.run
        await follow(
            stored,
            shelved,
            on_news=partial(self._news.add, run),
            is_watched=partial(self._is_followed, run),
        )
        kept = self._kept.get(run)
        if kept and not kept.is_here and not kept.picture.state.is_over:
            del self._kept[run]  # it is read again when somebody asks
        self._drop_old()

    def _is_followed(self, run: str) -> bool:
        kept = self._kept.get(run)
        return kept is not None and not kept.is_here and self._news.is_watched

    def _begun(self, run: RunId, kind: str, title: str, folder_uri: str) -> None:
        """Look at a run that was just started."""
        picture = self._here(run).picture
        picture.kind, picture.title = kind, title
        picture.top = path_of(folder_uri) or picture.top

    def _own(self, client: Client, run: str, token: Token | None) -> None:
        bars = self._news.bars(client)
        if bars and token is not None:
            bars.own(run, token)

    def _here(self, run: RunId) -> _Kept:
        """Return a run of this process' host, looked at from now on."""
        self._ours.add(run)
        kept = self._kept.get(run)
        if kept is None or not kept.is_here:
            kept = _Kept(picture=Picture(run, since_unix_s=time.time()), is_here=True)
            self._kept[run] = kept
        return kept

    def _hear(self, run: RunId, record: Record) -> None:
        """Take in an event of a run of this process."""
        event, picture = record.event, self._here(run).picture
        if isinstance(event, RunStarted) and picture.top is None:
            picture.top = find_top(Path(event.repo))
        picture.take(record)
        if isinstance(event, RunFinished):
            self._tasks.start_soon(self._settle, run, picture)
        else:
            self._news.add(run)
        for listener in [*self._listeners]:
            listener(run, record)

    async def _settle(self, run: RunId, picture: Picture) -> None:
        """Add what is kept of a run that has just ended, then say so."""
        with suppress(AgentError):
            stored = await anyio.to_thread.run_sync(self._shelf.open, run)
            if stored is not None:
                picture.take_result(await anyio.to_thread.run_sync(stored.result))
        self._news.add(run)
        self._drop_old()

    def _drop_old(self) -> None:
        """Bound what is in memory: the store has it all, but for runs of tests."""
        over = [run for run, kept in self._kept.items() if kept.picture.state.is_over]
        for run in over[: max(len(over) - OVER_KEPT, 0)]:
            del self._kept[run]
            self._news.forget(run)

    def _unlisten(self, listener: Listener) -> None:
        with suppress(ValueError):
            self._listeners.remove(listener)


def _why_not(line: RunLine) -> str:
    if line.kind == "test":
        return "a run of tests cannot be resumed."
    if not line.state.is_over:
        return f"run {line.run} is still going on."
    if line.state is State.INTERRUPTED:
        return f"run {line.run} ended before its base was taken."
    return f"run {line.run} is over: {headline(line.verdict, line.confidence or None)}."


def _not_found(run: str) -> Refused:
    return Refused("not_found", f"there is no run {shortened(run, 80)!r}.", NOT_FOUND_REMEDY)
