"""How often each kind of edit is the right one, learnt from small fixes in public histories.

A template knows by hand how its own edits compare with each other; what was learnt is how the
templates compare, and the details of one (which operator, which function around it) where enough
was seen. Nothing is learnt here: `python -m tests.bench.repair priors` writes the data file, and
what it rests on stands in it. Of what it knows nothing the prior set by hand counts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from agent.repair.proposal import Sketch

LOWEST: Final = 0.005
"""No edit is put off for good."""
HIGHEST: Final = 0.7
"""Without an error message to go by nothing comes before what one leads to."""
LONGEST_DETAIL: Final = 60
"""Bytes of the text put in; a longer one is no detail but somebody's code."""

_BARE: Final = re.compile(r"(?:[^\w\s\"'(\[{]{1,3}=?|-?\d+(?:\.\d+)?|\[\]|\(\)|\{\}|''|\"\")")
_WORDS: Final = frozenset(
    {"and", "or", "in", "not in", "is", "is not", "not", "None", "True", "False"}
    | {"break", "continue"}
)
_ADDED: Final = re.compile(
    r".*?(\.\w+\(\)| [+-] 1|\[-?\d*:?-?\d*\]| is not None| is None)", re.DOTALL
)
_WRAPPED: Final = re.compile(r"(\w+\()|(not )|(-)|(::-1)|(self\.)")


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt of one template."""

    factor: float
    """By what a hand prior of the template is multiplied."""
    details: Mapping[str, float]
    """The same for a detail of it, in the place of `factor`."""


def weighed(sketch: Sketch) -> float:
    """Return how often such an edit is right: as learnt, else as set by hand.

    Edits that an error message led to keep the prior set by hand: the histories tell no messages.
    Nor do they tell how often taking code away pleases tests and nobody else, so an edit with a
    warning sign never comes forward by them.
    """
    if sketch.tier == 0:
        return sketch.prior
    learnt = table().get(sketch.template)
    if learnt is None:
        return sketch.prior
    factor = learnt.details.get(detail(sketch), learnt.factor) if learnt.details else learnt.factor
    if sketch.flags:
        factor = min(factor, 1.0)
    return min(max(sketch.prior * factor, LOWEST), HIGHEST)


def detail(sketch: Sketch) -> str:
    """Return what a template put in, as far as it means the same in every program; else nothing.

    An operator, a constant, `.strip()` at the end, `len(` at the start.
    """
    if len(sketch.edits) != 1 or len(sketch.edits[0].text) > LONGEST_DETAIL:
        return ""
    text = sketch.edits[0].text.decode("utf-8", "replace").strip()
    if not text or text in _WORDS or _BARE.fullmatch(text):
        return text
    if added := _ADDED.fullmatch(text):
        return added[1].strip()
    wrapped = _WRAPPED.match(text)
    return wrapped[0] if wrapped else ""


@cache
def table() -> Mapping[str, Learnt]:
    """Return what was learnt, by the template's name."""
    text = files("agent.repair").joinpath("data", "priors.json").read_text(encoding="utf-8")
    return {
        name: Learnt(
            factor=float(known["factor"]),
            details={key: float(each["factor"]) for key, each in known.get("details", {}).items()},
        )
        for name, known in json.loads(text)["templates"].items()
    }
