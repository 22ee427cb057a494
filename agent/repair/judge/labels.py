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
MOST_OVERFIT_SHARE: Final = 0.5
"""Share of the patches that failed tests held back, up to which those that passed are believed."""


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
    """Label one of `count` patches that do different things.

    That the whole suite passes is not known here; who measures it may lower the label.
    """
    if count > MOST_FOR_LIKELY:
        return Confidence.AMBIGUOUS
    is_held = extent.passing_tests > 0 and not _is_overfitting(count, extent)
    if _are_few(count, extent) and is_held and not proposal.sketch.flags:
        return Confidence.LIKELY
    return Confidence.PLAUSIBLE


def _are_few(count: int, extent: Extent) -> bool:
    if extent.exhausted or extent.tried >= ENOUGH_TRIED:
        return count <= MOST_FOR_LIKELY
    return count <= MOST_CUT_OFF and extent.tried >= FEWEST_TRIED


def _is_overfitting(count: int, extent: Extent) -> bool:
    """Tell whether tests that the search did not know refuted too many of its patches."""
    return extent.overfit > MOST_OVERFIT_SHARE * (extent.overfit + count)


def explain(proposal: Proposal, count: int, extent: Extent) -> str:
    """One line: how many others there are and what speaks against this one."""
    others = {1: "no other edit does", 2: "1 other edit does"}.get(
        count, f"{count - 1} other edits do"
    )
    signs = "; it " + ", ".join(sorted(proposal.sketch.flags)) if proposal.sketch.flags else ""
    how_far = "all" if extent.exhausted else "the first"
    return f"{others} the same ({how_far} {extent.tried} tried){signs}"
