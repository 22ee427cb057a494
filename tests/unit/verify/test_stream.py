"""What the supervisor tells, put together on the host, and what is made of it."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.verify.inside.greenloop_channel import sender
from agent.verify.pytest_runner import conclude, conclude_stream, junit_name
from agent.verify.report import CollectionError, Frame, NoReport, Outcome, TestReport, TestResult
from agent.verify.stream import Listener, Told

KEY = b"s" * 32


def started(id_: str) -> dict[str, Any]:
    return {"k": "start", "id": id_}


def result(id_: str, outcome: str = "passed", **more: Any) -> dict[str, Any]:
    blank = {"seconds": 0.5, "path": "", "line": 0, "error": "", "message": "", "frames": []}
    return {"k": "result", "id": id_, "outcome": outcome, **blank, **more}


def ended(status: int = 0, **more: Any) -> dict[str, Any]:
    return {"k": "end", "status": status, "altered": [], "plugins": [], **more}


def over(status: int = 0, reason: str = "exited", running: str = "") -> dict[str, Any]:
    output = base64.b64encode(b"said\n").decode()
    return {"k": "over", "reason": reason, "status": status, "running": running, "output": output}


def heard(*messages: dict[str, Any], listener: Listener | None = None) -> Listener:
    listener = listener or Listener(KEY)
    send = sender(listener.feed, KEY)
    for message in messages:
        send(message)
    return listener


def told(*messages: dict[str, Any]) -> Told:
    listener = heard(*messages)
    assert not listener.forged
    return listener.told


GOOD = ({"k": "collected", "count": 1}, started("a.py::t"), result("a.py::t"), ended(), over())


def test_a_whole_session_becomes_a_report() -> None:
    bad = result(
        "a.py::u",
        "failed",
        path="a.py",
        line=4,
        error="KeyError",
        message="'x'",
        frames=[["a.py", 5, "u"]],
    )
    messages = (
        {"k": "collected", "count": 2},
        started("a.py::t"),
        result("a.py::t"),
        started("a.py::u"),
        bad,
        ended(1, altered=["x"], plugins=["conftest.py"]),
        over(1),
    )
    report = conclude_stream(told(*messages))
    assert report == TestReport(
        results={
            "a.py::t": TestResult(id="a.py::t", outcome=Outcome.PASSED, duration_s=0.5),
            "a.py::u": TestResult(
                id="a.py::u",
                outcome=Outcome.FAILED,
                duration_s=0.5,
                message="'x'",
                frames=(Frame(path="a.py", line=5, function="u"),),
                error_type="KeyError",
                path="a.py",
                line=4,
            ),
        },
        altered=("x",),
        plugins=("conftest.py",),
    )


def test_a_file_that_was_not_collected_is_a_result_and_an_error() -> None:
    message = {
        "k": "not_collected",
        "id": "a.py",
        "path": "a.py",
        "error": "ImportError",
        "message": "no b",
        "frames": [],
    }
    state = told({"k": "collected", "count": 0}, message, ended(1), over(1))
    assert state.collection_errors == [CollectionError(path="a.py", message="ImportError: no b")]
    report = conclude_stream(state)
    assert isinstance(report, TestReport)
    assert report.failing == ("a.py",)
    assert report.outcome("a.py") is Outcome.ERROR


@pytest.mark.parametrize(
    ("messages", "word"),
    [
        ((), "ended early"),
        ((*GOOD[:-2], over(0)), "ended early"),
        ((*GOOD[:-1], over(-9)), "signal 9"),
        ((*GOOD[:-1], over(3)), "exit status 3"),
        ((started("a.py::t"), over(0, running="a.py::t")), "during a.py::t"),
        ((started("a.py::t"), over(-9, "timeout", "a.py::t")), "a.py::t did not end in time"),
        ((over(-9, "timeout"),), "collecting or ending"),
        ((*GOOD[:-1], over(0, "forged")), "wrote into the report"),
        (
            ({"k": "no_pytest", "message": "No module named 'pytest'"}, over(4)),
            "cannot be imported",
        ),
        ((ended(2), over(2)), "interrupted"),
        ((ended(77), over(77)), "exit status 77 (said)"),
        (({"k": "collected", "count": 3}, *GOOD[1:]), "after 1 of 3 tests"),
        ((*GOOD[:3], ended(1), over(1)), "say the opposite"),
        (
            (GOOD[0], GOOD[1], result("a.py::t", "failed"), ended(0), over(0)),
            "say the opposite",
        ),
    ],
)
def test_anything_less_is_no_report(messages: tuple[dict[str, Any], ...], word: str) -> None:
    outcome = conclude_stream(told(*messages))
    assert isinstance(outcome, NoReport)
    assert word in outcome.why


JUNIT = "<testsuite><testcase classname='{}' name='{}'>{}</testcase></testsuite>"


@pytest.mark.parametrize(
    ("junit", "word"),
    [
        (None, "wrote no JUnit report"),
        (b"nonsense", "not readable"),
        (JUNIT.format("a", "t", "<failure/>").encode(), "a::t fails there"),
        (JUNIT.format("x", "y", "<failure/>").encode(), "1 failing tests there, 0 here"),
        (b"<testsuite/>", "0 tests there, 1 here"),
    ],
)
def test_two_witnesses_have_to_agree(junit: bytes | None, word: str) -> None:
    outcome = conclude(told(*GOOD), junit)
    assert isinstance(outcome, NoReport)
    assert word in outcome.why


def test_names_may_differ_where_the_counts_agree() -> None:
    """Some plugins give a case another name in JUnit."""
    for name in ("t", "Tee"):
        outcome = conclude(told(*GOOD), JUNIT.format("a", name, "").encode())
        assert isinstance(outcome, TestReport)


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        ("tests/test_a.py::test_b", ("tests.test_a", "test_b")),
        ("tests/test_a.py::TestC::test_b", ("tests.test_a.TestC", "test_b")),
        ("test_a.py::test_b[x::y/z]", ("test_a", "test_b[x::y/z]")),
        ("tests/test_a.py", ("", "tests.test_a")),
    ],
)
def test_ids_are_named_in_junit_as_pytest_does(id_: str, expected: tuple[str, str]) -> None:
    assert junit_name(id_) == expected


def test_results_are_passed_on_as_they_come() -> None:
    seen: list[tuple[str, bool]] = []
    listener = Listener(KEY, lambda id_, passed: seen.append((id_, passed)))
    heard(*GOOD[:3], result("b", "failed"), listener=listener)
    assert seen == [("a.py::t", True), ("b", False)]
    assert listener.told.running is None


def test_a_test_that_takes_long_is_told() -> None:
    slow: list[str] = []
    listener = Listener(KEY, on_slow=slow.append)
    heard(GOOD[0], GOOD[1], {"k": "slow", "id": "a.py::t"}, *GOOD[2:], listener=listener)
    assert slow == ["a.py::t"]
    assert told(*GOOD[:2], {"k": "slow", "id": "a.py::t"}).running == "a.py::t"


@pytest.mark.parametrize(
    "message",
    [
        {"k": "unknown"},
        {},
        {"k": "result"},
        {"k": "result", **result("a"), "outcome": "perfect"},
        {"k": "result", **result("a"), "frames": [[1]]},
        {"k": "collected", "count": "many"},
        [],
    ],
)
def test_a_message_that_makes_no_sense_ends_the_listening(message: Any) -> None:
    listener = heard(message, *GOOD)
    assert "makes no sense" in listener.forged
    assert listener.told.results == {}


def test_after_a_forged_line_nothing_is_believed() -> None:
    listener = heard(*GOOD[:2])
    listener.feed(b"forged\n")
    heard(*GOOD, listener=listener)
    assert listener.forged
    assert listener.told.results == {}


def test_a_listener_can_begin_again_in_the_same_stream() -> None:
    listener = Listener(KEY)
    send = sender(listener.feed, KEY)
    send({"k": "ready", "unsound": "threads"})
    assert (listener.told.ready, listener.told.unsound) == (True, "threads")
    for _ in range(2):
        listener.begin(None)
        for message in GOOD:
            send(message)
        assert list(listener.told.results) == ["a.py::t"]


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    listener = heard(*GOOD[:1])
    listener.feed(data)
    listener.feed(b"\n")
    assert listener.forged
    Listener(KEY).feed(data)
