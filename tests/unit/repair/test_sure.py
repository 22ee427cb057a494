"""What pleases a search is doubted: tests held back, a fresh start, then pairs of edits."""

from collections.abc import AsyncGenerator, Callable, Iterator

import anyio

from agent.edits.spans import ByteEdit
from agent.repair.proposal import Proposal, Sketch
from agent.repair.queue import BestFirst
from agent.repair.search import Bounds, Findings
from agent.repair.sure import Doubts, search_until_sure
from agent.repair.validate.base import Ask, Result, Tried, Watched
from agent.task import RepoPath, TestId

TARGET = TestId("target")
FOUR = Watched(
    targets=((TARGET, 0.0),), passing=tuple((TestId(f"p{number}"), 0.0) for number in range(3))
)
"""One test of these is held back."""


def an_edit(start: int, *, prior: float = 0.5) -> Proposal:
    return Proposal(
        path=RepoPath("module.py"),
        sketch=Sketch((ByteEdit(start, start + 1, b"x"),), "test", prior),
        line=1,
        suspicion=1.0,
        unit=None,
        before="a",
        after=str(start),
    )


Answer = Callable[[Proposal, Watched], Result]


class Scripted:
    """A validator that answers by the edit and the tests that it was told to watch."""

    def __init__(self, answer: Answer, fresh: Answer | None = None, *, quick: bool = True) -> None:
        self.is_quick = quick
        self._answer = answer
        self._fresh = fresh or answer
        self._watched = Watched(targets=(), passing=())
        self.tried: list[tuple[int, ...]] = []

    async def watch(self, watched: Watched) -> None:
        self._watched = watched

    async def filter(self, asked: Iterator[Ask]) -> AsyncGenerator[Tried, None]:
        for ask in asked:
            await anyio.lowlevel.checkpoint()
            self.tried.append(places(ask.proposal))
            result = self._answer(ask.proposal, self._watched)
            yield Tried(proposal=ask.proposal, result=result, further=1)

    async def recheck(self, proposals: Iterator[Proposal]) -> AsyncGenerator[Tried, None]:
        for proposal in proposals:
            await anyio.lowlevel.checkpoint()
            yield Tried(proposal=proposal, result=self._fresh(proposal, self._watched))


def places(proposal: Proposal) -> tuple[int, ...]:
    return tuple(edit.start for edit in proposal.sketch.edits)


async def searched(
    validator: Scripted, *edits: Proposal, candidates: int = 1_000
) -> tuple[list[tuple[int, ...]], Findings, Doubts]:
    queue, findings, doubts = BestFirst([]), Findings(), Doubts()
    queue.add(edits)
    bounds = Bounds(deadline=anyio.current_time() + 60, candidates=candidates)
    await search_until_sure(queue, validator, FOUR, findings, doubts, bounds, lambda _found: None)
    return [places(one) for one in findings.plausible], findings, doubts


def knows_target(watched: Watched) -> bool:
    return TARGET in watched.ids


async def test_what_fails_the_tests_held_back_is_dropped_and_counted() -> None:
    def learnt_by_heart(edit: Proposal, watched: Watched) -> Result:
        if places(edit) == (0,) and not knows_target(watched):
            return Result.FAILS
        return Result.PASSES

    found, _findings, doubts = await searched(Scripted(learnt_by_heart), an_edit(0), an_edit(4))
    assert found == [(4,)]
    assert (doubts.held_back, doubts.overfit, doubts.leaked) == (1, 1, 0)


async def test_what_passes_thanks_to_earlier_tries_is_dropped_and_the_search_goes_on() -> None:
    def passes(_edit: Proposal, _watched: Watched) -> Result:
        return Result.PASSES

    def fails(_edit: Proposal, _watched: Watched) -> Result:
        return Result.FAILS

    found, findings, doubts = await searched(Scripted(passes, fails), an_edit(0), an_edit(4))
    assert found == []
    assert (doubts.overfit, doubts.leaked) == (0, 2)
    assert findings.exhausted


async def test_a_slow_way_measures_what_was_held_back_in_its_recheck() -> None:
    def passes(_edit: Proposal, watched: Watched) -> Result:
        return Result.PASSES if len(watched.ids) == 3 else Result.FAILS

    found, _findings, doubts = await searched(Scripted(passes, quick=False), an_edit(0))
    assert found == []
    assert (doubts.overfit, doubts.leaked) == (1, 0)


async def test_pairs_are_tried_when_no_single_edit_holds() -> None:
    def only_both(edit: Proposal, _watched: Watched) -> Result:
        return Result.PASSES if places(edit) == (0, 4) else Result.FAILS

    validator = Scripted(only_both)
    found, findings, doubts = await searched(validator, an_edit(0), an_edit(4))
    assert found == [(0, 4)]
    assert validator.tried[:3] == [(0,), (4,), (0, 4)]
    assert findings.exhausted
    assert doubts.pairs == 1


async def test_pairs_are_not_tried_when_single_edits_are_left() -> None:
    def fails(_edit: Proposal, _watched: Watched) -> Result:
        return Result.FAILS

    validator = Scripted(fails)
    _found, findings, doubts = await searched(validator, an_edit(0), an_edit(4), candidates=1)
    assert validator.tried == [(0,)]
    assert not findings.exhausted
    assert doubts.pairs == 0


async def test_the_slow_way_tries_no_pairs() -> None:
    def fails(_edit: Proposal, _watched: Watched) -> Result:
        return Result.FAILS

    validator = Scripted(fails, quick=False)
    await searched(validator, an_edit(0), an_edit(4))
    assert validator.tried == [(0,), (4,)]
