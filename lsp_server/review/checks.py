"""What is left of a proposal after rejections and edits, measured in the sandbox.

One measurement a run at a time: a newer choice of hunks ends the one that is under way. What was
measured once is kept with the review and not measured again.
"""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import anyio

from agent.edits.changes import Delta
from agent.errors import AgentError
from agent.host.api import CheckSpec
from lsp_server.review.state import Measured, choice, measurement, with_measured
from lsp_server.wire.errors import Refused

if TYPE_CHECKING:
    from lsp_server.review.reviews import Opened, Reviews

logger = logging.getLogger(__name__)

_INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of what is left."""

    state: Literal["measured", "stale", "running", "failed"]
    measured: Measured


@dataclass(slots=True, kw_only=True, eq=False)
class _Running:
    choice: str
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    over: anyio.Event = field(default_factory=anyio.Event)


class Checks:
    """The measurements of all reviews of this process."""

    def __init__(self, reviews: "Reviews") -> None:
        self._reviews = reviews
        self._running: dict[str, _Running] = {}
        self._failed: dict[str, tuple[str, Measured]] = {}
        self._last: dict[str, Measured] = {}

    def is_running(self, run: str) -> bool:
        """Tell whether a measurement of a run is under way."""
        return run in self._running

    def standing(self, opened: "Opened") -> Standing:
        """Return what is known of what is left of a proposal."""
        review = opened.review
        known = measurement(review)
        if known is not None:
            return Standing(state="measured", measured=known)
        left = choice(review.left)
        last = self._last.get(review.run, review.whole)
        running = self._running.get(review.run)
        if running is not None and running.choice == left:
            message = "what is left is being measured"
            return Standing(state="running", measured=_of_before(last, message))
        failed = self._failed.get(review.run)
        if failed is not None and failed[0] == left:
            return Standing(state="failed", measured=failed[1])
        message = "what is left has not been measured yet"
        return Standing(state="stale", measured=_of_before(last, message))

    def start(self, opened: "Opened") -> bool:
        """Begin to measure what is left, unless that is known or under way; end older ones.

        Returns whether there is something to wait for.
        """
        review = opened.review
        delta = review.left
        wanted = choice(delta)
        running = self._running.get(review.run)
        if running is not None and running.choice == wanted:
            return True
        self.end(opened)
        if measurement(review) is not None:
            return False
        self._failed.pop(review.run, None)
        mine = _Running(choice=wanted)
        self._running[review.run] = mine
        self._reviews.tasks.start_soon(self._measure, opened, delta, mine)
        self._reviews.tell(opened)
        return True

    def end(self, opened: "Opened") -> None:
        """End the measurement of a run that is under way, if there is one."""
        running = self._running.pop(opened.review.run, None)
        if running is not None:
            running.scope.cancel()

    def end_outdated(self, opened: "Opened") -> None:
        """End the measurement of what is not what is left any more."""
        running = self._running.get(opened.review.run)
        if running is not None and running.choice != choice(opened.review.left):
            self.end(opened)

    async def measured(self, run: str) -> "Opened":
        """Return a review once what is left of it is measured, or cannot be.

        Raises: Refused, JournalError, TaskError.
        """
        opened = await self._reviews.open(run)
        while self.start(opened):
            running = self._running[opened.review.run]
            await running.over.wait()
            opened = await self._reviews.open(run)
            if self.standing(opened).state == "failed":
                break
        return opened

    async def _measure(self, opened: "Opened", delta: Delta, mine: _Running) -> None:
        run = opened.review.run
        try:
            with mine.scope:
                measured = await self._ask(opened, delta)
                await self._keep(opened, delta, measured, mine)
        except Exception:
            logger.exception("a measurement of run %s failed", run)
            self._fail(run, mine, "an error of the server; its log has the details")
        finally:
            if self._running.get(run) is mine:
                del self._running[run]
            mine.over.set()
        self._reviews.tell(opened)

    async def _ask(self, opened: "Opened", delta: Delta) -> Measured:
        run = opened.review.run
        try:
            checked = await self._reviews.host.check(CheckSpec(run=run, delta=delta))
        except AgentError as exc:
            message = f"{exc.message} {exc.remedy}".strip()
            return Measured(verdict=_INFRASTRUCTURE, message=message, receipt="")
        flags = "".join(f"; {flag}" for flag in checked.flags)
        return Measured(
            verdict=checked.verdict, message=f"{checked.message}{flags}", receipt=checked.receipt
        )

    async def _keep(
        self, opened: "Opened", delta: Delta, measured: Measured, mine: _Running
    ) -> None:
        run = opened.review.run
        if measured.verdict == _INFRASTRUCTURE:
            # Nothing is known of the code: it may be tried again.
            self._fail(run, mine, measured.message)
            return
        try:
            async with self._reviews.deciding(run) as held:
                await self._reviews.keep(held, with_measured(held.review, delta, measured))
                self._last[run] = measured
        except (AgentError, Refused) as exc:
            logger.warning("a measurement of run %s could not be kept: %s", run, exc)
            self._fail(run, mine, str(exc))

    def _fail(self, run: str, mine: _Running, message: str) -> None:
        self._failed[run] = (mine.choice, Measured(verdict="", message=message, receipt=""))


def _of_before(last: Measured, message: str) -> Measured:
    """Return the last measurement as one that says nothing of what is left now."""
    return Measured(verdict=last.verdict, message=message, receipt="")
