"""What whoever started a run holds of it, and how the engine feeds that.

Carries nothing out itself.
"""

import time
from collections.abc import AsyncIterator, Callable

import anyio

from agent.errors import AgentError
from agent.events import Event, RunFinished, RunStarted
from agent.journal.records import Record
from agent.result import RunResult
from agent.task import RunId
from sandbox.errors import SandboxError

Outcome = RunResult | AgentError | SandboxError
Tell = Callable[[RunId, Record], None]
"""Told of each event of a run, with its place in the journal."""


class RunHandle:
    """A run under way: watch it, cancel it, wait for it."""

    def __init__(self, run: RunId, tell: Tell | None = None) -> None:
        """With `tell`, records go there as they come and are not gathered here."""
        self.run = run
        self.scope = anyio.CancelScope()
        self._listener = tell
        self._told: list[Event] = []
        self._news = anyio.Event()
        self._done = anyio.Event()
        self._outcome: Outcome | None = None

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens, from the start; ends when the run does. For any number of readers."""
        seen = 0
        while True:
            news, over = self._news, self._done.is_set()
            for event in self._told[seen:]:
                yield event
                seen += 1
            if over:
                return
            if seen == len(self._told):
                await news.wait()

    def cancel(self) -> None:
        """Ask the run to end now; its sandboxes are removed before the result is there."""
        self.scope.cancel()

    async def result(self) -> RunResult:
        """Wait for the end. Raises: AgentError, SandboxError."""
        await self._done.wait()
        if isinstance(self._outcome, RunResult):
            return self._outcome
        if self._outcome is None:  # an unexpected error took down the engine's task group
            raise AgentError(f"run {self.run} ended without a result")
        raise self._outcome

    async def over(self) -> None:
        """Wait for the end, whatever it is."""
        await self._done.wait()

    async def is_over_within(self, wait_s: float) -> bool:
        """Wait for the end, but no longer; tell whether it came."""
        with anyio.move_on_after(wait_s):
            await self._done.wait()
        return self._done.is_set()

    def tell(self, record: Record) -> None:
        """Take in what happened."""
        if self._listener is None:
            self._told.append(record.event)
            self._wake()
        else:
            self._listener(self.run, record)

    def end(self, outcome: Outcome | None) -> None:
        """Take in how it ended; nothing is told after it."""
        self._outcome = outcome
        self._done.set()
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = anyio.Event()


class Tale:
    """Tells a run: a beginning and an end, each once, and everything between."""

    def __init__(
        self, started: RunStarted, keep: Callable[[Event], Record], handle: RunHandle
    ) -> None:
        """`keep` puts an event on record, or at least gives it its time."""
        self._started = started
        self._keep = keep
        self._handle = handle
        self._since_s = time.monotonic()
        self.has_begun = False

    def begin(self) -> None:
        """Tell the beginning, the first time that this is called."""
        if not self.has_begun:
            self.has_begun, self._since_s = True, time.monotonic()
            self.emit(self._started)

    def emit(self, event: Event) -> None:
        """Tell what happened."""
        self._handle.tell(self._keep(event))

    def finish(self, outcome: Outcome) -> None:
        """Tell the end."""
        if isinstance(outcome, RunResult):
            verdict, message = outcome.verdict, outcome.message
            confidence = outcome.confidence.value if outcome.confidence else ""
        else:
            verdict, confidence = "error", ""
            message = "; ".join(filter(None, (outcome.message, outcome.remedy)))
        wall_s = time.monotonic() - self._since_s
        self.emit(
            RunFinished(verdict=verdict, confidence=confidence, message=message, wall_s=wall_s)
        )
