"""JUnit files, friendly and hostile."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.verify.junit import (
    CASES,
    JUNIT_BYTES,
    TEXT_CHARS,
    Case,
    Unreadable,
    read_junit,
    results_of,
)
from agent.verify.report import Outcome


def read(text: str) -> tuple[Case, ...]:
    cases = read_junit(text.encode())
    assert not isinstance(cases, Unreadable), cases.why
    return cases


def refused(data: bytes | str) -> str:
    cases = read_junit(data.encode() if isinstance(data, str) else data)
    assert isinstance(cases, Unreadable)
    return cases.why


def test_each_kind_of_case_is_read_as_what_it_is() -> None:
    cases = read(
        """<testsuites><testsuite name="pytest">
        <testcase classname="tests.test_a" name="test_p" time="0.25" />
        <testcase classname="tests.test_a" name="test_f"><failure message="assert 1 == 2"
            type="AssertionError">long text</failure></testcase>
        <testcase classname="tests.test_a" name="test_e"><error message="boom"/></testcase>
        <testcase classname="tests.test_a" name="test_s"><skipped type="pytest.skip"
            message="no"/></testcase>
        <testcase classname="tests.test_a" name="test_x"><skipped type="pytest.xfail"/></testcase>
        </testsuite></testsuites>"""
    )
    assert [(case.name, case.outcome) for case in cases] == [
        ("test_p", Outcome.PASSED),
        ("test_f", Outcome.FAILED),
        ("test_e", Outcome.ERROR),
        ("test_s", Outcome.SKIPPED),
        ("test_x", Outcome.XFAILED),
    ]
    assert cases[0].duration_s == 0.25
    assert (cases[1].error_type, cases[1].message) == ("AssertionError", "assert 1 == 2")


def test_a_single_suite_and_nested_suites_are_read() -> None:
    assert [case.name for case in read("<testsuite><testcase name='a'/></testsuite>")] == ["a"]
    nested = "<testsuites><testsuite><testcase name='a'/><testsuite><testcase name='b'/>"
    assert [c.name for c in read(nested + "</testsuite></testsuite></testsuites>")] == ["a", "b"]


def test_missing_attributes_become_empty_values() -> None:
    (case,) = read("<testsuite><testcase/></testsuite>")
    assert case == Case(
        class_name="", name="", outcome=Outcome.PASSED, duration_s=0.0, error_type="", message=""
    )


@pytest.mark.parametrize("time", ["abc", "-3", "nan", "1e400", ""])
def test_a_duration_that_is_none_counts_as_zero(time: str) -> None:
    (case,) = read(f"<testsuite><testcase name='a' time='{time}'/></testsuite>")
    assert case.duration_s == 0.0


def test_entities_are_refused_before_they_are_expanded() -> None:
    bomb = (
        '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;">]><testsuite>&y;</testsuite>'
    )
    assert "document type" in refused(bomb)
    external = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>'
    assert "document type" in refused(external)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"<testsuite>", "not readable"),
        (b"<html></html>", "not readable"),
        (b"<testsuite>\xff\xfe</testsuite>", "not readable"),
        ("<testsuite/>".encode("utf-16"), "usual encoding"),
        (b"<?xml version='1.0' encoding='utf-7'?><testsuite/>", "utf-7"),
        (b"x" * (JUNIT_BYTES + 1), "16 MB"),
    ],
)
def test_what_cannot_be_relied_on_is_refused_with_a_reason(data: bytes, word: str) -> None:
    assert word in refused(data)


def test_too_many_cases_are_refused() -> None:
    assert str(CASES) in refused("<testsuite>" + "<testcase/>" * (CASES + 2) + "</testsuite>")


def test_texts_are_cut() -> None:
    long = "x" * (TEXT_CHARS + 100)
    (case,) = read(
        f"<testsuite><testcase name='{long}'><failure>{long}</failure></testcase></testsuite>"
    )
    assert (len(case.name), len(case.message)) == (TEXT_CHARS, TEXT_CHARS)


def test_of_several_cases_with_one_name_the_worst_counts() -> None:
    fail = "<testcase classname='m' name='a'><failure/></testcase>"
    good = "<testcase classname='m' name='a'/>"
    for order in (fail + good, good + fail):
        results = results_of(read(f"<testsuite>{order}</testsuite>"))
        assert [(id_, r.outcome) for id_, r in results.items()] == [("m::a", Outcome.FAILED)]


def test_a_case_without_class_is_named_by_its_name() -> None:
    assert list(results_of(read("<testsuite><testcase name='a'/></testsuite>"))) == ["a"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    read_junit(data)
    read_junit(b"<testsuite>" + data + b"</testsuite>")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["passed", "failed", "error", "skipped"]), max_size=20))
def test_every_case_comes_back_in_order(outcomes: list[str]) -> None:
    inner = {"passed": "", "failed": "<failure/>", "error": "<error/>", "skipped": "<skipped/>"}
    cases = "".join(
        f"<testcase classname='m' name='t{n}'>{inner[o]}</testcase>" for n, o in enumerate(outcomes)
    )
    assert [case.outcome.value for case in read(f"<testsuite>{cases}</testsuite>")] == outcomes
