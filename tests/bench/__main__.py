"""`make bench`: every benchmark with its floor, measured in the same run on the same machine.

A benchmark is a module `tests/bench/bench_<name>.py` with
`run() -> list[tuple[name, ours, floor, unit, goal]]`. A goal is text for a person that begins with
what is compared: `<= 1.1 x` (ours over floor), `>= 3.3 x` (ours over floor), `<= 10` or `>= 200`
(ours itself, in its unit).
"""

import argparse
import importlib
import json
import os
import platform
import re
import sys
import traceback
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

GOAL = re.compile(r"\s*(<=|<|>=|>|≤|≥)\s*([0-9.]+)\s*(x)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement and what it is held against."""

    module: str
    name: str
    ours: float
    floor: float
    unit: str
    goal: str

    @property
    def ratio(self) -> float | None:
        """Ours over the floor; None where there is no floor."""
        return self.ours / self.floor if self.floor else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where the text names no number."""
        match = GOAL.match(self.goal)
        if match is None:
            return None
        measured = self.ratio if match[3] else self.ours
        if measured is None:
            return None
        wanted = float(match[2])
        return measured <= wanted if match[1] in {"<=", "<", "≤"} else measured >= wanted


def main(arguments: list[str]) -> int:
    """Run the benchmarks; return 1 when one of them could not be run."""
    parser = argparse.ArgumentParser(
        prog="make bench", description="Speed and memory, with floors."
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="bench_NAME.py, repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there as well")
    options = parser.parse_args(arguments)

    names = [path.stem for path in sorted(Path(__file__).parent.glob("bench_*.py"))]
    if options.only:
        unknown = [name for name in options.only if f"bench_{name}" not in names]
        if unknown:
            parser.error(f"no bench_{unknown[0]}.py; there are {', '.join(n[6:] for n in names)}")
        names = [name for name in names if name[6:] in options.only]

    console = Console()
    console.print(machine())
    rows: list[Row] = []
    failed: list[str] = []
    for name in names:
        console.print(f"[dim]{name} ...[/dim]")
        try:
            rows += measure(name)
        except Exception:  # noqa: BLE001 - one broken benchmark must not hide the others
            failed.append(name)
            console.print(traceback.format_exc(), markup=False, highlight=False)
    console.print(as_table(rows, failed))
    if options.json:
        options.json.write_text(as_json(rows, failed))
    return 1 if failed else 0


def machine() -> str:
    """Return the date and what it was measured on, in one line."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{now}, {os.cpu_count()} cores ({platform.machine()}), {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, load {load}"
    )


def measure(name: str) -> list[Row]:
    """Return what one module measures."""
    module = importlib.import_module(f"tests.bench.{name}")
    return [
        Row(module=name[6:], name=what, ours=ours, floor=floor, unit=unit, goal=goal)
        for what, ours, floor, unit, goal in module.run()
    ]


def as_table(rows: list[Row], failed: list[str]) -> Table:
    """Return the rows for a terminal."""
    table = Table(title="Greenloop benchmarks", title_justify="left", expand=False)
    for heading in ("part", "what"):
        table.add_column(heading)
    for heading in ("ours", "floor", "ratio"):
        table.add_column(heading, justify="right")
    for heading in ("goal", "reached"):
        table.add_column(heading)
    for row in rows:
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else "-"
        floor = amount(row.floor, row.unit) if row.floor else "-"
        reached = {True: "[green]yes[/green]", False: "[red]no[/red]", None: "-"}[row.reached]
        table.add_row(
            row.module, row.name, amount(row.ours, row.unit), floor, ratio, row.goal, reached
        )
    for name in failed:
        table.add_row(name[6:], "[red]failed; its traceback is above[/red]", "", "", "", "", "")
    return table


def amount(value: float, unit: str) -> str:
    """Return a number with three significant digits and its unit."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f} {unit}"


def as_json(rows: list[Row], failed: list[str]) -> str:
    """Return the rows for a program."""
    return json.dumps(
        {
            "machine": machine(),
            "rows": [{**asdict(row), "ratio": row.ratio, "reached": row.reached} for row in rows],
            "failed": failed,
        },
        indent=1,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
