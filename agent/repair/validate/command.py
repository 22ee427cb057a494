"""Tries proposals one by one with the repository's own runner: slow, and good for every language.

Each try edits the tree of a sandbox, runs the targets and then what must not break, and puts the
tree back.
"""

from collections.abc import AsyncGenerator, Iterator
from typing import Final

from agent.edits.changes import Delta
from agent.repair.proposal import Proposal
from agent.repair.validate.base import Result, Tried, Watched, edited
from agent.repo.languages import language_of
from agent.repo.syntax import first_error, parse
from agent.task import TestId
from agent.verify.bench import Bench, Selection, file_changes
from agent.verify.report import NoReport
from sandbox.base import Sandbox


class CommandValidator:
    """Runs the bench's runner in one sandbox, again and again."""

    is_quick: Final = False

    def __init__(self, bench: Bench, sandbox: Sandbox, watched: Watched, *, wall_s: float) -> None:
        self._bench = bench
        self._sandbox = sandbox
        self._watched = watched
        self._wall_s = wall_s

    async def filter(
        self, proposals: Iterator[Proposal], *, patience: float = 1.0
    ) -> AsyncGenerator[Tried, None]:
        """See `Validator`."""
        for proposal in proposals:
            yield await self._try(proposal, self._wall_s * patience)

    def recheck(self, proposals: Iterator[Proposal]) -> AsyncGenerator[Tried, None]:
        """See `Validator`: every try here starts the runner anew."""
        return self.filter(proposals, patience=4.0)

    async def _try(self, proposal: Proposal, wall_s: float) -> Tried:
        delta = edited(self._bench.base, (proposal,))
        if _breaks_syntax(delta):
            return Tried(proposal=proposal, result=Result.INVALID)
        result, fixed = await self.run(delta, wall_s)
        return Tried(proposal=proposal, result=result, fixed=fixed)

    async def run(self, delta: Delta, wall_s: float) -> tuple[Result, tuple[TestId, ...]]:
        """Run the tests over the base with the delta; the tree is as before afterwards."""
        before = {path: self._bench.base.read(path) for path in delta}
        await self._sandbox.sync(file_changes(delta))
        try:
            return await self._judge(wall_s)
        finally:
            await self._sandbox.sync(file_changes(before))

    async def _judge(self, wall_s: float) -> tuple[Result, tuple[TestId, ...]]:
        targets = tuple(id_ for id_, _cpu_s in self._watched.targets)
        fixed = await self._passing(targets, wall_s)
        if fixed is None:
            return Result.HANGS, ()
        if not fixed:
            return Result.FAILS, ()
        others = tuple(id_ for id_, _cpu_s in self._watched.passing)
        still = await self._passing(others, wall_s) if others else ()
        if still is None or len(still) < len(others):
            return Result.FAILS, ()
        return (Result.PASSES if len(fixed) == len(targets) else Result.PARTLY), fixed

    async def _passing(self, ids: tuple[TestId, ...], wall_s: float) -> tuple[TestId, ...] | None:
        """Run the tests and return those that pass; None when they did not come to an end."""
        report = await self._bench.runner.run(self._sandbox, Selection(ids=ids), wall_s=wall_s)
        if isinstance(report, NoReport):
            return None if report.hung else ()
        outcomes = ((id_, report.outcome(id_)) for id_ in ids)
        return tuple(id_ for id_, outcome in outcomes if outcome in {"passed", "xfailed"})


def _breaks_syntax(delta: Delta) -> bool:
    for path, content in delta.items():
        language = language_of(path)
        if language and content and first_error(parse(language, content.data)) is not None:
            return True
    return False
