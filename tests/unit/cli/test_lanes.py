"""What each model is doing: told from events alone, drawn in place, and as plain lines."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from agent.cli.live import LiveProgress
from agent.cli.progress import PlainProgress
from agent.events import (
    AttemptEnded,
    AttemptStarted,
    ContextEdited,
    Event,
    ModelAnswered,
    ModelAsked,
    ModelStreamed,
    ModelWaits,
    PhaseFinished,
    PhaseStarted,
    PlanChanged,
    TestsProgress,
    ToolFinished,
    ToolStarted,
)
from agent.telling.account import model_account, spending, total_cost
from agent.telling.board import Board
from agent.telling.lanes import Lane, cost_text, last_line
from agent.telling.lines import plan_line, tell
from agent.telling.wording import plain_marks, short_count
from tests.support.cli import model_events

STARTED, ASKED, WAITS, *STREAMED, ANSWERED = model_events()[:8]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def a_lane(*events: Event) -> Lane:
    board = Board()
    for event in events:
        board.apply(event, 0.0)
    return board.lanes[1]


@pytest.mark.parametrize(
    ("events", "now_s", "expected"),
    [
        ((STARTED,), 0.0, "up to 300 steps · starting"),
        ((STARTED, ASKED), 0.5, "step 1 of 300 · asking · window 0 % full"),
        ((STARTED, ASKED), 12.0, "step 1 of 300 · asking 12.0 s · window 0 % full"),
        (
            (STARTED, ASKED, WAITS),
            2.0,
            "step 1 of 300 · waiting: the server asks to wait (rate limit), 2 of 2.5 s"
            " · window 0 % full",
        ),
        ((STARTED, ASKED, STREAMED[0]), 3.0, "step 1 of 300 · thinking 3.0 s · window 0 % full"),
        ((STARTED, ASKED, STREAMED[2]), 0.0, "step 1 of 300 · writing · window 0 % full"),
        (
            (STARTED, ASKED, STREAMED[3]),
            0.0,
            "step 1 of 300 · calling str_replace · window 0 % full",
        ),
        (model_events(), 9.0, "green after 1 step: the gate measured green"),
    ],
)
def test_where_a_lane_stands(events: tuple[Event, ...], now_s: float, expected: str) -> None:
    assert a_lane(*events).stands(now_s) == expected


def test_what_was_streamed_before_a_wait_is_void() -> None:
    lane = a_lane(STARTED, ASKED, *STREAMED, WAITS)
    assert (lane.reasoning, lane.text) == ("", "")


def test_tools_that_run_side_by_side_are_named_together() -> None:
    asked = [
        ToolStarted(attempt=1, step=1, call=str(at), tool=tool, shown="x")
        for at, tool in enumerate(("view", "search"))
    ]
    lane = a_lane(STARTED, *asked)
    assert lane.doing == "running view, search"
    done = {"attempt": 1, "step": 1, "failed": False, "diff": "", "wall_s": 0.1}
    lane.apply(ToolFinished(call="0", tool="view", shown="40 lines", **done), 1.0)
    assert lane.doing == "running search"
    lane.apply(ToolFinished(call="9", tool="search", shown="was not announced", **done), 1.0)
    assert [call.tool for call in lane.calls] == ["view", "search", "search"]


def test_only_the_last_calls_are_kept() -> None:
    lane = a_lane(STARTED)
    for at in range(100):
        lane.apply(ToolStarted(attempt=1, step=1, call=str(at), tool="view", shown=""), 0.0)
    assert len(lane.calls) == 12


def test_unknown_price_makes_the_whole_cost_unknown() -> None:
    assert total_cost([0.1, None, 0.2]) is None
    assert total_cost([]) == 0.0
    assert cost_text(None, "2026-09-01") == "price unknown"
    assert cost_text(12.345, "") == "$12.35"


def test_a_resumed_attempt_adds_to_what_it_spent_before() -> None:
    again = AttemptStarted(
        attempt=1, attempts=1, model="kimi-k3", endpoint="api.example.org", steps=300, resumed_at=1
    )
    second = ModelAnswered(
        attempt=1,
        step=2,
        text="",
        reasoning="",
        calls=(),
        prompt_tokens=10,
        cached_tokens=0,
        output_tokens=1,
        cost_usd=None,
        wall_s=0.5,
    )
    events = [*model_events(), again, second]
    (spent,) = spending(events)
    assert (spent.steps, spent.prompt_tokens, spent.output_tokens) == (2, 3_010, 241)
    assert (spent.ended, spent.cost_usd) == (None, None)
    assert spent.wall_s == pytest.approx(4.7)
    lane = a_lane(*events)
    assert (lane.step, lane.prompt_tokens, lane.cost_usd) == (2, 3_010, None)


def test_what_summaries_took_counts_at_the_end() -> None:
    end = replace(
        model_events()[-1],
        prompt_tokens=9_000,
        output_tokens=900,
        cached_tokens=4_000,
        cost_usd=0.2,
    )
    events = [*model_events()[:-1], end]
    (spent,) = spending(events)
    lane = a_lane(*events)
    for each in (spent, lane):
        assert (each.prompt_tokens, each.cached_tokens, each.output_tokens) == (9_000, 4_000, 900)
        assert each.cost_usd == 0.2


def test_runs_without_a_model_have_no_account() -> None:
    assert model_account([PhaseStarted(phase="search")]) is None


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0"), (999, "999"), (45_310, "45.3k"), (1_250_000, "1.25M")]
)
def test_counts_are_short(count: int, expected: str) -> None:
    assert short_count(count) == expected


def test_plans_say_what_is_next() -> None:
    assert plan_line(("[x] a", "[-] b", "[ ] c", "[ ] d")) == "2 of 4 done, now: c"
    assert plan_line(("[x] a",)) == "1 of 1 done"


def test_last_line_skips_empty_ones() -> None:
    assert last_line("one\n  two \n\n") == "two"
    assert last_line("\n") == ""


def told(detail: int, *events: Event) -> list[str]:
    lines: list[str] = []
    progress = PlainProgress(lines.append, Clock(), detail=detail)
    for event in events:
        progress.show(event)
    return lines


def test_more_detail_tells_more_of_the_reasoning() -> None:
    events = (STARTED, ASKED, *STREAMED, ANSWERED)
    thought = "An odd count has its middle at length // 2, so the + 1 is one too many."
    assert not [line for line in told(0, *events) if "middle" in line]
    assert f"  thinks: {thought}" in told(1, *events)
    assert told(2, *events)[1:3] == [
        "  | An odd count has its middle at",
        "  | length // 2, so the + 1 is one too many.",
    ]


def test_answer_without_words_or_calls_says_so() -> None:
    silent = ModelAnswered(
        attempt=1,
        step=3,
        text="",
        reasoning="",
        calls=(),
        prompt_tokens=10,
        cached_tokens=0,
        output_tokens=1,
        cost_usd=None,
        wall_s=0.5,
    )
    assert told(2, STARTED, silent)[-1] == "step 3 (0.5 s, 10 in, 1 out): says nothing"


def test_attempts_side_by_side_are_named_in_every_line() -> None:
    lines = told(0, *model_events(attempt=2, attempts=3))
    assert all(line.startswith("attempt 2: ") for line in lines)


def test_silence_of_a_model_tells_where_each_lane_stands() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = PlainProgress(lines.append, clock)
    progress.show(PhaseStarted(phase="search"))
    progress.show(STARTED)
    progress.show(ASKED)
    clock.now_s = 8.0
    progress.tick()
    assert lines[-1] == "search: step 1 of 300 · asking 8.0 s · window 0 % full"


def test_what_happened_before_a_resume_counts_and_is_not_told_again() -> None:
    lines: list[str] = []
    progress = PlainProgress(lines.append, Clock())
    progress.recall([PhaseStarted(phase="search"), *model_events()[:8]])
    assert lines == []
    progress.show(model_events()[-1])
    assert "tokens 3.0k in" in lines[-1]


def a_picture(
    *events: Event, width: int = 100, height: int = 40, detail: int = 0, unicode: bool = True
) -> str:
    console = Console(file=io.StringIO(), width=width, height=height)
    live = LiveProgress(console, Clock(), unicode=unicode, detail=detail)
    with console.capture():
        for event in (PhaseStarted(phase="search"), *events):
            live.show(event)
    with console.capture() as capture:
        console.print(live)
    return capture.get()


WORKING = model_events()[:-1]


def test_picture_of_one_model_tells_all_that_goes_on() -> None:
    picture = a_picture(*WORKING)
    for part in (
        "kimi-k3 at api.example.org",
        "step 1 of 300 · next step · window 0 % full",
        "│ I take the + 1 away.",
        "✓ str_replace",
        "stats.py: 1 line changed",
        "[x] find the line",
        "[ ] mend it",
        "tests 1 fixed, 0 still failing",
        "tokens 3.0k in (50 % cached), 240 out · $0.0120 (prices of 2026-09-01)",
    ):
        assert part in picture


def test_ended_lane_is_two_lines() -> None:
    picture = a_picture(*model_events())
    assert "green after 1 step: the gate measured green" in picture
    assert "str_replace" not in picture
    over = a_picture(*WORKING, PhaseFinished(phase="search", wall_s=3.0))
    assert "str_replace" not in over


@pytest.mark.parametrize("width", [40, 80, 200])
def test_picture_never_is_wider_than_the_terminal(width: int) -> None:
    crowd = [event for attempt in (1, 2, 3) for event in model_events(attempt, 3)[:-1]]
    for events in (WORKING, crowd):
        lines = a_picture(*events, width=width).splitlines()
        assert max(map(len, lines)) <= width


def test_terminal_without_unicode_gets_ascii_alone() -> None:
    crowd = [event for attempt in (1, 2) for event in model_events(attempt, 2)[:-1]]
    long = PlanChanged(attempt=1, lines=tuple(f"[ ] {'x' * 900}" for _ in range(3)))
    for events in ((*WORKING, long), crowd):
        assert a_picture(*events, unicode=False, width=60).isascii()
    assert plain_marks("a · b…") == "a - b..."


def test_small_terminal_gets_the_plan_in_a_line() -> None:
    assert "plan 1 of 2 done, now: mend it" in a_picture(*WORKING, height=19)


def test_reasoning_unfolds_by_level() -> None:
    thoughts = "\n".join(f"thought {n}" for n in range(30))
    streamed = ModelStreamed(attempt=1, step=1, kind="reasoning", text=thoughts)
    counts = [
        a_picture(STARTED, ASKED, streamed, detail=detail, height=60).count("│ thought")
        for detail in (0, 1, 2, 9)
    ]
    assert counts == [1, 8, 16, 16]


def test_attempts_side_by_side_are_a_line_each_and_a_sum() -> None:
    events = [event for attempt in (1, 2, 3) for event in model_events(attempt, 3)]
    stalled = AttemptEnded(
        attempt=3,
        how="stalled",
        reason="ten steps without anything new",
        steps=1,
        prompt_tokens=1,
        cached_tokens=0,
        output_tokens=1,
        cost_usd=None,
    )
    picture = a_picture(*events[:-1], stalled, width=160)
    assert "#1 step 1/300  green" in picture
    assert re.search("#3 step 1/300  stalled +ten steps without anything new", picture)
    assert "3.0k in, 240 out" in picture
    assert "together $0.0360 (prices of 2026-09-01)" in picture
    assert "3.0k in" not in a_picture(*events, width=80)


def test_lane_that_has_called_nothing_yet_shows_its_thoughts() -> None:
    start = AttemptStarted(attempt=1, attempts=2, model="m", endpoint="e", steps=9)
    thinking = ModelStreamed(attempt=1, step=1, kind="reasoning", text="first\nsecond")
    assert "second" in a_picture(start, ASKED, thinking)


def test_failed_calls_are_marked() -> None:
    failed = ToolFinished(
        attempt=1, step=1, call="z", tool="bash", failed=True, shown="no", diff="", wall_s=1.0
    )
    running = ToolStarted(attempt=1, step=1, call="y", tool="python", shown="1 + 1")
    assert "✗ bash" in a_picture(STARTED, failed, running)
    assert told(0, STARTED, failed)[-1] == "  bash failed: no (1.0 s)"


def test_pieces_and_questions_are_no_lines() -> None:
    lane = a_lane(STARTED)
    assert isinstance(ASKED, ModelAsked)
    assert isinstance(WAITS, ModelWaits)
    assert tell(ASKED, lane, 2) == []


def test_tests_that_a_model_runs_are_counted_beside_its_call() -> None:
    running = ToolStarted(attempt=1, step=1, call="t", tool="run_tests", shown="all")
    counted = TestsProgress(finished=12, failed=1, total=40)
    picture = a_picture(STARTED, ASKED, running, counted)
    assert "12 of 40 tests, 1 failed" in picture
    assert "kimi-k3 at api.example.org" in picture
    two = [AttemptStarted(attempt=n, attempts=2, model="m", endpoint="e", steps=9) for n in (1, 2)]
    assert "12 of 40" not in a_picture(*two, running, counted)
    assert "12 of 40" in a_picture(*model_events(), PhaseStarted(phase="gate"), counted)


def evil_events() -> tuple[Event, ...]:
    """A model's step in which every text drives the terminal, or would."""
    evil = "\x1b]0;owned\x07\x1b[2J\r\n\u202eevil"
    step = {"attempt": 1, "step": 1}
    start = AttemptStarted(attempt=1, attempts=1, model=evil, endpoint=evil, steps=9)
    asked = ModelAsked(**step, prompt_tokens=1, window_tokens=0)
    waits = ModelWaits(**step, why=evil, wait_s=1.0)
    streamed = [ModelStreamed(**step, kind=kind, text=evil) for kind in ("reasoning", "call")]
    answered = replace(ANSWERED, text=evil, reasoning=evil, calls=(evil,))
    called = ToolStarted(**step, call=evil, tool=evil, shown=evil)
    done = ToolFinished(
        **step, call=evil, tool=evil, failed=True, shown=evil, diff=evil, wall_s=0.1
    )
    plan = PlanChanged(attempt=1, lines=(f"[ ] {evil}", evil))
    edited = ContextEdited(**step, how=evil, freed_tokens=1)
    ended = replace(model_events()[-1], reason=evil)
    return (start, asked, waits, *streamed, answered, called, done, plan, edited, ended)


@pytest.mark.parametrize("detail", [0, 1, 2])
@pytest.mark.parametrize("upto", range(1, 12))
def test_text_of_a_model_never_drives_the_terminal(upto: int, detail: int) -> None:
    events = evil_events()[:upto]
    shown = "".join(told(detail, *events)) + a_picture(*events, detail=detail)
    side = [replace(event, attempts=2) if hasattr(event, "attempts") else event for event in events]
    shown += a_picture(*side, detail=detail)
    assert not set(shown) & {"\x1b", "\x07", "\r", "\u202e"}


def test_picture_of_a_resumed_run_begins_with_what_was_spent() -> None:
    console = Console(file=io.StringIO(), width=100, height=40)
    live = LiveProgress(console, Clock(), unicode=True)
    live.recall([PhaseStarted(phase="gate"), *WORKING])
    live.show(PhaseStarted(phase="search"))
    with console.capture() as capture:
        console.print(live)
    assert "tokens 3.0k in" in capture.get()
    assert "gate     " not in capture.get().split("search")[0]


def test_start_of_a_resumed_attempt_says_where_it_goes_on() -> None:
    again = replace(STARTED, resumed_at=7)
    assert told(0, again) == ["kimi-k3 at api.example.org, up to 300 steps, goes on after step 7"]


def test_asked_without_a_known_window_says_nothing_of_it() -> None:
    assert a_lane(STARTED, replace(ASKED, window_tokens=0)).stands(0.0) == "step 1 of 300 · asking"
