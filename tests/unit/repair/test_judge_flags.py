"""Shapes of edits that please tests and nobody else, seen in the trees before and after."""

import pytest

from agent.edits.spans import ByteEdit
from agent.repair.judge.flags import flagged, flags_of
from agent.repair.lang import grammar_for
from agent.repair.proposal import Flag
from agent.repo.languages import Language
from agent.task import RepoPath
from tests.support.repair import a_source, a_unit_proposal

BASE = """\
def f(a, b):
    check(a)
    if a and not b:
        return a + b
    try:
        x = a[b]
    except KeyError:
        raise ValueError(b)
    for item in a:
        if item:
            x += item
    return x
"""


@pytest.mark.parametrize(
    ("before", "after", "flags"),
    [
        ("    check(a)\n", "", {Flag.DELETES}),
        ("if a and not b:", "if a:", {Flag.DELETES}),
        ("        raise ValueError(b)\n", "        pass\n", {Flag.SWALLOWS}),
        ("except KeyError:", "except:", {Flag.SWALLOWS}),
        ("return a + b", "return 0", {Flag.CONSTANT}),
        ("return a + b", "return []", {Flag.CONSTANT}),
        ("x = a[b]", "x = None", {Flag.CONSTANT}),
        ("    return x\n", "    return x\n    return a\n", {Flag.UNREACHABLE}),
        ("x += item", "raise KeyError\n            x += item", {Flag.UNREACHABLE}),
        ("if item:", "if False:", {Flag.UNREACHABLE}),
        ("x += item", "continue\n            x += item", {Flag.UNREACHABLE}),
        (
            "    check(a)\n",
            "    try:\n        check(a)\n    except TypeError:\n        return a\n",
            {Flag.SWALLOWS},
        ),
    ],
)
def test_it_is_flagged(before: str, after: str, flags: set[Flag]) -> None:
    assert flags_in(before, after) == flags


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return a + b", "return a - b"),
        ("return a + b", "return a"),
        ("if a and not b:", "if a or not b:"),
        ("if a and not b:", "if a and b:"),
        ("    check(a)\n", "    if not a:\n        return 0\n    check(a)\n"),
        ("    check(a)\n", "    x = 0\n    check(a)\n"),
        ("except KeyError:", "except (KeyError, IndexError):"),
        ("except KeyError:", "except IndexError:"),
        ("    check(a)\n", "    check(a)\n    # nothing\n"),
        (
            "    check(a)\n",
            "    try:\n        check(a)\n    except TypeError:\n        raise KeyError\n",
        ),
    ],
)
def test_it_is_not_flagged(before: str, after: str) -> None:
    assert flags_in(before, after) == frozenset()


def flags_in(before: str, after: str) -> frozenset[Flag]:
    assert before in BASE
    edited = BASE.replace(before, after)
    return flags_of(grammar_for(Language.PYTHON), BASE.encode(), edited.encode())


def test_flags_of_the_edit_join_those_of_the_template() -> None:
    source = a_source("def f(a):\n    check(a)\n    return a + 1\n")
    constant = a_unit_proposal(source, "a + 1", "0")
    renamed = a_unit_proposal(source, "a + 1", "a + 2")
    found = flagged((constant, renamed), lambda _path: source.data)
    assert [one.sketch.flags for one in found] == [{Flag.CONSTANT}, frozenset()]
    assert found[1] is renamed
    assert found[0].sketch.edits == constant.sketch.edits


def test_an_edit_outside_of_functions_is_compared_in_its_file() -> None:
    source = a_source("LIMIT = compute()\n")
    patch = (a_unit_proposal(source, "compute()", "3"),)
    (found,) = flagged(patch, lambda _path: source.data)
    assert found.sketch.flags == {Flag.CONSTANT}


def test_a_file_that_is_gone_or_unknown_gets_no_flag() -> None:
    source = a_source("LIMIT = compute()\n", "notes.txt")
    patch = (a_unit_proposal(source, "compute()", "3"),)
    assert flagged(patch, lambda _path: source.data) == patch
    assert flagged(patch, lambda _path: None) == patch
    assert patch[0].path == RepoPath("notes.txt")
    assert patch[0].sketch.edits == (ByteEdit(8, 17, b"3"),)
