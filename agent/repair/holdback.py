"""Keeps some tests from the search, so that a patch can show that it learnt none by heart.

Pure. What is kept back decides as well, only later: every patch that pleases the search is measured
against it, and how many fail there says how far the rest may be trusted.
"""

from collections.abc import Sequence
from typing import Final

from agent.repair.validate.base import Watched
from agent.task import TestId

FEWEST: Final = 4
"""With fewer relevant tests all of them are needed to find anything."""
ONE_IN: Final = 4
"""One relevant test in so many is kept back."""

Timed = tuple[TestId, float]


def hold_back(watched: Watched) -> tuple[Watched, Watched]:
    """Return the tests that the search may know, and those kept back.

    Kept back are tests from all over the order, the last of each four; a target only where there
    are four targets, a passing test only where another one is left.
    """
    relevant = len(watched.targets) + len(watched.passing)
    if relevant < FEWEST:
        return watched, Watched(targets=(), passing=())
    known_targets, held_targets = _split(watched.targets)
    wanted = relevant // ONE_IN - len(held_targets)
    known, held = _split(watched.passing)
    if not held and wanted > 0 and len(known) > 1:
        known, held = known[:-1], known[-1:]
    return (
        Watched(targets=known_targets, passing=known),
        Watched(targets=held_targets, passing=held),
    )


def _split(tests: Sequence[Timed]) -> tuple[tuple[Timed, ...], tuple[Timed, ...]]:
    """Take the last of each four."""
    held = tuple(test for at, test in enumerate(tests, 1) if at % ONE_IN == 0)
    known = tuple(test for at, test in enumerate(tests, 1) if at % ONE_IN)
    return known, held
