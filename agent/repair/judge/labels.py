"""Says how far a green of the offline search goes.

The number of different patches that please the tests is what tells a right one from a lucky one:
with at most eight the first was right in 26 of 27 cases, with more in 7 of 12 (QuixBugs with half
of the tests hidden, measured 2026-11).
"""

from dataclasses import dataclass
from typing import Final

from agent.repair.proposal import Proposal
from agent.verify.verdict import Confidence

MOST_FOR_LIKELY: Final = 8
"""Distinct patches up to which the first is likely right."""
MOST_CUT_OFF: Final = 3
"""The same when the search was cut off early: what was not tried may hold as many again."""
ENOUGH_TRIED: Final = 1_000
"""Tries after which a count means something though the search is not exhausted."""

FEWEST_TRIED: Final = 100
"""With fewer tries of an unfinished search nothing is called likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of the space the search saw."""

    tried: int
    exhausted: bool
    passing_tests: int
    """Passing tests near the edit that every patch was held against."""
    held_back: int = 0
    """Tests that the search did not know, and that every patch had to pass afterwards."""
    overfit: int = 0
    """Patches that pleased the search and failed one of those."""


def confidence(proposal: Proposal, count: int, extent: Extent) -> Confidence:
    """Label one of `count` distinct patches."""
    if count > MOST_FOR_LIKELY:
        return Confidence.AMBIGUOUS
    if extent.exhausted or extent.tried >= ENOUGH_TRIED:
        few = count <= MOST_FOR_LIKELY
    else:
        few = count <= MOST_CUT_OFF and extent.tried >= FEWEST_TRIED
    if few and not proposal.sketch.flags and extent.passing_tests:
        return Confidence.LIKELY
    return Confidence.PLAUSIBLE


def explain(proposal: Proposal, count: int, extent: Extent) -> str:
    """One line: how many others there are and what speaks against this one."""
    others = {1: "no other edit does", 2: "1 other edit does"}.get(
        count, f"{count - 1} other edits do"
    )
    signs = "; it " + ", ".join(sorted(proposal.sketch.flags)) if proposal.sketch.flags else ""
    how_far = "all" if extent.exhausted else "the first"
    return f"{others} the same ({how_far} {extent.tried} tried){signs}"
