"""Learns from drawn edits and the right one among them by what each kind's prior is multiplied.

The prior set by hand, times a factor for the edit's kind, over the sum of the same of all that was
drawn beside it, is taken for the chance that the edit is the right one. The factors that make what
was seen likeliest are found by iterative scaling (Darroch and Ratcliff 1972): each is multiplied by
how often edits of its kind were right, over how often they were expected to be, both with as many
imagined observations as keep a rare kind near the prior set by hand.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from tests.bench.repair.priors_draws import Draw, Example, Key

TEMPLATE_WEIGHT: Final = 4.0
"""Imagined observations that speak for the prior set by hand."""
DETAIL_WEIGHT: Final = 6.0
"""The same for what the detail's template was found to be."""
FEWEST_OF_DETAIL: Final = 3
"""Right edits that a detail needs to be told apart from its template."""
ROUNDS: Final = 25
LEAST: Final = 0.02
"""Bounds of a factor."""
GREATEST: Final = 20.0

Factors = Mapping[Key, float]
"""By template and detail; a template's own has an empty detail."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where the right edit stood among those drawn at the same statements."""

    places: tuple[float, ...]

    @property
    def middle(self) -> float:
        """Median place, 1 is the first."""
        return median(self.places) if self.places else 0.0

    @property
    def reciprocal(self) -> float:
        """Mean of 1 / place."""
        return sum(1 / place for place in self.places) / max(len(self.places), 1)

    def within(self, share: int) -> float:
        """Share of right edits among the first so many."""
        return sum(place <= share for place in self.places) / max(len(self.places), 1)


def learn(examples: Sequence[Example]) -> dict[Key, float]:
    """Return a factor for each template seen, and for details of which enough was seen."""
    reached = [each for each in examples if each.right is not None]
    templates = _scaled(reached, frozenset(), {}, TEMPLATE_WEIGHT)
    told_apart = _details(reached)
    factors = _scaled(reached, told_apart, templates, DETAIL_WEIGHT)
    return _levelled({**templates, **factors}, reached)


def _scaled(
    reached: Sequence[Example], told_apart: frozenset[Key], start: Factors, weight: float
) -> dict[Key, float]:
    """Return a factor for each kind, held near where it starts by so many observations."""
    groups = [_by_key(each.draws, told_apart) for each in reached]
    right = Counter(_key(right_of(each), told_apart) for each in reached)
    first = {key: start.get((key[0], ""), 1.0) for group in groups for key in group}
    factors = dict(first)
    for _ in range(ROUNDS):
        for key, expected in _expected(groups, factors).items():
            held = weight * factors[key] / first[key]
            factors[key] = _bounded(factors[key] * (right[key] + weight) / (expected + held))
    return factors


def _bounded(factor: float) -> float:
    return min(max(factor, LEAST), GREATEST)


def right_of(example: Example) -> Draw:
    """Return the edit that is the fix. Raises: ValueError where none is."""
    if example.right is None:
        raise ValueError(f"no edit of {example.commit} is its fix")
    return example.draws[example.right]


def _details(reached: Iterable[Example]) -> frozenset[Key]:
    counts = Counter(right_of(each).key for each in reached)
    return frozenset(key for key, count in counts.items() if key[1] and count >= FEWEST_OF_DETAIL)


def _key(draw: Draw, told_apart: frozenset[Key]) -> Key:
    return draw.key if draw.key in told_apart else (draw.key[0], "")


def _by_key(draws: Iterable[Draw], told_apart: frozenset[Key]) -> dict[Key, float]:
    sums: defaultdict[Key, float] = defaultdict(float)
    for draw in draws:
        sums[_key(draw, told_apart)] += draw.prior
    return dict(sums)


def _expected(groups: Iterable[Mapping[Key, float]], factors: Factors) -> dict[Key, float]:
    """Return how many right edits of each kind the factors expect."""
    expected: defaultdict[Key, float] = defaultdict(float)
    for group in groups:
        whole = sum(prior * factors[key] for key, prior in group.items())
        for key, prior in group.items():
            expected[key] += prior * factors[key] / whole
    return dict(expected)


def _levelled(factors: dict[Key, float], reached: Sequence[Example]) -> dict[Key, float]:
    """Scale the factors so that right edits keep the prior that they have by hand on the whole.

    What was learnt says how kinds compare; against edits of which nothing was learnt, those that an
    error message led to, they shall stand where they stood.
    """
    weights = [factor_of(right_of(each), factors) for each in reached]
    priors = [right_of(each).prior for each in reached]
    learnt = sum(weight * prior for weight, prior in zip(weights, priors, strict=True))
    scale = sum(priors) / learnt if learnt else 1.0
    return {key: factor * scale for key, factor in factors.items()}


def factor_of(draw: Draw, factors: Factors) -> float:
    """Return what an edit's prior is multiplied by; 1 of what nothing is known."""
    return factors.get(draw.key, factors.get((draw.key[0], ""), 1.0))


def ranks(examples: Iterable[Example], factors: Factors) -> Ranks:
    """Return the places of the right edits; edits of one weight share the middle of theirs."""
    places = []
    for each in examples:
        if each.right is None:
            continue
        weights = [draw.prior * factor_of(draw, factors) for draw in each.draws]
        mine = weights[each.right]
        before = sum(weight > mine for weight in weights)
        alike = sum(weight == mine for weight in weights)
        places.append(before + (alike + 1) / 2)
    return Ranks(tuple(places))


def held_out(examples: Sequence[Example], power: float) -> Ranks:
    """Return the places with factors that were learnt from the other repositories only."""
    places: list[float] = []
    for repository in sorted({each.repository for each in examples}):
        others = [each for each in examples if each.repository != repository]
        factors = blended(learn(others), power)
        own = [each for each in examples if each.repository == repository]
        places.extend(ranks(own, factors).places)
    return Ranks(tuple(places))


def blended(factors: Factors, power: float) -> dict[Key, float]:
    """Return factors between none (0) and those learnt (1)."""
    return {key: factor**power for key, factor in factors.items()}


def counted(examples: Iterable[Example]) -> Iterator[tuple[Key, int, int]]:
    """Give each template and detail with how often it was drawn and was right."""
    drawn: Counter[Key] = Counter()
    right: Counter[Key] = Counter()
    for each in examples:
        drawn.update(draw.key for draw in each.draws)
        if each.right is not None:
            right[right_of(each).key] += 1
    for key in sorted(drawn):
        yield key, drawn[key], right[key]
