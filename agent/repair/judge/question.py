"""Chooses the input that tells groups of patches apart best, and writes its answers as tests.

The best input divides the first groups most evenly, makes nobody crash, and is short. Pure: whether
a test does what it says is tried elsewhere.
"""

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Final

from agent.repair.judge.groups import firsts, outcome_of
from agent.repair.validate.observing import Outcome, Seen, Tried, Typed

MOST_ASKED: Final = 5
"""Groups whose difference counts most, first ones first: no more patches are shown at once."""
MOST_ANSWERED: Final = 7
"""Groups whose answers are looked at, for a patch may drop out."""
LONGEST_NAME: Final = 48
_INDENT: Final = " " * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One possible answer to a question."""

    groups: frozenset[int]
    patch: int
    """One that answers so."""
    shown: str
    test: str
    value: str
    """What the test compares with, as source; empty where it raises."""
    fails_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One possible question."""

    call: str
    drafts: tuple[Draft, ...]


def questions(
    seen: Seen, inputs: Sequence[int], numbers: Sequence[int], taken: str
) -> Iterator[Asking]:
    """Yield questions about the groups, best first.

    `numbers` are the groups of the patches; `taken` is the text of the file that a test goes into,
    whose names are taken.
    """
    leaders = dict(islice(firsts(numbers).items(), MOST_ANSWERED))
    if len(leaders) < 2:
        return
    ranked = sorted(
        (worth, index) for index in inputs if (worth := _worth(seen, index, leaders)) is not None
    )
    for _worth_of_it, index in ranked:
        asking = _asking(seen, index, leaders, taken)
        if asking is not None:
            yield asking


def _worth(
    seen: Seen, index: int, leaders: Mapping[int, int]
) -> tuple[float, float, int, int, int] | None:
    """Return what sorts better questions first; None where an input asks nothing."""
    tried = seen.inputs[index]
    outcomes = [outcome_of(seen, patch, index) for patch in leaders.values()]
    if tried.typed is None:
        return None
    known = [outcome for outcome in outcomes if outcome is not None]
    first = [outcome for outcome in outcomes[:MOST_ASKED] if outcome is not None]
    digests = {outcome.digest for outcome in known}
    if len(digests) < 2 or len(known) < len(outcomes):
        return None
    crashes = sum(outcome.how not in {"returns", "drains"} for outcome in known)
    return (
        -_evenness(first) + (0.5 if crashes else 0.0),
        -_evenness(known),
        tried.base.digest in digests,
        len(tried.typed.inline),
        sum(len(outcome.value.shown) for outcome in known),
    )


def _evenness(outcomes: Sequence[Outcome]) -> float:
    """Return the entropy of the answers in bits, rounded so that small differences do not count."""
    counts = Counter(outcome.digest for outcome in outcomes).values()
    total = sum(counts)
    return round(-sum(count / total * math.log2(count / total) for count in counts), 1)


def _asking(seen: Seen, index: int, leaders: Mapping[int, int], taken: str) -> Asking | None:
    tried = seen.inputs[index]
    if tried.typed is None:
        return None
    by_digest: dict[str, list[int]] = {}
    for number, patch in leaders.items():
        outcome = outcome_of(seen, patch, index)
        by_digest.setdefault(outcome.digest if outcome else "", []).append(number)
    outcomes = [outcome_of(seen, leaders[numbers[0]], index) for numbers in by_digest.values()]
    answers = [outcome for outcome in outcomes if outcome is not None]
    writer = _Writer(tried, tried.typed, answers, _name(tried, taken))
    drafts = []
    for numbers, answer in zip(by_digest.values(), answers, strict=False):
        test = writer.test(answer)
        if test is None:
            return None
        drafts.append(
            Draft(
                groups=frozenset(numbers),
                patch=leaders[numbers[0]],
                shown=writer.shown(answer),
                test=test,
                value=writer.value(answer),
                fails_now=answer.digest != tried.base.digest,
            )
        )
    if any(_are_equal(one, other) for one, other in combinations(drafts, 2)):
        return None
    return Asking(call=tried.typed.inline, drafts=tuple(drafts))


def _are_equal(one: Draft, other: Draft) -> bool:
    """Tell whether a test could not tell the answers apart, as 1 from 1.0."""
    if one.test == other.test:
        return True
    try:
        values = [ast.literal_eval(draft.value) for draft in (one, other)]
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    return bool(values[0] == values[1])


class _Writer:
    """Writes the tests for the answers to one input, all in the same form."""

    def __init__(self, tried: Tried, typed: Typed, answers: Sequence[Outcome], name: str) -> None:
        self._typed = typed
        self._name = name
        self._is_drained = any(one.how == "drains" for one in (*answers, tried.base))
        values = {(answer.how, answer.value.source) for answer in answers}
        self._by_value = len(values) == len(answers)
        self._variable = "" if self._by_value else _telling_variable(answers)

    def shown(self, answer: Outcome) -> str:
        """Say the answer to a person."""
        if self._variable:
            return f"leaves {self._variable} as {self._left(answer)}"
        if answer.how == "raises":
            return f"raises {answer.value.shown}"
        return f"{'gives' if answer.how == 'drains' else 'returns'} {answer.value.shown}"

    def value(self, answer: Outcome) -> str:
        """Return what the answer is compared with; empty for an exception."""
        if answer.how == "raises":
            return ""
        return self._left(answer) if self._variable else answer.value.source

    def test(self, answer: Outcome) -> str | None:
        """Write the test that holds the answer to be right; None where none can say it."""
        lines = self._lines(answer)
        if lines is None:
            return None
        imports = {*self._typed.imports}
        if answer.how == "raises" or not self._variable:
            imports.update(answer.value.imports)
        for name, shown in answer.changed:
            if name == self._variable:
                imports.update(shown.imports)
        head = sorted(imports, key=lambda line: (line.startswith("from"), line))
        if answer.how == "raises":
            head = ["import pytest", "", *head]
        body = [_INDENT + line for line in lines]
        return "\n".join([*head, "", "", f"def {self._name}():", *body]) + "\n"

    def _lines(self, answer: Outcome) -> list[str] | None:
        if answer.how == "raises":
            if not answer.value.source:
                return None
            call = self._called(self._typed.inline)
            return [f"with pytest.raises({answer.value.source}):", _INDENT + call]
        if answer.how not in {"returns", "drains"}:
            return None
        if self._variable:
            left = self._left(answer)
            call = self._called(self._typed.named)
            check = f"assert {self._variable} == {left}"
            return [*self._typed.setup, call, check] if left else None
        if not answer.value.source:
            return None
        return [f"assert {self._called(self._typed.inline)} {_equals(answer.value.source)}"]

    def _called(self, call: str) -> str:
        return f"list({call})" if self._is_drained else call

    def _left(self, answer: Outcome) -> str:
        """Return what the variable is afterwards, as source; empty where nothing can say it."""
        for name, shown in answer.changed:
            if name == self._variable:
                return shown.source
        start = f"{self._variable} = "
        before = [line for line in self._typed.setup if line.startswith(start)]
        return before[0].removeprefix(start) if before else ""


def _telling_variable(answers: Sequence[Outcome]) -> str:
    """Return an argument that the answers leave differently, each in its own way."""
    names = dict.fromkeys(name for answer in answers for name, _shown in answer.changed)
    for name in names:
        left = {
            dict(answer.changed)[name].source for answer in answers if name in dict(answer.changed)
        }
        unchanged = any(name not in dict(answer.changed) for answer in answers)
        if "" not in left and len(left) + unchanged == len(answers):
            return name
    return ""


def _equals(source: str) -> str:
    return f"is {source}" if source in {"None", "True", "False"} else f"== {source}"


def _name(tried: Tried, taken: str) -> str:
    """Name a test after the function and its arguments, unlike all others of the file."""
    function = tried.function.rpartition(".")[2].strip("_")
    typed = tried.typed.inline if tried.typed else ""
    arguments = re.sub(r"\W+", "_", typed.partition("(")[2].replace("-", "minus ")).strip("_")
    name = f"test_{function}_{arguments}"[:LONGEST_NAME].rstrip("_").lower()
    unlike, number = name, 1
    while re.search(rf"\bdef {unlike}\b", taken):
        number += 1
        unlike = f"{name}_{number}"
    return unlike
