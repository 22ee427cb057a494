"""The benchmark driver: what counts as reached, and that every benchmark can be run by it."""

import subprocess
import sys

import pytest

from tests.bench.__main__ import Row, amount, as_json
from tests.support.setup_wheel import ROOT


def row(*, ours: float, floor: float, goal: str) -> Row:
    return Row(module="run", name="start", ours=ours, floor=floor, unit="ms", goal=goal)


@pytest.mark.parametrize(
    ("ours", "floor", "goal", "reached"),
    [
        (11.0, 10.0, "<= 1.1 x", True),
        (11.1, 10.0, "<= 1.1 x", False),
        (33.0, 10.0, ">= 3.3 x floor", True),
        (9.0, 0.0, "<= 10", True),
        (9.0, 100.0, "<= 10 ms", True),
        (199.0, 0.0, ">= 200", False),
        (199.0, 0.0, "<= 2 x", None),
        (199.0, 3.0, "as small as it gets", None),
    ],
)
def test_a_goal_is_held_against_the_ratio_or_the_figure(ours, floor, goal, reached):
    assert row(ours=ours, floor=floor, goal=goal).reached is reached


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1234 ms"), (12.34, "12.3 ms"), (1.234, "1.23 ms"), (0.5, "0.500 ms")],
)
def test_amounts_have_three_digits(value, text):
    assert amount(value, "ms") == text


def test_rows_are_json_with_ratio_and_verdict():
    text = as_json([row(ours=3.0, floor=2.0, goal="<= 2 x")], ["bench_broken"])
    assert '"ratio": 1.5' in text
    assert '"reached": true' in text
    assert '"bench_broken"' in text


def test_an_unknown_benchmark_is_refused_with_those_that_there_are():
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--only", "nonesuch"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no bench_nonesuch.py" in done.stderr
    assert "run" in done.stderr


def test_every_benchmark_offers_run():
    for path in (ROOT / "tests/bench").glob("bench_*.py"):
        assert "\ndef run() -> " in path.read_text(), path
