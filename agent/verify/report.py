"""What a test run told, as plain values. Parsing is in `junit`; judging is in `gate`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.task import RepoPath, TestId


class Outcome(StrEnum):
    """How one test ended. XFAILED counts as passing; XPASSED and ERROR are explicit."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One step of a traceback inside the repository, outermost first."""

    path: RepoPath
    line: int
    """1-based."""
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """One test of one run."""

    __test__ = False

    id: TestId
    outcome: Outcome
    duration_s: float
    message: str = ""
    """The assertion or exception, first lines, capped; empty for a pass."""
    frames: tuple[Frame, ...] = ()
    error_type: str = ""
    """Class name of the exception, `AssertionError`; empty where unknown."""

    @property
    def is_passing(self) -> bool:
        """Passed, or failed as it says it should."""
        return self.outcome in {Outcome.PASSED, Outcome.XFAILED}

    @property
    def is_failing(self) -> bool:
        """Failed or ended in an error; a skip is neither passing nor failing."""
        return self.outcome in {Outcome.FAILED, Outcome.ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionError:
    """A file whose tests could not even be listed."""

    path: RepoPath
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """A trustworthy account of one run: structured, complete, from where we told it to be."""

    __test__ = False

    results: Mapping[TestId, TestResult]
    """In the order in which they ran."""
    collection_errors: tuple[CollectionError, ...] = ()

    @property
    def failing(self) -> tuple[TestId, ...]:
        """Ids of failing tests, in run order."""
        return tuple(id_ for id_, result in self.results.items() if result.is_failing)

    @property
    def passing(self) -> tuple[TestId, ...]:
        """Ids of passing tests, in run order."""
        return tuple(id_ for id_, result in self.results.items() if result.is_passing)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReport:
    """There is nothing to judge by: the run died, lied or wrote no report."""

    why: str
    infrastructure: bool
    """True: engine or machine, worth trying again. False: the code under test did it."""
    output: str = ""
    """The tail of what the run printed, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The untouched base, measured before any edit."""

    report: TestReport
    targets: tuple[TestId, ...]
    """Failing tests that the task is about; never empty, never flaky."""
    flaky: tuple[TestId, ...]
    """Tests that differed between two runs of the same base; excluded from every judgement."""
    wall_s: float
    """The whole suite, once."""

    @property
    def passing(self) -> tuple[TestId, ...]:
        """Tests that must not break: passing on the base and not flaky."""
        flaky = frozenset(self.flaky)
        return tuple(id_ for id_ in self.report.passing if id_ not in flaky)
