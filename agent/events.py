"""What a person may see of a run while it goes on: one closed union of small records.

Front ends render events, the journal keeps them. Every field is a plain JSON value, so an event
survives its process. A new event is added here, to `Event`, and to docs/journal.md.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The steps of a run, in order."""

    WORKSPACE = "workspace"
    ENVIRONMENT = "environment"
    BASELINE = "baseline"
    SEARCH = "search"
    GATE = "gate"
    MINIMISE = "minimise"
    PATCH = "patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """First of every run."""

    run: str
    kind: str
    repo: str
    targets: tuple[str, ...]
    strategy: str
    tool_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted:
    """A step begins; the one before it is over."""

    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFinished:
    """A step is over; paired with its start also when it failed."""

    phase: str
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseTaken:
    """The snapshot that everything is measured against."""

    commit: str
    """Empty on an unborn branch."""
    tree: str
    dirty_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentChosen:
    """Where the tests run, and why there."""

    backend: str
    kind: str
    why: str
    identity: str
    weaker: str
    """What this backend does not enforce, in one line; empty when nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsProgress:
    """Tests of a run in the sandbox, as they finish."""

    __test__ = False

    finished: int
    failed: int
    total: int
    """0 while unknown."""
    running: str = ""
    """Id of the test that runs, once it has done so for some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineMeasured:
    """The base, untouched: what fails, what passes, what cannot be relied on."""

    targets: tuple[str, ...]
    failing: tuple[str, ...]
    passing: int
    flaky: tuple[str, ...]
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProgress:
    """The offline search goes on."""

    tried: int
    plausible: int
    space_left: int
    """Candidates generated and not tried yet; more may come."""
    best: str
    """One line for the best so far; empty while there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateProposed:
    """A strategy offers an end state."""

    rank: int
    why: str
    confidence: str
    alternatives: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictReached:
    """What the gate measured for the candidate of that rank."""

    rank: int
    verdict: str
    detail: str
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyGaveUp:
    """No candidate, or no further one."""

    reason: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a person should know; `level` is info or warning."""

    level: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """Last of every run that was not killed."""

    verdict: str
    """A verdict's name, or `none` without a candidate, or `error`, or `interrupted`."""
    confidence: str
    message: str
    wall_s: float


Event = (
    RunStarted
    | PhaseStarted
    | PhaseFinished
    | BaseTaken
    | EnvironmentChosen
    | TestsProgress
    | BaselineMeasured
    | SearchProgress
    | CandidateProposed
    | VerdictReached
    | StrategyGaveUp
    | Notice
    | RunFinished
)
