"""What holds for every edit that is drawn, on generated and on real code."""

import ast
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.edits.spans import apply_edits
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Failure, Source
from agent.repair.templates import HIGHEST_PRIOR, HIGHEST_UNGUIDED, drawn
from tests.support.repair import DATA, a_source

MODULES = [
    path
    for path in sorted(DATA.glob("*/project/*.py"))
    if not path.stem.startswith(("test_", "conftest"))
]
ERRORS = [
    ("NameError", "name 'a' is not defined"),
    ("AttributeError", "'NoneType' object has no attribute 'b'"),
    ("AttributeError", "'A' object has no attribute 'b'"),
    ("KeyError", "'b'"),
    ("IndexError", "list index out of range"),
    ("ZeroDivisionError", "division by zero"),
    ("TypeError", "f() takes 1 positional argument but 2 were given"),
    ("TypeError", "f() missing 1 required positional argument: 'b'"),
    ("TypeError", "f() got an unexpected keyword argument 'b'"),
    ("TypeError", "'coroutine' object is not iterable"),
    ("TypeError", "unsupported operand type(s) for +: 'NoneType' and 'int'"),
    ("TypeError", 'can only concatenate str (not "int") to str'),
    ("UnboundLocalError", "cannot access local variable 'a' where it is not"),
    ("ValueError", "max() arg is an empty sequence"),
    ("RecursionError", "maximum recursion depth exceeded"),
    ("AssertionError", ""),
]
STATEMENTS = [
    "{0} = {1}",
    "{0} += {1}",
    "{0}.append({1})",
    "return {1}",
    "if {1}:\n        return {0}",
    "for {0} in {1}:\n        continue",
    "while {1}:\n        break",
    "try:\n        {0}({1})\n    except KeyError:\n        raise",
    "with {1} as {0}:\n        pass",
    "assert {1}",
    "yield {1}",
    "raise ValueError({1})",
    "del {0}[{1}]",
]
VALUES = [
    "{0}",
    "{0}.b",
    "{0}[{1}]",
    "{0}[{1}:]",
    "f({0}, b={1})",
    "{0}.get({1})",
    "{0} + {1}",
    "{0} < {1}",
    "{0} and {1}",
    "not {0}",
    "-{0}",
    "[{0}, {1}]",
    "({0}, {1})",
    "{{{0}: {1}}}",
    "[{0} for {0} in {1}]",
    "{0} if {1} else None",
    "lambda a: {0}",
    "'%s' % {0}",
    "f'{{{0}}}'",
    "r'[a-z]+\\d'",
    "isinstance({0}, int)",
    "1",
    "None",
    "True",
]
names = st.sampled_from(["a", "b", "self", "new_a", "items"])


def values(depth: int) -> st.SearchStrategy[str]:
    inner = names if not depth else values(depth - 1) | names
    return st.builds(str.format, st.sampled_from(VALUES), inner, inner)


functions = st.lists(
    st.builds(str.format, st.sampled_from(STATEMENTS), names, values(1)), min_size=1, max_size=5
).map(lambda lines: "def f(self, a, b=1):\n" + "".join(f"    {line}\n" for line in lines))
failures = st.none() | st.builds(
    lambda error: Failure(error=error[0], message=error[1], is_crash=True),
    st.sampled_from(ERRORS),
)


def every(source: Source, failure: Failure | None) -> list[Sketch]:
    return [sketch for region in source.regions for sketch in drawn(source, region, failure)]


def check(source: Source, sketches: list[Sketch]) -> None:
    """What holds for each: inside the file, nothing twice, known tier and prior."""
    for sketch in sketches:
        assert sketch.edits
        apply_edits(source.data, sketch.edits)  # raises where edits overlap or lie outside
        limit = HIGHEST_UNGUIDED if sketch.tier else HIGHEST_PRIOR
        assert 0 < sketch.prior <= limit, sketch
        assert 0 <= sketch.tier <= 3
        assert sketch.template


def parses(data: bytes) -> bool:
    try:
        ast.parse(data)
    except (SyntaxError, ValueError):
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(functions, failures)
def test_every_edit_of_a_function_lies_inside_and_most_parse(
    text: str, failure: Failure | None
) -> None:
    source = a_source(text)
    sketches = every(source, failure)
    check(source, sketches)
    if not parses(source.data):
        return
    some = random.Random(text).sample(sketches, min(60, len(sketches)))
    good = sum(parses(apply_edits(source.data, sketch.edits)) for sketch in some)
    assert good >= 0.8 * len(some)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_edit_of_real_code_lies_inside_and_nearly_all_parse(path: Path) -> None:
    source = a_source(path.read_text(encoding="utf-8"))
    sketches = every(source, None)
    check(source, sketches)
    some = sketches[:: max(1, len(sketches) // 200)]
    good = sum(parses(apply_edits(source.data, sketch.edits)) for sketch in some)
    assert good >= 0.95 * len(some)


def test_a_statement_of_usual_size_draws_a_few_hundred_at_most() -> None:
    counts = [
        sum(1 for _ in drawn(source, region, None))
        for source in (a_source(path.read_text(encoding="utf-8")) for path in MODULES)
        for region in source.regions
    ]
    counts.sort()
    assert counts[len(counts) // 2] <= 300
    assert counts[9 * len(counts) // 10] <= 800


def test_what_takes_code_away_is_flagged_whatever_the_tier() -> None:
    source = a_source("def f(a):\n    a.check()\n    return a\n")
    shorter = [
        sketch
        for sketch in every(source, None)
        if all(not edit.text.strip() and edit.end > edit.start for edit in sketch.edits)
    ]
    assert shorter
    assert all(Flag.DELETES in sketch.flags for sketch in shorter)
