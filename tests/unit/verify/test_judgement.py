"""Before and after, compared."""

from dataclasses import replace

import pytest

from agent.verify.judgement import Comparison, compare
from agent.verify.report import TestReport
from tests.support.reports import a_baseline, a_report, a_result, an_id, outcomes, uncollected

NOTHING = Comparison(
    fixed=(),
    still_failing=(),
    other_failing=(),
    broken=(),
    missing=(),
    altered=(),
    plugins=(),
)


def compared(before: TestReport, after: TestReport, *targets: str, flaky: tuple[str, ...] = ()):
    return compare(a_baseline(before, *targets, flaky=flaky), after, may_go=frozenset())


def test_a_target_that_passes_now_is_fixed() -> None:
    result = compared(outcomes(a="failed", b="passed"), outcomes(a="passed", b="passed"))
    assert result == replace(NOTHING, fixed=(an_id("a"),))


def test_a_failing_test_that_was_not_asked_for_stays_beside() -> None:
    before = outcomes(a="failed", b="error")
    result = compared(before, outcomes(a="passed", b="error"), "a")
    assert result == replace(NOTHING, fixed=(an_id("a"),), other_failing=(an_id("b"),))


@pytest.mark.parametrize("now", ["failed", "error", "skipped", "xfailed", "xpassed"])
def test_a_target_counts_as_fixed_only_when_it_passes(now: str) -> None:
    result = compared(outcomes(a="failed"), outcomes(a=now))
    assert (result.fixed, result.still_failing) == ((), (an_id("a"),))


@pytest.mark.parametrize("now", ["failed", "error", "skipped", "xfailed", "xpassed"])
def test_a_test_that_passed_is_broken_when_it_does_anything_else(now: str) -> None:
    result = compared(outcomes(a="failed", b="passed"), outcomes(a="passed", b=now))
    assert result.broken == (an_id("b"),)


@pytest.mark.parametrize("now", ["xfailed", "xpassed", "passed"])
def test_an_expected_failure_may_stay_or_begin_to_pass(now: str) -> None:
    assert compared(outcomes(a="failed", b="xfailed"), outcomes(a="passed", b=now)).broken == ()


@pytest.mark.parametrize("now", ["failed", "error", "skipped"])
def test_an_expected_failure_may_not_end_otherwise(now: str) -> None:
    result = compared(outcomes(a="failed", b="xfailed"), outcomes(a="passed", b=now))
    assert result.broken == (an_id("b"),)


def test_flaky_tests_count_neither_way() -> None:
    before = outcomes(a="failed", b="passed", c="failed")
    after = outcomes(a="passed", b="failed", c="passed")
    result = compared(before, after, "a", flaky=("b", "c"))
    assert (result.fixed, result.broken) == ((an_id("a"),), ())


def test_a_test_that_no_longer_runs_is_missing() -> None:
    result = compared(outcomes(a="failed", b="passed"), outcomes(a="passed"))
    assert (result.missing, result.broken) == ((an_id("b"),), ())


def test_tests_of_a_file_that_no_longer_imports_are_broken_not_missing() -> None:
    before = outcomes(a="failed", b="passed")
    after = replace(a_report(), collection_errors=(uncollected("tests/test_a.py"),))
    result = compared(before, after)
    assert result.missing == ()
    assert set(result.broken) == {an_id("a"), an_id("b")}


def test_a_file_that_may_go_is_not_missed() -> None:
    baseline = a_baseline(outcomes(a="failed", b="passed"))
    result = compare(baseline, a_report(), may_go=frozenset({"tests/test_a.py"}))
    assert result.missing == ()


def test_parameters_with_new_names_are_not_missing() -> None:
    before = a_report(a_result("t.py::a[<x at 0x1>]"), a_result("t.py::b", "failed"))
    after = a_report(a_result("t.py::a[<x at 0x2>]"), a_result("t.py::b"))
    assert compared(before, after).missing == ()
    gone = a_report(a_result("t.py::b"))
    assert compared(before, gone).missing == ("t.py::a[<x at 0x1>]",)


def test_a_new_test_that_fails_is_broken() -> None:
    result = compared(outcomes(a="failed"), outcomes(a="passed", new="failed"))
    assert result.broken == (an_id("new"),)


def test_a_file_that_can_be_collected_now_is_judged_by_all_its_tests() -> None:
    before = a_report(a_result("t.py", "error"))
    good = a_report(a_result("t.py::a"), a_result("t.py::b", "skipped"))
    assert compared(before, good).fixed == ("t.py",)
    bad = a_report(a_result("t.py::a"), a_result("t.py::b", "failed"))
    result = compared(before, bad)
    assert (result.still_failing, result.broken) == (("t.py",), ())


def test_only_what_was_not_replaced_on_the_base_counts_as_replaced() -> None:
    before = replace(outcomes(a="failed"), altered=("x",), plugins=("tests/conftest.py",))
    after = replace(
        outcomes(a="passed"), altered=("x", "y"), plugins=("shop.py", "tests/conftest.py")
    )
    result = compared(before, after)
    assert (result.altered, result.plugins) == (("y",), ("shop.py",))
