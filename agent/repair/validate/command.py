"""Tries proposals one by one with the repository's own runner: slow, and good for every language.

Each try edits the tree of a sandbox, runs the targets and then what must not break, and puts the
tree back. A few sandboxes work side by side, for most runners keep one core busy.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import islice
from typing import Final

import anyio

from agent.edits.changes import Delta
from agent.repair.proposal import Proposal
from agent.repair.validate.base import Ask, Result, Tried, Watched, edited
from agent.repo.languages import language_of
from agent.repo.syntax import first_error, parse
from agent.task import TestId
from agent.verify.bench import Bench, Selection, file_changes
from agent.verify.report import NoReport, TestReport
from sandbox.base import Sandbox
from sandbox.errors import SandboxError


class CommandValidator:
    """Runs the bench's runner in a few sandboxes side by side, again and again."""

    is_quick: Final = False

    def __init__(
        self,
        bench: Bench,
        sandboxes: Sequence[Sandbox],
        watched: Watched,
        *,
        first_s: float,
        longest_s: float,
    ) -> None:
        self._bench = bench
        self._sandboxes = sandboxes
        self._watched = watched
        self._first_s = first_s
        self._longest_s = longest_s

    async def watch(self, watched: Watched) -> None:
        """See `Validator`."""
        self._watched = watched

    async def filter(self, asked: Iterator[Ask]) -> AsyncGenerator[Tried, None]:
        """See `Validator`."""
        batch: list[Ask] = []
        for ask in asked:
            if _breaks_syntax(edited(self._bench.base, (ask.proposal,))):
                yield Tried(proposal=ask.proposal, result=Result.INVALID, patience=ask.patience)
                continue
            batch.append(ask)
            if len(batch) == len(self._sandboxes):
                for tried in await self._try(batch, self._first_s):
                    yield tried
                batch.clear()
        for tried in await self._try(batch, self._first_s):
            yield tried

    async def recheck(self, proposals: Iterator[Proposal]) -> AsyncGenerator[Tried, None]:
        """See `Validator`: every try here starts the runner anew."""
        for batch in iter(lambda: list(islice(proposals, len(self._sandboxes))), []):
            for tried in await self._try([Ask(one) for one in batch], self._longest_s):
                yield tried

    async def _try(self, asked: Sequence[Ask], first_s: float) -> list[Tried]:
        """Try one in each sandbox; return them in order."""
        found: dict[int, Tried] = {}

        lost: list[SandboxError] = []

        async def one(at: int, ask: Ask) -> None:
            wall_s = min(first_s * ask.patience, self._longest_s)
            delta = edited(self._bench.base, (ask.proposal,))
            try:
                result, fixed = await self._over(delta, self._sandboxes[at], wall_s)
            except SandboxError as error:  # as itself, not as one of a group
                lost.append(error)
                return
            found[at] = Tried(
                proposal=ask.proposal, result=result, patience=ask.patience, fixed=fixed
            )

        async with anyio.create_task_group() as tasks:
            for at, ask in enumerate(asked):
                tasks.start_soon(one, at, ask)
        if lost:
            raise lost[0]
        return [found[at] for at in sorted(found)]

    async def _over(
        self, delta: Delta, sandbox: Sandbox, wall_s: float
    ) -> tuple[Result, tuple[TestId, ...]]:
        """Run the tests over the base with the delta; the tree is as before afterwards."""
        before = {path: self._bench.base.read(path) for path in delta}
        await sandbox.sync(file_changes(delta))
        try:
            return await self._judge(sandbox, wall_s)
        finally:
            await sandbox.sync(file_changes(before))

    async def _judge(self, sandbox: Sandbox, wall_s: float) -> tuple[Result, tuple[TestId, ...]]:
        targets = tuple(id_ for id_, _cpu_s in self._watched.targets)
        others = tuple(id_ for id_, _cpu_s in self._watched.passing)
        report = await self._run(sandbox, targets or others, wall_s)
        fixed = _passing(targets, report)
        if isinstance(report, NoReport) and report.hung:
            return Result.HANGS, ()
        if targets and not fixed:
            return Result.FAILS, ()
        if not _is_answered(others, report):
            # The runner can be told which tests to run, and ran no others
            report = await self._run(sandbox, others, self._longest_s)
        if len(_passing(others, report)) < len(others):
            return Result.FAILS, ()
        return (Result.PASSES if len(fixed) == len(targets) else Result.PARTLY), fixed

    async def _run(
        self, sandbox: Sandbox, ids: tuple[TestId, ...], wall_s: float
    ) -> TestReport | NoReport:
        return await self._bench.runner.run(sandbox, Selection(ids=ids), wall_s=wall_s)


async def measured_s(
    bench: Bench, sandbox: Sandbox, watched: Watched, *, wall_s: float
) -> float | None:
    """Run the targets as they are and return the seconds; None where they did not end by then."""
    started = anyio.current_time()
    ids = tuple(id_ for id_, _cpu_s in watched.targets)
    report = await bench.runner.run(sandbox, Selection(ids=ids), wall_s=wall_s)
    if isinstance(report, NoReport) and report.hung:
        return None
    return anyio.current_time() - started


def _passing(ids: tuple[TestId, ...], report: TestReport | NoReport) -> tuple[TestId, ...]:
    if isinstance(report, NoReport):
        return ()
    outcomes = ((id_, report.outcome(id_)) for id_ in ids)
    return tuple(id_ for id_, outcome in outcomes if outcome in {"passed", "xfailed"})


def _is_answered(ids: tuple[TestId, ...], report: TestReport | NoReport) -> bool:
    """Tell whether the report says of each test how it ended."""
    if isinstance(report, NoReport):
        return True
    return all(report.outcome(id_) is not None for id_ in ids)


def _breaks_syntax(delta: Delta) -> bool:
    for path, content in delta.items():
        language = language_of(path)
        if language and content and first_error(parse(language, content.data)) is not None:
            return True
    return False
