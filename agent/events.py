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
    """First of every run, and of every time that it goes on."""

    run: str
    kind: str
    repo: str
    targets: tuple[str, ...]
    strategy: str
    tool_version: str
    goal: str = ""
    """What is wanted, in the words of who asked."""
    resumed: bool = False
    """The run goes on after its process had ended."""


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
class TestFailed:
    """How a test fails on the base, or in a run of tests; the first hundred are told."""

    __test__ = False

    id: str
    path: str
    """File in which it stands, relative to the repository; empty where unknown."""
    line: int
    """1-based; 0 where unknown."""
    message: str
    """The assertion or exception, first lines."""
    error_type: str
    frames: tuple[tuple[str, int, str], ...]
    """Path, 1-based line and function of each step inside the repository, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsMeasured:
    """How every test of a measurement ended. Passes by: it is not kept."""

    __test__ = False

    results: tuple[tuple[str, str, float], ...]
    """Id, outcome and seconds of each, in the order in which they ran."""
    whole: bool
    """All tests of the repository, not a selection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineMeasured:
    """The base, untouched: what fails, what passes, what cannot be relied on."""

    targets: tuple[str, ...]
    failing: tuple[str, ...]
    passing: int
    flaky: tuple[str, ...]
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlanned:
    """What the offline search is about to cost, told before it begins."""

    how: str
    """`forked`: hundreds of tries a second; `command`: the runner is started for each."""
    try_s: float
    """Seconds that one try is expected to take."""
    tries: int
    """Tries that fit into the budget."""
    budget_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProgress:
    """The offline search goes on."""

    tried: int
    plausible: int
    space_left: int
    """Candidates generated and not tried yet; more may come."""
    best: str
    """One line for the best so far; empty while there is none."""
    best_diff: str = ""
    """The best so far as a unified diff; empty while there is none."""
    trying: str = ""
    """Where the search is: path and line of the edit handed out last."""
    left_s: float = 0.0
    """Seconds until the budget is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """A model begins to work, or goes on after the process was killed."""

    attempt: int
    """Counts from 1."""
    attempts: int
    model: str
    endpoint: str
    """Host of the API: where the text of the repository goes."""
    price_as_of: str = ""
    """ISO date of the price list that costs are told by; empty where no price is known."""
    steps: int
    """Bound of the budget."""
    resumed_at: int = 0
    """Steps that were done before; 0: a fresh start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAsked:
    """A request is sent."""

    attempt: int
    step: int
    prompt_tokens: int
    """Estimated; the answer tells exactly."""
    window_tokens: int
    """0: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStreamed:
    """A piece of an answer as it comes, gathered to a few a second. Passes by: it is not kept."""

    attempt: int
    step: int
    kind: str
    """`reasoning`, `text` or `call`."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWaits:
    """The request waits: a rate limit, a retry; what was streamed of the answer is void."""

    attempt: int
    step: int
    why: str
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswered:
    """A whole answer."""

    attempt: int
    step: int
    text: str
    reasoning: str
    """First characters of it; the whole is in the run's log."""
    calls: tuple[str, ...]
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None where the price is unknown."""
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    """A tool runs."""

    attempt: int
    step: int
    call: str
    tool: str
    shown: str
    """What it was asked, in a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished:
    """A tool is done."""

    attempt: int
    step: int
    call: str
    tool: str
    failed: bool
    shown: str
    """What came of it, in a line."""
    diff: str
    """Unified diff of an edit; else empty."""
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """The model wrote or changed its plan."""

    attempt: int
    lines: tuple[str, ...]
    """Each begins with `[ ]`, `[x]` or `[-]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextEdited:
    """Older parts of the conversation were hidden or summarised; the cache begins anew there."""

    attempt: int
    step: int
    how: str
    """`hidden`, `hidden hard` or `summarised`."""
    freed_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """A model's work on an attempt is over."""

    attempt: int
    how: str
    """`green`, `gave_up`, `test_is_wrong`, `budget`, `stalled`, `error`."""
    reason: str
    steps: int
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float | None


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


AttemptEvent = (
    AttemptStarted
    | ModelAsked
    | ModelStreamed
    | ModelWaits
    | ModelAnswered
    | ToolStarted
    | ToolFinished
    | PlanChanged
    | ContextEdited
    | AttemptEnded
)
"""What a model does on one attempt."""

Event = (
    RunStarted
    | PhaseStarted
    | PhaseFinished
    | BaseTaken
    | EnvironmentChosen
    | TestsProgress
    | TestFailed
    | TestsMeasured
    | BaselineMeasured
    | SearchPlanned
    | SearchProgress
    | AttemptEvent
    | CandidateProposed
    | VerdictReached
    | StrategyGaveUp
    | Notice
    | RunFinished
)
