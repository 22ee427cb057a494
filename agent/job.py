"""What a strategy gets and what it gives: the border between proposing and measuring.

Two strategies stand behind it: the offline search (agent.repair) and the model loop (agent.loop).
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from agent.edits.changes import Delta
from agent.events import Event
from agent.task import RepoPath, TaskSpec
from agent.verify.bench import Bench
from agent.verify.report import Baseline
from agent.verify.sight import Sight
from agent.verify.verdict import Confidence, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task whose base was taken and measured, ready for a strategy."""

    task: TaskSpec
    bench: Bench
    """Reads the base, opens sandboxes over it, runs tests in them."""
    baseline: Baseline
    emit: Callable[[Event], None]
    """Tell a person; never blocks, never fails."""
    measure: Callable[[Delta], Awaitable[Verdict]]
    """Let the gate measure a delta, without a receipt. Raises: SandboxError."""
    run_dir: Path
    """The run's folder; a strategy keeps its own record below it."""
    redact: Callable[[str], str] = str
    """Takes known secrets out of text before it is kept or sent anywhere."""
    sight: Sight | None = None
    """The base as the repository's index knows it; None: nobody has looked yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What some of the patches do with an input on which the others do something else."""

    ranks: tuple[int, ...]
    """The patches that answer so, by rank; 1 is the candidate itself."""
    shown: str
    """For a person: `returns [2, 12]`, `raises IndexError: list index out of range`."""
    test: str
    """Source of a test that holds exactly this answer to be right."""
    fails_now: bool
    """The code as it is answers something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An input that tells patches apart which the tests cannot: which answer is right?"""

    call: str
    """The input as an expression: `totals([(1, 2)], tax=0)`."""
    path: RepoPath
    """The file that a test for an answer belongs into; it may not exist yet."""
    answers: tuple[Answer, ...]
    """Two or more, the candidate's first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another patch that does the same to the tests as the candidate it is listed with."""

    delta: Delta
    why: str
    confidence: Confidence
    rank: int
    """1 is the candidate itself."""
    group: int = 0
    """Patches of one number did the same on every input that was tried; 0: not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The end state of an attempt, as its strategy sees it; nothing in it is believed."""

    delta: Delta
    why: str
    """One line: what was changed and what spoke for it."""
    confidence: Confidence
    """As far as the strategy can tell; the gate can only lower it."""
    distinct: int
    """Distinct patches found that pass the same tests, this one included."""
    alternatives: tuple[Alternative, ...] = ()
    """The best of the others, at most four, by rank; where there are groups, the best of each
    group comes before the second of any."""
    group: int = 0
    """See `Alternative.group`."""
    groups: int = 0
    """Behaviours among all the patches found; 0: not measured."""
    question: Question | None = None
    """Tells the groups apart, where an input was found that does."""
    notes: tuple[str, ...] = ()
    """What was not done: space left untried, lines without a test, the same pattern elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """No candidate, or no further one; the honest way out."""

    reason: str
    advice: str
    how: Literal["exhausted", "gave_up", "test_is_wrong", "budget", "stalled", "error"] = (
        "exhausted"
    )
    clues: tuple[str, ...] = ()
    """For whoever tries next: suspects and near misses, a line each."""


class Strategy(Protocol):
    """Proposes edits. Never touches the user's tree, never judges its own work."""

    @property
    def name(self) -> str:
        """`offline`, `model` or `auto`."""
        ...

    def propose(self, job: Job) -> AsyncGenerator[Candidate | GaveUp, Verdict | None]:
        """Yield candidates; each `yield` gives back what the gate measured for it.

        Ends by itself, at the latest after a `GaveUp` or when it hears of a green.
        May be cancelled at any point. Raises: SandboxError.
        """
        ...
