"""Reports and verdicts as values."""

import pytest

from agent.verify.baseline import second_selection
from agent.verify.report import Outcome, TestReport
from agent.verify.verdict import Broken, Green, Regressed, Tampered, Unchanged, verdict_name
from tests.support.reports import a_baseline, a_report, a_result, an_id, outcomes

EMPTY = TestReport(results={})


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ((), None),
        (("passed",), Outcome.PASSED),
        (("passed", "skipped"), Outcome.PASSED),
        (("passed", "failed"), Outcome.FAILED),
        (("passed", "error"), Outcome.ERROR),
        (("skipped",), Outcome.SKIPPED),
        (("xfailed", "skipped"), Outcome.XFAILED),
    ],
)
def test_a_file_ends_as_its_worst_test(inside: tuple[str, ...], expected: Outcome | None) -> None:
    report = a_report(*(a_result(f"a.py::t{n}", o) for n, o in enumerate(inside)))
    assert report.outcome("a.py") is expected


def test_passing_and_failing_are_told_apart() -> None:
    report = outcomes(a="passed", b="failed", c="skipped", d="xfailed", e="xpassed", f="error")
    assert report.passing == (an_id("a"), an_id("d"))
    assert report.failing == (an_id("b"), an_id("f"))


def test_flaky_tests_do_not_count_as_passing_on_the_base() -> None:
    baseline = a_baseline(outcomes(a="passed", b="passed", c="failed"), flaky=("b",))
    assert baseline.passing == (an_id("a"),)


def test_durations_set_the_limits() -> None:
    baseline = a_baseline(outcomes(a="passed", c="failed"))
    assert baseline.timeout_for((an_id("a"),)) < baseline.timeout_s
    assert baseline.timeout_for((an_id("unknown"),)) > baseline.timeout_for((an_id("a"),))


def test_the_second_run_takes_what_failed_and_a_sample_last_first() -> None:
    results = [a_result(an_id(f"{n:03}"), duration_s=0.1) for n in range(50)]
    report = a_report(*results, a_result(an_id("red"), "failed"))
    chosen = second_selection(report, seed=7, sample_s=1.0)
    assert chosen[0] == an_id("red")
    assert 9 <= len(chosen) - 1 <= 11
    assert list(chosen) == sorted(chosen, reverse=True)
    assert chosen == second_selection(report, seed=7, sample_s=1.0)
    assert set(chosen) != set(second_selection(report, seed=8, sample_s=1.0))
    assert len(second_selection(report, seed=7, sample_s=99.0)) == 51


@pytest.mark.parametrize(
    ("verdict", "name"),
    [
        (Green(after=EMPTY, fixed=(), still_failing=(), restored=(), receipt=""), "green"),
        (Regressed(after=EMPTY, broken=(), fixed=()), "regressed"),
        (Unchanged(after=EMPTY, still_failing=()), "unchanged"),
        (Broken(why="", infrastructure=False), "broken"),
        (Tampered(why=""), "tampered"),
    ],
)
def test_every_verdict_has_its_word(verdict: object, name: str) -> None:
    assert verdict_name(verdict) == name
