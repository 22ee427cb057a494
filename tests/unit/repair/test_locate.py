"""Ranking lines by what ran in which test."""

import pytest

from agent.repair.formulas import ochiai
from agent.repair.lang import grammar_for
from agent.repair.locate import (
    LONG_UNCHANGED,
    Suspicions,
    Trace,
    boosted,
    relevant_passing,
    suspicions,
)
from agent.repair.source import Failure
from agent.repair.suspects import PLAIN_SIGNATURE, SIGNATURE, suspects
from agent.repo.languages import Language
from agent.task import RepoPath, TestId

A, B, TEST = RepoPath("a.py"), RepoPath("b.py"), RepoPath("test_a.py")


def a_trace(name: str, *, passed: bool, **lines: list[int]) -> Trace:
    return Trace(
        test=TestId(name),
        passed=passed,
        lines={RepoPath(f"{stem}.py"): numbers for stem, numbers in lines.items()},
    )


def is_target(path: RepoPath) -> bool:
    return path != TEST


def test_lines_of_failing_tests_alone_come_first() -> None:
    found = suspicions(
        [
            a_trace("t1", passed=False, a=[1, 2, 3], test_a=[9]),
            a_trace("t2", passed=True, a=[1, 4]),
            a_trace("t3", passed=True, a=[1]),
        ],
        is_target,
    )
    assert set(found.lines) == {(A, 1), (A, 2), (A, 3)}
    assert found.lines[A, 2] == found.lines[A, 3] == 1.0
    assert found.lines[A, 1] == pytest.approx(1 / 3)


def test_another_formula_gives_other_scores_to_the_same_lines() -> None:
    traces = [
        a_trace("t1", passed=False, a=[1, 2]),
        a_trace("t2", passed=True, a=[1]),
        a_trace("t3", passed=True, a=[1]),
    ]
    found = suspicions(traces, is_target, formula=ochiai)
    assert found.lines == {(A, 1): pytest.approx(1 / 3**0.5), (A, 2): 1.0}


def test_lines_that_changed_of_late_come_before_others_as_suspicious() -> None:
    found = Suspicions(lines={(A, 1): 0.9, (A, 2): 0.9, (A, 3): 0.4})
    after = boosted(found, {(A, 2): 1.0, (A, 3): 0.5, (B, 7): 1.0})
    assert after.lines == {
        (A, 1): pytest.approx(0.9 * LONG_UNCHANGED),
        (A, 2): 0.9,
        (A, 3): pytest.approx(0.4 * (1 + LONG_UNCHANGED) / 2),
    }


def test_a_change_that_no_failing_test_runs_changes_nothing() -> None:
    found = Suspicions(lines={(A, 1): 0.9})
    assert boosted(found, {(A, 2): 1.0, (B, 1): 1.0}) == found
    assert boosted(found, {}) == found


def test_the_line_that_crashed_comes_before_its_callers() -> None:
    trace = Trace(
        test=TestId("t"),
        passed=False,
        lines={A: [1, 2], B: [5]},
        errors=(
            {
                "type": "KeyError",
                "message": "'x'",
                "frames": [["test_a.py", 3, "t"], ["a.py", 2, "f"], ["b.py", 5, "g"]],
                "locals": {"x": "dict"},
            },
        ),
    )
    others = [a_trace("p", passed=True, a=[1, 2], b=[5])] * 3
    found = suspicions([trace, *others], is_target)
    assert found.lines[B, 5] == 1.0 > found.lines[A, 2] > found.lines[A, 1]
    assert found.failures == {
        (B, 5): Failure(error="KeyError", message="'x'", is_crash=True, local_types={"x": "dict"}),
        (A, 2): Failure(error="KeyError", message="'x'", is_crash=False),
    }


def test_a_failure_inside_the_test_says_nothing_of_a_line() -> None:
    error = {"type": "AssertionError", "message": "", "frames": [["test_a.py", 3, "t"]]}
    trace = Trace(test=TestId("t"), passed=False, lines={A: [1]}, errors=(error,))
    assert suspicions([trace], is_target).failures == {}


def test_passing_tests_are_relevant_by_what_they_share() -> None:
    traces = [
        a_trace("far", passed=True, a=[9]),
        a_trace("near", passed=True, a=[1, 2]),
        a_trace("some", passed=True, a=[1]),
        a_trace("red", passed=False, a=[1]),
    ]
    lines = {(A, 1): 0.5, (A, 2): 1.0}
    assert relevant_passing(traces, lines) == ("near", "some")
    assert relevant_passing(traces, lines, most=1) == ("near",)


CODE = b"""\
from b import LIMIT

STEP = 2


class Counter:
    start = 1

    def up(self, by=STEP):
        self.value = self.start + by
        return self.value

    def idle(self):
        return None
"""
FILES = {A: CODE, B: b"LIMIT = 3\nOTHER = 4\n", TEST: b"UNUSED = 1\n"}


def suspected(lines: dict[int, float], words: frozenset[str] = frozenset()) -> dict[str, float]:
    found = Suspicions(lines={(A, line): score for line, score in lines.items()})
    ranking = suspects(
        found,
        FILES.get,
        [A, B],
        lambda path: grammar_for(Language.PYTHON) if path != TEST else None,
        words,
    )
    assert [one.score for one in ranking] == sorted((o.score for o in ranking), reverse=True)
    return {one.source.text(one.region.node).split("\n")[0]: one.score for one in ranking}


def test_values_are_suspected_by_the_statements_that_name_them() -> None:
    found = suspected({10: 1.0, 11: 0.5})
    assert found == {
        "self.value = self.start + by": 1.0,
        "def up(self, by=STEP):": pytest.approx(0.7),
        "return self.value": 0.5,
        "start = 1": pytest.approx(0.6),
    }


def test_a_name_is_looked_for_only_where_it_can_be_meant() -> None:
    files = {
        A: b"from b import STEP\n\n\ndef f(limit):\n    return limit.start + STEP\n",
        B: b"limit = 3\nSTEP = 2\nstart = 4\n\n\nclass Box:\n    STEP = 5\n    start = 6\n",
    }
    found = Suspicions(lines={(A, 5): 1.0})
    ranking = suspects(found, files.get, [A, B], lambda _path: grammar_for(Language.PYTHON))
    elsewhere = [one for one in ranking if one.source.path == B]
    # A local variable means nothing outside, a bare name no member of a class
    assert {(one.line, one.code) for one in elsewhere} == {
        (2, "STEP = 2"),
        (3, "start = 4"),
        (8, "start = 6"),
    }


def test_a_signature_without_defaults_is_suspected_less() -> None:
    text = b"def plain(a):\n    return a\n\n\ndef default(a=1):\n    return a\n"
    found = Suspicions(lines={(A, 2): 1.0, (A, 6): 1.0})
    ranking = suspects(found, {A: text}.get, [A], lambda _path: grammar_for(Language.PYTHON))
    scores = {one.line: one.score for one in ranking}
    assert scores[1] == pytest.approx(PLAIN_SIGNATURE)
    assert scores[5] == pytest.approx(SIGNATURE)


def test_values_that_the_test_names_are_suspected_a_little() -> None:
    found = suspected({10: 1.0}, frozenset({"STEP", "LIMIT"}))
    assert found["STEP = 2"] == found["LIMIT = 3"] == pytest.approx(0.3)
    assert "OTHER = 4" not in found


def test_files_that_cannot_be_read_are_left_out() -> None:
    found = Suspicions(lines={(RepoPath("gone.py"), 1): 1.0})
    assert suspects(found, FILES.get, [], lambda _path: grammar_for(Language.PYTHON)) == []
