"""What happened in a run, line by line: the same for pipes, logs and editors. Pure.

A line comes only from what is on record, so that a journal tells the same story afterwards; where
things stand between two lines is the board's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from agent.events import (
    AttemptEvent,
    BaselineMeasured,
    BaseTaken,
    CandidateProposed,
    EnvironmentChosen,
    Event,
    Notice,
    Phase,
    PhaseFinished,
    PhaseStarted,
    RunFinished,
    RunStarted,
    SearchPlanned,
    SearchProgress,
    StrategyGaveUp,
    TestFailed,
    TestsMeasured,
    TestsProgress,
    ToolFinished,
    VerdictReached,
)
from agent.telling.board import Board, planned_line
from agent.telling.lines import tell
from agent.telling.wording import headline, one_line, shortened

LineKind = Literal["phase", "tests", "search", "model", "tool", "verdict", "notice", "end"]

MESSAGE_CHARACTERS: Final = 200
_Measured = (
    BaseTaken
    | EnvironmentChosen
    | BaselineMeasured
    | StrategyGaveUp
    | CandidateProposed
    | VerdictReached
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """One thing worth knowing."""

    kind: LineKind
    text: str
    """One line, safe to show."""
    diff: str = ""
    """Unified diff of an edit of a tool, as it was told; else empty."""


def lines_of(event: Event, board: Board, detail: int) -> list[StoryLine]:
    """Return what an event is worth; `board` has taken it in already.

    `detail` says how much of what a model reasons is told: 0 nothing, 1 a line, 2 all.
    """
    match event:
        case RunStarted():
            onwards = " goes on" if event.resumed else ""
            return [_line("phase", f"run {event.run}{onwards}: {board.title}")]
        case PhaseStarted():
            return [_line("phase", f"{event.phase} ...")]
        case Notice():
            return [_line("notice", f"{event.level}: {one_line(event.text)}")]
        case TestFailed():
            return [_line("tests", f"fails: {_failure(event)}")]
        case RunFinished():
            return [_line("end", _end(event))]
        case SearchPlanned():
            return [_line("search", f"{Phase.SEARCH.value}: {planned_line(event)}")]
        case PhaseFinished() | TestsProgress() | TestsMeasured() | SearchProgress():
            return []
        case _ if isinstance(event, AttemptEvent):
            return _of_model(event, board, detail)
        case _:
            return [_of_phase(event, board)]


def _of_model(event: AttemptEvent, board: Board, detail: int) -> list[StoryLine]:
    lines = tell(event, board.lanes[event.attempt], detail)
    if isinstance(event, ToolFinished):
        return [StoryLine(kind="tool", text=line, diff=event.diff) for line in lines]
    return [_line("model", line) for line in lines]


def _of_phase(event: _Measured, board: Board) -> StoryLine:
    """Tell what a phase found: the line of it that the board has."""
    kind, phase = _PLACES[type(event)]
    return _line(kind, f"{phase.value}: {board.steps[phase.value].detail}")


def _line(kind: LineKind, text: str) -> StoryLine:
    return StoryLine(kind=kind, text=text)


def _failure(event: TestFailed) -> str:
    first = event.message.strip().partition("\n")[0]
    said = shortened(first, MESSAGE_CHARACTERS) or one_line(event.error_type)
    return f"{one_line(event.id)}: {said}" if said else one_line(event.id)


def _end(event: RunFinished) -> str:
    words = headline(event.verdict, event.confidence or None)
    return f"{words}: {one_line(event.message)}" if event.message else words


_PLACES: Final[Mapping[type[_Measured], tuple[LineKind, Phase]]] = {
    BaseTaken: ("phase", Phase.WORKSPACE),
    EnvironmentChosen: ("phase", Phase.ENVIRONMENT),
    BaselineMeasured: ("tests", Phase.BASELINE),
    StrategyGaveUp: ("search", Phase.SEARCH),
    CandidateProposed: ("search", Phase.GATE),
    VerdictReached: ("verdict", Phase.GATE),
}
