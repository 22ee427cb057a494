"""Puts patches that did the same on every input into one group.

Inputs that no caller would think of say nothing: where the untouched code itself cannot handle a
type, it does not matter how else a patch fails to.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agent.repair.validate.observing import Outcome, Seen, Tried

FEWEST_SHARE: Final = 0.5
"""Share of the inputs that a patch must have been seen on to be grouped."""
_MISUSE: Final = ("TypeError", "AttributeError")


def telling(seen: Seen) -> tuple[int, ...]:
    """Return the indexes of inputs by which patches are told apart, in the order of the inputs."""
    known = {one.base.error for one in seen.inputs if one.is_recorded} - {""}
    return tuple(
        index
        for index, one in enumerate(seen.inputs)
        if one.is_recorded or not _is_misuse(index, one, seen) or one.base.error in known
    )


def _is_misuse(index: int, tried: Tried, seen: Seen) -> bool:
    """Tell whether an input near the tests' own has a type that the code is not made for."""
    if tried.base.error in _MISUSE:
        return True
    outcomes = (patch[index] for patch in seen.patches if index in patch)
    return tried.is_nothing and any(outcome.error in _MISUSE for outcome in outcomes)


def groups(seen: Seen, inputs: Sequence[int]) -> tuple[int, ...]:
    """Number the group of each patch, from 1 in order of appearance; 0: seen on too few inputs.

    A patch belongs to the first group with which it agrees wherever both were seen.
    """
    known: list[dict[int, str]] = []
    found: list[int] = []
    for patch in seen.patches:
        digests = {index: patch[index].digest for index in inputs if index in patch}
        if not digests or len(digests) < FEWEST_SHARE * len(inputs):
            found.append(0)
            continue
        number = next(_agreeing(digests, known), None)
        if number is None:
            known.append(digests)
            number = len(known)
        else:
            known[number - 1] = {**digests, **known[number - 1]}
        found.append(number)
    return tuple(found)


def _agreeing(digests: Mapping[int, str], known: Sequence[Mapping[int, str]]) -> Iterator[int]:
    for number, group in enumerate(known, 1):
        common = digests.keys() & group.keys()
        if common and all(digests[index] == group[index] for index in common):
            yield number


def firsts(numbers: Sequence[int]) -> dict[int, int]:
    """Return for each group the index of its first patch, in order of appearance."""
    found: dict[int, int] = {}
    for index, number in enumerate(numbers):
        if number:
            found.setdefault(number, index)
    return found


def outcome_of(seen: Seen, patch: int, index: int) -> Outcome | None:
    """Return what a patch (-1: none) does with an input; None where nobody saw it."""
    return seen.inputs[index].base if patch < 0 else seen.patches[patch].get(index)
