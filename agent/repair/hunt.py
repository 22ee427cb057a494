"""One search from start to end: measure, rank, plan, try, and try again from scratch.

Knows both ways of trying: the fork server for pytest, and the repository's own command for anything
else or where no session can be collected.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import PurePosixPath
from typing import Final

import anyio

from agent.events import Notice, SearchProgress
from agent.job import Job
from agent.repair.confirm import Patch
from agent.repair.judge.flags import flagged
from agent.repair.judge.labels import Extent
from agent.repair.judge.order import distinct, ranked
from agent.repair.locate import Suspicions, Trace, boosted, suspicions
from agent.repair.partial import combinations
from agent.repair.plan import Plan, first_limit_s, never_ends, plan_by_command, plan_forked
from agent.repair.probed import survey_by_probes
from agent.repair.proposal import Proposal
from agent.repair.queue import BestFirst
from agent.repair.recent import recent_changes
from agent.repair.search import LINGER_S, LINGER_SLOW_S, Bounds, Findings
from agent.repair.showing import diff_of
from agent.repair.sure import Doubts, search_until_sure
from agent.repair.survey import (
    Survey,
    file_of,
    files_of_tests,
    from_report,
    plan_survey,
    survey,
)
from agent.repair.suspects import Suspect, named_lines, suspects
from agent.repair.territory import Territory, territory
from agent.repair.validate.base import Validator, Watched
from agent.repair.validate.command import CommandValidator, measured_s
from agent.repair.validate.fork_server import ForkServer, ServerEnded, open_fork_server
from agent.task import RepoPath, TestId
from agent.verify.pytest_runner import PytestRunner
from agent.verify.report import Baseline
from sandbox.errors import SandboxLost

MOST_STARTS: Final = 4
"""Times that a search process is started within one search; a mutant can take one with it."""
BY_NAMES: Final = (
    "no line that the failing tests run could be seen; the search went by the names that they use"
)
SURVEY_SHARE: Final = 0.1
"""Share of the budget for learning which lines the passing tests run."""
PROGRESS_EVERY_S: Final = 0.2
MOST_SANDBOXES: Final = 2
"""Side by side on the slow way, where most runners keep one core busy."""
MOST_PASSING_BY_COMMAND: Final = 50
"""Passing tests that the slow way holds a patch against before the gate runs all of them."""


class Hunt:
    """The state of one search; read the results after `run`.

    With no candidates allowed it only measures and ranks: then `suspects` is the result.
    """

    def __init__(self, job: Job, *, search_s: float, candidates: int) -> None:
        self._job = job
        self._search_s = search_s
        self._bounds = Bounds(
            deadline=anyio.current_time() + search_s, candidates=candidates, linger_s=LINGER_S
        )
        self._queue: BestFirst | None = None
        self._territory = Territory(job.bench.base, frozenset(), frozenset())
        self._progress_at = 0.0
        self._shown: tuple[Proposal | None, str] = (None, "")
        self._lost: set[Proposal] = set()
        self.findings = Findings()
        self.doubts = Doubts()
        self.watched = Watched(targets=(), passing=())
        self.patches: list[Patch] = []
        """Plausible patches, distinct, best first."""
        self.suspects: tuple[Suspect, ...] = ()
        """Suspected statements, highest first."""
        self.survey: Survey | None = None
        """What was measured test by test; None where only a report was to be had."""
        self.plan: Plan | None = None
        """What the search was expected to cost; None where it did not come to that."""
        self.notes: list[str] = []

    @property
    def baseline(self) -> Baseline:
        """What was measured before the search."""
        return self._job.baseline

    @property
    def passing_seen(self) -> int:
        """Passing tests whose lines are known."""
        return self.survey.passing_seen if self.survey else 0

    @property
    def extent(self) -> Extent:
        """How much was tried, against how many passing tests."""
        return Extent(
            tried=self.findings.tried,
            exhausted=self.findings.exhausted,
            left=self.space_left,
            passing_tests=len(self.watched.passing),
            held_back=self.doubts.held_back,
            overfit=self.doubts.overfit,
        )

    @property
    def space_left(self) -> int:
        """Edits drawn and not tried."""
        return self._queue.left if self._queue else 0

    @property
    def is_refused(self) -> bool:
        """Tell whether the search was not begun because hardly a try would fit."""
        return self.plan is not None and self.plan.is_hopeless and not self.findings.tried

    async def run(self) -> None:
        """Search within the bounds. Raises: SandboxError, WorkspaceError."""
        baseline = self._job.baseline
        test_files = files_of_tests(baseline.report.results.values())
        self._territory = await anyio.to_thread.run_sync(
            territory, self._job.bench.base, test_files, self._job.task.test_policy
        )
        runner = self._job.bench.runner
        is_done = isinstance(runner, PytestRunner) and await self._with_fork_server(runner)
        if not is_done:
            await self._with_command()
        await self._settle()

    async def _with_fork_server(self, runner: PytestRunner) -> bool:
        """Search through fork servers; False where none can be had."""
        budget_s = max(1.0, SURVEY_SHARE * self._search_s)
        passing, files = plan_survey(self._job.baseline, seconds=budget_s)
        workers = max(1, round(self._job.bench.limits.cpus))
        for start in range(MOST_STARTS):
            left_s = self._left_s
            if left_s <= 0:
                break
            try:
                async with open_fork_server(
                    self._job.bench, runner, files, workers=workers, wall_s=left_s + 60
                ) as server:
                    return await self._hunt_in(server, passing, budget_s)
            except ServerEnded as ended:
                self._tell("warning", f"The quick search stopped: {ended.why}.")
                if self._queue is None and not ended.sandbox_lost:
                    return False
                if start == MOST_STARTS - 1 and ended.sandbox_lost:
                    message = f"the sandbox of the search was lost {MOST_STARTS} times"
                    raise SandboxLost(message) from ended
                self.notes.append(f"the search process ended early {start + 1} times")
        return True

    async def _hunt_in(self, server: ForkServer, passing: Sequence[TestId], seconds: float) -> bool:
        """Search in a running server; False where edits in it cannot be seen by the tests."""
        if self._queue is None:
            with anyio.move_on_after(3 * seconds + 30):
                found = await survey(
                    server, self._job.baseline, passing, self._territory.paths, seconds=seconds
                )
                if not found.suspicions.lines and self._bounds.candidates:
                    return False  # the targets run the code in processes of their own, if at all
                self.survey, self.watched = found, found.watched
                await self._rank(found.suspicions, self._territory.words(found.target_lines))
                self.plan = plan_forked(
                    self.baseline, self.watched, workers=server.workers, budget_s=self._left_s
                )
        if self._queue is None or self.plan is None:
            raise ServerEnded("the tests took too long to be measured")
        if self._is_worth(self.plan):
            try:
                await self._try_all(self._queue, server)
            except ServerEnded:
                self._take_back(server.unanswered, self._queue)
                raise
        return True

    def _take_back(self, proposals: Sequence[Proposal], queue: BestFirst) -> None:
        """Try what a lost server was at once more; what was at it twice may have been its end."""
        again = [one for one in proposals if one not in self._lost]
        self._lost.update(again)
        for proposal in again:
            queue.put_back(proposal)

    async def _with_command(self) -> None:
        """Search with the repository's own runner, a try at a time."""
        baseline, bench = self._job.baseline, self._job.bench
        if self._queue is None:
            await self._rank_by_report()
        if self._queue is None or not self._bounds.candidates:
            return
        side_by_side = max(1, min(MOST_SANDBOXES, round(bench.limits.cpus)))
        guess = partial(
            plan_by_command, bench.runner, baseline, self.watched, side_by_side=side_by_side
        )
        self.plan = guess(budget_s=self._left_s)
        if self.plan.is_hopeless:
            self._is_worth(self.plan)
            return
        longest_s = baseline.timeout_for(self.watched.ids)
        async with bench.open() as sandbox:
            results = baseline.report.results
            known = (results.get(id_) for id_ in baseline.targets)
            took_s = (
                None
                if any(one is not None and never_ends(one) for one in known)
                else await measured_s(bench, sandbox, self.watched, wall_s=self._left_s / 2)
            )
            if took_s is not None:
                self.plan = guess(budget_s=self._left_s, try_s=took_s)
            if not self._is_worth(self.plan):
                return
            self._bounds = Bounds(
                deadline=self._bounds.deadline,
                candidates=self._bounds.candidates,
                linger_s=(LINGER_S[0], LINGER_SLOW_S),
            )
            first_s = first_limit_s(self.plan, longest_s)
            async with AsyncExitStack() as more:
                others = range(side_by_side - 1)
                sandboxes = [await more.enter_async_context(bench.open()) for _ in others]
                validator = CommandValidator(
                    bench, (sandbox, *sandboxes), self.watched, first_s=first_s, longest_s=longest_s
                )
                await self._try_all(self._queue, validator)

    async def _rank_by_report(self) -> None:
        """Rank by what probes tell, else by the report's tracebacks, else by names in the tests."""
        baseline, ground = self._job.baseline, self._territory
        budget_s = max(1.0, SURVEY_SHARE * self._search_s)
        found_out = await survey_by_probes(self._job.bench, baseline, ground, seconds=budget_s)
        if found_out is not None:
            self.survey, self.watched = found_out, found_out.watched
            await self._rank(found_out.suspicions, ground.words(found_out.target_lines))
            return
        traces: list[Trace] = []
        for target in baseline.targets:
            traces.extend(from_report(baseline, target))
        passing = baseline.passing[:MOST_PASSING_BY_COMMAND]
        self.watched = Watched(
            targets=tuple((id_, 1.0) for id_ in baseline.targets),
            passing=tuple((id_, 1.0) for id_ in passing),
        )
        found = suspicions(traces, ground.paths.__contains__)
        names = ground.words_of(self._target_files())
        if not found.lines:
            lines = named_lines(names, ground.read, sorted(ground.paths), ground.grammar)
            found = Suspicions(lines=lines)
            self.notes.append(BY_NAMES)
        await self._rank(found, names)

    def _target_files(self) -> list[RepoPath]:
        """Return files of the targets; by their names where the runner does not tell them."""
        results = self._job.baseline.report.results
        wanted = self._job.baseline.targets
        files = [file_of(results[id_]) for id_ in wanted if id_ in results]
        known = [path for path in files if path in self._territory.tests]
        if known:
            return known
        tests = self._territory.tests
        return [path for path in tests if any(PurePosixPath(path).stem in id_ for id_ in wanted)]

    async def _rank(self, found: Suspicions, test_words: frozenset[str]) -> None:
        ground = self._territory
        found = boosted(found, await recent_changes(self._job.bench.base, found))
        ranking = suspects(found, ground.read, sorted(ground.paths), ground.grammar, test_words)
        self.suspects = tuple(ranking)
        self._queue = BestFirst(ranking)

    def _is_worth(self, plan: Plan) -> bool:
        """Tell what is about to be tried, and whether it is."""
        is_search = bool(self._bounds.candidates and self.suspects)
        if is_search and not self.findings.tried:
            self._job.emit(plan.event)
        return is_search and not self.is_refused

    async def _try_all(self, queue: BestFirst, validator: Validator) -> None:
        if self.plan is not None:
            queue.keep_pace(self.plan.try_s / self.plan.side_by_side)
        await search_until_sure(
            queue,
            validator,
            self.watched,
            self.findings,
            self.doubts,
            self._bounds,
            self._on_progress,
        )

    async def _settle(self) -> None:
        """Turn what was found into patches."""
        read = self._territory.read
        plausible = ranked(flagged(tuple(self.findings.plausible), read))
        data = {one.path: read(one.path) or b"" for one in plausible}
        self.patches = [(proposal,) for proposal in distinct(plausible, data)]
        if not self.patches:
            targets = frozenset(id_ for id_, _cpu_s in self.watched.targets)
            joined = combinations(self.findings.partial, targets)
            self.patches = [flagged(patch, read) for patch in joined]

    @property
    def _left_s(self) -> float:
        return self._bounds.deadline - anyio.current_time()

    def _on_progress(self, findings: Findings) -> None:
        now = anyio.current_time()
        best = ranked(findings.plausible)[0] if findings.plausible else None
        is_first = best is not None and self._shown[0] is None
        if now - self._progress_at < PROGRESS_EVERY_S and not is_first:
            return
        self._progress_at = now
        if best is not self._shown[0]:
            self._shown = (best, diff_of(self._job.bench.base, (best,)) if best else "")
        trying = self._queue.last if self._queue else None
        self._job.emit(
            SearchProgress(
                tried=findings.tried,
                plausible=len(findings.plausible),
                space_left=self.space_left,
                best=best.why if best else "",
                best_diff=self._shown[1],
                trying=f"{trying.path}:{trying.line}" if trying else "",
                left_s=round(max(0.0, self._left_s), 1),
            )
        )

    def _tell(self, level: str, text: str) -> None:
        self._job.emit(Notice(level=level, text=text))
