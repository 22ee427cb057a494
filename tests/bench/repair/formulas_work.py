"""How much a search has to try before it comes to the right statement, by suspicion alone. Pure.

The edits of every statement are taken to have priors spread evenly on a logarithmic scale, and the
right one to stand anywhere among those of its statement. Edits are tried by suspicion times prior,
so a statement half as suspicious still has part of its edits tried before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log
from typing import Final

PRIORS: Final = (0.01, 0.7)
EQUAL: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a ranking put the right statement."""

    rank: float
    """From 1 on; statements as suspicious share the middle of their ranks; infinite: nowhere."""
    work: float
    """What is tried before the right edit, counted in all edits of one statement; infinite: it is
    never tried."""


def placed(scores: Sequence[float], right: Sequence[float]) -> Placed:
    """Return the place of the most suspicious right one among all scores."""
    if not right:
        return Placed(rank=inf, work=inf)
    best = max(right)
    above = sum(score > best + EQUAL for score in scores)
    alike = sum(abs(score - best) <= EQUAL for score in scores)
    return Placed(rank=above + (alike + 1) / 2, work=sum(share_before(s, best) for s in scores))


def share_before(score: float, right: float) -> float:
    """Return which share of a statement's edits comes before the right one of another.

    A half where both are as suspicious; all or nothing where no prior makes up for the difference.
    """
    width = log(PRIORS[1] / PRIORS[0])
    ahead = log(max(score, EQUAL) / max(right, EQUAL)) / width
    if ahead <= 0:
        return max(0.0, 1 + ahead) ** 2 / 2
    return 1 - max(0.0, 1 - ahead) ** 2 / 2
