"""What tests came to, by repository, as runs of this process measured it last.

Shared by all connections, so that a client that comes back finds it. Keeps no text of a file and
knows no editor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from agent.events import BaselineMeasured, RunFinished, RunStarted, TestFailed, TestsMeasured
from agent.journal.records import Record
from agent.task import RunId

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]
FAILING: Final = frozenset({"failed", "error"})
_MOST_RUNS: Final = 500
"""Older ones are forgotten: what is accepted of them changes no result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one test ended."""

    id: str
    outcome: Outcome
    duration_s: float
    failure: TestFailed | None = None
    """How it fails, where that was told."""

    @property
    def is_failing(self) -> bool:
        """Whether it ended as it should not."""
        return self.outcome in FAILING


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """News of a repository's tests."""

    top: Path
    run: str
    results: tuple[Result, ...]
    """Those that were measured; where they passed by a change that was accepted, too."""
    gone: tuple[str, ...]
    """Tests that are known no longer."""
    whole: bool
    """All tests of the repository."""


Heard = Callable[[Measured], None]


@dataclass(slots=True, kw_only=True)
class _Run:
    """A run while its events come."""

    top: Path
    asked: tuple[str, ...]
    """Its targets as they were named."""
    targets: tuple[str, ...] = ()
    """The failing tests that it is to mend, once they are known."""
    failures: dict[str, TestFailed] = field(default_factory=dict)


class Results:
    """The last result of every test, by repository."""

    def __init__(self) -> None:
        self._by_top: Final[dict[Path, dict[str, Result]]] = {}
        self._runs: Final[dict[str, _Run]] = {}
        self._listeners: Final[list[Heard]] = []

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Be told of news from now on; returns what ends it."""
        self._listeners.append(heard)

        def end() -> None:
            if heard in self._listeners:
                self._listeners.remove(heard)

        return end

    def of(self, top: Path) -> Mapping[str, Result]:
        """Return what is known of a repository's tests, by id."""
        return self._by_top.get(top, {})

    def tops(self) -> tuple[Path, ...]:
        """Return the repositories of which something is known."""
        return tuple(self._by_top)

    def outcome(self, top: Path, unit: str) -> Outcome | None:
        """Return how a test ended, of all its parameters or of a class the worst; None: unknown."""
        known = self._by_top.get(top, {})
        if (found := known.get(unit)) is not None:
            return found.outcome
        heads = (f"{unit}[", f"{unit}::")
        outcomes = {one.outcome for id_, one in known.items() if id_.startswith(heads)}
        order: tuple[Outcome, ...] = ("failed", "error", *get_args(Outcome))
        return next((one for one in order if one in outcomes), None)

    def take(self, run: RunId, record: Record) -> None:
        """Take an event of a run."""
        match record.event:
            case RunStarted() as started:
                self._runs[run] = _Run(top=Path(started.repo), asked=started.targets)
                if len(self._runs) > _MOST_RUNS:
                    del self._runs[next(iter(self._runs))]
            case TestFailed() as failed:
                if (mine := self._runs.get(run)) is not None:
                    mine.failures[failed.id] = failed
            case TestsMeasured() as measured:
                self._measured(run, measured)
            case BaselineMeasured() as baseline:
                if (mine := self._runs.get(run)) is not None:
                    mine.targets = baseline.targets
                    mine.failures.clear()
            case RunFinished():
                mine = self._runs.get(run)
                if mine is not None and not mine.targets:
                    del self._runs[run]
            case _:
                pass

    def mended(self, run: str) -> None:
        """Count a run's targets as passed: all of its green change is in the user's tree now."""
        mine = self._runs.get(run)
        if mine is None:
            return
        known = self._by_top.get(mine.top, {})
        passed = tuple(
            Result(id=id_, outcome="passed", duration_s=known[id_].duration_s)
            for id_ in mine.targets
            if id_ in known
        )
        known.update({one.id: one for one in passed})
        self._tell(Measured(top=mine.top, run=run, results=passed, gone=(), whole=False))

    def _measured(self, run: str, measured: TestsMeasured) -> None:
        mine = self._runs.get(run)
        if mine is None:
            return
        results = {
            id_: Result(
                id=id_,
                outcome=_outcome(outcome),
                duration_s=duration_s,
                failure=mine.failures.get(id_),
            )
            for id_, outcome, duration_s in measured.results
        }
        known = self._by_top.setdefault(mine.top, {})
        gone = tuple(
            id_
            for id_ in known
            if id_ not in results and (measured.whole or _is_meant(id_, mine.asked))
        )
        for id_ in gone:
            del known[id_]
        known.update(results)
        news = tuple(results.values())
        self._tell(Measured(top=mine.top, run=run, results=news, gone=gone, whole=measured.whole))

    def _tell(self, news: Measured) -> None:
        for heard in list(self._listeners):
            heard(news)


def _is_meant(id_: str, asked: tuple[str, ...]) -> bool:
    """Tell whether a test lies in what was asked for, so that it is gone where it did not run."""
    return any(id_ == one or id_.startswith((f"{one}::", f"{one}[", f"{one}/")) for one in asked)


def _outcome(text: str) -> Outcome:
    return next((one for one in get_args(Outcome) if one == text), "error")
