"""Searches, and doubts what was found until it holds or nothing is left.

What pleases the search is measured against tests that the search did not know, and then from a
fresh start, for it may have passed thanks to what earlier tries left behind. When no single edit
holds, pairs are tried.
"""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import anyio

from agent.repair.holdback import hold_back
from agent.repair.judge.order import ranked
from agent.repair.pairing import improving_pairs, likely_pairs
from agent.repair.proposal import Proposal
from agent.repair.queue import BestFirst
from agent.repair.search import Bounds, Findings, search
from agent.repair.validate.base import Ask, Result, Validator, Watched

MOST_RECHECKED: Final = 10
"""Plausible edits that are tried again from a fresh start, best first."""
HELD_PATIENCE: Final = 5.0
"""How much more time than a first try gets an edit has for the tests held back."""


@dataclass(slots=True)
class Doubts:
    """What became of edits that the search took for plausible."""

    held_back: int = 0
    """Tests that the search did not know."""
    overfit: int = 0
    """Edits that failed one of them."""
    leaked: int = 0
    """Edits that passed only after others had run in the same process."""
    pairs: int = 0
    """Pairs of edits that were to be tried, after all single ones."""
    _rounds: list[Callable[[Findings], list[Proposal]]] = field(
        default_factory=lambda: [likely_pairs, improving_pairs]
    )

    def next_pairs(self, findings: Findings) -> list[Proposal]:
        """Return the pairs of the next round; each round comes once."""
        pairs: list[Proposal] = []
        while self._rounds and not pairs:
            pairs = self._rounds.pop()(findings)
        self.pairs += len(pairs)
        return pairs


async def search_until_sure(
    queue: BestFirst,
    validator: Validator,
    watched: Watched,
    findings: Findings,
    doubts: Doubts,
    bounds: Bounds,
    on_progress: Callable[[Findings], None],
) -> None:
    """Search; what stays in `findings.plausible` has held. Raises: SandboxError.

    Calling it again, after the validator was lost, goes on where it stopped.
    """
    known, held = hold_back(watched)
    doubts.held_back = len(held.ids)
    singles_done = bool(doubts.pairs)
    while True:
        await validator.watch(known)
        tests = len(known.ids)
        await search(queue, validator, findings, bounds, on_progress, tests=tests)
        findings.exhausted = findings.exhausted or singles_done
        if findings.plausible:
            await _hold_against(held, watched, validator, findings, doubts)
            if findings.plausible:
                return
            findings.first_after_s = None
        if _is_out_of(bounds, findings):
            return
        if queue.is_exhausted:
            pairs = doubts.next_pairs(findings) if validator.is_quick else []
            if not pairs:
                return
            singles_done = True
            queue.add(pairs)


async def _hold_against(
    held: Watched, watched: Watched, validator: Validator, findings: Findings, doubts: Doubts
) -> None:
    """Keep the plausible edits that pass the tests held back, and all tests from a fresh start."""
    if held.ids and validator.is_quick:
        findings.plausible = await _not_overfit(held, validator, findings.plausible, doubts)
    if not findings.plausible:
        return
    await validator.watch(watched)
    best = ranked(findings.plausible)
    async with aclosing(validator.recheck(iter(best[:MOST_RECHECKED]))) as results:
        tried = [one async for one in results]
    passed = [one.proposal for one in tried if one.result is Result.PASSES]
    refuted = len(tried) - len(passed)
    if held.ids and not validator.is_quick:
        doubts.overfit += refuted
    else:
        doubts.leaked += refuted
    findings.plausible = [*passed, *best[MOST_RECHECKED:]] if passed else []


async def _not_overfit(
    held: Watched, validator: Validator, plausible: list[Proposal], doubts: Doubts
) -> list[Proposal]:
    await validator.watch(held)
    asked = (Ask(proposal, HELD_PATIENCE) for proposal in plausible)
    kept = []
    async with aclosing(validator.filter(asked)) as results:
        async for tried in results:
            if tried.result in {Result.FAILS, Result.PARTLY, Result.HANGS}:
                doubts.overfit += 1
            else:  # what cannot be tried so is decided by the recheck
                kept.append(tried.proposal)
    return kept


def _is_out_of(bounds: Bounds, findings: Findings) -> bool:
    return anyio.current_time() > bounds.deadline or findings.tried >= bounds.candidates
