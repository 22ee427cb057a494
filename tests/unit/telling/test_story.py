"""The story of a run: what is worth a line, of which kind, with which edit."""

from agent.events import (
    ModelStreamed,
    Notice,
    PhaseStarted,
    RunFinished,
    RunStarted,
    SearchProgress,
    TestFailed,
    TestsMeasured,
    TestsProgress,
)
from agent.telling.board import Board
from agent.telling.story import StoryLine, lines_of
from tests.support.cli import all_events


def story(*events, detail=1):
    board = Board()
    lines = []
    for event in events:
        board.apply(event, 0.0)
        lines += lines_of(event, board, detail)
    return lines


def test_each_kind_of_line_is_in_a_whole_run():
    lines = story(*all_events("20261123-161502-3f9a", "/repo"))
    kinds = {each.kind for each in lines}
    assert kinds == {"phase", "tests", "search", "model", "tool", "verdict", "notice", "end"}
    assert lines[0].text == (
        "run 20261123-161502-3f9a: fix: tests/test_stats.py::test_median_of_three"
    )
    assert lines[-1] == StoryLine(kind="end", text="green, plausible: 1 test fixed")


def test_an_edit_of_a_tool_comes_with_its_diff():
    edits = [each for each in story(*all_events("r", "/repo")) if each.diff]
    assert [each.kind for each in edits] == ["tool"]
    assert edits[0].diff.startswith("diff --git a/stats.py")


def test_what_is_not_on_record_makes_no_line():
    passing_by = (
        TestsProgress(finished=1, failed=0, total=2),
        SearchProgress(tried=1, plausible=0, space_left=3, best=""),
        TestsMeasured(results=(("t", "passed", 0.1),), whole=True),
    )
    assert story(PhaseStarted(phase="baseline"), *passing_by)[1:] == []
    streamed = ModelStreamed(attempt=1, step=1, kind="text", text="hm")
    assert story(PhaseStarted(phase="search"), streamed)[1:] == []


def test_a_failing_test_is_told_by_the_first_line_of_its_message():
    failed = TestFailed(
        id="tests/test_a.py::test_b",
        path="tests/test_a.py",
        line=3,
        message="assert 1 == 2\n  where 1 = f()",
        error_type="AssertionError",
        frames=(),
    )
    assert [each.text for each in story(failed)] == [
        "fails: tests/test_a.py::test_b: assert 1 == 2"
    ]


def test_text_of_a_repository_cannot_break_a_line():
    lines = story(
        RunStarted(
            run="r", kind="fix", repo="/r", targets=("a\nb\x1b[2J",), strategy="s", tool_version="0"
        ),
        Notice(level="info", text="x\r\ny"),
        RunFinished(verdict="error", confidence="", message="no\nway", wall_s=0.1),
    )
    assert [each.text for each in lines] == [
        "run r: fix: a b\\x1b[2J",
        "info: x\\r y",
        "could not be carried out: no way",
    ]
