"""Measures the untouched base, twice: what fails, what passes, what cannot be relied on.

The second run takes what failed in the first and a sample of what passed, in reverse order and in
a fresh sandbox. What failed decides what is repaired, so all of it is looked at again; of what
passed a sample is enough, since the gate runs a newly failing test again before it counts. A test
that differs is flaky: it is named, and no judgement uses it.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from agent.errors import Infrastructure, TaskError
from agent.events import Event, Notice, TestFailed, TestsMeasured, TestsProgress
from agent.task import Kind, TestId
from agent.verify.bench import Bench, Selection
from agent.verify.report import Baseline, NoReport, Outcome, TestReport, TestResult
from agent.verify.selection import resolve_targets
from agent.verify.trouble import beyond_repair, needs_network

SAMPLE_TESTS: Final = 200
SAMPLE_SHARE: Final = 0.25
"""Of the time that the whole suite took; at least `SAMPLE_MIN_S`."""
SAMPLE_MIN_S: Final = 2.0
HANGING_TESTS: Final = 3
"""So many tests that do not end are taken out of the run before it is given up."""
PROGRESS_S: Final = 0.1
TOLD_FAILURES: Final = 100
"""How so many fail is told; more than these nobody reads."""


async def measure_baseline(
    bench: Bench,
    targets: Sequence[str],
    *,
    wall_s: float,
    on_event: Callable[[Event], None],
    kind: Kind = Kind.FIX,
) -> Baseline:
    """Run the suite on the base and decide what the task is about.

    To implement something needs no target: what fails already is then left as it is, and a
    repository without any test will do.
    Raises: TaskError (no test, nothing fails, a wrong target, tests that cannot run),
        Infrastructure, SandboxError.
    """
    started = time.monotonic()
    report = await _first_run(bench, targets, wall_s, on_event)
    suite_s = time.monotonic() - started
    is_new = kind is Kind.IMPLEMENT and not targets
    if not report.results and not is_new:
        raise TaskError(
            f"no tests were found in {bench.base.repo}",
            remedy="name how tests are run: --test-command 'python -m pytest path/to/tests'",
        )
    chosen = () if is_new else _targets(report, targets, bench, on_event)
    seed = int(bench.base.tree[:8] or "0", 16) if _is_hex(bench.base.tree[:8]) else 0
    flaky = await _flaky(bench, report, seed=seed, suite_s=suite_s, wall_s=wall_s, emit=on_event)
    steady = tuple(id_ for id_ in chosen if id_ not in flaky)
    if chosen and not steady:
        raise TaskError(
            f"{chosen[0]} passes and fails on the same code, so a fix cannot be measured by it",
            remedy="make the test steady first, or name another target",
        )
    return Baseline(report=report, targets=steady, flaky=flaky, wall_s=suite_s, seed=seed)


def failures_of(report: TestReport, redact: Callable[[str], str]) -> tuple[TestFailed, ...]:
    """Return how each failing test fails, the first hundred, without secrets."""
    failing = [result for result in report.results.values() if result.is_failing]
    return tuple(
        TestFailed(
            id=result.id,
            path=result.path,
            line=result.line,
            message=redact(result.message),
            error_type=result.error_type,
            frames=tuple((frame.path, frame.line, frame.function) for frame in result.frames),
        )
        for result in failing[:TOLD_FAILURES]
    )


def measured_of(report: TestReport, *, whole: bool = True) -> TestsMeasured:
    """Return how every test ended; `whole`: all of the repository's were run."""
    return TestsMeasured(
        results=tuple(
            (result.id, result.outcome.value, round(result.duration_s, 4))
            for result in report.results.values()
        ),
        whole=whole,
    )


async def _first_run(
    bench: Bench, targets: Sequence[str], wall_s: float, emit: Callable[[Event], None]
) -> TestReport:
    """Run everything. A test that hangs is a failing one if it was asked for, else an error."""
    hanging: dict[TestId, TestResult] = {}
    while True:
        outcome = await _run(bench, Selection(leave_out=tuple(hanging)), wall_s, emit)
        if isinstance(outcome, TestReport):
            return replace(outcome, results={**outcome.results, **hanging}) if hanging else outcome
        hung = outcome.running if outcome.hung else None
        if hung is None or len(hanging) >= HANGING_TESTS or not _is_asked_for(hung, targets):
            raise unmeasurable(outcome, wall_s)
        emit(Notice(level="warning", text=f"{hung} does not end within {wall_s:g} s"))
        hanging[hung] = _hanging_result(hung, wall_s)


async def _run(
    bench: Bench, selection: Selection, wall_s: float, emit: Callable[[Event], None]
) -> TestReport | NoReport:
    async with bench.open() as sandbox:
        progress = Progress(emit)
        outcome = await bench.runner.run(
            sandbox,
            selection,
            wall_s=wall_s,
            on_result=progress.on_result,
            on_slow=progress.on_slow,
        )
        progress.tell()
        return outcome


class Progress:
    """Counts tests as they finish and tells it, ten times a second at most."""

    def __init__(self, emit: Callable[[Event], None], total: int = 0) -> None:
        self._emit = emit
        self._total = total
        self._finished = 0
        self._failed = 0
        self._told_s = 0.0

    def on_result(self, _id: TestId, passed: bool) -> None:
        """Take one finished test."""
        self._finished += 1
        self._failed += not passed
        if time.monotonic() - self._told_s >= PROGRESS_S:
            self.tell()

    def on_slow(self, id_: TestId) -> None:
        """Take a test that has been running for a while, and tell it."""
        self.tell(running=id_)

    def tell(self, running: str = "") -> None:
        """Emit where the run stands."""
        self._told_s = time.monotonic()
        self._emit(
            TestsProgress(
                finished=self._finished, failed=self._failed, total=self._total, running=running
            )
        )


def _is_asked_for(id_: TestId, targets: Sequence[str]) -> bool:
    return any(id_ == target or id_.startswith((f"{target}[", f"{target}::")) for target in targets)


def _hanging_result(id_: TestId, wall_s: float) -> TestResult:
    return TestResult(
        id=id_,
        outcome=Outcome.FAILED,
        duration_s=wall_s,
        message=f"did not end within {wall_s:g} s",
        error_type="Timeout",
    )


def unmeasurable(outcome: NoReport, wall_s: float) -> TaskError | Infrastructure:
    """Return the error that says why the base cannot be measured, and what to do."""
    if outcome.infrastructure:
        return Infrastructure(
            f"the baseline could not be measured: {outcome.why}",
            remedy="try again; `greenloop doctor` shows the state of the sandbox",
        )
    if outcome.hung:
        what = outcome.running or "collecting the tests"
        return TaskError(
            f"{what} did not end within {wall_s:g} s on the base "
            f"({len(outcome.finished)} tests had finished)",
            remedy=f"to have it fixed, name it as the target; to leave it out: "
            f"--test-command 'python -m pytest --deselect {what}'"
            if outcome.running
            else "run the tests by hand and see where they stop",
        )
    return TaskError(
        f"the tests of the base cannot be measured: {outcome.why}",
        remedy=outcome.remedy
        or "run the tests by hand, see what they say, and mend that first; "
        "another way to run them is given by --test-command",
    )


def _targets(
    report: TestReport,
    targets: Sequence[str],
    bench: Bench,
    emit: Callable[[Event], None],
) -> tuple[TestId, ...]:
    """Return what shall be repaired; what no edit can repair is said and left aside."""
    chosen = resolve_targets(report, targets, bench.base)
    if not chosen:
        raise TaskError(
            f"all {len(report.results)} tests pass or are skipped; there is nothing to fix",
            remedy="write a test that shows the bug and run this again",
        )
    hopeless = beyond_repair(report, chosen, bench.base)
    offline = needs_network(report, chosen)
    for id_, why in hopeless.items():
        emit(Notice(level="warning", text=f"{id_} cannot be collected: {why}"))
    if offline:
        emit(Notice(level="warning", text=_network_text(offline)))
    left = tuple(id_ for id_ in chosen if id_ not in hopeless and id_ not in offline)
    if left:
        return left
    if hopeless:
        id_, why = next(iter(hopeless.items()))
        raise TaskError(
            f"{id_} cannot be collected: {why}",
            remedy="install what is missing where the project runs, or mend the test file",
        )
    raise TaskError(_network_text(offline), remedy="name a failing test that works without one")


def _network_text(ids: Sequence[TestId]) -> str:
    count = "1 failing test needs" if len(ids) == 1 else f"{len(ids)} failing tests need"
    return f"{count} the network, which the sandbox does not have ({ids[0]})"


async def _flaky(
    bench: Bench,
    report: TestReport,
    *,
    seed: int,
    suite_s: float,
    wall_s: float,
    emit: Callable[[Event], None],
) -> tuple[TestId, ...]:
    """Return the tests that end differently when they are run again."""
    again = second_selection(report, seed=seed, sample_s=max(SAMPLE_MIN_S, SAMPLE_SHARE * suite_s))
    if not again:
        return ()
    outcome = await _run(bench, Selection(ids=again), wall_s, emit)
    if isinstance(outcome, NoReport):
        if outcome.infrastructure:
            raise unmeasurable(outcome, wall_s)
        text = f"flaky tests could not be looked for: {outcome.why}"
        emit(Notice(level="warning", text=text))
        return ()
    flaky = tuple(
        id_
        for id_ in report.results
        if id_ in set(again) and _differs(report.outcome(id_), outcome.outcome(id_))
    )
    if flaky:
        names = ", ".join(flaky[:3]) + (" …" if len(flaky) > 3 else "")
        text = f"{len(flaky)} flaky, left out of every judgement: {names}"
        emit(Notice(level="warning", text=text))
    return flaky


def second_selection(report: TestReport, *, seed: int, sample_s: float) -> tuple[TestId, ...]:
    """Return what is run again: all that failed and a sample of what passed, last first."""
    passing = list(report.passing)
    random.Random(seed).shuffle(passing)  # noqa: S311 - a sample, not a secret
    chosen = {id_ for id_ in report.failing if report.results[id_].error_type != "Timeout"}
    spent_s = 0.0
    for id_ in passing[:SAMPLE_TESTS]:
        spent_s += report.results[id_].duration_s
        if spent_s > sample_s:
            break
        chosen.add(id_)
    return tuple(id_ for id_ in reversed(tuple(report.results)) if id_ in chosen)


def _differs(first: Outcome | None, second: Outcome | None) -> bool:
    good = {Outcome.PASSED, Outcome.XFAILED}
    return (first in good) != (second in good)


def _is_hex(text: str) -> bool:
    return bool(text) and all(letter in "0123456789abcdef" for letter in text)
