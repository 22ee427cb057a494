"""Tells connected clients what is new of runs, gathered to ten times a second; the last always.

Knows what to send and to whom; what a run is about stays in its picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from lsp_server.runs.as_json import line_to_json, log_line_to_json
from lsp_server.runs.guarded import errors_logged
from lsp_server.runs.progress import ProgressBars
from lsp_server.runs.state import LogLine, RunLine
from lsp_server.session import Session

EVERY_S: Final = 0.1
AT_ONCE: Final = 5
"""Runs that are told of before others get a turn on the loop."""


class Client(Protocol):
    """A connection, as far as this room needs it."""

    @property
    def session(self) -> Session:
        """What it can do and what it draws itself."""
        ...

    @property
    def tasks(self) -> TaskGroup:
        """Tasks that end with the connection."""
        ...

    def tell(self, method: str, params: object = None) -> None:
        """Send a notification; never raises."""
        ...

    async def ask(self, method: str, params: object = None) -> Any:
        """Send a request and return its answer. Raises: ClientGone, ClientRefused."""
        ...


class Source(Protocol):
    """Where the news come from."""

    def line(self, run: str) -> RunLine | None:
        """Return where a run stands; None for one that is not looked at here."""
        ...

    def log(self, run: str, first: int) -> Sequence[LogLine]:
        """Return its newest lines from that number on."""
        ...


@dataclass(slots=True)
class _Told:
    """What clients know of a run."""

    line: RunLine | None = None
    next_line: int = 0


@dataclass(slots=True)
class _Joined:
    client: Client
    bars: ProgressBars


class News:
    """The clients, and what is still to be told to them."""

    def __init__(self) -> None:
        self._joined: dict[int, _Joined] = {}
        self._told: dict[str, _Told] = {}
        self._waiting: dict[str, None] = {}
        self._wake = anyio.Event()

    @property
    def is_watched(self) -> bool:
        """Somebody draws runs."""
        return any(each.client.session.client.runs for each in self._joined.values())

    def join(self, client: Client) -> None:
        """Tell a client too from now on."""
        self._joined[id(client)] = _Joined(client=client, bars=ProgressBars(client))

    def leave(self, client: Client) -> None:
        """Tell it nothing more."""
        self._joined.pop(id(client), None)

    def bars(self, client: Client) -> ProgressBars | None:
        """Return the progress that a client is shown."""
        joined = self._joined.get(id(client))
        return joined.bars if joined else None

    def add(self, run: str) -> None:
        """Note that something of a run is new."""
        self._waiting[run] = None
        self._wake.set()

    def add_again(self, run: str) -> None:
        """Have a run told of though nothing of it is new: somebody joined."""
        self._told.setdefault(run, _Told()).line = None
        self._waiting[run] = None
        self._wake.set()

    def begin_log_at(self, run: str, number: int) -> None:
        """Tell lines of a run's log from there on: who wants the ones before asks for them."""
        self._told.setdefault(run, _Told()).next_line = number

    def forget(self, run: str) -> None:
        """Let go of a run that nothing new will happen to."""
        self._told.pop(run, None)
        self._waiting.pop(run, None)

    async def pump(self, source: Source) -> None:
        """Tell what is new, for ever."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            runs, self._waiting = [*self._waiting], {}
            for place, run in enumerate(runs, start=1):
                with errors_logged("telling", run):
                    self.tell(run, source)
                if place % AT_ONCE == 0:
                    await anyio.lowlevel.checkpoint()
            await anyio.sleep(EVERY_S)

    def tell(self, run: str, source: Source) -> None:
        """Tell what is new of a run now."""
        line = source.line(run)
        if line is None:
            return
        told = self._told.setdefault(run, _Told())
        log = source.log(run, told.next_line)
        is_new, told.line = line != told.line, line
        if is_new:
            self.tell_line(line)
        if log:
            told.next_line = log[-1].number + 1
            lines = [log_line_to_json(each) for each in log]
            self._send("greenloop/run/log", {"run": run, "lines": lines})

    def tell_line(self, line: RunLine) -> None:
        """Tell where a run stands now."""
        self._send("greenloop/run/changed", line_to_json(line))
        if line.here:
            for joined in [*self._joined.values()]:
                joined.bars.show(line)

    def _send(self, method: str, params: Mapping[str, Any]) -> None:
        for joined in [*self._joined.values()]:
            if joined.client.session.client.runs:
                joined.client.tell(method, params)
