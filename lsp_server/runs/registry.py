"""The runs of this process and of all others, as clients can ask for them.

A run belongs to nobody's connection: it is started for one, and any can watch it, end it or go on
with it. Carrying it out is the host's business, drawing it the album's.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import TaskGroup

from agent.errors import AgentError
from agent.host.api import Host, TestsSpec
from agent.journal.records import Record
from agent.task import RunId, TaskSpec
from agent.telling.wording import headline, shortened
from lsp_server.convert import path_of
from lsp_server.runs.album import Album, Counts
from lsp_server.runs.guarded import errors_logged, guarded
from lsp_server.runs.news import Client, News
from lsp_server.runs.progress import Token
from lsp_server.runs.shelf import Shelf
from lsp_server.runs.state import LogLine, RunLine, RunState, State
from lsp_server.wire.errors import Refused

LIST_LIMIT: Final = 50
ACKNOWLEDGED_S: Final = 0.15
"""A cancel is answered at the latest now, though its clean-up goes on."""
NOT_FOUND_REMEDY: Final = "Ask for the list of runs; it may have been deleted."

logger = logging.getLogger(__name__)

Listener = Callable[[RunId, Record], None]


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
        self._tasks = tasks
        self._listeners: list[Listener] = []
        self._news = News()
        self._album = Album(shelf, self._news, tasks, counts)
        host.listen(self._hear)
        tasks.start_soon(self._news.pump, self._album)

    def join(self, client: Client) -> None:
        """Tell a client of runs from now on, first of those under way."""
        self._news.join(client)
        for run in self._album.under_way:
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
        if self._album.line(run):
            self._news.add(run)
        else:
            self._tasks.start_soon(guarded, "telling", run, self._tell_of_stored, run)

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
        self._news.tell(run, self._album)
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
        self._news.tell(run, self._album)
        return run

    async def cancel(self, run: str) -> bool:
        """Ask a run to end; False where it is over already.

        Raises:
            Refused: There is no such run.
        """
        line = await self.find(run)
        if line.state.is_over:
            return False
        self._album.end_soon(run, is_wanted=True)
        answer = _Answer()
        self._tasks.start_soon(guarded, "cancelling", run, self._cancel, RunId(run), answer)
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
        try:
            await self._album.take_over(run)
        except LookupError as exc:
            raise _not_found(run) from exc
        try:
            going_on = await self._host.resume(RunId(run))
        except AgentError:
            self._album.give_back(run)
            raise
        self._album.here(run).wait_again()
        self._own(client, run, token)
        self._news.tell(run, self._album)
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
        return await self._album.newest(top, limit)

    async def picture(self, run: str) -> RunState | None:
        """Return everything that is known of a run, whoever carries it out; None: there is none.

        Raises: JournalError where it cannot be read.
        """
        picture = await self._album.whole(run)
        return picture.whole(self._album.line_of(picture)) if picture else None

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
        picture = await self._album.whole(run)
        return picture.log(first) if picture else ()

    def line(self, run: str) -> RunLine | None:
        """Return where a run stands that is looked at here; None for any other."""
        return self._album.line(run)

    def under_way(self) -> list[RunLine]:
        """Return the runs of this process that wait or go on, and those that it follows."""
        lines = (self._album.line(run) for run in self._album.under_way)
        return [line for line in lines if line is not None]

    def run_of(self, client: Client, token: object) -> str | None:
        """Return the run whose progress has that token at that client."""
        bars = self._news.bars(client)
        return bars.run_of(token) if bars else None

    async def _cancel(self, run: RunId, answer: _Answer) -> None:
        try:
            answer.cancelled = await self._host.cancel(run)
        except AgentError as exc:
            answer.error = exc
            logger.warning("run %s could not be cancelled: %s", run, exc.message)
            self._album.end_soon(run, is_wanted=False)
        finally:
            answer.given.set()

    async def _tell_of_stored(self, run: str) -> None:
        """Tell where a run stands that is not looked at."""
        with suppress(AgentError, Refused):
            self._news.tell_line(await self.find(run))

    def _begun(self, run: RunId, kind: str, title: str, folder_uri: str) -> None:
        """Look at a run that was just started."""
        picture = self._album.here(run, title)
        picture.kind = kind
        picture.top = path_of(folder_uri) or picture.top

    def _own(self, client: Client, run: str, token: Token | None) -> None:
        bars = self._news.bars(client)
        if bars and token is not None:
            bars.own(run, token)

    def _hear(self, run: RunId, record: Record) -> None:
        """Take in an event of a run of this process."""
        with errors_logged("taking in an event", run):
            self._album.take(run, record)
        for listener in [*self._listeners]:
            with errors_logged("a listener to events", run):
                listener(run, record)

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
