"""Tools that run tests, over real pytest processes without isolation."""

import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from agent.events import Event, TestsProgress
from agent.task import Kind, TestId, TestPolicy
from agent.tools.base import Tool
from agent.tools.bash import Bash
from agent.tools.desk import Desk
from agent.tools.locate_fault import LocateFault
from agent.tools.probe_patch import ProbePatch
from agent.tools.rooms import MOST_WARM_STARTS, rooms_of
from agent.tools.run_tests import RunTests
from agent.tools.search_one_edit import SearchOneEdit
from agent.verify.bench import Bench, Selection
from agent.verify.command_runner import CommandRunner
from agent.verify.report import Baseline, TestReport
from agent.verify.warm import WarmRunner
from tests.support.desk import done, failed, put, text_at
from tests.support.tool_desk import (
    ABOVE,
    CALC,
    a_local_bench,
    a_tool_desk,
    call,
    measured,
    with_limits,
)
from tests.support.verify import dedent

FIXED = dedent(CALC["calc.py"]).replace("return low\n", "return high\n")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    """The baseline of the little repository, measured once."""
    bench = a_local_bench(tmp_path_factory.mktemp("known"), CALC)
    return anyio.run(measured, bench)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return a_local_bench(tmp_path, CALC)


async def text(desk: Desk, make: type[Tool], **arguments: object) -> str:
    return done(await call(desk, make, **arguments)).text


async def test_what_fails_comes_first_and_then_what_may_notice_the_change(
    bench: Bench, known: Baseline
) -> None:
    events: list[Event] = []
    async with a_tool_desk(bench, baseline=known, events=events) as desk:
        before = done(await call(desk, RunTests))
        assert before.text.splitlines()[:6] == [
            "targets: 0 of 1 pass",
            "still failing: 1",
            ABOVE,
            "  at tests/test_calc.py:6 test_above",
            "  AssertionError: assert 1 == 3",
            "   +  where 1 = clamp(9, 1, 3)",
        ]
        assert before.shown == "1 failing"
        assert before.protected
        assert desk.report is not None
        assert desk.report.failing == (ABOVE,)
        put(desk, "calc.py", FIXED.encode())
        after = done(await call(desk, RunTests))
        assert after.text.splitlines()[:2] == ["targets: 1 of 1 pass", f"fixed: {ABOVE}"]
        last = after.text.splitlines()[-1]
        assert last.startswith("2 pass of 2 tests in ")
        assert last.endswith(
            "(targets, then 1 test that may notice the change); measured here, the gate decides"
        )
        assert after.shown == "1 fixed, 2 passing"
        assert not after.protected
    told = [event for event in events if isinstance(event, TestsProgress)]
    assert told[-1].finished == told[-1].total == 1


async def test_what_broke_is_run_first_the_next_time(bench: Bench, known: Baseline) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        put(desk, "calc.py", FIXED.replace("value + value", "value + 1").encode())
        first = await text(desk, RunTests)
        assert "broken (passed on the base): 5" in first
        assert "tests/test_calc.py::test_twice[0]  (and 4 more like it)" in first
        assert "tests/test_words.py::test_shout" not in first.split("fixed:")[1]
        put(desk, "calc.py", FIXED.encode())
        second = await text(desk, RunTests)
        assert second.splitlines()[0] == "targets: 1 of 1 pass"
        assert "(targets and what failed last, then " in second


async def test_named_tests_and_files_are_run_alone(bench: Bench, known: Baseline) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        alone = await text(desk, RunTests, tests=["test_twice[2]", "tests/test_words.py"])
        assert alone.startswith("2 pass of 2 tests in ")
        refused = failed(await call(desk, RunTests, tests=["test_nothing_like_it"]))
        assert refused.text.startswith("There is no test test_nothing_like_it. ")
        missing = await text(desk, RunTests, tests=["tests/test_calc.py::test_belo"])
        assert missing.startswith("did not run: tests/test_calc.py::test_belo (near: tests/")
        outside = failed(await call(desk, RunTests, tests=["../x/test_a.py"]))
        assert outside.shown == "no test ../x/test_a.py"


async def test_the_whole_suite_runs_in_a_fresh_sandbox(bench: Bench, known: Baseline) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        put(desk, "calc.py", FIXED.encode())
        opened = bench.engine.opened
        whole = await text(desk, RunTests, all=True)
        assert "10 pass of 10 tests" in whole
        assert "(the whole suite, in a fresh sandbox)" in whole
        assert bench.engine.opened == opened + 1


async def test_a_test_that_hangs_is_named(bench: Bench, known: Baseline) -> None:
    hanging = FIXED.replace("return value + value", "import time; time.sleep(60)")
    async with a_tool_desk(bench, baseline=known, limits=with_limits(test_run_s=1.5)) as desk:
        put(desk, "calc.py", hanging.encode())
        outcome = done(await call(desk, RunTests, tests=["tests/test_calc.py"]))
        lines = outcome.text.splitlines()
        assert lines[0] == (
            "no report (as named): tests/test_calc.py::test_twice[0] did not end in time"
        )
        assert lines[1].startswith("on the base it passed in 0.0")
        assert f"fixed: {ABOVE}" in lines
        assert outcome.shown.startswith("no report: ")
        assert desk.report is not None
        assert ABOVE in desk.report.passing


async def test_a_file_that_cannot_be_collected_is_said(bench: Bench, known: Baseline) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        put(desk, "calc.py", b"import nowhere\n")
        outcome = done(await call(desk, RunTests))
        assert outcome.text.startswith("cannot be collected: 1\ntests/test_calc.py\n")
        assert "ModuleNotFoundError: No module named 'nowhere'" in outcome.text
        assert outcome.shown == "1 broken, 1 failing"


async def test_long_errors_are_whole_on_the_shelf(bench: Bench, known: Baseline) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        lines = "\\n".join(f"line {number}" for number in range(60))
        put(desk, "calc.py", FIXED.replace("return high", f'raise OSError("{lines}")').encode())
        short = await text(desk, RunTests)
        assert "line 59" not in short
        name = short.rsplit('whole errors: view path="kept:', 1)[1].rstrip('"')
        whole = desk.shelf.get(name)
        assert whole is not None
        assert b"line 40" in whole


async def test_new_tests_are_run_where_nothing_fails(tmp_path: Path) -> None:
    files = {"tests/test_a.py": "def test_a():\n    assert True\n"}
    bench = a_local_bench(tmp_path, files)
    green = Baseline(report=TestReport(results={}), targets=(), flaky=(), wall_s=0.1)
    policy = TestPolicy(may_add=True)
    async with a_tool_desk(bench, baseline=green, policy=policy, kind=Kind.IMPLEMENT) as desk:
        nothing = failed(await call(desk, RunTests))
        assert nothing.text == (
            "Nothing is known to fail and no test is seen to notice it. Name tests, or all."
        )
        put(desk, "tests/test_mine.py", b"def test_mine():\n    assert 0\n")
        mine = await text(desk, RunTests)
        assert mine.startswith("new and failing: 1\ntests/test_mine.py::test_mine\n")
        assert failed(await call(desk, LocateFault, tests=["nothing"])).shown.startswith("no test")


async def test_a_lost_runner_is_replaced_and_the_run_repeated(
    bench: Bench, known: Baseline, monkeypatch: pytest.MonkeyPatch
) -> None:
    killing = FIXED.replace("return high", "import os; os.kill(os.getppid(), 9); return high")
    async with a_tool_desk(bench, baseline=known) as desk:
        rooms = rooms_of(desk)
        first = await rooms.warm()
        assert first.is_warm
        assert await rooms.warm() is first
        put(desk, "calc.py", killing.encode())
        said = await text(desk, RunTests, tests=[ABOVE])
        assert said.startswith("no report (as named): ")
        assert first.is_spent
        alone = Selection(ids=(TestId(ABOVE),))
        fresh = await first.run(alone, delta=desk.job.bench.base.edits, wall_s=30)
        assert isinstance(fresh, TestReport)
        assert fresh.failing == (ABOVE,)
        put(desk, "calc.py", FIXED.encode())
        assert (await text(desk, RunTests, tests=[ABOVE])).startswith("targets: 1 of 1 pass")
        monkeypatch.setattr(WarmRunner, "is_spent", True)
        for _ in range(MOST_WARM_STARTS):
            last = await rooms.warm()
        assert await rooms.warm() is last


async def test_a_cancelled_run_does_not_answer_for_the_next(bench: Bench, known: Baseline) -> None:
    slow = FIXED.replace("return high", "import time; time.sleep(30); return high")
    async with a_tool_desk(bench, baseline=known) as desk:
        await text(desk, RunTests, tests=[ABOVE])
        put(desk, "calc.py", slow.encode())
        with anyio.move_on_after(0.3) as scope:
            await text(desk, RunTests, tests=[ABOVE])
        assert scope.cancelled_caught
        put(desk, "calc.py", FIXED.encode())
        said = await text(desk, RunTests, tests=["tests/test_calc.py::test_below"])
        assert said.startswith("1 pass of 1 tests in ")


async def test_a_test_command_of_the_repositorys_own_runs_everything_each_time(
    tmp_path: Path,
) -> None:
    command = f"{sys.executable} -m pytest -q -p no:cacheprovider --junitxml=out.xml"
    own = CommandRunner(command=command, junit_path="out.xml")
    bench = replace(a_local_bench(tmp_path, CALC), runner=own)
    known = await measured(bench)
    async with a_tool_desk(bench, baseline=known) as desk:
        put(desk, "calc.py", FIXED.encode())
        said = await text(desk, RunTests)
        assert said.startswith("targets: 1 of 1 pass\nfixed: tests.test_calc::test_above\n")
        assert "(the test command runs everything)" in said.splitlines()[-1]
        named = await text(desk, RunTests, tests=["test_below"])
        assert "10 pass of 10 tests" in named
        await call(desk, Bash, command=command)
        assert desk.attempt.delta().keys() == {"calc.py"}


async def test_a_probe_tells_what_edits_would_change_and_keeps_nothing(
    bench: Bench, known: Baseline
) -> None:
    edit = {"path": "calc.py", "old": "        return low\n", "new": "        return high\n"}
    async with a_tool_desk(bench, baseline=known) as desk:
        probe = done(await call(desk, ProbePatch, edits=[edit]))
        assert probe.text.startswith(f"targets: 1 of 1 pass\nfixed: {ABOVE}\n")
        assert probe.text.endswith("\nnothing was kept")
        assert probe.shown == "probe: 1 fixed, 2 passing"
        assert not desk.attempt.delta()
        assert desk.report is None
        await text(desk, RunTests)
        again = await text(desk, ProbePatch, edits=[edit], tests=["test_calc"])
        assert f"against your last run: {ABOVE} pass now" in again
        same = {"path": "calc.py", "old": "value + value", "new": "2 * value"}
        unchanged = await text(desk, ProbePatch, edits=[same])
        assert "against your last run: no difference" in unchanged
        other = await text(desk, ProbePatch, edits=[same], tests=["tests/test_other.py"])
        assert "against your last run" not in other


async def test_a_probe_that_cannot_be_made_is_refused(bench: Bench, known: Baseline) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        assert failed(await call(desk, ProbePatch, edits=[])).shown == "no edits"
        wrong = {"path": "calc.py", "old": "nowhere", "new": "x"}
        assert "calc.py was not changed" in failed(await call(desk, ProbePatch, edits=[wrong])).text
        assert not desk.failed_edits
        fine = {"path": "calc.py", "old": "value + value", "new": "2 * value"}
        refused = failed(await call(desk, ProbePatch, edits=[fine], tests=["nowhere_at_all"]))
        assert refused.shown == "no test nowhere_at_all"


async def test_a_probe_that_breaks_the_run_says_so(bench: Bench, known: Baseline) -> None:
    hang = {"path": "calc.py", "old": "return low", "new": "import time; time.sleep(60)"}
    async with a_tool_desk(bench, baseline=known, limits=with_limits(test_run_s=1.0)) as desk:
        probe = done(await call(desk, ProbePatch, edits=[hang], tests=[ABOVE]))
        assert probe.text.startswith(f"no report (as named): {ABOVE} did not end in time")
        assert probe.text.endswith("\nnothing was kept")


async def test_suspects_are_ranked_over_the_attempt(bench: Bench, known: Baseline) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        put(desk, "calc.py", b"# moved\n" + dedent(CALC["calc.py"]).encode())
        outcome = done(await call(desk, LocateFault))
        first, best = outcome.text.splitlines()[:2]
        assert first.startswith("suspicion of ")
        assert "(1 failing and " in first
        assert best == "1.00 calc.py:4: return low"
        assert outcome.shown.endswith("suspects, first calc.py:4")
        none = done(await call(desk, LocateFault, tests=["test_below"]))
        assert none.text == "Nothing of it fails: 1 tests ran (as named)."


async def test_a_crash_is_said_beside_the_suspect(bench: Bench, known: Baseline) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        crash = dedent(CALC["calc.py"]).replace("return low\n", "return {}[value]\n")
        put(desk, "calc.py", crash.encode())
        said = await text(desk, LocateFault)
        assert "1.00 calc.py:3: return {}[value]  (raised here: KeyError)" in said


async def test_the_search_goes_on_from_the_attempt_and_applies_nothing(
    bench: Bench, known: Baseline
) -> None:
    async with a_tool_desk(bench, baseline=known) as desk:
        put(desk, "calc.py", b"# moved\n" + dedent(CALC["calc.py"]).encode())
        before = desk.attempt.delta()
        outcome = done(await call(desk, SearchOneEdit, seconds=20))
        lines = outcome.text.splitlines()
        assert lines[0].endswith(
            " the tests near pass, which need not be right; nothing was changed."
        )
        assert "calc.py:4: another name: return low → return high" in lines[1]
        assert "+        return high" in lines
        assert "diff --git" not in outcome.text
        assert outcome.diff.startswith("diff --git")
        assert desk.attempt.delta() == before
        assert text_at(desk, "calc.py").startswith("# moved\n")


async def test_what_the_edits_broke_has_to_be_mended_too(bench: Bench, known: Baseline) -> None:
    worse = dedent(CALC["calc.py"]).replace("return max(value, low)", "return max(value, high)")
    async with a_tool_desk(bench, baseline=known) as desk:
        put(desk, "calc.py", worse.encode())
        suspects = await text(desk, LocateFault)
        assert "(2 failing and " in suspects
        named = await text(desk, LocateFault, tests=[ABOVE])
        assert "(1 failing and " in named


async def test_a_search_that_finds_nothing_says_where_it_looked(
    bench: Bench, known: Baseline
) -> None:
    hopeless = (
        "def clamp(value, low, high):\n    return object()\n\n\ndef twice(x):\n    return x + x\n"
    )
    async with a_tool_desk(bench, baseline=known) as desk:
        put(desk, "calc.py", hopeless.encode())
        outcome = done(await call(desk, SearchOneEdit, seconds=4))
        assert outcome.text.startswith("Nothing found. No small edit")
        assert "\nsuspect calc.py:2 (" in outcome.text
        assert outcome.shown.startswith("nothing found, ")


async def test_the_offline_tools_need_something_that_fails(bench: Bench) -> None:
    green = Baseline(report=TestReport(results={}), targets=(), flaky=(), wall_s=0.1)
    async with a_tool_desk(bench, baseline=green) as desk:
        for make in (LocateFault, SearchOneEdit):
            assert failed(await call(desk, make)).shown == "nothing fails"


async def test_the_offline_tools_say_why_nothing_can_be_measured(
    bench: Bench, known: Baseline
) -> None:
    async with a_tool_desk(bench, baseline=known, limits=with_limits(test_run_s=1.0)) as desk:
        put(desk, "calc.py", FIXED.replace("return high", "while True: pass").encode())
        refused = failed(await call(desk, LocateFault))
        assert refused.text.startswith(f"no report (targets): {ABOVE} did not end in time")


async def test_a_flaky_test_that_fails_is_no_fault(bench: Bench, known: Baseline) -> None:
    flaky = replace(known, flaky=(TestId(ABOVE),))
    async with a_tool_desk(bench, baseline=flaky) as desk:
        outcome = done(await call(desk, LocateFault, tests=[ABOVE]))
        assert outcome.text.startswith("Nothing of it fails")
