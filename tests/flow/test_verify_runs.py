"""Baseline, gate, receipt, warm runs and minimising over real pytest processes, without Docker.

What the sandbox adds is tested in test_verify_docker.py and test_verify_forgery.py.
"""

import json
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.edits.patch import make_patch
from agent.errors import Infrastructure, TaskError
from agent.events import Event, Notice, TestsProgress
from agent.task import TestId, TestPolicy
from agent.verify.baseline import measure_baseline
from agent.verify.bench import Bench, Selection
from agent.verify.command_runner import CommandRunner
from agent.verify.gate import gate
from agent.verify.minimise import minimise
from agent.verify.pytest_command import recognise_pytest
from agent.verify.pytest_runner import PytestRunner
from agent.verify.receipt import CannotTell, DoesNotHold, Holds, read_receipt, replay
from agent.verify.report import Baseline, NoReport, Outcome, TestReport
from agent.verify.verdict import Broken, Green, Regressed, Tampered, Unchanged, Verdict
from agent.verify.warm import open_warm
from tests.support.verify import a_bench, a_delta, a_runner, dedent

SHOP = {
    "shop.py": """
        def total(prices):
            return sum(prices) + 1


        def first(prices):
            return prices[0]
        """,
    "tests/test_shop.py": """
        from shop import first, total

        def test_total():
            assert total([1, 2]) == 3

        def test_first():
            assert first([5, 6]) == 5

        def test_none():
            assert first([]) is None
        """,
}
TOTAL, FIRST, NONE = (
    TestId(f"tests/test_shop.py::test_{name}") for name in ("total", "first", "none")
)
FIXED = """
    def total(prices):
        return sum(prices)


    def first(prices):
        return prices[0]
    """
FIXED_BOTH = """
    def total(prices):
        return sum(prices)


    def first(prices):
        return prices[0] if prices else None
    """


async def measured(bench: Bench, *targets: str, wall_s: float = 30.0) -> Baseline:
    return await measure_baseline(bench, targets, wall_s=wall_s, on_event=lambda event: None)


async def gated(
    bench: Bench,
    baseline: Baseline,
    files: dict[str, str | None],
    *,
    receipt: Path | None = None,
    policy: TestPolicy = TestPolicy(),  # noqa: B008
) -> Verdict:
    return await gate(bench, baseline, a_delta(files), policy=policy, wall_s=30, receipt=receipt)


async def refusal(tmp_path: Path, files: dict[str, str], *targets: str, wall_s: float = 30.0):
    with pytest.raises(TaskError) as caught:
        await measured(a_bench(tmp_path / "repo", files), *targets, wall_s=wall_s)
    return caught.value


async def test_the_baseline_knows_red_green_and_targets(tmp_path: Path) -> None:
    baseline = await measured(a_bench(tmp_path / "repo", SHOP))
    assert baseline.targets == (TOTAL, NONE)
    assert baseline.passing == (FIRST,)
    assert (baseline.flaky, baseline.report.results[TOTAL].error_type) == ((), "AssertionError")
    assert baseline.timeout_for((TOTAL,)) <= baseline.timeout_s


async def test_progress_is_told_while_the_baseline_runs(tmp_path: Path) -> None:
    events: list[Event] = []
    bench = a_bench(tmp_path / "repo", SHOP)
    await measure_baseline(bench, [], wall_s=30, on_event=events.append)
    last = [event for event in events if isinstance(event, TestsProgress)]
    assert TestsProgress(finished=3, failed=2, total=0) in last


async def test_a_test_that_differs_between_two_runs_is_flaky(tmp_path: Path) -> None:
    """The file is left by the first run, and outlives the sandbox of these tests on purpose."""
    mark = tmp_path / "mark"
    flaky = f"""
        import pathlib
        def test_first_time():
            mark = pathlib.Path({str(mark)!r})
            seen = mark.exists()
            mark.write_text("")
            assert seen
        def test_red():
            assert 0
        """
    events: list[Event] = []
    bench = a_bench(tmp_path / "repo", {"test_a.py": flaky})
    baseline = await measure_baseline(bench, [], wall_s=30, on_event=events.append)
    assert baseline.flaky == ("test_a.py::test_first_time",)
    assert baseline.targets == ("test_a.py::test_red",)
    assert any(isinstance(e, Notice) and "1 flaky" in e.text for e in events)


async def test_only_flaky_targets_are_refused(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    source = f"""
        import pathlib
        def test_a():
            mark = pathlib.Path({str(mark)!r})
            seen = mark.exists()
            mark.write_text("")
            assert seen
        """
    error = await refusal(tmp_path, {"test_a.py": source})
    assert "passes and fails on the same code" in error.message


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"shop.py": "x = 1\n"}, ("no tests were found", "--test-command")),
        ({"test_a.py": "def test_a(): pass\n"}, ("nothing to fix", "write a test")),
        (
            {"test_a.py": "import nonesuch\n"},
            ("test_a.py cannot be collected", "nonesuch is not installed"),
        ),
        (
            {"test_a.py": "def test_a(:\n"},
            ("test_a.py cannot be collected", "not valid Python"),
        ),
        (
            {"test_a.py": "import socket\ndef test_a(): raise socket.gaierror(-3, 'Temporary')\n"},
            ("1 failing test needs the network", "test_a.py::test_a"),
        ),
        (
            {"pytest.ini": "[pytest]\naddopts = --nonesuch\n", "test_a.py": ""},
            ("cannot be measured", "--nonesuch"),
        ),
        (
            {"test_a.py": "import os\nos._exit(3)\n"},
            ("cannot be measured", "exit status 3"),
        ),
    ],
)
async def test_what_cannot_be_repaired_is_refused_with_the_next_step(
    files: dict[str, str], words: tuple[str, str], tmp_path: Path
) -> None:
    error = await refusal(tmp_path, files)
    for word in words:
        assert word in f"{error.message} {error.remedy}"
    assert error.remedy


async def test_a_hanging_test_is_named(tmp_path: Path) -> None:
    source = "def test_a(): assert 0\ndef test_b():\n    while True: pass\n"
    error = await refusal(tmp_path, {"test_a.py": source}, wall_s=3)
    assert "test_a.py::test_b did not end within 3 s" in error.message
    assert "1 tests had finished" in error.message
    assert "--deselect test_a.py::test_b" in error.remedy


async def test_a_hanging_test_can_be_the_target(tmp_path: Path) -> None:
    files = {
        "loop.py": "def wait(n):\n    while n:\n        n = n\n    return n\n",
        "test_a.py": """
            from loop import wait
            def test_b(): assert wait(1) == 0
            def test_c(): pass
            """,
    }
    bench = a_bench(tmp_path / "repo", files)
    baseline = await measured(bench, "test_a.py::test_b", wall_s=3)
    assert baseline.targets == ("test_a.py::test_b",)
    assert baseline.report.results[baseline.targets[0]].error_type == "Timeout"
    fixed = {"loop.py": "def wait(n):\n    while n:\n        n -= 1\n    return n\n"}
    assert isinstance(await gated(bench, baseline, fixed), Green)


async def test_a_candidate_that_hangs_is_not_green(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    baseline = replace(await measured(bench), wall_s=0.0)
    quick = replace(baseline, targets=(TOTAL,))
    hang = "def total(prices):\n    while True: pass\n\n\ndef first(prices):\n    return 5\n"
    verdict = await gate(
        bench, quick, a_delta({"shop.py": hang}), policy=TestPolicy(), wall_s=8, receipt=None
    )
    assert isinstance(verdict, Unchanged)
    assert "does not end" in verdict.why
    hang = "def total(prices):\n    return 3\n\n\ndef first(prices):\n    while True: pass\n"
    verdict = await gate(
        bench, quick, a_delta({"shop.py": hang}), policy=TestPolicy(), wall_s=8, receipt=None
    )
    assert isinstance(verdict, Regressed)
    assert verdict.broken == (FIRST,)


async def test_an_import_error_is_a_target_that_can_be_fixed(tmp_path: Path) -> None:
    files = {
        "shop.py": "def totl(prices):\n    return sum(prices)\n",
        "tests/test_a.py": "from shop import total\n\ndef test_a(): assert total([1]) == 1\n",
    }
    bench = a_bench(tmp_path / "repo", files)
    baseline = await measured(bench)
    assert baseline.targets == ("tests/test_a.py",)
    good = await gated(bench, baseline, {"shop.py": "def total(prices):\n    return sum(prices)\n"})
    assert isinstance(good, Green)
    assert good.fixed == ("tests/test_a.py",)
    bad = await gated(bench, baseline, {"shop.py": "def total(prices):\n    return 0\n"})
    assert isinstance(bad, Unchanged)


async def test_green_writes_a_receipt_that_holds(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    baseline = await measured(bench, "tests/test_shop.py::test_total")
    path = tmp_path / "run" / "receipt.json"
    verdict = await gated(bench, baseline, {"shop.py": FIXED}, receipt=path)
    assert isinstance(verdict, Green)
    assert (verdict.fixed, verdict.still_failing) == ((TOTAL,), (NONE,))
    assert verdict.receipt == str(path)
    assert await replayed(path, bench) == Holds(tests=3, targets=1)


async def replayed(path: Path, bench: Bench):
    @asynccontextmanager
    async def open_bench(recorded):
        yield bench

    return await replay(path, open_bench=open_bench)


async def test_a_receipt_says_when_conditions_differ(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    path = tmp_path / "receipt.json"
    await gated(bench, await measured(bench, TOTAL), {"shop.py": FIXED}, receipt=path)
    moved = replace(bench, base=replace(bench.base, tree="a" * 40))
    other = replace(bench, environment=replace(bench.environment, identity="b" * 64))
    runner = replace(bench, runner=a_runner("python -m pytest -q"))
    for now, word in ((moved, "repository"), (other, "environment"), (runner, "argv")):
        outcome = await replayed(path, now)
        assert isinstance(outcome, CannotTell)
        assert word in outcome.why


async def test_a_receipt_that_says_more_than_is_measured_does_not_hold(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    path = tmp_path / "receipt.json"
    await gated(bench, await measured(bench, TOTAL), {"shop.py": FIXED}, receipt=path)
    receipt = json.loads(path.read_text())
    receipt["tests"]["after"][NONE] = "passed"
    receipt["targets"] = [FIRST, NONE]
    path.write_text(json.dumps(receipt))
    outcome = await replayed(path, bench)
    assert outcome == DoesNotHold(
        differences=(
            f"{FIRST} passes without the patch",
            f"{NONE} is failed, recorded passed",
            f"{NONE} does not pass with the patch",
        )
    )


async def test_a_receipt_whose_patch_breaks_the_run_does_not_hold(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    path = tmp_path / "receipt.json"
    await gated(bench, await measured(bench, TOTAL), {"shop.py": FIXED}, receipt=path)
    dead = replace(bench, runner=a_runner("python -m pytest --nonesuch"))
    dead_path = tmp_path / "other.json"
    receipt = json.loads(path.read_text())
    receipt["runner"] = dict(dead.runner.identity())
    dead_path.write_text(json.dumps(receipt))
    outcome = await replayed(dead_path, dead)
    assert isinstance(outcome, DoesNotHold)
    assert "there is no report" in outcome.differences[0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda r: r.update(schema=99), "schema is 99"),
        (lambda r: r["patch"].update(sha256="0"), "patch was changed"),
        (lambda r: r.pop("targets"), "targets"),
        (lambda r: r.update(tests=[]), "not a receipt"),
    ],
)
async def test_what_is_no_receipt_is_refused(change, word: str, tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    path = tmp_path / "receipt.json"
    await gated(bench, await measured(bench, TOTAL), {"shop.py": FIXED}, receipt=path)
    receipt = json.loads(path.read_text())
    change(receipt)
    path.write_text(json.dumps(receipt))
    with pytest.raises(TaskError) as caught:
        read_receipt(path)
    assert word in caught.value.message


def test_a_missing_or_garbled_receipt_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(TaskError, match="cannot read the receipt"):
            read_receipt(path)
    (tmp_path / "x.json").write_bytes(b"\x00{")
    with pytest.raises(TaskError, match="not a receipt"):
        read_receipt(tmp_path / "x.json")


async def test_the_gate_tells_candidates_apart(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    baseline = await measured(bench, TOTAL)
    same = await gated(bench, baseline, {"shop.py": SHOP["shop.py"]})
    assert same == Broken(why="the candidate changes nothing", infrastructure=False)
    half = await gated(bench, baseline, {"shop.py": FIXED.replace("prices[0]", "prices[1]")})
    assert isinstance(half, Regressed)
    assert (half.broken, half.fixed) == ((FIRST,), (TOTAL,))
    none = await gated(
        bench, baseline, {"shop.py": FIXED.replace("sum(prices)", "sum(prices) - 1")}
    )
    assert isinstance(none, Unchanged)
    assert (none.still_failing, none.why) == ((TOTAL,), "")
    torn = await gated(bench, baseline, {"shop.py": "def total(:\n"})
    assert isinstance(torn, Regressed)
    assert FIRST in torn.broken


async def test_a_slow_suite_runs_the_targets_first(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    baseline = replace(await measured(bench, TOTAL), wall_s=20.0)
    opened = bench.engine.opened
    wrong = await gated(bench, baseline, {"shop.py": FIXED.replace("sum(prices)", "0")})
    assert isinstance(wrong, Unchanged)
    assert bench.engine.opened == opened + 1
    right = await gated(bench, baseline, {"shop.py": FIXED})
    assert isinstance(right, Green)
    assert bench.engine.opened == opened + 4  # targets, what may notice, the whole suite
    dead = await gated(bench, baseline, {"shop.py": "import sys\nsys.exit(0)\n"})
    assert isinstance(dead, Broken)


async def test_a_slow_suite_ends_early_where_what_may_notice_breaks(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    baseline = replace(await measured(bench, TOTAL), wall_s=20.0)
    opened = bench.engine.opened
    breaking = FIXED.replace("prices[0]", "sum(prices)")
    verdict = await gated(bench, baseline, {"shop.py": breaking})
    assert isinstance(verdict, Regressed)
    assert (verdict.broken, verdict.fixed) == ((FIRST,), (TOTAL,))
    assert bench.engine.opened == opened + 3  # targets, what may notice, the same on the base
    assert set(verdict.after.results) == {TOTAL, FIRST, NONE}


async def test_a_test_that_needs_others_before_it_ends_nothing_early(tmp_path: Path) -> None:
    files = {
        **SHOP,
        "tests/test_a_order.py": """
            import builtins

            def test_makes():
                builtins.made = [1]
            """,
        "tests/test_b_order.py": """
            import builtins

            import shop

            def test_takes():
                assert shop.first(builtins.made) == 1
            """,
    }
    bench = a_bench(tmp_path / "repo", files)
    baseline = replace(await measured(bench, TOTAL), wall_s=20.0, flaky=())
    opened = bench.engine.opened
    harmless = FIXED.replace("prices[0]", "list(prices)[0]")
    assert isinstance(await gated(bench, baseline, {"shop.py": harmless}), Green)
    assert bench.engine.opened == opened + 4  # the base broke just so, and the whole suite decided


async def test_a_failure_far_from_the_edit_that_passes_again_is_flaky(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    files = {
        **SHOP,
        "tests/test_far.py": f"""
            import pathlib
            def test_far():
                mark = pathlib.Path({str(mark)!r})
                fail = mark.exists()
                mark.unlink(missing_ok=True)
                assert not fail
            """,
    }
    bench = a_bench(tmp_path / "repo", files)
    baseline = await measured(bench, TOTAL)
    mark.write_text("")
    events: list[Event] = []
    verdict = await gate(
        bench,
        baseline,
        a_delta({"shop.py": FIXED}),
        policy=TestPolicy(),
        wall_s=30,
        receipt=None,
        on_event=events.append,
    )
    assert isinstance(verdict, Green)
    assert verdict.flaky == ("tests/test_far.py::test_far",)
    assert TOTAL in verdict.fixed
    assert "tests/test_far.py::test_far" not in verdict.fixed
    assert any(isinstance(e, Notice) and "passed when run again" in e.text for e in events)
    assert verdict.flags == (
        "tests/test_far.py::test_far failed once and passed when the suite was run again",
    )


async def test_a_changed_data_file_is_shown(tmp_path: Path) -> None:
    expected = """
        import pathlib
        def test_total():
            assert pathlib.Path("expected.txt").read_text() == "3"
        """
    bench = a_bench(tmp_path / "repo", {"expected.txt": "4", "test_a.py": expected})
    baseline = await measured(bench)
    verdict = await gated(bench, baseline, {"expected.txt": "3"})
    assert isinstance(verdict, Green)
    assert verdict.flags == ("expected.txt is data; tests may read there what they expect",)


async def test_a_test_broken_by_what_another_leaves_behind_is_not_flaky(tmp_path: Path) -> None:
    """Alone it passes."""
    files = {
        **SHOP,
        "config.py": "LIMIT = 5\n",
        "tests/test_zlimit.py": """
            import config
            def test_limit():
                assert config.LIMIT == 5
            """,
    }
    bench = a_bench(tmp_path / "repo", files)
    baseline = await measured(bench, TOTAL)
    leaking = dedent(FIXED) + "import config\nconfig.LIMIT = 0\n"
    verdict = await gated(bench, baseline, {"shop.py": leaking})
    assert isinstance(verdict, Regressed)
    assert verdict.broken == ("tests/test_zlimit.py::test_limit",)


async def test_protected_files_are_put_back_and_named(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    baseline = await measured(bench, TOTAL)
    easy = "def test_total(): pass\ndef test_first(): pass\ndef test_none(): pass\n"
    alone = await gated(bench, baseline, {"tests/test_shop.py": easy})
    assert isinstance(alone, Tampered)
    assert alone.paths == ("tests/test_shop.py",)
    beside = await gated(bench, baseline, {"tests/test_shop.py": easy, "shop.py": FIXED})
    assert isinstance(beside, Green)
    assert beside.restored == ("tests/test_shop.py",)
    assert NONE in beside.still_failing


async def test_code_with_doctests_is_mended_and_its_examples_stay(tmp_path: Path) -> None:
    example = "    >>> twice(3)\n    {}\n"
    code = (
        'def twice(number):\n    """Double it.\n\n' + example + '    """\n    return number * {}\n'
    )
    files = {"pytest.ini": "[pytest]\naddopts = --doctest-modules\n", "shop/__init__.py": ""}
    bench = a_bench(tmp_path / "repo", {**files, "shop/math.py": code.format(6, 3)})
    target = TestId("shop/math.py::shop.math.twice")
    baseline = await measured(bench, target)
    mended = await gated(bench, baseline, {"shop/math.py": code.format(6, 2)})
    assert isinstance(mended, Green)
    assert mended.fixed == (target,)
    easier = await gated(bench, baseline, {"shop/math.py": code.format(9, 3)})
    assert isinstance(easier, Tampered)
    assert easier.paths == ("shop/math.py",)


async def test_a_policy_may_allow_new_tests_and_changed_tests(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    baseline = await measured(bench, TOTAL)
    test = "from shop import total\n\ndef test_new():\n    assert total([4]) == 4\n"
    new = {"shop.py": FIXED, "tests/test_new.py": test}
    added = await gated(bench, baseline, new, policy=TestPolicy(may_add=True))
    assert isinstance(added, Green)
    assert TestId("tests/test_new.py::test_new") in added.after.results
    fewer = {
        "shop.py": FIXED,
        "tests/test_shop.py": "from shop import total\ndef test_total(): assert total([1]) == 1\n",
    }
    edited = await gated(bench, baseline, fewer, policy=TestPolicy(may_edit=True))
    assert isinstance(edited, Green)
    assert (edited.restored, tuple(edited.after.results)) == ((), (TOTAL,))


async def test_flags_of_the_static_look_come_with_the_green(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    baseline = await measured(bench, TOTAL)
    text = FIXED.replace("sum(prices)", "eval('sum(prices)')")
    verdict = await gated(bench, baseline, {"shop.py": text})
    assert isinstance(verdict, Green)
    assert verdict.flags == ("shop.py: `eval` runs code built at run time",)


def a_plugin(folder: Path, source: str) -> PytestRunner:
    """Return a runner whose interpreter finds an installed pytest plugin of this source."""
    info = folder / "thready-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thready\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nthready = thready\n")
    (folder / "thready.py").write_text(source)
    command = recognise_pytest(f"PYTHONPATH={folder} python -m pytest -p no:randomly")
    assert command
    return PytestRunner(interpreter=sys.executable, command=command)


@pytest.mark.parametrize(
    "plugin",
    [
        "",
        "import threading as t, time\nt.Thread(target=time.sleep, args=(9,), daemon=1).start()",
        "import sys\nsys.path.insert(0, '')\ntry:\n    import shop\nexcept Exception:\n    pass\n",
    ],
)
async def test_narrow_runs_follow_the_edits(plugin: str, tmp_path: Path) -> None:
    """Forked where that is sound; else, as with these plugins, in a fresh process each."""
    runner = a_plugin(tmp_path / "site", plugin) if plugin else a_runner()
    bench = a_bench(tmp_path / "repo", SHOP, runner)
    one = Selection(ids=(TOTAL, FIRST))
    async with open_warm(bench) as runs:
        assert runs.is_warm is not bool(plugin)
        seen = []
        for text in (FIXED, SHOP["shop.py"], FIXED, "def total(:\n", None):
            changes = a_delta({"shop.py": text, "extra.py": "x = 1\n"})
            outcome = await runs.run(one, delta=changes, wall_s=20)
            assert isinstance(outcome, TestReport), outcome.why
            seen.append(outcome.outcome(TOTAL))
        plain = await runs.run(one, delta={}, wall_s=20)
        assert isinstance(plain, TestReport)
        seen.append(plain.outcome(TOTAL))
    assert seen == [Outcome.PASSED, Outcome.FAILED, Outcome.PASSED, None, None, Outcome.FAILED]


async def test_a_warm_run_tells_what_a_fresh_process_tells(tmp_path: Path) -> None:
    source = """
        import os, threading, unittest, pytest, shop
        @pytest.mark.parametrize("x", [1, 2])
        def test_p(x): assert x == 1
        def test_path(): assert os.path.exists("shop.py")
        def test_thread():
            threading.Thread(target=lambda: None).start()
        def test_proc():
            assert open("/proc/self/environ").read() is not None
        def test_order(): assert shop.total([]) == 1
        class TestU(unittest.TestCase):
            def test_u(self): self.fail("no")
        """
    bench = a_bench(tmp_path / "repo", {**SHOP, "tests/test_more.py": source})
    async with bench.open() as sandbox:
        fresh = await bench.runner.run(sandbox, Selection(), wall_s=30)
    async with open_warm(bench) as runs:
        assert runs.is_warm
        warm = [await runs.run(Selection(), delta={}, wall_s=30) for _ in range(2)]

    def essence(report: TestReport | NoReport):
        assert isinstance(report, TestReport)
        return [(r.id, r.outcome, r.message, r.frames, r.line) for r in report.results.values()]

    assert [essence(report) for report in warm] == [essence(fresh), essence(fresh)]


async def test_a_warm_run_survives_hangs_and_exits(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    async with open_warm(bench) as runs:
        hang = a_delta({"shop.py": "def total(p):\n    while True: pass\nfirst = None\n"})
        outcome = await runs.run(Selection(ids=(TOTAL,)), delta=hang, wall_s=1)
        assert isinstance(outcome, NoReport)
        assert (outcome.hung, outcome.running) == (True, TOTAL)
        gone = a_delta({"shop.py": "import os\nos._exit(0)\n"})
        outcome = await runs.run(Selection(ids=(TOTAL,)), delta=gone, wall_s=20)
        assert isinstance(outcome, NoReport)
        good = await runs.run(Selection(ids=(TOTAL,)), delta=a_delta({"shop.py": FIXED}), wall_s=20)
        assert isinstance(good, TestReport)
        assert runs.is_warm


async def test_a_warm_parent_that_is_killed_is_followed_by_fresh_processes(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    kill = a_delta({"shop.py": "import os\nos.kill(os.getppid(), 9)\n"})
    async with open_warm(bench) as runs:
        outcome = await runs.run(Selection(ids=(TOTAL,)), delta=kill, wall_s=20)
        assert isinstance(outcome, NoReport)
        good = await runs.run(Selection(ids=(TOTAL,)), delta=a_delta({"shop.py": FIXED}), wall_s=20)
        assert not runs.is_warm
    assert isinstance(good, TestReport)
    assert good.outcome(TOTAL) is Outcome.PASSED


async def test_hunks_that_green_does_not_need_are_optional(tmp_path: Path) -> None:
    base = "def total(prices):\n    return sum(prices) + 1\n" + "\n" * 20 + "NAME = 'a'\n"
    tail = "\n" * 20 + "def first(prices):\n    return prices[0]\n"
    files = {**SHOP, "shop.py": base + tail}
    bench = a_bench(tmp_path / "repo", files)
    baseline = await measured(bench, TOTAL)
    both = (base + tail).replace(" + 1", "").replace("'a'", "'b'")
    patch = make_patch(bench.base.read, a_delta({"shop.py": both, "notes.txt": "new\n"}))
    found = await minimise(bench, baseline, patch, budget_s=60, wall_s=30)
    needed = [hunk.new for hunk in patch.hunks if hunk.id in found.needed]
    assert needed == [b"    return sum(prices)\n"]
    assert (len(found.optional), found.complete) == (2, True)


async def test_one_hunk_is_always_needed(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "repo", SHOP)
    patch = make_patch(bench.base.read, a_delta({"notes.txt": "x\n"}))
    baseline = await measured(bench, TOTAL)
    found = await minimise(bench, baseline, patch, budget_s=9, wall_s=9)
    assert (len(found.needed), found.optional) == (1, frozenset())


async def test_hunks_that_others_need_stay(tmp_path: Path) -> None:
    """The second hunk is not on the target's way, yet what passed breaks without it."""
    files = {
        "shop.py": "TAX = 0\n" + "\n" * 20 + "def net(x):\n    return x + TAX\n",
        "test_a.py": """
            import shop
            def test_tax(): assert shop.TAX == 1
            def test_net(): assert shop.net(1) == 1
            """,
    }
    bench = a_bench(tmp_path / "repo", files)
    baseline = await measured(bench)
    text = "TAX = 1\n" + "\n" * 20 + "def net(x):\n    return x\n"
    patch = make_patch(bench.base.read, a_delta({"shop.py": text}))
    found = await minimise(bench, baseline, patch, budget_s=60, wall_s=30)
    assert (len(found.needed), found.optional) == (2, frozenset())


JUNIT_WRITER = """
    import sys, shop
    tests = {"total": shop.total([1, 2]) == 3, "first": shop.first([5]) == 5}
    with open("out.xml", "w") as stream:
        stream.write("<testsuite>")
        for name, good in tests.items():
            inner = "" if good else '<failure message="wrong"/>'
            stream.write(f'<testcase classname="t" name="{name}">{inner}</testcase>')
        stream.write("</testsuite>")
    sys.exit(0 if all(tests.values()) else 1)
    """


async def test_a_command_of_the_user_is_measured_by_its_junit_file(tmp_path: Path) -> None:
    runner = CommandRunner(command="python3 check.py", junit_path="out.xml")
    bench = a_bench(tmp_path / "repo", {**SHOP, "check.py": JUNIT_WRITER}, runner)
    baseline = await measured(bench)
    assert (baseline.targets, baseline.passing) == (("t::total",), ("t::first",))
    verdict = await gated(bench, baseline, {"shop.py": FIXED})
    assert isinstance(verdict, Green)
    async with open_warm(bench) as runs:
        assert not runs.is_warm
        report = await runs.run(Selection(), delta=a_delta({"shop.py": FIXED}), wall_s=20)
    assert isinstance(report, TestReport)


@pytest.mark.parametrize(
    ("command", "files", "word"),
    [
        ("true", {"out.xml": "<testsuite><testcase name='a'/></testsuite>"}, "wrote no report"),
        ("echo '<testsuite/>' > out.xml; exit 3", {}, "ended with 3"),
        ("echo nonsense > out.xml", {}, "not readable"),
        ("sleep 60", {}, "timeout"),
    ],
)
async def test_a_command_without_a_report_of_its_own_is_not_believed(
    command: str, files: dict[str, str], word: str, tmp_path: Path
) -> None:
    runner = CommandRunner(command=command, junit_path="out.xml")
    bench = a_bench(tmp_path / "repo", files or {"a.txt": ""}, runner)
    async with bench.open() as sandbox:
        outcome = await runner.run(sandbox, Selection(), wall_s=2)
    assert isinstance(outcome, NoReport)
    assert word in outcome.why


async def test_a_lost_engine_is_infrastructure(tmp_path: Path) -> None:
    class Lost:
        name = "lost"

        def identity(self):
            return {}

        async def run(self, sandbox, selection, *, wall_s, on_result=None, on_slow=None):
            return NoReport(why="the sandbox went away", infrastructure=True)

    bench = a_bench(tmp_path / "repo", SHOP, Lost())
    with pytest.raises(Infrastructure, match="went away"):
        await measured(bench)
    healthy = a_bench(tmp_path / "other", SHOP)
    baseline = await measured(healthy, TOTAL)
    verdict = await gated(replace(healthy, runner=Lost()), baseline, {"shop.py": FIXED_BOTH})
    assert isinstance(verdict, Broken)
    assert verdict.infrastructure
