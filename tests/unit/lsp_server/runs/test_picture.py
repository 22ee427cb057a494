"""The picture of a run: the same from live events, from a journal, and for any cut of it."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.events import (
    AttemptEnded,
    AttemptStarted,
    BaseTaken,
    CandidateProposed,
    Event,
    ModelStreamed,
    Notice,
    PhaseStarted,
    RunFinished,
    RunStarted,
    SearchProgress,
    TestFailed,
    TestsMeasured,
    TestsProgress,
    ToolFinished,
    VerdictReached,
)
from agent.journal.records import Record, read_records
from agent.journal.store import RunStore
from agent.journal.stored import JOURNAL
from agent.task import TaskSpec
from lsp_server.runs.picture import DIFF_CHARACTERS, LINES_KEPT, Picture
from lsp_server.runs.state import BaselineSeen, CandidateSeen, Failure, Frame, RunLine, State
from tests.support.cli import TEST, a_result, all_events, an_ambiguous_result, model_events

RUN = "20261123-161502-3f9a"
TOP = Path("/repo")
STARTED = RunStarted(
    run=RUN, kind="fix", repo="/repo", targets=(TEST,), strategy="offline", tool_version="0.1"
)
BASE = BaseTaken(commit="", tree="ab" * 20, dirty_files=0)
DONE = RunFinished(verdict="none", confidence="", message="nothing found", wall_s=3.0)
FAILED = TestFailed(
    id=TEST,
    path="tests/test_stats.py",
    line=7,
    message="assert 1 == 2\n +  where 1 = median([2])",
    error_type="AssertionError",
    frames=(("tests/test_stats.py", 8, "test_median_of_three"), ("stats.py", 3, "median")),
)


def records(*events: Event) -> list[Record]:
    return [
        Record(number=number, at_unix_s=1000.0 + number, event=event)
        for number, event in enumerate(events)
    ]


def drawn(*events: Event) -> Picture:
    picture = Picture(RUN, top=TOP)
    for record in records(*events):
        picture.take(record)
    return picture


def line_of(*events: Event) -> RunLine:
    return drawn(*events).line(here=True, hunks=None)


def everything(picture: Picture) -> object:
    line = picture.line(here=True, hunks=None)
    return picture.whole(line), tuple(picture.lines)


def test_a_run_of_which_nothing_was_told_waits_for_its_turn():
    line = Picture(RUN, title="Fix it", since_unix_s=5.0).line(here=True, hunks=None)
    assert (line.state, line.doing, line.can_cancel) == (
        State.WAITING,
        "waiting for its turn",
        True,
    )


def test_the_line_of_a_green_run():
    events = all_events(RUN, "/repo")
    assert line_of(*events) == RunLine(
        run=RUN,
        kind="fix",
        top=TOP,
        title="Fix test_median_of_three",
        state=State.FINISHED,
        phase="",
        doing="",
        percent=None,
        verdict="green",
        confidence="plausible",
        message="1 test fixed",
        started_at_unix_s=1000.0,
        ended_at_unix_s=1000.0 + len(events) - 1,
        hunks=None,
        here=True,
        can_cancel=False,
        can_resume=False,
        can_review=True,
    )


def test_the_state_of_a_green_run_with_its_result():
    picture = drawn(*all_events(RUN, "/repo"))
    picture.take_result(a_result(own_tests=["tests/test_new.py::test_it"]))
    state = picture.whole(picture.line(here=True, hunks=None))
    assert state.targets == (TEST,)
    assert state.environment.startswith("docker: virtualenv of the repository")
    assert state.baseline == BaselineSeen(
        failing=(TEST,), passing=213, flaky=("tests/test_net.py::test_get",)
    )
    assert state.candidates == (
        CandidateSeen(rank=1, why="index without + 1", verdict="green", detail="1 test fixed"),
    )
    assert [each.state for each in state.attempts] == ["green"]
    assert state.attempts[0].plan == ("[x] find the line", "[ ] mend it")
    assert state.attempts[0].cost_usd == 0.012
    assert state.own_tests == ("tests/test_new.py::test_it",)
    assert [each.why for each in state.options] == ["index without + 1", "middle one lower"]
    assert state.notes == ("1 test is flaky and left out", "line 6 is run by no test")
    assert state.receipt.endswith("receipt.json")


def test_tests_that_run_early_are_not_taken_for_where_they_run():
    picture = drawn(
        STARTED,
        PhaseStarted(phase="environment"),
        TestsProgress(finished=12, failed=1, total=215),
    )
    assert picture.whole(picture.line(here=True, hunks=None)).environment == ""


def test_the_input_on_which_candidates_differ_is_told_last():
    picture = drawn(*all_events(RUN, "/repo"))
    picture.take_result(an_ambiguous_result())
    last = picture.whole(picture.line(here=True, hunks=None)).notes[-1]
    assert last == (
        "which is right? median([1, 2]) 1: returns 1.5, "
        "2: raises IndexError: list index out of range "
        "(`greenloop answer 20261123-161502-3f9a N` keeps a test for it)"
    )


def test_failing_tests_are_told_with_places_counted_from_zero():
    state = drawn(STARTED, FAILED).whole(line_of(STARTED))
    assert state.failures == (
        Failure(
            test=TEST,
            path=TOP / "tests/test_stats.py",
            line0=6,
            message="assert 1 == 2\n +  where 1 = median([2])",
            frames=(
                Frame(path=TOP / "tests/test_stats.py", line0=7, function="test_median_of_three"),
                Frame(path=TOP / "stats.py", line0=2, function="median"),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("events", "doing", "percent"),
    [
        ([PhaseStarted(phase="baseline")], "running the tests", None),
        (
            [PhaseStarted(phase="baseline"), TestsProgress(finished=3, failed=1, total=0)],
            "3 tests, 1 failed",
            None,
        ),
        (
            [PhaseStarted(phase="gate"), TestsProgress(finished=3, failed=0, total=12)],
            "3 of 12 tests",
            25.0,
        ),
        ([PhaseStarted(phase="search")], "searching", None),
        (
            [
                PhaseStarted(phase="search"),
                SearchProgress(tried=10, plausible=1, space_left=20, best=""),
            ],
            "10 tried · 1 plausible · 20 left · 10/s",
            None,
        ),
        ([PhaseStarted(phase="search"), *model_events()[:2]], "step 1 of 300 · asking", None),
        ([PhaseStarted(phase="search"), *model_events()[:4]], "step 1 of 300 · thinking", None),
        (
            [
                PhaseStarted(phase="search"),
                *model_events(1, 2)[:2],
                *model_events(2, 2)[:4],
            ],
            "2 attempts · 1: step 1 asking, 2: step 1 thinking",
            None,
        ),
    ],
)
def test_what_goes_on_is_said_in_a_line(events, doing, percent):
    line = line_of(STARTED, *events)
    assert (line.doing, line.percent) == (doing, percent)


def test_a_run_that_is_asked_to_end_says_so_and_cannot_be_asked_again():
    picture = drawn(STARTED, PhaseStarted(phase="search"))
    picture.end_soon()
    line = picture.line(here=True, hunks=None)
    assert (line.doing, line.can_cancel) == ("being cancelled", False)


def test_a_later_verdict_does_not_change_what_was_said_of_the_candidate():
    proposed = CandidateProposed(rank=3, why="by hand", confidence="likely", alternatives=1)
    first = VerdictReached(rank=3, verdict="green", detail="whole", wall_s=1.0)
    smaller = VerdictReached(rank=1, verdict="broken", detail="smaller", wall_s=1.0)
    picture = drawn(STARTED, proposed, first, smaller)
    state = picture.whole(picture.line(here=True, hunks=None))
    assert state.candidates == (
        CandidateSeen(rank=3, why="by hand", verdict="green", detail="whole"),
    )


ENDED_BY_ERROR = AttemptEnded(
    attempt=1,
    how="error",
    reason="the server is gone",
    steps=1,
    prompt_tokens=1,
    cached_tokens=0,
    output_tokens=1,
    cost_usd=None,
)


@pytest.mark.parametrize(
    ("events", "can_resume"),
    [
        ([STARTED, BASE], False),
        ([STARTED, replace(DONE, verdict="interrupted")], False),
        ([STARTED, BASE, replace(DONE, verdict="interrupted")], True),
        ([STARTED, BASE, DONE], False),
        ([STARTED, BASE, *model_events()[:2], ENDED_BY_ERROR, DONE], True),
        ([STARTED, BASE, *model_events()[:2], replace(DONE, verdict="error")], True),
        ([STARTED, BASE, *model_events(), DONE], False),
        ([replace(STARTED, kind="test"), BASE, replace(DONE, verdict="interrupted")], False),
    ],
)
def test_only_what_was_cut_off_can_be_resumed(events, can_resume):
    assert line_of(*events).can_resume is can_resume


def test_a_run_whose_process_died_is_interrupted_and_its_attempt_too():
    picture = drawn(STARTED, BASE, PhaseStarted(phase="search"), *model_events()[:4])
    picture.lose("its process ended before the run did")
    line = picture.line(here=False, hunks=None)
    assert (line.state, line.verdict, line.can_resume) == (State.INTERRUPTED, "interrupted", True)
    assert [each.state for each in picture.whole(line).attempts] == ["interrupted"]


def test_a_resumed_run_goes_on_in_the_same_log():
    again = replace(STARTED, resumed=True)
    picture = drawn(STARTED, BASE, replace(DONE, verdict="interrupted"), again)
    line = picture.line(here=True, hunks=None)
    assert (line.state, line.verdict, line.started_at_unix_s) == (State.RUNNING, "", 1000.0)
    assert [each.number for each in picture.lines] == [0, 1, 2, 3]


def test_a_run_of_tests_says_which():
    whole = replace(STARTED, kind="test", targets=())
    assert line_of(whole).title == "Run all tests"
    assert line_of(replace(whole, targets=("a.py",))).title == "Run a.py"


def test_a_long_edit_is_cut_at_a_line_and_says_so():
    edit = ToolFinished(
        attempt=1,
        step=1,
        call="a",
        tool="str_replace",
        failed=False,
        shown="long",
        diff="+ 12345678\n" * DIFF_CHARACTERS,
        wall_s=0.1,
    )
    [line] = [each for each in drawn(STARTED, model_events()[0], edit).lines if each.diff]
    assert len(line.diff) < DIFF_CHARACTERS + 100
    assert line.diff.endswith("+ 12345678\n\\ the rest of this edit is left out\n")


def test_of_a_long_log_the_newest_lines_are_kept_with_their_numbers():
    notices = [Notice(level="info", text=str(number)) for number in range(2 * LINES_KEPT)]
    picture = drawn(STARTED, *notices)
    assert len(picture.lines) == LINES_KEPT
    assert picture.lines[-1].number == 2 * LINES_KEPT
    assert picture.lines[-1].text == f"info: {2 * LINES_KEPT - 1}"
    assert [each.number for each in picture.log(2 * LINES_KEPT - 1)] == [
        2 * LINES_KEPT - 1,
        2 * LINES_KEPT,
    ]
    assert len(picture.log(0)) == LINES_KEPT


def test_five_thousand_steps_of_a_model_cost_little():
    picture = drawn(STARTED, PhaseStarted(phase="search"))
    started, asked, _, *streamed, answered = model_events()[:8]
    picture.take(Record(number=0, at_unix_s=0.0, event=started))
    begun = time.process_time()
    for step in range(1000):
        for event in (asked, *streamed[:2], answered, *model_events()[9:11]):
            picture.take(Record(number=0, at_unix_s=0.0, event=replace(event, step=step)))
        picture.line(here=True, hunks=None)
    spent_s = time.process_time() - begun
    assert len(picture.lines) == LINES_KEPT
    assert spent_s < 3.0  # 0.15 s on a quiet machine


PASSING = (
    TestsProgress(finished=1, failed=0, total=3),
    SearchProgress(tried=5, plausible=0, space_left=9, best="x"),
    TestsMeasured(results=(("t", "passed", 0.1),), whole=True),
    ModelStreamed(attempt=1, step=1, kind="reasoning", text="Let me think about it for long. "),
    ModelStreamed(attempt=1, step=1, kind="text", text="I see"),
    ModelStreamed(attempt=1, step=1, kind="call", text="view"),
)
MIDDLE = [
    *[each for each in all_events(RUN, "/repo") if not isinstance(each, RunStarted | RunFinished)],
    FAILED,
    *PASSING,
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(MIDDLE), max_size=40), st.booleans())
def test_a_journal_read_back_gives_the_picture_that_the_events_gave(tmp_path_factory, middle, ends):
    # Any attempt is started first: no event of an attempt comes before that.
    opening = [STARTED, AttemptStarted(attempt=1, attempts=1, model="m", endpoint="e", steps=9)]
    finish = [DONE] if ends else []
    live = Picture(RUN, top=TOP)
    store = RunStore(tmp_path_factory.mktemp("state"))
    with store.new_run(TaskSpec(repo=TOP)) as writer:
        for event in (*opening, *middle, *finish):
            record = writer.append(event)
            live.take(replace(record, at_unix_s=round(record.at_unix_s, 3)))
        path = writer.path / JOURNAL
    read = Picture(RUN, top=TOP)
    for record in read_records(path.read_bytes()):
        read.take(record)
    assert tuple(read.lines) == tuple(live.lines)
    if ends:
        assert everything(read) == everything(live)
