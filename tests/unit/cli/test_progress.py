"""Progress: one line for each thing worth knowing, or a picture that is drawn again."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from agent.cli.live import LiveProgress
from agent.cli.progress import PlainProgress, busy, open_progress
from agent.events import (
    Event,
    Notice,
    PhaseFinished,
    PhaseStarted,
    SearchPlanned,
    SearchProgress,
    TestsProgress,
)
from agent.telling.board import Board
from tests.support.cli import all_events, streams

EVENTS = all_events("20261123-161502-3f9a", "/repo")


class Clock:
    """Goes on by `step_s` whenever it is looked at."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


def plain_lines(events: Iterator[Event] | tuple[Event, ...], step_s: float = 0.0) -> list[str]:
    lines: list[str] = []
    progress = PlainProgress(lines.append, Clock(step_s))
    for event in events:
        progress.show(event)
    return lines


def test_plain_progress_tells_each_thing_once() -> None:
    assert plain_lines(EVENTS) == [
        "run 20261123-161502-3f9a: fix: tests/test_stats.py::test_median_of_three",
        "workspace ...",
        "workspace: 3f9a1c2d4e + 2 uncommitted files",
        "environment ...",
        "environment: docker: virtualenv of the repository: .venv (Python 3.11.7, pytest 8.3)",
        "baseline ...",
        "baseline: 1 failing, 213 passing, 1 flaky: tests/test_net.py::test_get",
        "warning: 1 test is flaky and left out",
        "search ...",
        "search: about 60,000 tries fit into 2 min 00 s: many run in one process",
        "kimi-k3 at api.example.org, up to 300 steps",
        "step 1 waits up to 2.5 s: the server asks to wait (rate limit)",
        "step 1 (4.2 s, 3.0k in, 240 out, $0.0120): I take the + 1 away.",
        "  plan: 1 of 2 done, now: mend it",
        "  str_replace: stats.py: 1 line changed (0.0 s)",
        "  run_tests: 1 fixed, 0 still failing (0.8 s)",
        "  context hidden: 25.4k tokens freed",
        "green after 1 step: the gate measured green",
        "  tokens 3.0k in (50 % cached), 240 out · $0.0120 (prices of 2026-09-01)"
        " · older results hidden 1 time",
        "gate: candidate 1: index without + 1",
        "gate ...",
        "gate: green: 1 test fixed",
        "search: nothing further",
    ]


def test_plain_progress_gives_a_sign_of_life() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = PlainProgress(lines.append, clock)
    progress.tick()
    progress.show(PhaseStarted(phase="baseline"))
    clock.now_s = 4.0
    progress.tick()
    clock.now_s = 6.0
    progress.tick()
    progress.show(TestsProgress(finished=3, failed=1, total=0))
    clock.now_s = 12.0
    progress.show(TestsProgress(finished=9, failed=0, total=10))
    clock.now_s = 18.0
    slow = "tests/test_a.py::test_slow"
    progress.show(TestsProgress(finished=9, failed=1, total=10, running=slow))
    progress.show(PhaseFinished(phase="baseline", wall_s=18.0))
    clock.now_s = 30.0
    progress.tick()
    assert lines == [
        "baseline ...",
        "baseline: still going on (6.0 s)",
        "baseline: 9 of 10 tests (12.0 s)",
        "baseline: 9 of 10 tests, 1 failed, running tests/test_a.py::test_slow (18.0 s)",
    ]


def test_plain_progress_of_a_search_names_the_best() -> None:
    search = SearchProgress(tried=600, plausible=1, space_left=40, best="a.py:3 x -> y")
    lines = plain_lines((PhaseStarted(phase="search"), search), step_s=3.0)
    assert lines[-1].startswith("search: 600 tried · 1 plausible · 40 left · ")
    assert lines[-1].endswith(" · best: a.py:3 x -> y")


def test_said_lines_appear() -> None:
    lines: list[str] = []
    PlainProgress(lines.append, Clock()).say("stopping")
    assert lines == ["stopping"]


def picture(live: LiveProgress, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(live)
    return capture.get()


@pytest.mark.parametrize("unicode", [True, False])
def test_picture_has_a_line_for_each_phase(unicode: bool) -> None:
    console = Console(file=io.StringIO())
    clock = Clock()
    live = LiveProgress(console, clock, unicode=unicode)
    for event in EVENTS[:17]:
        live.show(event)
    clock.now_s = 2.0
    shown = picture(live)
    assert "fix: tests/test_stats.py::test_median_of_three" in shown
    assert ("✓" if unicode else "+") + " baseline" in shown
    mark = "·" if unicode else "-"
    assert f"812 tried {mark} 2 plausible {mark} 4,120 left" in shown
    assert "best: stats.py:5 middle + 1 -> middle" in shown
    assert " gate" in shown
    assert unicode or shown.isascii()


def test_picture_fits_a_narrow_terminal() -> None:
    live = LiveProgress(Console(file=io.StringIO()), Clock(), unicode=True)
    for event in EVENTS:
        live.show(event)
    assert max(map(len, picture(live, width=40).splitlines())) <= 40


def test_notices_and_said_lines_stay_above_the_picture() -> None:
    out = io.StringIO()
    live = LiveProgress(Console(file=out), Clock(), unicode=True)
    live.show(Notice(level="warning", text="careful"))
    live.show(Notice(level="info", text="by the way"))
    live.say("stopping")
    live.tick()
    assert out.getvalue() == "careful\nby the way\nstopping\n"


def test_terminal_gets_the_picture_and_a_pipe_gets_lines() -> None:
    terminal, pipe = streams(terminal=True), streams()
    for shown in (terminal, pipe):
        with open_progress(shown.screen) as progress:
            for event in EVENTS:
                progress.show(event)
    assert "\x1b[" in terminal.err.getvalue()
    assert "\x1b" not in pipe.err.getvalue()
    assert "gate: green: 1 test fixed" in pipe.err.getvalue()
    assert (terminal.out.getvalue(), pipe.out.getvalue()) == ("", "")


def test_dumb_terminal_gets_lines() -> None:
    dumb = streams(terminal=True, variables={"TERM": "dumb"})
    with open_progress(dumb.screen) as progress:
        progress.show(EVENTS[0])
    assert "\x1b" not in dumb.err.getvalue()


def test_no_color_is_respected_on_a_terminal() -> None:
    shown = streams(terminal=True, variables={"NO_COLOR": "1"})
    with open_progress(shown.screen) as progress:
        progress.show(Notice(level="warning", text="careful"))
    assert "\x1b[33m" not in shown.err.getvalue()


def test_work_that_tells_nothing_says_that_it_goes_on() -> None:
    terminal, pipe = streams(terminal=True), streams()
    for shown in (terminal, pipe):
        with busy(shown.screen, "measuring"):
            pass
    assert pipe.err.getvalue() == "measuring ...\n"
    assert "measuring" in terminal.err.getvalue()


def test_phases_that_take_turns_add_up() -> None:
    board = Board()
    for start_s, end_s in [(0.0, 2.0), (5.0, 6.0)]:
        board.apply(PhaseStarted(phase="search"), start_s)
        board.apply(PhaseFinished(phase="search", wall_s=end_s - start_s), end_s)
    board.apply(PhaseStarted(phase="search"), 10.0)
    assert board.steps["search"].elapsed_s(11.5) == pytest.approx(4.5)
    assert not board.steps["search"].is_done
    assert not board.steps["gate"].is_done


def test_phase_that_was_not_expected_gets_its_line() -> None:
    board = Board()
    board.apply(PhaseStarted(phase="minimise"), 0.0)
    assert board.steps["minimise"].is_running


def a_search(**changes: object) -> SearchProgress:
    diff = "--- a/a.py\n+++ b/a.py\n@@ -3 +3 @@\n-    return x\n+    return y\n"
    fields = {"tried": 600, "plausible": 1, "space_left": 40, "best": "a.py:3 x -> y"}
    more = {"best_diff": diff, "trying": "b.py:12", "left_s": 30.0}
    return SearchProgress(**{**fields, **more, **changes})


@pytest.mark.parametrize("unicode", [True, False])
def test_picture_of_a_search_shows_its_budget_its_place_and_the_best_so_far(unicode: bool) -> None:
    live = LiveProgress(Console(file=io.StringIO()), Clock(), unicode=unicode)
    live.show(PhaseStarted(phase="search"))
    live.show(SearchPlanned(how="forked", try_s=0.01, tries=12_000, budget_s=120.0))
    assert "about 12,000 tries fit into 2 min 00 s" in picture(live)
    live.show(a_search())
    shown = picture(live)
    bar = "█" * 18 + "░" * 6 if unicode else "#" * 18 + "." * 6
    assert f"{bar} 30.0 s left" in shown
    assert "at b.py:12" in shown
    assert "- return x" in shown
    assert "+ return y" in shown
    assert unicode or shown.isascii()
    assert max(map(len, picture(live, width=40).splitlines())) <= 40
    live.show(PhaseFinished(phase="search", wall_s=2.0))
    assert "30.0 s left" not in picture(live)
