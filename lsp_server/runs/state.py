"""What may be known of a run at one moment: frozen values, as docs/protocol.md lists them.

Says nothing of where the knowledge came from (see `picture`) or how it travels (see `as_json`).
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.telling.story import LineKind


class State(StrEnum):
    """Where a run is on its way."""

    WAITING = "waiting"
    """For its turn: others are under way."""
    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    """Cancelled, or its process died."""

    @property
    def is_over(self) -> bool:
        """Nothing more will happen, unless it is resumed."""
        return self in {State.FINISHED, State.INTERRUPTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class HunkCount:
    """How far the review of a patch has come."""

    open: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One line of a list of runs."""

    run: str
    kind: str
    """`fix`, `implement` or `test`."""
    top: Path | None
    """Of the repository; None where it is not known."""
    title: str
    state: State
    phase: str
    doing: str
    """What goes on, in a line; empty when nothing does."""
    percent: float | None
    verdict: str
    confidence: str
    message: str
    started_at_unix_s: float
    ended_at_unix_s: float | None
    hunks: HunkCount | None
    here: bool
    """This process' host carries it out, or did."""
    can_cancel: bool
    can_resume: bool
    can_review: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a run's log."""

    number: int
    at_unix_s: float
    kind: LineKind
    text: str
    diff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A step of a traceback inside the repository."""

    path: Path
    line0: int
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a test fails."""

    test: str
    path: Path | None
    line0: int
    message: str
    frames: tuple[Frame, ...]
    """Innermost last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a model does on one attempt."""

    attempt: int
    model: str
    endpoint: str
    step: int
    steps: int
    state: str
    doing: str
    plan: tuple[str, ...]
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSeen:
    """How the tests of the untouched base ended."""

    failing: tuple[str, ...]
    passing: int
    flaky: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateSeen:
    """What was proposed, and what the gate said of it."""

    rank: int
    why: str
    verdict: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSeen:
    """One patch that a person may choose."""

    rank: int
    confidence: str
    why: str
    patch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Everything that is known of a run, but for its log."""

    line: RunLine
    goal: str
    targets: tuple[str, ...]
    strategy: str
    environment: str
    weaker: str
    baseline: BaselineSeen | None
    failures: tuple[Failure, ...]
    attempts: tuple[Attempt, ...]
    candidates: tuple[CandidateSeen, ...]
    own_tests: tuple[str, ...]
    options: tuple[OptionSeen, ...]
    notes: tuple[str, ...]
    receipt: str
