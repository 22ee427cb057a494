"""Takes in what happens in a run, record by record, and says where it stands. Pure.

The same records give the same picture, whether they come from a run under way, from its journal, or
from the journal of another process. What passes by and is not kept (streamed text, counts of tests)
shows in `doing` while it lasts and leaves nothing behind.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from agent.events import (
    BaselineMeasured,
    BaseTaken,
    CandidateProposed,
    EnvironmentChosen,
    Event,
    ModelStreamed,
    PhaseFinished,
    PhaseStarted,
    RunFinished,
    RunStarted,
    TestFailed,
    TestsProgress,
    VerdictReached,
)
from agent.journal.records import Record
from agent.telling.board import Board, environment_line
from agent.telling.lanes import Lane
from agent.telling.lines import SOME
from agent.telling.story import lines_of
from agent.telling.wording import notes_of, one_line
from lsp_server import titles
from lsp_server.runs.state import (
    Attempt,
    BaselineSeen,
    CandidateSeen,
    Failure,
    Frame,
    HunkCount,
    LogLine,
    OptionSeen,
    RunLine,
    RunState,
    State,
)

LINES_KEPT: Final = 1000
DIFF_CHARACTERS: Final = 20_000
"""Of one edit; a longer diff is cut at a line, and says so."""
FAILURES_KEPT: Final = 100

_PHRASES: Final = {
    "": "starting",
    "workspace": "taking a snapshot of the repository",
    "environment": "finding out what the tests run in",
    "baseline": "running the tests",
    "search": "searching",
    "gate": "measuring the patch in a fresh sandbox",
    "minimise": "leaving out what green does not need",
    "patch": "writing down the patch",
}
_CUT_OFF: Final = frozenset({"error", "none", "infrastructure"})
"""Verdicts after which a model's work may only have been broken off."""


class Picture:
    """One run, brought up to date by `take`."""

    def __init__(
        self,
        run: str,
        *,
        kind: str = "fix",
        top: Path | None = None,
        title: str = "",
        since_unix_s: float = 0.0,
    ) -> None:
        """Begin with a run of which nothing has been told yet: it waits for its turn."""
        self.run: Final = run
        self.kind = kind
        self.top = top
        self.title = title
        self.state = State.WAITING
        self.lines: Final[deque[LogLine]] = deque(maxlen=LINES_KEPT)
        """The newest ones."""
        self.next_line = 0
        """Number of the line that comes next."""
        self._since_unix_s = since_unix_s
        self._board = Board()
        self._progress: TestsProgress | None = None
        self._at_unix_s = since_unix_s
        self._started: RunStarted | None = None
        self._finished: RunFinished | None = None
        self._has_base = False
        self._environment: EnvironmentChosen | None = None
        self._baseline: BaselineMeasured | None = None
        self._failures: dict[str, TestFailed] = {}
        self._candidates: list[CandidateSeen] = []
        self._result: Mapping[str, Any] = {}
        self._is_ending = False

    def take(self, record: Record) -> None:
        """Take in what happened."""
        event = _without_text(record.event)
        self._at_unix_s = record.at_unix_s
        self._board.apply(event, record.at_unix_s)
        self._note(event, record.at_unix_s)
        for line in lines_of(event, self._board, SOME):
            self.lines.append(
                LogLine(
                    number=self.next_line,
                    at_unix_s=round(record.at_unix_s, 3),
                    kind=line.kind,
                    text=line.text.strip(),
                    diff=_cut(line.diff),
                )
            )
            self.next_line += 1

    def end_soon(self, *, is_wanted: bool = True) -> None:
        """Take in that it was asked to end; or that it could not be."""
        self._is_ending = is_wanted

    @property
    def can_review(self) -> bool:
        """It came to a patch."""
        return bool(self._finished and self._finished.verdict == "green") and self.kind != "test"

    def take_result(self, result: Mapping[str, Any] | None) -> None:
        """Take in the object that is kept of what the run came to, once it is over."""
        self._result = result or {}

    def wait_again(self) -> None:
        """Take in that it goes on as soon as it is its turn."""
        if self.state.is_over:
            self.state, self._finished, self._is_ending = State.WAITING, None, False

    def lose(self, message: str) -> None:
        """Take in that nobody carries the run out any more, though it had not ended."""
        if self.state.is_over:
            return
        self.state = State.INTERRUPTED
        self._finished = RunFinished(
            verdict="interrupted", confidence="", message=message, wall_s=0.0
        )

    def line(self, *, here: bool, hunks: HunkCount | None) -> RunLine:
        """Return what a list of runs shows of it."""
        finished, is_over = self._finished, self.state.is_over
        verdict = finished.verdict if finished else ""
        return RunLine(
            run=self.run,
            kind=self.kind,
            top=self.top,
            title=self.title or title_of(self._started, self.kind),
            state=self.state,
            phase=self._board.current if self.state is State.RUNNING else "",
            doing="" if is_over else self._doing(),
            percent=None if is_over else self._percent(),
            verdict=verdict,
            confidence=finished.confidence if finished else "",
            message=one_line(finished.message) if finished else "",
            started_at_unix_s=self._since_unix_s,
            ended_at_unix_s=self._at_unix_s if is_over else None,
            hunks=hunks,
            here=here,
            can_cancel=not is_over and not self._is_ending,
            can_resume=self._can_resume(),
            can_review=self.can_review,
        )

    def whole(self, line: RunLine) -> RunState:
        """Return everything but the log; `line` as `line()` gave it just now."""
        result, started = self._result, self._started
        environment = self._environment
        return RunState(
            line=line,
            goal=started.goal if started else "",
            targets=started.targets if started else (),
            strategy=started.strategy if started else "",
            environment=environment_line(environment) if environment else "",
            weaker=one_line(environment.weaker) if environment else "",
            baseline=_baseline(self._baseline),
            failures=tuple(_failure(each, self.top) for each in self._failures.values()),
            attempts=tuple(self._attempt(lane) for _, lane in sorted(self._board.lanes.items())),
            candidates=tuple(self._candidates),
            own_tests=tuple(map(str, result.get("own_tests", ()))),
            options=tuple(map(_option, result.get("candidates", ()))),
            notes=tuple(dict.fromkeys((*self._notices(), *notes_of(result)))),
            receipt=str(result.get("receipt", "")),
        )

    def log(self, first: int) -> Sequence[LogLine]:
        """Return the lines from that number on, as far as they are kept here."""
        if self.lines and first <= self.lines[0].number:
            return tuple(self.lines)
        return tuple(each for each in self.lines if each.number >= first)

    def _note(self, event: Event, at_unix_s: float) -> None:
        match event:
            case RunStarted():
                self._start(event, at_unix_s)
            case RunFinished():
                self._finished = event
                interrupted = event.verdict == "interrupted"
                self.state = State.INTERRUPTED if interrupted else State.FINISHED
            case PhaseStarted() | PhaseFinished():
                self._progress = None
            case TestsProgress():
                self._progress = event
            case BaseTaken():
                self._has_base = True
            case EnvironmentChosen():
                self._environment = event
            case BaselineMeasured():
                self._baseline = event
            case TestFailed():
                if len(self._failures) < FAILURES_KEPT:
                    self._failures[event.id] = event
            case CandidateProposed() | VerdictReached():
                self._judge(event)
            case _:
                pass

    def _start(self, event: RunStarted, at_unix_s: float) -> None:
        self._started, self._finished = event, None
        self.kind, self.state = event.kind, State.RUNNING
        if not event.resumed:
            self._since_unix_s = at_unix_s  # until then it waited
        self._board.current = ""
        self._failures.clear()
        self._candidates.clear()
        self._result = {}
        self._is_ending = False

    def _judge(self, event: CandidateProposed | VerdictReached) -> None:
        if isinstance(event, CandidateProposed):
            self._candidates.append(CandidateSeen(rank=event.rank, why=one_line(event.why)))
        elif self._candidates and not self._candidates[-1].verdict:
            # A later verdict is of what is left of the candidate once it is made smaller.
            self._candidates[-1] = replace(
                self._candidates[-1], verdict=event.verdict, detail=one_line(event.detail)
            )

    def _doing(self) -> str:
        if self._is_ending:
            return "being cancelled"
        if self.state is State.WAITING:
            return "waiting for its turn"
        phase = self._board.current
        working = [lane for lane in self._board.lanes.values() if lane.ended is None]
        if phase == "search" and working:
            return _work(working)
        if self._progress and phase != "search":
            return self._board.steps[phase].detail
        step = self._board.steps.get(phase)
        if phase == "search" and step and step.detail:
            return step.detail
        return _PHRASES.get(phase, phase)

    def _percent(self) -> float | None:
        progress = self._progress
        if progress is None or not progress.total or self._board.current == "search":
            return None
        return min(round(100 * progress.finished / progress.total, 1), 100.0)

    def _can_resume(self) -> bool:
        if self.kind == "test" or not self._has_base or not self.state.is_over:
            return False
        if self.state is State.INTERRUPTED:
            return True
        broken_off = any(
            lane.ended is None or lane.ended.how == "error" for lane in self._board.lanes.values()
        )
        return broken_off and self._finished is not None and self._finished.verdict in _CUT_OFF

    def _attempt(self, lane: Lane) -> Attempt:
        if lane.ended is not None:
            state = lane.ended.how
        else:
            state = "interrupted" if self.state.is_over else "running"
        return Attempt(
            attempt=lane.attempt,
            model=one_line(lane.model),
            endpoint=one_line(lane.endpoint),
            step=lane.ended.steps if lane.ended else lane.step,
            steps=lane.steps,
            state=state,
            doing=one_line(lane.ended.reason) if lane.ended else _at_work(lane, state),
            plan=tuple(map(one_line, lane.plan)),
            prompt_tokens=lane.prompt_tokens,
            cached_tokens=lane.cached_tokens,
            output_tokens=lane.output_tokens,
            cost_usd=lane.cost_usd,
        )

    def _notices(self) -> tuple[str, ...]:
        return tuple(one_line(each.text) for each in self._board.notices)


def title_of(started: RunStarted | None, kind: str) -> str:
    """Return what a run is about, for one whose title was not given at its start."""
    if started is None:
        return titles.title_of(kind, (), "")
    return titles.title_of(kind, started.targets, started.goal)


def _work(working: Sequence[Lane]) -> str:
    if len(working) == 1:
        lane = working[0]
        step = f"step {lane.step:,} of {lane.steps:,} · " if lane.step else ""
        return f"{step}{lane.doing}"
    stands = ", ".join(f"{lane.attempt}: step {lane.step:,} {lane.doing}" for lane in working)
    return f"{len(working)} attempts · {stands}"


def _at_work(lane: Lane, state: str) -> str:
    return lane.doing if state == "running" else ""


def _without_text(event: Event) -> Event:
    """Drop streamed text: that it comes is shown, and the whole answer follows."""
    if isinstance(event, ModelStreamed) and event.kind != "call":
        return replace(event, text="")
    return event


def _cut(diff: str) -> str:
    if len(diff) <= DIFF_CHARACTERS:
        return diff
    return diff[:DIFF_CHARACTERS].rpartition("\n")[0] + "\n\\ the rest of this edit is left out\n"


def _baseline(event: BaselineMeasured | None) -> BaselineSeen | None:
    if event is None:
        return None
    return BaselineSeen(failing=event.failing, passing=event.passing, flaky=event.flaky)


def _failure(event: TestFailed, top: Path | None) -> Failure:
    return Failure(
        test=event.id,
        path=top / event.path if top and event.path else None,
        line0=max(event.line - 1, 0),
        message=event.message,
        frames=tuple(
            Frame(path=top / path, line0=max(line - 1, 0), function=function)
            for path, line, function in event.frames
            if top
        ),
    )


def _option(kept: Mapping[str, Any]) -> OptionSeen:
    return OptionSeen(
        rank=int(kept.get("rank", 0)),
        confidence=str(kept.get("confidence", "")),
        why=one_line(str(kept.get("why", ""))),
        patch=str(kept.get("patch", "")),
    )
