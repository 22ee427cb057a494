"""Puts edits that each mend some of the targets together, so that all of them pass."""

from collections.abc import Sequence
from itertools import islice, product

from agent.repair.confirm import Patch
from agent.repair.judge.order import ranked
from agent.repair.proposal import Proposal
from agent.task import TestId

MOST_EACH = 4
"""Edits taken for each set of tests that they mend, best first."""
MOST_PATCHES = 12

Partial = tuple[Proposal, tuple[TestId, ...]]


def combinations(partial: Sequence[Partial], targets: frozenset[TestId]) -> list[Patch]:
    """Return patches of two or more edits that together mend every target, likeliest first.

    Sets of tests are joined only where they do not overlap: an edit that mends more comes first.
    """
    by_fixed: dict[frozenset[TestId], list[Proposal]] = {}
    for proposal, fixed in partial:
        by_fixed.setdefault(frozenset(fixed), []).append(proposal)
    left = set(targets)
    chosen: list[list[Proposal]] = []
    for tests in sorted(by_fixed, key=lambda tests: (-len(tests), -_best(by_fixed[tests]))):
        if tests <= left:
            left -= tests
            chosen.append(ranked(by_fixed[tests])[:MOST_EACH])
    if left or len(chosen) < 2:
        return []
    return list(islice(product(*chosen), MOST_PATCHES))


def _best(proposals: Sequence[Proposal]) -> float:
    return max(proposal.score for proposal in proposals)


def best_for_each(partial: Sequence[Partial]) -> dict[TestId, Proposal]:
    """Return every target that some edit mends, with the best such edit."""
    best: dict[TestId, Proposal] = {}
    for proposal in ranked(proposal for proposal, _fixed in partial):
        for other, fixed in partial:
            if other is proposal:
                for test in fixed:
                    best.setdefault(test, proposal)
    return best
