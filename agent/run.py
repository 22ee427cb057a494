"""One task carried through, from the snapshot of the repository to a patch with its evidence.

`run_task` reads like the way of a task in ARCHITECTURE.md. It decides the order and nothing else:
how a base is taken, how tests are measured and who proposes edits live in their own rooms.
"""

import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from agent.config import Settings
from agent.edits.changes import Delta
from agent.edits.patch import Patch, delta_of, make_patch, render_unified
from agent.events import (
    BaselineMeasured,
    BaseTaken,
    CandidateProposed,
    EnvironmentChosen,
    Event,
    Notice,
    Phase,
    PhaseFinished,
    PhaseStarted,
    StrategyGaveUp,
    VerdictReached,
)
from agent.job import Candidate, GaveUp, Job, Strategy
from agent.task import RunId, TaskSpec
from agent.verify.baseline import measure_baseline
from agent.verify.bench import Bench
from agent.verify.gate import gate
from agent.verify.minimise import minimise
from agent.verify.report import Baseline
from agent.verify.runners import choose_runner
from agent.verify.verdict import (
    Broken,
    Confidence,
    Green,
    Regressed,
    Tampered,
    Unchanged,
    Verdict,
    verdict_name,
)
from agent.workspace.base import Base
from agent.workspace.open import open_workspace
from sandbox.base import Environment, Promises, SandboxEngine, SandboxLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a run is put together from; chosen by the engine, not by the task."""

    run: RunId
    run_dir: Path
    """Where the receipt of this run goes."""
    settings: Settings
    engine: SandboxEngine
    strategy: Strategy
    find_environment: Callable[[Path], Environment]
    """Blocking. Raises: EnvironmentMissing."""
    emit: Callable[[Event], None]
    redact: Callable[[str], str] = str
    """Takes secrets out of what tests print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One patch that a person may choose."""

    patch_text: str
    confidence: Confidence
    rank: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run came to; `verdict` is a verdict's name, or `none`, or `interrupted`."""

    run: RunId
    strategy: str
    verdict: str
    message: str
    """One line for a person."""
    confidence: Confidence | None = None
    distinct: int = 0
    """Distinct patches found that pass the same tests."""
    patch: Patch | None = None
    """The patch of a green verdict; there is no other way to get one."""
    receipt: str = ""
    failing_before: tuple[str, ...] = ()
    failing_after: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    """The best five, by rank."""
    notes: tuple[str, ...] = ()
    durations_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds by phase."""

    @property
    def patch_text(self) -> str:
        """The patch as unified diff text; bytes that are not UTF-8 are escaped."""
        return _diff_text(self.patch) if self.patch else ""

    @property
    def exit_code(self) -> int:
        """0 green, 1 not green or ambiguous, 75 infrastructure, 130 interrupted."""
        if self.verdict == "interrupted":
            return 130
        if self.verdict == "infrastructure":
            return 75
        return 0 if self.verdict == "green" and self.confidence is not Confidence.AMBIGUOUS else 1


async def run_task(task: TaskSpec, parts: Parts) -> RunResult:
    """Carry a task through and return what it came to.

    Raises: AgentError (the request or the machine is at fault), SandboxError.
    """
    phases = _Phases(parts.emit)
    async with _base(task, parts, phases) as base:
        with phases.run(Phase.ENVIRONMENT):
            announcement = _Announcement(parts.emit)
            bench = await _bench(base, parts, announcement)
        with phases.run(Phase.BASELINE):
            baseline = await _baseline(bench, task, parts)
        job = Job(task=task, bench=bench, baseline=baseline, emit=parts.emit)
        candidate, verdict, reason = await _first_green(job, parts, phases)
        if candidate and isinstance(verdict, Green):
            candidate, verdict = await _smallest(candidate, verdict, job, parts, phases)
        with phases.run(Phase.PATCH):
            result = _result(job, parts, candidate, verdict, reason)
        notes = (*result.notes, *announcement.notes)
        return replace(result, notes=notes, durations_s=phases.durations_s)


@asynccontextmanager
async def _base(task: TaskSpec, parts: Parts, phases: "_Phases") -> AsyncGenerator[Base, None]:
    workspace = open_workspace(task.repo, state_dir=parts.settings.state_dir, overlay=task.overlay)
    with phases.run(Phase.WORKSPACE):
        base = await anyio.to_thread.run_sync(workspace.__enter__)
        parts.emit(BaseTaken(commit=base.commit, tree=base.tree, dirty_files=base.dirty_files))
        for note in base.notes:
            parts.emit(Notice(level="info", text=note))
    try:
        yield base
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(workspace.__exit__, None, None, None)


async def _bench(base: Base, parts: Parts, announcement: "_Announcement") -> Bench:
    settings = parts.settings
    environment = await anyio.to_thread.run_sync(parts.find_environment, base.repo)
    runner = choose_runner(
        base, environment, test_command=settings.test_command, junit_path=settings.junit_path
    )
    return Bench(
        base=base,
        engine=parts.engine,
        environment=environment,
        runner=runner,
        limits=SandboxLimits(
            memory_bytes=settings.memory_bytes,
            processes=settings.processes,
            cpus=settings.cpus,
            tree_bytes=settings.tree_bytes,
            tmp_bytes=settings.tmp_bytes,
        ),
        labels={"run": parts.run},
        redact=parts.redact,
        on_open=partial(announcement.tell, environment),
    )


class _Announcement:
    """Tells what a backend enforces, with the first sandbox that stands: not known before."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._told = False
        self.notes: tuple[str, ...] = ()
        """What is weaker here than in a hardened container; belongs to every result."""

    def tell(self, environment: Environment, promises: Promises) -> None:
        if self._told:
            return
        self._told = True
        if promises.note:
            self.notes = (f"{promises.backend}: {promises.note}",)
        self._emit(
            EnvironmentChosen(
                backend=promises.backend,
                kind=environment.kind,
                why=environment.why,
                identity=environment.identity,
                weaker=promises.note,
            )
        )


async def _baseline(bench: Bench, task: TaskSpec, parts: Parts) -> Baseline:
    baseline = await measure_baseline(
        bench, task.targets, wall_s=parts.settings.test_wall_s, on_event=parts.emit
    )
    parts.emit(
        BaselineMeasured(
            targets=baseline.targets,
            failing=baseline.report.failing,
            passing=len(baseline.passing),
            flaky=baseline.flaky,
            wall_s=baseline.wall_s,
        )
    )
    return baseline


async def _first_green(
    job: Job, parts: Parts, phases: "_Phases"
) -> tuple[Candidate | None, Verdict | None, str]:
    """Gate what the strategy proposes until something is green or it has no more."""
    candidate: Candidate | None = None
    verdict: Verdict | None = None
    rank = 0
    async with aclosing(parts.strategy.propose(job)) as proposals:
        while True:
            with phases.run(Phase.SEARCH):
                try:
                    proposal = await proposals.asend(verdict)
                except StopAsyncIteration:
                    return candidate, verdict, "no further candidate"
            if isinstance(proposal, GaveUp):
                parts.emit(StrategyGaveUp(reason=proposal.reason, advice=proposal.advice))
                return candidate, verdict, f"{proposal.reason} {proposal.advice}".strip()
            candidate, rank = proposal, rank + 1
            parts.emit(
                CandidateProposed(
                    rank=rank,
                    why=candidate.why,
                    confidence=candidate.confidence,
                    alternatives=candidate.distinct,
                )
            )
            verdict = await _gate(candidate, rank, job, parts, phases)
            if isinstance(verdict, Green):
                return candidate, verdict, ""


async def _gate(
    candidate: Candidate, rank: int, job: Job, parts: Parts, phases: "_Phases"
) -> Verdict:
    started = time.monotonic()
    with phases.run(Phase.GATE):
        verdict = await gate(
            job.bench,
            job.baseline,
            candidate.delta,
            policy=job.task.test_policy,
            wall_s=parts.settings.test_wall_s,
            receipt=parts.run_dir / "receipt.json",
            on_event=parts.emit,
        )
    parts.emit(
        VerdictReached(
            rank=rank,
            verdict=verdict_name(verdict),
            detail=describe(verdict),
            wall_s=time.monotonic() - started,
        )
    )
    return verdict


async def _smallest(
    candidate: Candidate, green: Green, job: Job, parts: Parts, phases: "_Phases"
) -> tuple[Candidate, Green]:
    """Take away hunks that green does not need; what is left is gated like any candidate."""
    patch = make_patch(job.bench.base.read, candidate.delta)
    if len(patch.hunks) < 2:
        return candidate, green
    with phases.run(Phase.MINIMISE):
        found = await minimise(
            job.bench,
            job.baseline,
            patch,
            budget_s=parts.settings.minimise_s,
            wall_s=parts.settings.test_wall_s,
        )
    if not found.optional:
        return candidate, green
    left_out = "1 hunk" if len(found.optional) == 1 else f"{len(found.optional)} hunks"
    smaller = replace(
        candidate,
        delta=delta_of(patch, found.needed),
        notes=(*candidate.notes, f"{left_out} that green does not need left out"),
    )
    verdict = await _gate(smaller, 1, job, parts, phases)
    return (smaller, verdict) if isinstance(verdict, Green) else (candidate, green)


def _result(
    job: Job,
    parts: Parts,
    candidate: Candidate | None,
    verdict: Verdict | None,
    reason: str,
) -> RunResult:
    """Put together what is kept and shown; only a green verdict carries a patch."""
    base = job.bench.base
    before = tuple(str(id_) for id_ in job.baseline.report.failing)
    if candidate is None or verdict is None:
        return RunResult(
            run=parts.run,
            strategy=parts.strategy.name,
            verdict="none",
            message=reason,
            failing_before=before,
            failing_after=before,
        )
    green = verdict if isinstance(verdict, Green) else None
    return RunResult(
        run=parts.run,
        strategy=parts.strategy.name,
        verdict=_outcome(verdict),
        message=describe(verdict),
        confidence=_confidence(candidate, green) if green else None,
        distinct=candidate.distinct,
        patch=make_patch(base.read, _measured(candidate, green)) if green else None,
        receipt=green.receipt if green else "",
        failing_before=before,
        failing_after=_failing_after(verdict, before),
        options=_options(base, candidate),
        notes=(*candidate.notes, *(green.flags if green else ())),
    )


def _confidence(candidate: Candidate, green: Green) -> Confidence:
    """As the strategy sees it, lowered by what the gate saw; never raised."""
    if candidate.confidence is Confidence.LIKELY and (green.flags or green.still_failing):
        return Confidence.PLAUSIBLE
    return candidate.confidence


def _measured(candidate: Candidate, green: Green) -> Delta:
    """The delta without the protected files that the gate put back: only that was measured."""
    restored = frozenset(green.restored)
    return {path: each for path, each in candidate.delta.items() if path not in restored}


def _outcome(verdict: Verdict) -> str:
    if isinstance(verdict, Broken) and verdict.infrastructure:
        return "infrastructure"
    return verdict_name(verdict)


def _failing_after(verdict: Verdict, before: tuple[str, ...]) -> tuple[str, ...]:
    match verdict:
        case Green() | Regressed() | Unchanged():
            return tuple(str(id_) for id_ in verdict.after.failing)
        case Broken() | Tampered():
            return before


def _options(base: Base, candidate: Candidate) -> tuple[Option, ...]:
    first = Option(
        patch_text=_diff_text(make_patch(base.read, candidate.delta)),
        confidence=candidate.confidence,
        rank=1,
        why=candidate.why,
    )
    others = (
        Option(
            patch_text=_diff_text(make_patch(base.read, other.delta)),
            confidence=other.confidence,
            rank=other.rank,
            why=other.why,
        )
        for other in candidate.alternatives
    )
    return (first, *others)[:5]


def _diff_text(patch: Patch) -> str:
    return render_unified(patch).decode("utf-8", "backslashreplace")


def describe(verdict: Verdict) -> str:
    """One line for a person: what was measured."""
    match verdict:
        case Green():
            return (
                f"{_tests(len(verdict.fixed))} fixed, nothing else broken"
                f"{_still(len(verdict.still_failing))}, measured in a fresh sandbox"
            )
        case Regressed():
            return f"{_tests(len(verdict.broken))} that passed now fail: {verdict.broken[0]}"
        case Unchanged():
            return f"{_tests(len(verdict.still_failing))} still fail: {verdict.still_failing[0]}"
        case Broken() | Tampered():
            return verdict.why


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count} tests"


def _still(count: int) -> str:
    if not count:
        return ""
    return f" ({_tests(count)} failed before and still {'does' if count == 1 else 'do'})"


def result_to_json(result: RunResult) -> dict[str, object]:
    """Return the one object that `--json` prints and that is kept as result.json."""
    return {
        "run": result.run,
        "verdict": result.verdict,
        "confidence": result.confidence.value if result.confidence else None,
        "alternatives": result.distinct,
        "message": result.message,
        "patch": result.patch_text,
        "receipt": result.receipt,
        "failing_before": list(result.failing_before),
        "failing_after": list(result.failing_after),
        "durations": {name: round(wall_s, 3) for name, wall_s in result.durations_s.items()},
        "strategy": result.strategy,
        "candidates": [
            {
                "patch": option.patch_text,
                "confidence": option.confidence.value,
                "rank": option.rank,
                "why": option.why,
            }
            for option in result.options
        ],
        "notes": list(result.notes),
        "exit_code": result.exit_code,
    }


class _Phases:
    """Tells when a phase begins and ends, and adds up what each took."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._spent_s: dict[str, float] = {}

    @property
    def durations_s(self) -> dict[str, float]:
        return dict(self._spent_s)

    @contextmanager
    def run(self, phase: Phase) -> Generator[None, None, None]:
        started = time.monotonic()
        self._emit(PhaseStarted(phase=phase.value))
        try:
            yield
        finally:
            wall_s = time.monotonic() - started
            self._spent_s[phase.value] = self._spent_s.get(phase.value, 0.0) + wall_s
            self._emit(PhaseFinished(phase=phase.value, wall_s=wall_s))
