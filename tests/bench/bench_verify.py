"""Measuring: a gate against the bare test run, a narrow warm run against a fresh pytest process.

Everything runs in Docker, with third-party plugins of pytest off. The bare run is `python -m
pytest` in a sandbox that is open already; the gate opens a fresh one, puts the candidate into it,
runs under watch, checks both reports and the tree, and writes the receipt.
"""

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from agent.task import TestId, TestPolicy
from agent.verify.baseline import measure_baseline
from agent.verify.bench import Bench, Selection
from agent.verify.gate import gate
from agent.verify.report import Baseline
from agent.verify.verdict import Green
from agent.verify.warm import WarmRunner, open_warm
from sandbox.base import Command, Sandbox
from tests.support.verify import a_delta, a_docker_bench

ROUNDS = 5
BROKEN = "def total(prices):\n    return sum(prices) + 1\n"
FIXED = "def total(prices):\n    return sum(prices)\n"
TARGET = TestId("tests/test_0.py::test_total")


def run() -> list[tuple[str, float, float, str, str]]:
    """Return (name, ours, floor, unit, goal) rows."""
    return anyio.run(_rows)


async def _rows() -> list[tuple[str, float, float, str, str]]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="greenloop-bench-") as name:
        for title, tests, each_s, goal in (
            ("gate, suite of 20 quick tests", 20, 0.0, "<= 3 x"),
            ("gate, suite of 400 tests of 10 ms", 400, 0.01, "<= 1.5 x"),
        ):
            bench = a_docker_bench(Path(name) / str(tests), _files(tests, each_s))
            ours_s, floor_s = await _gate_and_bare(bench)
            rows.append((title, ours_s * 1000, floor_s * 1000, "ms", goal))
        bench = a_docker_bench(Path(name) / "narrow", _files(20, 0.0))
        ours_s, floor_s = await _warm_and_fresh(bench)
        title = "one test, forked from a warm parent"
        rows.append((title, ours_s * 1000, floor_s * 1000, "ms", "<= 0.3 x"))
    return rows


def _files(tests: int, each_s: float) -> dict[str, str]:
    head = (
        "import time\nfrom shop import total\n\ndef test_total():\n    assert total([1]) == 1\n\n"
    )
    body = "".join(f"def test_{n}():\n    time.sleep({each_s})\n\n" for n in range(20))
    return {"shop.py": BROKEN} | {
        f"tests/test_{n}.py": (head if n == 0 else "import time\n\n") + body
        for n in range(max(1, tests // 20))
    }


async def _gate_and_bare(bench: Bench) -> tuple[float, float]:
    """Return the median seconds of the gate and of the bare run, taken in turns."""
    baseline = await measure_baseline(bench, [], wall_s=120, on_event=lambda event: None)
    async with bench.open() as sandbox:
        return await _in_turns(
            lambda: _gate_once(bench, baseline), lambda: _bare_once(bench, sandbox)
        )


async def _gate_once(bench: Bench, baseline: Baseline) -> None:
    verdict = await gate(
        bench,
        baseline,
        a_delta({"shop.py": FIXED}),
        policy=TestPolicy(),
        wall_s=120,
        receipt=bench.base.repo.parent / "receipt.json",
    )
    if not isinstance(verdict, Green):
        raise RuntimeError(f"the gate says {verdict}")  # noqa: TRY004 - a verdict, not a type


async def _bare_once(bench: Bench, sandbox: Sandbox, *ids: str) -> None:
    interpreter = bench.environment.interpreter or "python3"
    done = await sandbox.run(
        Command(
            argv=(interpreter, "-m", "pytest", "-q", *ids),
            env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )
    )
    if done.exit_code != 1:
        raise RuntimeError(done.output.decode("utf-8", "replace"))


async def _warm_and_fresh(bench: Bench) -> tuple[float, float]:
    """Return the median seconds of one test in a forked session and in a fresh pytest."""
    async with bench.open() as sandbox, open_warm(bench) as warm:
        return await _in_turns(
            lambda: _warm_once(warm), lambda: _bare_once(bench, sandbox, TARGET), rounds=3 * ROUNDS
        )


async def _warm_once(warm: WarmRunner) -> None:
    report = await warm.run(Selection(ids=(TARGET,)), delta={}, wall_s=30)
    if not warm.is_warm or TARGET not in report.failing:
        raise RuntimeError(f"the warm run says {report}")


async def _in_turns(
    first: Callable[[], Awaitable[None]],
    second: Callable[[], Awaitable[None]],
    *,
    rounds: int = ROUNDS,
) -> tuple[float, float]:
    spent_s: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, times_s in zip((first, second), spent_s, strict=True):
            started = time.perf_counter()
            await work()
            times_s.append(time.perf_counter() - started)
    return statistics.median(spent_s[0]), statistics.median(spent_s[1])
