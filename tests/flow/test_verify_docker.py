"""Baseline, gate, receipt and warm runs in the sandbox that users have."""

from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.task import TestId, TestPolicy
from agent.verify.baseline import measure_baseline
from agent.verify.bench import Bench, Selection
from agent.verify.gate import gate
from agent.verify.receipt import Holds, replay
from agent.verify.report import NoReport, Outcome, TestReport
from agent.verify.verdict import Green
from agent.verify.warm import open_warm
from tests.support.verify import a_delta, a_docker_bench

pytestmark = pytest.mark.docker

FILES = {
    "src/shop/__init__.py": "",
    "src/shop/cart.py": """
        def total(prices):
            return sum(prices) + 1
        """,
    "tests/conftest.py": """
        import sys, pathlib
        sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "src"))
        """,
    "tests/test_cart.py": """
        import os, socket
        import pytest
        from shop.cart import total

        def test_total():
            assert total([1, 2]) == 3

        def test_place():
            assert os.path.exists("tests/test_cart.py")

        def test_loopback():
            with socket.create_server(("127.0.0.1", 0)) as server:
                assert server.getsockname()[1]

        def test_writes(tmp_path):
            (tmp_path / "a").write_text("a")
        """,
}
TOTAL = TestId("tests/test_cart.py::test_total")
FIX = {"src/shop/cart.py": "def total(prices):\n    return sum(prices)\n"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return a_docker_bench(tmp_path_factory.mktemp("verify") / "repo", FILES)


async def test_a_repair_is_measured_green_and_its_receipt_holds(
    bench: Bench, tmp_path: Path
) -> None:
    baseline = await measure_baseline(bench, [], wall_s=60, on_event=lambda event: None)
    assert (baseline.targets, len(baseline.passing)) == ((TOTAL,), 3)
    path = tmp_path / "receipt.json"
    verdict = await gate(
        bench, baseline, a_delta(FIX), policy=TestPolicy(), wall_s=60, receipt=path
    )
    assert isinstance(verdict, Green)
    assert verdict.fixed == (TOTAL,)

    @asynccontextmanager
    async def open_bench(recorded):
        yield bench

    assert await replay(path, open_bench=open_bench) == Holds(tests=4, targets=1)


async def test_the_tree_has_the_path_that_the_user_knows(bench: Bench) -> None:
    async with bench.open() as sandbox:
        report = await bench.runner.run(sandbox, Selection(ids=(TOTAL,)), wall_s=60)
    assert isinstance(report, TestReport)
    (result,) = report.results.values()
    assert [(frame.path, frame.line) for frame in result.frames] == [("tests/test_cart.py", 6)]


async def test_warm_runs_follow_the_edits(bench: Bench) -> None:
    seen = []
    async with open_warm(bench) as runs:
        assert runs.is_warm
        for changes in (FIX, {}, FIX):
            report = await runs.run(Selection(ids=(TOTAL,)), delta=a_delta(changes), wall_s=30)
            assert isinstance(report, TestReport), report.why
            seen.append(report.outcome(TOTAL))
    assert seen == [Outcome.PASSED, Outcome.FAILED, Outcome.PASSED]


async def test_a_test_that_hangs_is_named_and_the_sandbox_goes_on(bench: Bench) -> None:
    hang = a_delta({"src/shop/cart.py": "def total(prices):\n    while True: pass\n"})
    async with bench.open(hang) as sandbox:
        impatient = replace(bench.runner, test_wall_s=1.0)
        outcome = await impatient.run(sandbox, Selection(ids=(TOTAL,)), wall_s=60)
        assert isinstance(outcome, NoReport)
        assert (outcome.running, outcome.hung) == (TOTAL, True)
        other = TestId("tests/test_cart.py::test_place")
        report = await bench.runner.run(sandbox, Selection(ids=(other,)), wall_s=60)
        assert isinstance(report, TestReport)
        assert report.outcome(other) is Outcome.PASSED


async def test_memory_that_runs_out_is_said_so(bench: Bench) -> None:
    eat = a_delta(
        {
            "src/shop/cart.py": "def total(prices):\n    return [b'x' * 10**7] * 1, bomb()\n"
            "def bomb():\n    held = []\n    while True:\n        held.append(bytearray(10**7))\n"
        }
    )
    small = replace(bench, limits=replace(bench.limits, memory_bytes=192 * 1024**2))
    async with small.open(eat) as sandbox:
        outcome = await bench.runner.run(sandbox, Selection(ids=(TOTAL,)), wall_s=60)
    assert isinstance(outcome, NoReport)
    assert not outcome.infrastructure
    assert TOTAL in outcome.why


async def test_an_environment_without_pytest_is_said_so(bench: Bench) -> None:
    runner = replace(bench.runner, interpreter="/usr/bin/python3")
    async with bench.open() as sandbox:
        outcome = await runner.run(sandbox, Selection(), wall_s=60)
    assert isinstance(outcome, NoReport)
    assert "pytest cannot be imported" in outcome.why
    assert "whose python3 has pytest" in outcome.remedy
    missing = replace(bench.runner, interpreter="/nowhere/python3")
    async with bench.open() as sandbox:
        outcome = await missing.run(sandbox, Selection(), wall_s=60)
    assert isinstance(outcome, NoReport)
    assert "could be started" in outcome.why
    assert "name an image that has python3" in outcome.remedy
