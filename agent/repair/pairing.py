"""Chooses which two edits to try at once, when every single one has failed. Pure.

Two edits have thousands of times as many pairs as there are edits. Worth a try are those with an
edit that did some good: it mends a target, or has one fail later than before. Then the best scored
ones with each other, which lie in the most suspicious statements.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from typing import Final

from agent.repair.proposal import Proposal
from agent.repair.search import Findings
from agent.repair.templates.pairs import joined

MOST_IMPROVERS: Final = 10
"""Of each kind."""
MOST_SINGLES: Final = 40
"""Without a sign of improvement."""
MOST_PAIRS: Final = 1_500
"""Of each round."""


def improving_pairs(findings: Findings) -> list[Proposal]:
    """Return pairs with at least one edit that did some good."""
    improvers = _improvers(findings)
    with_others = ((one, other) for one in improvers for other in findings.near)
    return _joined([*combinations(improvers, 2), *with_others])


def likely_pairs(findings: Findings) -> list[Proposal]:
    """Return pairs of the best scored edits."""
    improvers = set(_improvers(findings))
    singles = [one for one in findings.near if one not in improvers][:MOST_SINGLES]
    return _joined(combinations(singles, 2))


def _improvers(findings: Findings) -> list[Proposal]:
    partial = sorted(findings.partial, key=lambda one: (-len(one[1]), -one[0].score))
    further = sorted(findings.further, key=lambda one: (-one[1], -one[0].score))
    best = [
        *(proposal for proposal, _fixed in partial[:MOST_IMPROVERS]),
        *(proposal for proposal, _how_much in further[:MOST_IMPROVERS]),
    ]
    return list(dict.fromkeys(best))


def _joined(pairs: Iterable[tuple[Proposal, Proposal]]) -> list[Proposal]:
    """Join those that can be, the best scored of a bounded number; each pair once."""
    known: dict[object, Proposal] = {}
    for pair in _possible(pairs):
        known.setdefault((pair.path, pair.sketch.edits), pair)
    return sorted(known.values(), key=lambda one: -one.score)[:MOST_PAIRS]


def _possible(pairs: Iterable[tuple[Proposal, Proposal]]) -> Iterator[Proposal]:
    for one, other in islice(pairs, 4 * MOST_PAIRS):
        pair = joined(one, other)
        if pair is not None:
            yield pair
