"""Where a run stands, as a few lines: a pure account of its events. Draws nothing (see `progress`).

Time comes in from outside, so that the same events give the same lines.
"""

from dataclasses import dataclass, field
from typing import Final

from agent.events import (
    AttemptEvent,
    AttemptStarted,
    BaselineMeasured,
    BaseTaken,
    CandidateProposed,
    EnvironmentChosen,
    Event,
    Notice,
    Phase,
    PhaseFinished,
    PhaseStarted,
    RunStarted,
    SearchPlanned,
    SearchProgress,
    StrategyGaveUp,
    TestsProgress,
    VerdictReached,
)
from agent.telling.lanes import Lane, lane_of
from agent.telling.wording import asked_for, counted, duration, one_line, shortened

EXPECTED: Final = (Phase.WORKSPACE, Phase.ENVIRONMENT, Phase.BASELINE, Phase.SEARCH, Phase.GATE)
"""Shown from the start, so that a person sees what is to come."""


@dataclass(slots=True, kw_only=True)
class Step:
    """One phase; search and gate may take turns, their times add up."""

    phase: str
    detail: str = ""
    spent_s: float = 0.0
    started_s: float | None = None
    """When it began, while it goes on."""

    def elapsed_s(self, now_s: float) -> float:
        """Time spent in it so far."""
        running_s = 0.0 if self.started_s is None else now_s - self.started_s
        return self.spent_s + running_s

    @property
    def is_running(self) -> bool:
        """It goes on now."""
        return self.started_s is not None

    @property
    def is_done(self) -> bool:
        """It has been, and does not go on now."""
        return self.started_s is None and self.spent_s > 0.0


@dataclass(slots=True, kw_only=True)
class Board:
    """Everything that progress shows, brought up to date by `apply`."""

    title: str = ""
    steps: dict[str, Step] = field(
        default_factory=lambda: {phase.value: Step(phase=phase.value) for phase in EXPECTED}
    )
    best: str = ""
    """The best candidate of the search so far, in one line."""
    best_diff: str = ""
    """The same as a unified diff."""
    trying: str = ""
    """Where the search is, path and line."""
    budget_s: float = 0.0
    """What the search may take; 0: not known."""
    left_s: float = 0.0
    """What is left of it."""
    lanes: dict[int, Lane] = field(default_factory=dict)
    """What each attempt of a model is doing, by its number."""
    notices: list[Notice] = field(default_factory=list)
    current: str = ""

    def apply(self, event: Event, now_s: float) -> None:
        """Take in what happened."""
        match event:
            case RunStarted():
                self.title = f"{event.kind}: {asked_for(event)}"
            case PhaseStarted():
                self.current = event.phase
                self._step(event.phase).started_s = now_s
            case PhaseFinished():
                step = self._step(event.phase)
                step.started_s = None
                step.spent_s += max(event.wall_s, 1e-6)
            case Notice():
                self.notices.append(event)
            case SearchPlanned():
                self._step(Phase.SEARCH).detail = planned_line(event)
                self.budget_s = self.left_s = event.budget_s
            case SearchProgress():
                self._search(event, now_s)
            case TestsProgress():
                self._tests(event)
            case _ if isinstance(event, AttemptEvent):
                self._lane(event, now_s)
            case _:
                self._detail(event)

    def _lane(self, event: AttemptEvent, now_s: float) -> None:
        lane_of(self.lanes, event).apply(event, now_s)
        if isinstance(event, AttemptStarted):
            side_by_side = f", {event.attempts} side by side" if event.attempts > 1 else ""
            where = f"{one_line(event.model)} at {one_line(event.endpoint)}{side_by_side}"
            self._step(Phase.SEARCH).detail = where

    def _tests(self, event: TestsProgress) -> None:
        """Note how far the tests are: of the one model that runs them, else of the phase."""
        working = [lane for lane in self.lanes.values() if lane.ended is None]
        if self.current != Phase.SEARCH or not working:
            self._step(self.current).detail = tests_line(event)
        elif len(working) == 1:
            working[0].note_tests(tests_line(event))

    def _detail(self, event: Event) -> None:
        match event:
            case BaseTaken():
                commit = event.commit[:10] or "no commit yet"
                changed = f" + {counted(event.dirty_files, 'uncommitted file')}"
                self._step(Phase.WORKSPACE).detail = commit + (changed if event.dirty_files else "")
            case EnvironmentChosen():
                self._step(Phase.ENVIRONMENT).detail = environment_line(event)
            case BaselineMeasured():
                self._step(Phase.BASELINE).detail = baseline_line(event)
            case CandidateProposed():
                self._step(Phase.GATE).detail = f"candidate {event.rank}: {one_line(event.why)}"
            case VerdictReached():
                self._step(Phase.GATE).detail = f"{event.verdict}: {one_line(event.detail)}"
            case StrategyGaveUp():
                self._step(Phase.SEARCH).detail = one_line(event.reason)
            case _:
                pass

    def _search(self, event: SearchProgress, now_s: float) -> None:
        step = self._step(Phase.SEARCH)
        elapsed_s = step.elapsed_s(now_s)
        rate = f" · {event.tried / elapsed_s:,.0f}/s" if elapsed_s >= 1.0 else ""
        step.detail = (
            f"{event.tried:,} tried · {event.plausible:,} plausible · "
            f"{event.space_left:,} left{rate}"
        )
        self.best = shortened(event.best, 200)
        self.best_diff = event.best_diff
        self.trying = shortened(event.trying, 100)
        self.left_s = event.left_s

    def _step(self, phase: str) -> Step:
        return self.steps.setdefault(phase, Step(phase=phase))


def environment_line(event: EnvironmentChosen) -> str:
    """Return `docker: virtualenv of the repository: .venv (Python 3.11.7, pytest 8.3)`."""
    weaker = f" ({one_line(event.weaker)})" if event.weaker else ""
    return f"{one_line(event.backend)}{weaker}: {one_line(event.why)}"


def tests_line(event: TestsProgress) -> str:
    """Return `120 of 900 tests, 1 failed, running tests/test_a.py::test_slow`."""
    total = f"{event.finished:,} of {event.total:,} tests" if event.total else ""
    count = total or counted(event.finished, "test")
    failed = f", {event.failed:,} failed" if event.failed else ""
    running = f", running {shortened(event.running, 100)}" if event.running else ""
    return f"{count}{failed}{running}"


def planned_line(event: SearchPlanned) -> str:
    """Return `about 12 tries fit into 30 s: each starts the tests anew (2.4 s)`."""
    tries = f"{event.tries:,} tries" if event.tries != 1 else "1 try"
    each = (
        f"each starts the tests anew ({duration(event.try_s)})"
        if event.how == "command"
        else "many run in one process"
    )
    return f"about {tries} fit into {duration(event.budget_s)}: {each}"


def baseline_line(event: BaselineMeasured) -> str:
    """Return `1 failing (1 asked for), 214 passing, 2 flaky`."""
    parts = [f"{len(event.failing):,} failing", f"{event.passing:,} passing"]
    if len(event.targets) != len(event.failing):
        parts[0] += f" ({len(event.targets):,} to fix)"
    if event.flaky:
        parts.append(f"{len(event.flaky):,} flaky: {shortened(', '.join(event.flaky), 80)}")
    return ", ".join(parts)
