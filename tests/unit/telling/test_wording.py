"""Text from repositories is shown and never obeyed; numbers and verdicts read well."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.events import RunStarted
from agent.telling.wording import (
    age,
    asked_for,
    clean,
    colour,
    counted,
    duration,
    explanation,
    headline,
    one_line,
    shortened,
)


def explain(verdict: str, confidence: str | None, alternatives: int, still_failing: int = 0) -> str:
    return explanation(verdict, confidence, alternatives=alternatives, still_failing=still_failing)


VERDICTS = (
    "green",
    "none",
    "regressed",
    "unchanged",
    "broken",
    "tampered",
    "infrastructure",
    "interrupted",
    "error",
    "running",
)


@given(st.text(st.characters(codec=None, categories=None)))
def test_cleaned_text_holds_nothing_that_drives_a_terminal(text: str) -> None:
    cleaned = clean(text)
    unsafe = [
        char
        for char in cleaned
        if unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t"
    ]
    assert unsafe == []
    cleaned.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]8;;http://x\x07link", "\\x1b]8;;http://x\\x07link"),
        ("a\rb", "a\\rb"),
        ("caf\udce9", "caf\\udce9"),
        ("if \u202euser\u2066", "if \\u202euser\\u2066"),
        ("caf\u00e9 \u4e2d\n\tx", "caf\u00e9 \u4e2d\n\tx"),
    ],
)
def test_control_and_direction_characters_are_spelled_out(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_one_line_has_no_line_ends() -> None:
    assert one_line(" a\n  b\tc\r\n") == "a b c\\r"


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_shortened_text_keeps_to_its_limit(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= limit


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (65.0, "1 min 05 s"), (3720.0, "1 h 02 min")],
)
def test_durations_read_well(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(3, "now"), (300, "5 min ago"), (7200, "2 h ago"), (200_000, "2 d ago")],
)
def test_ages_read_well(seconds: float, expected: str) -> None:
    assert age(seconds) == expected


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [(1, "test", "1 test"), (2000, "test", "2,000 tests"), (2, "patch", "2 patches")],
)
def test_counts_read_well(count: int, noun: str, expected: str) -> None:
    assert counted(count, noun) == expected


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_words_and_a_colour(verdict: str) -> None:
    assert headline(verdict, None)
    assert colour(verdict, None) in {"green", "yellow", "red", "magenta", "cyan"}


@pytest.mark.parametrize("verdict", [v for v in VERDICTS if v not in {"green", "error"}])
def test_every_verdict_without_patch_is_explained(verdict: str) -> None:
    assert explain(verdict, None, 0).endswith(".")


def test_confidence_is_explained_in_words() -> None:
    assert explain("green", "likely", 1).startswith("The whole suite passes, without a warning")
    assert "(4 different patches found that do the same)" in explain("green", "likely", 4)
    assert "leave room for other changes (3 different patches" in explain("green", "plausible", 3)
    assert "the tests cannot say" in explain("green", "plausible", 1)
    assert explain("green", "ambiguous", 7).startswith("7 different patches make the same")
    assert explain("green", None, 0) == ""


def test_likely_does_not_claim_a_whole_suite_where_tests_still_fail() -> None:
    told = explain("green", "likely", 1, still_failing=2)
    assert told.startswith("Nothing that passed fails, 2 tests still failing, without")


def test_ambiguous_green_is_not_shown_as_green() -> None:
    assert colour("green", "ambiguous") == "yellow"
    assert colour("green", "likely") == "green"
    assert headline("green", "ambiguous") == "green, ambiguous"


@pytest.mark.parametrize(
    ("kind", "targets", "goal", "expected"),
    [
        ("fix", (), "", "every failing test"),
        ("fix", ("tests/test_a.py::test_b", "c.py"), "why", "tests/test_a.py::test_b c.py"),
        ("implement", (), "a mean\x1b[2J of values", '"a mean\\x1b[2J of values"'),
        ("implement", ("test_mean.py",), "m" * 200, '"' + "m" * 78 + "…"),
    ],
)
def test_what_a_run_is_about_is_said_in_a_line(kind, targets, goal, expected) -> None:
    started = RunStarted(
        run="r",
        kind=kind,
        repo="/repo",
        targets=targets,
        strategy="model",
        tool_version="1",
        goal=goal,
    )
    assert asked_for(started) == expected
