"""What was learnt of the kinds of edits, and how it weighs them."""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

import agent.repair
from agent.edits.spans import ByteEdit
from agent.repair.priors import HIGHEST, LOWEST, detail, table, weighed
from agent.repair.proposal import Flag, Sketch

TEMPLATES = Path(agent.repair.__file__).parent
LEARNT = json.loads(files("agent.repair").joinpath("data", "priors.json").read_text())
EVERYWHERE = ", at all like places"


def a_sketch(
    text: str, *, template: str = "nobody knows", prior: float = 0.4, tier: int = 1
) -> Sketch:
    return Sketch((ByteEdit(3, 5, text.encode()),), template, prior, tier)


def names_in_templates() -> Iterator[str]:
    """Every text in the templates and in the languages; a template's name is one of them."""
    for folder in ("templates", "lang"):
        for path in (TEMPLATES / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_every_template_that_was_learnt_of_is_still_there() -> None:
    known = set(names_in_templates())
    assert [
        name for name in LEARNT["templates"] if name.removesuffix(EVERYWHERE) not in known
    ] == []


def test_what_nothing_was_learnt_of_keeps_the_prior_set_by_hand() -> None:
    assert weighed(a_sketch("x", prior=0.37)) == 0.37


def test_what_an_error_message_led_to_keeps_the_prior_set_by_hand() -> None:
    for name in table():
        assert weighed(a_sketch("x", template=name, prior=0.95, tier=0)) == 0.95


def test_no_unguided_edit_is_put_before_all_guided_ones_or_off_for_good() -> None:
    for name, learnt in table().items():
        for text in ["some_name", *learnt.details]:
            for prior in (0.001, 0.1, 0.9):
                assert LOWEST <= weighed(a_sketch(text, template=name, prior=prior)) <= HIGHEST


def test_what_takes_code_away_does_not_come_forward() -> None:
    name = max(table(), key=lambda each: table()[each].factor)
    plain = a_sketch("some_name", template=name, prior=0.1)
    flagged = replace(plain, flags=frozenset({Flag.DELETES}))
    assert weighed(flagged) == 0.1 < weighed(plain)


def test_edits_of_one_template_keep_their_order() -> None:
    for name in table():
        low, high = (weighed(a_sketch("some_name", template=name, prior=p)) for p in (0.1, 0.3))
        assert low <= high


def test_the_data_say_how_they_were_obtained() -> None:
    about = LEARNT["about"]
    assert about["command"].startswith("python -m tests.bench.repair priors")
    assert about["fixes"] > about["within_reach"] > 100
    assert sum(about["repositories"].values()) == about["fixes"]
    ranks = about["mean_reciprocal_place"]
    assert ranks["learnt_from_other_repositories"] >= ranks["by_hand"]


def test_counts_of_details_are_part_of_their_templates() -> None:
    for known in LEARNT["templates"].values():
        details = known.get("details", {}).values()
        assert sum(each["right"] for each in details) <= known["right"] <= known["drawn"]
        assert sum(each["drawn"] for each in details) <= known["drawn"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<=", "<="),
        ("not in", "not in"),
        ("None", "None"),
        ("-1", "-1"),
        ("[]", "[]"),
        ("name.strip()", ".strip()"),
        ("len(rows)", "len("),
        ("count + 1", "+ 1"),
        ("rows[1:]", "[1:]"),
        ("value is not None", "is not None"),
        ("not found", "not "),
        ("self.rows", "self."),
        ("rows", ""),
        ("first second", ""),
        ("", ""),
        ("x" * 100 + ".strip()", ""),
    ],
)
def test_a_detail_is_what_means_the_same_in_every_program(text: str, expected: str) -> None:
    assert detail(a_sketch(text)) == expected


def test_several_edits_at_once_have_no_detail() -> None:
    sketch = Sketch((ByteEdit(0, 1, b"<"), ByteEdit(4, 5, b"<")), "another operator", 0.5)
    assert detail(sketch) == ""
