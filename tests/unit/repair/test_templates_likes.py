"""The same edit at like places, and two edits as one."""

from dataclasses import replace

import pytest

from agent.edits.spans import ByteEdit, apply_edits
from agent.repair.proposal import Flag, Proposal, Sketch
from agent.repair.source import Source
from agent.repair.templates.likes import like_places
from agent.repair.templates.pairs import joined
from tests.support.repair import a_source, results_of

SIBLINGS = """\
def lower(a, b):
    return a < b


def upper(a, b):
    return b < a


def between(a, b):
    return a < b
"""


def an_edit(source: Source, before: str, after: str, *, prior: float = 0.5) -> Sketch:
    start = source.data.index(before.encode())
    edit = ByteEdit(start, start + len(before.encode()), after.encode())
    return Sketch((edit,), "test", prior)


def a_proposal(text: str, before: str, after: str, *, path: str = "a.py") -> Proposal:
    source = a_source(text, path)
    sketch = an_edit(source, before, after)
    return Proposal(
        path=source.path,
        sketch=sketch,
        line=source.data.count(b"\n", 0, sketch.edits[0].start) + 1,
        suspicion=0.8,
        unit=source.unit(sketch.edits),
        before=before,
        after=after,
    )


def places_of(text: str, before: str, after: str) -> list[str]:
    source = a_source(text)
    found = like_places(source, an_edit(source, before, after))
    return [apply_edits(source.data, one.edits).decode() for one in found]


def test_the_same_expression_elsewhere_is_a_like_place() -> None:
    assert places_of(SIBLINGS, "<", "<=") == [
        SIBLINGS[: SIBLINGS.rindex("a < b")] + "a <= b\n",
    ]


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("a = b.c\nd = b.cat\n", "b.c", "b.e"),
        ("a = b(c)\nd = bb(c)\n", "c", "e"),
        ("a = f('b < c')\nd = b < c\n", "<", "<="),
        ("a = 1\n", "1", "2"),
    ],
)
def test_what_is_only_written_alike_is_no_like_place(text: str, before: str, after: str) -> None:
    source = a_source(text)
    start = text.rindex(before) if before == "<" else text.index(before)
    edit = ByteEdit(start, start + len(before), after.encode())
    assert like_places(source, Sketch((edit,), "test", 0.5)) == ()


def test_lines_that_are_put_in_have_no_like_places() -> None:
    source = a_source(SIBLINGS)
    assert like_places(source, Sketch((ByteEdit(0, 0, b"import a\n"),), "test", 0.5)) == ()


def test_the_header_of_a_statement_counts_and_not_its_body() -> None:
    text = "def f(a):\n    if a:\n        b()\n    if a:\n        c()\n"
    source = a_source(text)
    start = text.index("if a") + 3
    edit = ByteEdit(start, start + 1, b"a is not None")
    [other] = like_places(source, Sketch((edit,), "test", 0.5))
    assert other.edits[0].start == text.rindex("if a") + 3


def test_all_like_places_are_edited_at_once() -> None:
    after = SIBLINGS.replace("a < b", "a <= b")
    sketch = results_of(SIBLINGS)[after]
    assert (sketch.tier, len(sketch.edits)) == (2, 2)


def test_a_wrong_name_is_replaced_everywhere_in_its_statement() -> None:
    before = "def f(a, b):\n    return a + a * 2\n"
    assert "def f(a, b):\n    return b + b * 2\n" in results_of(before)


def test_a_wrong_name_is_replaced_everywhere_in_its_function() -> None:
    before = "def f(a, b):\n    c = a + 1\n    d = a * 2\n    return c + d\n"
    assert before.replace("= a", "= b") in results_of(before)


def test_what_would_fall_apart_at_another_place_is_not_repeated_there() -> None:
    before = "def f(a):\n    return g(a) + a.b\n"
    assert not any("a + 1.b" in text for text in results_of(before))


def test_two_edits_are_joined_in_their_order() -> None:
    one, other = a_proposal(SIBLINGS, "b < a", "b > a"), a_proposal(SIBLINGS, "a < b", "a <= b")
    both = joined(one, other)
    assert both is not None
    assert (both.sketch.tier, both.sketch.prior, both.suspicion) == (4, 0.25, 0.8)
    assert both.line == 2
    text = apply_edits(SIBLINGS.encode(), both.sketch.edits).decode()
    assert "b > a" in text
    assert "a <= b" in text
    assert both.unit is None


def test_two_edits_of_one_function_can_be_swapped_in_together() -> None:
    text = "def f(a, b):\n    c = a\n    return c < b\n"
    both = joined(a_proposal(text, "c = a", "c = b"), a_proposal(text, "<", ">"))
    assert both is not None
    assert both.unit == a_proposal(text, "<", ">").unit


@pytest.mark.parametrize(
    ("other", "path"), [(("a < b", "a > b"), "a.py"), (("b < a", "b > a"), "b.py")]
)
def test_edits_that_touch_or_lie_in_two_files_are_not_joined(
    other: tuple[str, str], path: str
) -> None:
    assert joined(a_proposal(SIBLINGS, "<", "<="), a_proposal(SIBLINGS, *other, path=path)) is None


def test_two_insertions_at_one_place_are_not_joined() -> None:
    one = a_proposal(SIBLINGS, "def lower", "def lower")
    put_in = (Sketch((ByteEdit(0, 0, text),), "test", 0.5) for text in (b"a = 1\n", b"b = 1\n"))
    first, second = (replace(one, sketch=sketch) for sketch in put_in)
    assert joined(first, second) is None


def test_flags_of_both_are_kept() -> None:
    one, other = a_proposal(SIBLINGS, "b < a", "b > a"), a_proposal(SIBLINGS, "a < b", "True")
    doubtful = replace(other, sketch=replace(other.sketch, flags=frozenset({Flag.CONSTANT})))
    both = joined(one, doubtful)
    assert both is not None
    assert both.sketch.flags == {Flag.CONSTANT}
