"""Says how far a green of the offline search goes.

The number of different patches that please the tests is what tells a right one from a lucky one:
with at most eight the first was right in 26 of 27 cases, with more in 7 of 12 (QuixBugs with half
of the tests hidden, measured 2026-11). These eight are edits that read differently; where it was
observed what the patches do, fewer different behaviours are as many.
"""

from dataclasses import dataclass
from typing import Final

from agent.repair.proposal import Proposal
from agent.verify.verdict import Confidence

MOST_FOR_LIKELY: Final = 8
"""Patches that read differently, up to which the first is likely right."""
MOST_BEHAVIOURS: Final = 3
"""The same for patches that were seen to do different things."""
MOST_CUT_OFF: Final = 3
"""The same when the search was cut off early: what was not tried may hold as many again."""
MOST_BEHAVIOURS_CUT_OFF: Final = 1
"""The same for patches that were seen to do different things."""
ENOUGH_TRIED: Final = 1_000
"""Tries after which a count means something though the search is not exhausted."""
FEWEST_TRIED: Final = 100
"""With fewer tries of an unfinished search nothing is called likely."""
FEWEST_SHARE: Final = 0.1
"""The same for the share of the edits in hand that were tried, best first.

Of single behaviours that a cut-off search had found, 5 of 5 were right above it and 2 of 4 below
(18 programs of QuixBugs, half of the cases hidden, on a busy machine, measured 2026-11).
"""
MOST_OVERFIT_SHARE: Final = 0.5
"""Share of the patches that failed tests held back, up to which those that passed are believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of the space the search saw."""

    tried: int
    exhausted: bool
    left: int = 0
    """Edits drawn and not tried."""
    passing_tests: int
    """Passing tests near the edit that every patch was held against."""
    held_back: int = 0
    """Tests that the search did not know, and that every patch had to pass afterwards."""
    overfit: int = 0
    """Patches that pleased the search and failed one of those."""


def confidence(
    proposal: Proposal, count: int, extent: Extent, *, is_observed: bool = False
) -> Confidence:
    """Label one of `count` patches that read differently, or `is_observed`, do different things.

    That the whole suite passes is not known here; who measures it may lower the label.
    """
    if count > (MOST_BEHAVIOURS if is_observed else MOST_FOR_LIKELY):
        return Confidence.AMBIGUOUS
    is_held = extent.passing_tests > 0 and not _is_overfitting(count, extent)
    if _is_seen(count, extent, is_observed) and is_held and not proposal.sketch.flags:
        return Confidence.LIKELY
    return Confidence.PLAUSIBLE


def _is_seen(count: int, extent: Extent, is_observed: bool) -> bool:
    """Tell whether enough was tried for so many patches to be all there is, or nearly."""
    if extent.exhausted or extent.tried >= ENOUGH_TRIED:
        return True
    most = MOST_BEHAVIOURS_CUT_OFF if is_observed else MOST_CUT_OFF
    is_enough = extent.tried >= FEWEST_SHARE * (extent.tried + extent.left)
    return count <= most and extent.tried >= FEWEST_TRIED and is_enough


def _is_overfitting(count: int, extent: Extent) -> bool:
    """Tell whether tests that the search did not know refuted too many of its patches."""
    return extent.overfit > MOST_OVERFIT_SHARE * (extent.overfit + count)


def explain(proposal: Proposal, count: int, extent: Extent, *, is_observed: bool = False) -> str:
    """One line: how many others there are and what speaks against this one."""
    signs = "; it " + ", ".join(sorted(proposal.sketch.flags)) if proposal.sketch.flags else ""
    how_far = "all" if extent.exhausted else "the first"
    if is_observed:
        kinds = "no edit that does anything else" if count == 1 else f"{count} kinds of edits"
        verb = "passes" if count == 1 else "pass"
        return f"{kinds} {verb} the same tests ({how_far} {extent.tried} tried){signs}"
    others = {1: "no other edit does", 2: "1 other edit does"}.get(
        count, f"{count - 1} other edits do"
    )
    return f"{others} the same ({how_far} {extent.tried} tried){signs}"
