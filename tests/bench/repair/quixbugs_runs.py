"""Runs the product on one program of QuixBugs, in a real sandbox, and has every option judged."""

import logging
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from agent.config import Settings
from agent.engine import open_engine
from agent.errors import AgentError
from agent.events import PhaseStarted, SearchProgress
from agent.journal.records import Record
from agent.result import RunResult
from agent.task import Budget, RunId, StrategyName, TaskSpec
from sandbox.errors import SandboxError
from tests.bench.repair.quixbugs_oracle import Judged, judge
from tests.bench.repair.quixbugs_programs import Program, is_published_fix, project_files
from tests.support.projects import make_repository

_log = logging.getLogger(__name__)
GRACE_S: Final = 240.0
"""Beyond the budget of the search, for the baseline and the gate on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One patch that was offered."""

    rank: int
    text: str
    """The patched program."""
    diff: str
    judged: Judged
    is_published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the product made of one program."""

    program: str
    shown: int
    """Cases that it could see."""
    cases: int
    verdict: str
    label: str = ""
    message: str = ""
    options: tuple[Option, ...] = ()
    """By rank; the first is what it proposes."""
    alternatives: int = 0
    """Distinct ones, as it counts them."""
    groups: int = 0
    """Behaviours among them; 0: not measured."""
    notes: tuple[str, ...] = ()
    """What it says it did not do."""
    tried: int = 0
    first_s: float | None = None
    """From the end of the baseline to the first plausible patch."""
    whole_s: float = 0.0

    @property
    def is_plausible(self) -> bool:
        """It proposes a patch."""
        return self.verdict == "green" and bool(self.options)

    @property
    def is_right(self) -> bool:
        """What it proposes passes every case."""
        return self.is_plausible and self.options[0].judged.passes_all

    @property
    def is_equal(self) -> bool:
        """What it proposes also does the right thing on every random input."""
        return self.is_plausible and self.options[0].judged.is_equal

    @property
    def right_rank(self) -> int:
        """The first option that passes every case; 0 without one."""
        right = (each.rank for each in self.options if each.judged.passes_all)
        return next(right, 0) if self.is_plausible else 0


class Watch:
    """Hears of a run as it goes on and keeps what the clock says."""

    def __init__(self) -> None:
        self.began_unix_s = 0.0
        self.first_s: float | None = None
        self.tried = 0

    def __call__(self, _run: RunId, record: Record) -> None:
        """Take in an event."""
        match record.event:
            case PhaseStarted(phase="search"):
                self.began_unix_s = record.at_unix_s
            case SearchProgress(tried=tried, plausible=plausible):
                self.tried = tried
                if plausible and self.first_s is None:
                    self.first_s = record.at_unix_s - self.began_unix_s
            case _:
                pass


async def run_program(
    settings: Settings,
    variables: Mapping[str, str],
    program: Program,
    shown: Sequence[str],
    *,
    budget_s: float,
) -> Outcome:
    """Let the product look for a fix with only these cases in sight, and judge what it offers."""
    with tempfile.TemporaryDirectory(prefix="greenloop-quixbugs-") as name:
        repo = Path(name) / program.name
        await anyio.to_thread.run_sync(_make, repo, program, shown)
        task = TaskSpec(repo=repo, strategy=StrategyName.OFFLINE, budget=Budget(search_s=budget_s))
        watch = Watch()
        started = anyio.current_time()
        result: RunResult | None = None
        message = "it did not come to its end in time"
        try:
            async with open_engine(settings, variables=variables) as engine:
                handle = engine.start(task, tell=watch)
                if not await handle.is_over_within(budget_s + GRACE_S):
                    handle.cancel()
                result = await handle.result()
        except (AgentError, SandboxError) as error:
            message = error.message
        except Exception as error:  # noqa: BLE001 - told as its outcome
            # One program at which the product falls over shall not cost the figures of the others
            _log.exception("the run for %s fell over", program.name)
            message = f"it fell over: {error!r}"
        whole_s = anyio.current_time() - started
    return Outcome(
        program=program.name,
        shown=len(shown),
        cases=len(program.cases),
        verdict=result.verdict if result else "error",
        label=result.confidence.value if result and result.confidence else "",
        message=result.message if result else message,
        options=await _judged(program, result) if result else (),
        alternatives=result.distinct if result else 0,
        groups=result.groups if result else 0,
        notes=result.notes if result else (),
        tried=watch.tried,
        first_s=watch.first_s,
        whole_s=whole_s,
    )


def _make(repo: Path, program: Program, shown: Sequence[str]) -> None:
    repo.mkdir()
    for path, text in project_files(program, shown).items():
        (repo / path).write_text(text)
    make_repository(repo)


async def _judged(program: Program, result: RunResult) -> tuple[Option, ...]:
    """Judge what was proposed and the options behind it, one after the other."""
    diffs = [each.patch_text for each in result.options]
    if result.patch_text:
        diffs = list(dict.fromkeys([result.patch_text, *diffs[1:]]))
    options = []
    for rank, diff in enumerate(diffs, 1):
        text = await anyio.to_thread.run_sync(patched, program, diff)
        options.append(
            Option(
                rank=rank,
                text=text,
                diff=diff,
                judged=await anyio.to_thread.run_sync(judge, program, text),
                is_published=is_published_fix(program, text),
            )
        )
    return tuple(options)


def patched(program: Program, diff: str) -> str:
    """Return the program with a patch. Raises: CalledProcessError where it does not fit."""
    with tempfile.TemporaryDirectory(prefix="greenloop-quixbugs-") as name:
        file = Path(name) / program.path
        file.write_text(program.broken)
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],
            cwd=name,
            input=diff.encode(),
            check=True,
            capture_output=True,
        )
        return file.read_text()
