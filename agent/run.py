"""One task carried through, from the snapshot of the repository to a patch with its evidence.

`run_task` reads like the way of a task in ARCHITECTURE.md. It decides the order and nothing else:
how a base is taken, how tests are measured and who proposes edits live in their own rooms.
"""

import time
from collections.abc import Callable
from contextlib import aclosing, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from agent.config import Settings
from agent.edits.changes import Delta
from agent.edits.patch import delta_of, make_patch
from agent.events import (
    BaselineMeasured,
    BaseTaken,
    CandidateProposed,
    Event,
    Phase,
    StrategyGaveUp,
    VerdictReached,
)
from agent.ground import Announcement, Ground, Phases, Start, make_bench, open_base
from agent.job import Candidate, GaveUp, Job, Strategy
from agent.result import Finding, RunResult, describe, measured_delta, result_of
from agent.task import RunId, TaskSpec
from agent.verify.baseline import failures_of, measure_baseline, measured_of
from agent.verify.bench import Bench
from agent.verify.gate import gate
from agent.verify.minimise import minimise
from agent.verify.report import Baseline
from agent.verify.sight import looking_ahead, sight_of
from agent.verify.verdict import Green, Verdict, verdict_name
from sandbox.base import Environment, SandboxEngine


def _forget(_bench: Bench, _baseline: Baseline) -> None:
    return None


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
    redact_known: Callable[[str], str] = str
    """Takes out exact known secrets only: for text that must stay as it is otherwise."""
    taken: BaseTaken | None = None
    """The recorded base that a run goes on from; None: the repository as it is now."""
    remember: Callable[[Bench, Baseline], None] = _forget
    """Told the baseline once it is measured."""

    @property
    def ground(self) -> Ground:
        """What the run stands on."""
        return Ground(
            run=self.run,
            settings=self.settings,
            engine=self.engine,
            find_environment=self.find_environment,
            emit=self.emit,
            redact=self.redact,
        )


async def run_task(task: TaskSpec, parts: Parts) -> RunResult:
    """Carry a task through and return what it came to.

    Raises: AgentError (the request or the machine is at fault), SandboxError.
    """
    phases = Phases(parts.emit)
    start = Start(repo=task.repo, overlay=task.overlay, taken=parts.taken)
    async with open_base(start, parts.ground, phases) as base, sight_of(base) as sight:
        with phases.run(Phase.ENVIRONMENT):
            announcement = Announcement(parts.emit)
            bench = await make_bench(base, parts.ground, announcement)
        with phases.run(Phase.BASELINE):
            async with looking_ahead(sight) if _is_read(parts) else nullcontext():
                baseline = await _baseline(bench, task, parts)
        job = Job(
            task=task,
            bench=bench,
            baseline=baseline,
            emit=parts.emit,
            measure=partial(_measure, bench, baseline, task, parts),
            run_dir=parts.run_dir,
            redact=parts.redact_known,
            sight=sight,
        )
        finding = await _first_green(job, parts, phases)
        if finding.candidate and isinstance(finding.verdict, Green):
            finding = await _smallest(finding.candidate, finding.verdict, job, parts, phases)
        with phases.run(Phase.PATCH):
            result = result_of(parts.run, parts.strategy.name, job, finding)
        notes = (*result.notes, *announcement.notes)
        return replace(result, notes=notes, durations_s=phases.durations_s)


def _is_read(parts: Parts) -> bool:
    """Whether a model will read the repository: the offline search asks no index."""
    return parts.strategy.name != "offline"


async def _baseline(bench: Bench, task: TaskSpec, parts: Parts) -> Baseline:
    baseline = await measure_baseline(
        bench, task.targets, wall_s=parts.settings.test_wall_s, on_event=parts.emit, kind=task.kind
    )
    for failure in failures_of(baseline.report, bench.redact):
        parts.emit(failure)
    parts.emit(measured_of(baseline.report))
    parts.remember(bench, baseline)
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


async def _measure(
    bench: Bench, baseline: Baseline, task: TaskSpec, parts: Parts, delta: Delta
) -> Verdict:
    """What a strategy may ask for along the way: the gate's verdict, without a receipt."""
    return await gate(
        bench,
        baseline,
        delta,
        policy=task.test_policy,
        wall_s=parts.settings.test_wall_s,
        receipt=None,
        on_event=parts.emit,
    )


async def _first_green(job: Job, parts: Parts, phases: Phases) -> Finding:
    """Gate what the strategy proposes until something is green or it has no more."""
    finding = Finding(reason="no candidate")
    rank = 0
    async with aclosing(parts.strategy.propose(job)) as proposals:
        while True:
            with phases.run(Phase.SEARCH):
                try:
                    proposal = await proposals.asend(finding.verdict)
                except StopAsyncIteration:
                    return finding
            if isinstance(proposal, GaveUp):
                parts.emit(StrategyGaveUp(reason=proposal.reason, advice=proposal.advice))
                reason = f"{proposal.reason} {proposal.advice}".strip()
                return replace(finding, reason=reason, broke_off=proposal.how == "error")
            rank += 1
            parts.emit(
                CandidateProposed(
                    rank=rank,
                    why=proposal.why,
                    confidence=proposal.confidence,
                    alternatives=proposal.distinct,
                )
            )
            verdict = await _gate(proposal, rank, job, parts, phases)
            finding = Finding(candidate=proposal, verdict=verdict)
            if isinstance(verdict, Green):
                with suppress(StopAsyncIteration):
                    await proposals.asend(verdict)  # heard, so that the strategy can end its record
                return finding


async def _gate(candidate: Candidate, rank: int, job: Job, parts: Parts, phases: Phases) -> Verdict:
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
    candidate: Candidate, green: Green, job: Job, parts: Parts, phases: Phases
) -> Finding:
    """Take away hunks that green does not need; what is left is gated like any candidate."""
    patch = make_patch(job.bench.base.read, measured_delta(candidate, green))
    targets = (*job.baseline.targets, *green.own_tests)
    whole = Finding(candidate=candidate, verdict=green)
    if len(patch.hunks) < 2:
        return replace(whole, needed_for={hunk.id: targets for hunk in patch.hunks})
    with phases.run(Phase.MINIMISE):
        found = await minimise(
            job.bench,
            job.baseline,
            patch,
            own_tests=green.own_tests,
            budget_s=parts.settings.minimise_s,
            wall_s=parts.settings.test_wall_s,
        )
    if not found.optional:
        return replace(whole, needed_for=found.needed_for)
    left_out = "1 hunk" if len(found.optional) == 1 else f"{len(found.optional)} hunks"
    smaller = replace(
        candidate,
        delta=delta_of(patch, found.needed),
        notes=(*candidate.notes, f"{left_out} that green does not need left out"),
    )
    verdict = await _gate(smaller, 1, job, parts, phases)
    if not isinstance(verdict, Green):
        return whole
    return Finding(candidate=smaller, verdict=verdict, needed_for=found.needed_for)
