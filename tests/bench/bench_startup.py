"""What the command line costs before it does anything, against a bare argparse program.

Both run in the interpreter that runs the benchmark, in turns, so that both see the same machine.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

ROUNDS = 25

BARE = """
import argparse, sys
parser = argparse.ArgumentParser(prog="bare")
parser.add_argument("--version", action="version", version="1")
commands = parser.add_subparsers(dest="command")
for name in ("fix", "runs", "show", "apply", "undo", "verify", "doctor"):
    command = commands.add_parser(name, help="do it")
    command.add_argument("target", nargs="*", help="what to do it to")
    command.add_argument("--json", action="store_true", help="as JSON")
parser.parse_args(sys.argv[1:])
"""
OURS = "import sys; from agent.cli import main; sys.exit(main())"


def run() -> list[tuple[str, float, float, str, str]]:
    """Return (name, ours, floor, unit, goal) rows."""
    rows = []
    for name, arguments, goal in (
        ("greenloop --help", ["--help"], "<= 3 x"),
        ("greenloop --version", ["--version"], "<= 3 x"),
    ):
        floor_ms, ours_ms = _in_turns([BARE, OURS], arguments)
        rows.append((name, ours_ms, floor_ms, "ms", goal))
    floor_ms, runs_ms = _in_turns([BARE, OURS], ["runs"])
    rows.append(("greenloop runs (no run yet)", runs_ms, floor_ms, "ms", ""))
    return rows


def _in_turns(programs: Sequence[str], arguments: Sequence[str]) -> list[float]:
    """Return the median milliseconds of each program."""
    times_ms: list[list[float]] = [[] for _ in programs]
    with tempfile.TemporaryDirectory() as home:
        for _ in range(ROUNDS):
            for program, spent_ms in zip(programs, times_ms, strict=True):
                spent_ms.append(_wall_ms(program, arguments, home))
    return [statistics.median(spent_ms) for spent_ms in times_ms]


def _wall_ms(program: str, arguments: Sequence[str], home: str) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env={"HOME": home, "PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    return (time.perf_counter() - started) * 1000
