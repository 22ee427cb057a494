"""What a front end may ask of a host, and what it is told: plain values on both sides.

`agent.host.client.open_host` gives a `Host`; tests give their own. The results and patches of runs
are read from the store (`agent.journal.store`), where they lie whoever carried the runs out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from agent.edits.changes import Delta
from agent.journal.records import Record
from agent.task import RepoPath, RunId, TaskSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsSpec:
    """Tests that shall be run, nothing more."""

    __test__ = False

    repo: Path
    """Absolute path inside the repository."""
    targets: tuple[str, ...] = ()
    """As of a task; empty: the whole suite."""
    overlay: Mapping[RepoPath, bytes] = field(default_factory=dict)
    """Unsaved editor buffers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """A change of a run's base that shall be measured as the run's own patch was."""

    run: RunId
    delta: Delta


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the gate measured for it."""

    verdict: str
    """A verdict's name, or `infrastructure`."""
    message: str
    """One line for a person."""
    receipt: str
    """Path of its evidence; empty without a green."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Whether this machine and this folder are ready for a run."""

    repository: str
    """Its top; empty without one."""
    engine_ok: bool
    engine_text: str
    engine_remedy: str
    model: str
    """Name of the profile that would be used; empty: none is set."""
    endpoint: str
    model_text: str
    model_remedy: str


Told = Callable[[RunId, Record], None]
"""Called on the front end's loop for each event of a run that this host carries out, in order, and
after `start` has given the run's id. A record's number is its place in the run's journal, or
`agent.journal.records.NOT_KEPT` for what only passes by. The last of every run is a RunFinished,
also where the host was killed: then this side tells it, and the journal does not have it.
"""

Wish = Literal["cancel", "finish"]
"""What becomes of runs when nobody watches any more."""


class Host(Protocol):
    """Carries out runs. Every method may raise AgentError, with what to do next; none blocks.

    `flags` are settings of the front end, as `agent.config.load_settings` takes them. A host that
    died is started again by the next call; its runs read as interrupted.
    """

    def listen(self, told: Told) -> None:
        """Be told of every event from now on; of a test run too."""
        ...

    async def start(self, task: TaskSpec, *, flags: Mapping[str, object]) -> RunId:
        """Start a run and return at once; it waits its turn where too many are under way."""
        ...

    async def resume(self, run: RunId) -> RunId:
        """Go on with a run whose process has ended."""
        ...

    async def run_tests(self, spec: TestsSpec, *, flags: Mapping[str, object]) -> RunId:
        """Run tests on the repository as it is; the id begins with `tests-`, nothing is kept.

        It tells as a run does (RunStarted first, of kind `test`, RunFinished last, with the verdict
        `passed`, `failed`, `error` or `interrupted`), and a TestsMeasured before the end.
        """
        ...

    async def check(self, spec: CheckSpec) -> Checked:
        """Measure a change of a run's base in a fresh sandbox. Cancelling it ends the measurement.

        The run's baseline is used again where this host still has it, else measured anew.
        """
        ...

    async def cancel(self, run: RunId) -> bool:
        """End a run, whichever process carries it out; False where it is over already."""
        ...

    async def test_files(self, repo: Path) -> tuple[RepoPath, ...]:
        """Return the files of a repository that hold tests, sorted."""
        ...

    async def condition(self, repo: Path | None, *, flags: Mapping[str, object]) -> Condition:
        """Say whether a run could be started there."""
        ...

    async def limit(self, runs_at_once: int) -> None:
        """Bound how many runs are carried out side by side; further ones wait."""
        ...

    async def wish(self, runs: Wish) -> None:
        """Say what becomes of runs if this front end goes without a word; `cancel` until told."""
        ...

    async def close(self, *, runs: Wish) -> None:
        """Leave it: its runs are ended and cleaned up, or go on without anybody watching."""
        ...
