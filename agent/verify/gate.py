"""Measures a candidate in a fresh sandbox and says what it is. Believes nobody.

    look at the edits → put back protected files → targets alone → tests that may notice the change
    → whole suite → compare → run again what broke far away from the edits → look at the tree
    → all else without the new tests → new tests without the change → receipt

A green rests on the whole suite. The targets run first, and then what the index says may notice,
because most bad candidates end there; both only where the suite is slow.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio.to_thread

from agent.edits.changes import Delta
from agent.errors import WorkspaceError
from agent.events import Event, Notice
from agent.task import RepoPath, TestId, TestPolicy
from agent.verify.baseline import Progress
from agent.verify.bench import Bench, Selection
from agent.verify.bite import added_tests, tests_in, without_bite
from agent.verify.doctests import modules_with_doctests
from agent.verify.judgement import Comparison, compare, is_fixed
from agent.verify.protect import protected_changes, shadowing, why_protected_here
from agent.verify.receipt import Evidence, write_receipt
from agent.verify.report import Baseline, NoReport, Outcome, TestReport
from agent.verify.sight import open_sight
from agent.verify.suspicion import look_at
from agent.verify.verdict import Broken, Green, Regressed, Tampered, Unchanged, Verdict
from agent.workspace.base import Base
from sandbox.base import Promises, Sandbox

NARROW_FROM_S: Final = 10.0
"""A suite that takes less on the base is run at once; starting a runner twice would cost more."""
NOTICING_SHARE: Final = 0.2
"""Of the suite's time, for the tests that may notice a change: so much is lost at most where they
all pass, and the rest is won where one of them does not."""
DATA_ENDINGS: Final = (
    *(".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml"),
    *(".snap", ".golden", ".expected", ".html", ".dat", ".db", ".sqlite"),
)
CODE_ENDINGS: Final = (
    *(".py", ".toml", ".ini", ".cfg", "package.json"),
    *(".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx"),
)
"""Of files that may decide what a test measures."""
RETRIED_TESTS: Final = 20
"""More tests than these that break at once are no coincidence."""


def _ignore(_event: Event) -> None:
    return None


async def gate(
    bench: Bench,
    baseline: Baseline,
    delta: Delta,
    *,
    policy: TestPolicy,
    wall_s: float,
    receipt: Path | None,
    on_event: Callable[[Event], None] = _ignore,
) -> Verdict:
    """Return what was measured; a green one writes its evidence to `receipt` first.

    The edits of protected files are left out of what is measured, and named in the verdict: the
    patch that was measured is the delta without them. Raises: SandboxError.
    """
    started = time.monotonic()
    restored = protected_changes(delta, bench.base.read, baseline.report, policy)
    measured = {path: content for path, content in delta.items() if path not in restored}
    if early := _look(bench, measured, restored):
        return early
    for path, why in restored.items():
        on_event(Notice(level="warning", text=f"{path} is measured as on the base: {why}"))
    trial = _Trial(bench, baseline, measured, policy, wall_s, on_event)
    is_slow = baseline.targets and baseline.wall_s >= NARROW_FROM_S
    if is_slow and (verdict := await trial.targets_alone() or await trial.noticing()):
        return verdict
    verdict = await trial.whole_suite()
    if isinstance(verdict, Green):
        verdict = await trial.unaided(verdict)
    if isinstance(verdict, Green):
        verdict = await trial.bitten(verdict)
    if not isinstance(verdict, Green):
        return verdict
    flags = (
        *look_at(measured, bench.base.read, tests=trial.added.keys()).shown,
        *(f"{path} is data; tests may read there what they expect" for path in _data(measured)),
        *_witnesses(bench.runner.name),
    )
    if verdict.flaky:
        flags += (f"{verdict.flaky[0]} failed once and passed when the suite was run again",)
    verdict = replace(verdict, restored=tuple(restored), flags=flags)
    if receipt is None:
        return verdict
    evidence = Evidence(
        bench=bench,
        baseline=baseline,
        delta=measured,
        verdict=verdict,
        policy=policy,
        promises=trial.promises,
        wall_s=time.monotonic() - started,
        limit_s=trial.limit_s,
    )
    await anyio.to_thread.run_sync(write_receipt, receipt, evidence)
    return replace(verdict, receipt=str(receipt))


def _data(measured: Delta) -> list[RepoPath]:
    return [path for path in sorted(measured) if path.lower().endswith(DATA_ENDINGS)]


def _witnesses(runner: str) -> tuple[str, ...]:
    """Say what is weaker where the tests write their own report."""
    if runner == "pytest":
        return ()
    return ("the report was written by the test command itself; there is no second witness",)


def _look(bench: Bench, measured: Delta, restored: dict[RepoPath, str]) -> Verdict | None:
    """Judge the edits by themselves, before anything runs."""
    if not any(bench.base.read(path) != content for path, content in measured.items()):
        if not restored:
            return Broken(why="the candidate changes nothing", infrastructure=False)
        path, why = next(iter(restored.items()))
        return Tampered(
            why=f"only files that decide what is measured are changed: {path} ({why})",
            paths=tuple(restored),
        )
    if planted := shadowing(measured, bench.base.read):
        path, why = next(iter(planted.items()))
        return Tampered(why=f"{path} {why}", paths=tuple(planted))
    tests = added_tests(measured, bench.base.read).keys()
    suspicions = look_at(measured, bench.base.read, tests=tests)
    if suspicions.condemned:
        return Tampered(why=suspicions.condemned[0], paths=suspicions.paths)
    return None


@dataclass(slots=True)
class _Trial:
    """One candidate being run."""

    bench: Bench
    baseline: Baseline
    delta: Delta
    policy: TestPolicy
    wall_s: float
    emit: Callable[[Event], None]
    promises: Promises | None = None

    @property
    def added(self) -> Delta:
        """The part of the candidate that adds tests."""
        return added_tests(self.delta, self.bench.base.read)

    @property
    def limit_s(self) -> float:
        """How long the whole suite may take."""
        return min(self.wall_s, self.baseline.timeout_s)

    async def targets_alone(self) -> Verdict | None:
        """Return why the targets do not pass by themselves; None when they do."""
        targets = self.baseline.targets
        limit_s = min(self.wall_s, self.baseline.timeout_for(targets))
        async with self.bench.open(self.delta) as sandbox:
            outcome = await self._run(sandbox, Selection(ids=targets), limit_s)
        if isinstance(outcome, NoReport):
            return self._ended(outcome)
        new = set(outcome.altered) - set(self.baseline.report.altered)
        if new:
            return Tampered(why=f"{_altered_text(new)} while the tests ran")
        if all(is_fixed(outcome, id_) for id_ in targets):
            return None
        return _unchanged(outcome, targets)

    async def noticing(self) -> Verdict | None:
        """Return what breaks among the tests that may notice the change; None: nothing is sure.

        What breaks must pass on the base when it is run in the same company: a test may fail
        merely because others did not run before it.
        """
        ask = partial(_noticing, self.bench.base, self.delta, self.baseline)
        chosen = await anyio.to_thread.run_sync(ask)
        if not chosen.ids:
            return None
        async with self.bench.open(self.delta) as sandbox:
            outcome = await self._run(sandbox, chosen, self.limit_s)
        if isinstance(outcome, NoReport):
            return None
        passing = frozenset(self.baseline.passing)
        broken = tuple(id_ for id_ in outcome.failing if id_ in passing)
        if not broken:
            return None
        async with self.bench.open() as sandbox:
            on_base = await self._run(sandbox, chosen, self.limit_s)
        if isinstance(on_base, NoReport):
            return None
        sure = tuple(id_ for id_ in broken if on_base.outcome(id_) is Outcome.PASSED)
        fixed = tuple(id_ for id_ in self.baseline.targets if is_fixed(outcome, id_))
        return Regressed(after=outcome, broken=sure, fixed=fixed) if sure else None

    async def whole_suite(self) -> Verdict:
        """Run everything in a fresh sandbox and judge it."""
        async with self.bench.open(self.delta) as sandbox:
            self.promises = sandbox.promises
            outcome = await self._run(sandbox, Selection(), self.limit_s)
            if isinstance(outcome, NoReport):
                return self._ended(outcome)
            rewritten = await self._rewritten(sandbox)
        if rewritten:
            why = f"{rewritten[0]} was rewritten while the tests ran"
            return Tampered(why=why, paths=rewritten)
        may_go = frozenset(self.delta if self.policy.may_edit else ())
        compared = compare(self.baseline, outcome, may_go=may_go)
        if tampered := _tampered(compared):
            return tampered
        worth_it = not compared.still_failing
        flaky = await self._flaky(compared.broken, outcome) if worth_it else ()
        broken = tuple(id_ for id_ in compared.broken if id_ not in flaky)
        own = frozenset(tests_in(outcome, self.baseline, self.added))
        if broken and own.issuperset(broken):
            why = f"{broken[0]} is new and fails"
            return Unchanged(after=outcome, still_failing=broken, why=why)
        if broken:
            return Regressed(after=outcome, broken=broken, fixed=compared.fixed)
        if compared.still_failing:
            return _unchanged(outcome, compared.still_failing)
        return Green(
            after=outcome,
            fixed=compared.fixed,
            still_failing=compared.other_failing,
            restored=(),
            receipt="",
            flaky=flaky,
        )

    async def unaided(self, green: Green) -> Verdict:
        """Run everything once more without the candidate's own tests.

        They run in the same process as the others and could make those pass.
        """
        if not self.added:
            return green
        rest = {path: content for path, content in self.delta.items() if path not in self.added}
        if not rest:
            return _unproven(green.after)
        verdict = await replace(self, delta=rest).whole_suite()
        if isinstance(verdict, Unchanged) and verdict.still_failing:
            why = f"{verdict.still_failing[0]} passes only where the candidate's own tests run"
            return replace(verdict, why=why)
        return green if isinstance(verdict, Green) else verdict

    async def bitten(self, green: Green) -> Verdict:
        """Run the candidate's own tests on the base: a green of theirs must be red there."""
        own = tests_in(green.after, self.baseline, self.added)
        own = tuple(id_ for id_ in own if is_fixed(green.after, id_))
        if not own:
            return green if self.baseline.targets else _unproven(green.after)
        async with self.bench.open(self.added) as sandbox:
            files = Selection(files=tuple(self.added))
            on_base = await self._run(sandbox, files, self.limit_s)
        if isinstance(on_base, NoReport) and on_base.infrastructure:
            return self._ended(on_base)
        if dull := without_bite(own, on_base):
            why = f"{dull[0]} is new and passes without the change too, so it shows nothing"
            return Unchanged(after=green.after, still_failing=dull, why=why)
        return replace(green, own_tests=own)

    async def _run(
        self, sandbox: Sandbox, selection: Selection, limit_s: float
    ) -> TestReport | NoReport:
        total = len(selection.ids) or len(self.baseline.report.results)
        progress = Progress(self.emit, total)
        outcome = await self.bench.runner.run(
            sandbox,
            selection,
            wall_s=limit_s,
            on_result=progress.on_result,
            on_slow=progress.on_slow,
        )
        progress.tell()
        return outcome

    def _ended(self, outcome: NoReport) -> Verdict:
        """Say what a run without a whole report means for the candidate."""
        new = set(outcome.altered) - set(self.baseline.report.altered)
        if new:
            return Tampered(why=f"{_altered_text(new)}, and {outcome.why}")
        hung = outcome.running if outcome.hung else None
        after = TestReport(results=outcome.finished)
        if hung in self.baseline.targets:
            why = f"{hung} does not end"
            return Unchanged(after=after, still_failing=(hung,), why=why)
        if hung in self.baseline.passing:
            return Regressed(after=after, broken=(hung,), fixed=())
        return Broken(why=outcome.why, infrastructure=outcome.infrastructure, output=outcome.output)

    async def _rewritten(self, sandbox: Sandbox) -> tuple[RepoPath, ...]:
        """Return files that decide what is measured and are not as they were put there."""
        harvest = await sandbox.harvest()
        touched = [change.path for change in harvest.changes]
        touched += [refused.path for refused in harvest.refused]
        why_protected = why_protected_here(self.baseline.report)
        with_doctests = modules_with_doctests(self.baseline.report)
        found = []
        for path in map(RepoPath, touched):
            decides = bool(why_protected(path)) or path in with_doctests
            is_code = path.endswith(CODE_ENDINGS)
            if is_code and decides and not await self._is_as_it_was(sandbox, path):
                found.append(path)
        return tuple(found)

    async def _is_as_it_was(self, sandbox: Sandbox, path: RepoPath) -> bool:
        base = self.bench.base
        expected = self.delta[path] if path in self.delta else base.read(path)
        if expected is None:
            return True  # a file that a test made; it was collected by nobody
        return await sandbox.read_file(path, limit_bytes=len(expected.data)) == expected.data

    async def _flaky(self, broken: tuple[TestId, ...], after: TestReport) -> tuple[TestId, ...]:
        """Run the suite once more if what broke did so without the edited files on its way.

        All of it, in a fresh sandbox: a test that breaks by what another leaves behind would pass
        alone.
        """
        doubtful = tuple(id_ for id_ in broken if self._is_far(id_, after))
        if not doubtful or len(broken) > RETRIED_TESTS or doubtful != broken:
            return ()
        async with self.bench.open(self.delta) as sandbox:
            outcome = await self._run(sandbox, Selection(), self.limit_s)
        if isinstance(outcome, NoReport) or set(outcome.altered) - set(after.altered):
            return ()
        flaky = tuple(id_ for id_ in doubtful if outcome.outcome(id_) is Outcome.PASSED)
        if flaky:
            text = f"{len(flaky)} failed once and passed when run again: {flaky[0]}"
            self.emit(Notice(level="warning", text=text))
        return flaky

    def _is_far(self, id_: TestId, after: TestReport) -> bool:
        """Look whether a test failed by itself and not in an edited file."""
        result = after.results.get(id_)
        if result is None or id_ not in self.baseline.report.results or not result.is_failing:
            return False
        return all(frame.path not in self.delta for frame in result.frames)


def _noticing(base: Base, delta: Delta, baseline: Baseline) -> Selection:
    """Return the targets, and the tests that may notice the delta for a share of the suite's time.

    An index that cannot be read is no reason not to measure: then it is nothing.
    """
    try:
        with open_sight(base) as sight:
            found = sight.noticing(delta, baseline, most_s=NOTICING_SHARE * baseline.wall_s)
    except WorkspaceError:
        return Selection()
    if found.everything or not found.selection.ids:
        return Selection()
    ids = dict.fromkeys((*baseline.targets, *found.selection.ids))
    return Selection(ids=tuple(ids))


def _unproven(after: TestReport) -> Unchanged:
    why = "there is no test that fails without the change and passes with it"
    return Unchanged(after=after, still_failing=(), why=why)


def _tampered(compared: Comparison) -> Tampered | None:
    if compared.missing:
        count = len(compared.missing)
        why = f"{count} tests of the base no longer run: {compared.missing[0]}"
        return Tampered(why=why, missing=compared.missing)
    if compared.altered:
        return Tampered(why=f"{_altered_text(compared.altered)} while the tests ran")
    if compared.plugins:
        why = f"{compared.plugins[0]} made itself a plugin of the test runner"
        return Tampered(why=why, paths=compared.plugins)
    return None


def _altered_text(names: Iterable[str]) -> str:
    first = min(names)
    return first if " used by " in first else f"{first} was replaced"


def _unchanged(after: TestReport, targets: tuple[TestId, ...]) -> Unchanged:
    failing = tuple(id_ for id_ in targets if not is_fixed(after, id_))
    outcome = after.outcome(failing[0])
    why = ""
    if outcome is None:
        why = f"{failing[0]} did not run"
    elif outcome not in {Outcome.FAILED, Outcome.ERROR}:
        why = f"{failing[0]} is {outcome.value} now, which is not passing"
    return Unchanged(after=after, still_failing=failing, why=why)
