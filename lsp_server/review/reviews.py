"""All reviews of this process, shared by its clients: loaded, changed one at a time, told about.

Works nothing out itself: see `state` for decisions, `checks` for measurements.
"""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from agent.accept import repository_of
from agent.errors import AgentError, JournalError
from agent.host.api import Host
from agent.journal.store import RunStore
from agent.journal.stored import RunState, StoredRun
from agent.task import RunId
from lsp_server.review.checks import Checks
from lsp_server.review.state import HunkState, Review
from lsp_server.review.stored import load_review, only_writer, save_review, stamp_of
from lsp_server.runs.guarded import guarded
from lsp_server.runs.state import HunkCount
from lsp_server.titles import title_of
from lsp_server.wire.errors import Refused

if TYPE_CHECKING:
    from lsp_server.core import Core

logger = logging.getLogger(__name__)

_KEPT: Final = 64
"""Reviews in memory; an older one is read from disk again."""

Listener = Callable[[RunId, int], None]
"""Called with a run and the revision of its proposal."""


@dataclass(slots=True, kw_only=True)
class Opened:
    """A review as this process knows it."""

    stored: StoredRun
    top: Path
    """Of the user's repository."""
    title: str
    confidence: str
    review: Review
    needed_for: dict[str, list[str]]
    own_tests: tuple[str, ...]
    stamp: tuple[int, int]
    """Of the decisions on disk when they were read."""
    lock: anyio.Lock = field(default_factory=anyio.Lock)


class Reviews:
    """The reviews of the runs in the store."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._opened: dict[str, Opened] = {}
        self._listeners: list[Listener] = []
        self._counts: dict[str, HunkCount] = {}
        self._asked_for: set[str] = set()
        self.checks = Checks(self)

    @property
    def host(self) -> Host:
        """Who measures."""
        return self._core.host

    @property
    def tasks(self) -> TaskGroup:
        """Where measurements live: they outlast the client that wanted them."""
        return self._core.tasks

    @property
    def _store(self) -> RunStore:
        return self._core.store

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of every change of a proposal; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def counts(self, run: str) -> HunkCount | None:
        """Return how many hunks of a run are open, accepted and rejected, where that is known.

        Costs nothing: what is not known yet is read meanwhile, and the run touched then.
        """
        if run not in self._counts:
            self._count_later(run)
        return self._counts.get(run)

    async def open(self, run: str) -> Opened:
        """Return the review of a run as it is now, whichever process changed it last.

        Raises: Refused where there is nothing to review, JournalError, TaskError.
        """
        opened = self._opened.get(run)
        if opened is not None:
            if await anyio.to_thread.run_sync(stamp_of, opened.stored) != opened.stamp:
                async with opened.lock:
                    await self._refresh(opened)
            return opened
        loaded = await anyio.to_thread.run_sync(self._load, run)
        opened = self._opened.setdefault(run, loaded)
        self._counts[run] = _count_of(opened.review)
        self._drop_old()
        return opened

    @asynccontextmanager
    async def deciding(self, run: str) -> AsyncGenerator[Opened]:
        """Hold a review so that nobody else, of whatever process, changes it.

        Raises: Refused, JournalError, TaskError.
        """
        opened = await self.open(run)
        async with opened.lock, only_writer(opened.stored):
            await self._refresh(opened)
            yield opened

    async def keep(self, opened: Opened, review: Review) -> None:
        """Take a changed review, kept on disk before anybody hears of it. Raises: JournalError.

        Only inside `deciding`.
        """
        if review == opened.review:
            return
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(save_review, opened.stored, review)
            opened.review = review
            opened.stamp = await anyio.to_thread.run_sync(stamp_of, opened.stored)
        self.tell(opened)

    def tell(self, opened: Opened) -> None:
        """Tell every listener that a proposal, or its check, has changed."""
        run = opened.stored.run
        self._counts[run] = _count_of(opened.review)
        for listener in tuple(self._listeners):
            listener(run, opened.review.revision)
        self._core.runs.touch(run)

    async def _refresh(self, opened: Opened) -> None:
        """Take over what another process has decided since."""
        stamp = await anyio.to_thread.run_sync(stamp_of, opened.stored)
        if stamp == opened.stamp:
            return
        review = await anyio.to_thread.run_sync(load_review, opened.stored)
        if review is not None:
            opened.review, opened.stamp = review, stamp
            self.tell(opened)

    def _load(self, run: str) -> Opened:
        """Read a review from disk. Blocking. Raises: Refused, JournalError, TaskError."""
        stored = self._find(run)
        summary = stored.summary()
        if summary.state is RunState.RUNNING:  # its patch may be there a moment before its verdict
            raise Refused("not_ready", f"run {run} is still going on.", "Wait for its end.")
        stamp = stamp_of(stored)
        review = load_review(stored)
        if review is None:
            raise Refused(
                "not_found",
                f"run {run} has no patch: only a green one can be reviewed.",
                "Its log says what it came to.",
            )
        result = stored.result() or {}
        started = summary.started
        return Opened(
            stored=stored,
            top=repository_of(stored),
            title=title_of(started.kind, started.targets, started.goal) if started else run,
            confidence=str(result.get("confidence") or ""),
            review=review,
            needed_for=dict(result.get("needed_for") or {}),
            own_tests=tuple(map(str, result.get("own_tests") or ())),
            stamp=stamp,
        )

    def _find(self, run: str) -> StoredRun:
        try:
            stored = self._store.open(run)
        except JournalError as exc:
            raise Refused("not_found", exc.message, exc.remedy) from exc
        if stored.run != run:  # the store takes beginnings of ids and `last` as well
            raise Refused("not_found", f"there is no run {run!r}.", "Ask for the runs again.")
        return stored

    def _count_later(self, run: str) -> None:
        if run in self._asked_for:
            return
        self._asked_for.add(run)
        self.tasks.start_soon(guarded, "counting the hunks", run, self._count, run)

    async def _count(self, run: str) -> None:
        try:
            await self.open(run)
        except (AgentError, Refused) as exc:
            logger.debug("the hunks of run %s are not known: %s", run, exc)
        else:
            self._core.runs.touch(run)

    def _drop_old(self) -> None:
        for run in tuple(self._opened)[: max(len(self._opened) - _KEPT, 0)]:
            if not self._opened[run].lock.locked() and not self.checks.is_running(run):
                del self._opened[run]


def _count_of(review: Review) -> HunkCount:
    counts = review.counts()
    return HunkCount(
        open=counts.get(HunkState.OPEN, 0),
        accepted=counts.get(HunkState.ACCEPTED, 0),
        rejected=counts.get(HunkState.REJECTED, 0),
    )
