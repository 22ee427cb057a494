"""Files by the words of a text: rare words weigh more, names more than text, paths most.

A probabilistic weighting as BM25 has it, with every word counted once a file and without a malus
for length: large files are where faults are.
"""

import heapq
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from agent.repo.index.laid import Field
from agent.repo.ranking.clues import Reading, spellings

if TYPE_CHECKING:
    from agent.repo.index.view import View

_WEIGHTS: Final[Mapping[Field, float]] = {"words": 1.0, "names": 1.0, "path": 2.5}
_COMMON: Final = 0.4
"""A word that is in a larger share of the files tells nothing."""
_FEW_FILES: Final = 40
"""Where there are so few files, shares mean little."""
_MOST_TERMS: Final = 48


def by_words(
    view: "View", reading: Reading, *, most: int
) -> tuple[dict[int, float], dict[int, list[str]]]:
    """Return the scores of the best files by number, and the words that count most for each."""
    total = max(view.file_count(), 1)
    scores: dict[int, float] = {}
    told: list[tuple[str, float, dict[int, float]]] = []
    for term, weight in _rarest(view, reading.terms, total):
        best: dict[int, float] = {}
        for field, share in _WEIGHTS.items():
            for number, likeness in _holding(view, term, field).items():
                best[number] = best.get(number, 0.0) + share * likeness
        if not best or _is_common(len(best), total):
            continue
        gain = weight * _rarity(len(best), total)
        told.append((term, gain, best))
        for number, much in best.items():
            scores[number] = scores.get(number, 0.0) + gain * much
    chosen = heapq.nsmallest(most, scores, key=lambda number: (-scores[number], number))
    said = {number: _best(told, number) for number in chosen}
    return {number: scores[number] for number in chosen}, said


def _is_common(count: int, total: int) -> bool:
    return count > _COMMON * total and total > _FEW_FILES


def _rarest(view: "View", terms: Mapping[str, float], total: int) -> list[tuple[str, float]]:
    """Return the terms worth looking for: those whose weight and rarity are highest."""
    counts = view.counts(list(terms))
    contents = max(view.content_count(), 1)
    worth = [
        (weight * _rarity(counts.get(term, 0), total), term, weight)
        for term, weight in terms.items()
        if not _is_common(counts.get(term, 0), contents)
    ]
    worth.sort(key=lambda one: (-one[0], one[1]))
    return [(term, weight) for _, term, weight in worth[:_MOST_TERMS]]


def _holding(view: "View", term: str, field: Field) -> dict[int, float]:
    """Return the files that hold the term, or another form of it, with how alike it is."""
    found: dict[int, float] = {}
    for at, word in enumerate(spellings(term)):
        likeness = 1.0 if at == 0 else 0.7
        for number in view.holding(word, field):
            found[number] = max(found.get(number, 0.0), likeness)
    return found


def _rarity(count: int, total: int) -> float:
    return math.log(1 + (max(total, count) - count + 0.5) / (count + 0.5))


def _best(told: Iterable[tuple[str, float, Mapping[int, float]]], number: int) -> list[str]:
    gains = [(gain * best[number], term) for term, gain, best in told if number in best]
    return [term for _, term in sorted(gains, reverse=True)[:4]]
