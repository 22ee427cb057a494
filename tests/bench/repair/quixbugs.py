"""`python -m tests.bench.repair quixbugs --checkout DIR`: forty known small bugs, as a guard.

Every program of QuixBugs becomes a small repository; the product searches it in a real sandbox,
once with all cases as its tests, once with half of them hidden. What it proposes is judged by all
cases and by random inputs against the benchmark's own correct version. Everybody knows these forty
bugs: the figures guard against getting worse, they promise nothing for other code.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import distribution
from pathlib import Path

import anyio
import anyio.to_thread
from rich.console import Console

from agent.config import Settings, host_variables
from agent.errors import AgentError
from tests.bench.repair.quixbugs_oracle import judge
from tests.bench.repair.quixbugs_programs import Program, load_programs, shown_half
from tests.bench.repair.quixbugs_runs import Outcome, run_program
from tests.bench.repair.quixbugs_table import each_table, floors_missed, summary_table
from tests.support.projects import make_environment

PASSED_ON = ("DOCKER_",)
"""Beginnings of the variables that reach the product: how to find the engine."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print; return 1 where a floor of a whole measurement is missed."""
    options = _options(arguments)
    console = Console(width=options.width)
    try:
        programs = chosen(load_programs(options.checkout), options.only)
    except AgentError as error:
        sys.stderr.write(f"{error.message} {error.remedy}\n")
        return 2
    ways = ("whole", "half") if options.cases == "both" else (options.cases,)
    outcomes = anyio.run(_measure, options, programs, ways, console)
    for way in ways:
        if options.each:
            console.print(each_table(outcomes[way], way))
            for outcome in outcomes[way]:
                for line in told(outcome):
                    console.print(line, markup=False, highlight=False)
    console.print(summary_table(outcomes))
    missed = floors_missed(outcomes) if not options.only else []
    for line in missed:
        console.print(line)
    return 1 if missed else 0


def chosen(programs: Sequence[Program], only: Sequence[str] | None) -> tuple[Program, ...]:
    """Return the programs that were asked for. Raises: AgentError where there is none such."""
    known = {program.name for program in programs}
    for name in only or ():
        if name not in known:
            raise AgentError(
                f"QuixBugs has no program {name!r}.", remedy="See its folder python_programs."
            )
    return tuple(each for each in programs if not only or each.name in only)


def told(outcome: Outcome) -> list[str]:
    """Return what to look at where the first option is not right."""
    if outcome.is_equal and outcome.label == "likely":
        return []
    lines = [f"\n{outcome.program}: {outcome.verdict} {outcome.label}, {outcome.message}"]
    for option in outcome.options:
        judged = option.judged
        wrong = f"{len(judged.failed)} cases fail" if judged.failed else "all cases pass"
        lines.append(f"  {option.rank}. {wrong}; {judged.equal} of {judged.inputs} inputs alike")
        lines += [f"     {line}" for line in option.diff.splitlines() if line[:1] in "+-"][2:]
        lines += [f"     {judged.first}"] if judged.first else []
    return lines


async def _measure(
    options: argparse.Namespace,
    programs: Sequence[Program],
    ways: Sequence[str],
    console: Console,
) -> dict[str, list[Outcome]]:
    outcomes: dict[str, list[Outcome]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory(prefix="greenloop-quixbugs-") as name:
        home = Path(name)
        venv = await anyio.to_thread.run_sync(_environment, home)
        settings = Settings(state_dir=home / "state", search_s=options.budget_s)
        variables = _variables(home, venv)
        turns = anyio.CapacityLimiter(options.jobs)

        async def one(program: Program, way: str) -> None:
            async with turns:
                shown = await _shown(program, way)
                outcome = await run_program(
                    settings, variables, program, shown, budget_s=options.budget_s
                )
            outcomes[way].append(outcome)
            if options.json:
                _write(options.json, outcomes)
            console.print(f"[dim]{way} {program.name}: {outcome.verdict} {outcome.label}[/dim]")

        async with anyio.create_task_group() as tasks:
            for way in ways:
                for program in programs:
                    tasks.start_soon(one, program, way)
    return {way: sorted(found, key=lambda each: each.program) for way, found in outcomes.items()}


def _write(file: Path, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Keep what is there so far: the whole takes a while."""
    kept = {way: [asdict(each) for each in found] for way, found in outcomes.items()}
    file.write_text(json.dumps(kept, indent=1) + "\n")


def _environment(home: Path) -> Path:
    """Make an environment with pytest and pytest-timeout, copied from ours; no network."""
    venv = make_environment(home)
    site = next(venv.glob("lib/python*/site-packages"))
    for file in distribution("pytest-timeout").files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)
    return venv


async def _shown(program: Program, way: str) -> tuple[str, ...]:
    if way == "whole":
        return program.names
    broken = await anyio.to_thread.run_sync(lambda: judge(program, program.broken, inputs=0))
    return shown_half(program, frozenset(broken.failed))


def _variables(home: Path, venv: Path) -> Mapping[str, str]:
    passed = {key: text for key, text in host_variables().items() if key.startswith(PASSED_ON)}
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "VIRTUAL_ENV": str(venv),
        **passed,
    }


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.repair quixbugs", description=__doc__
    )
    parser.add_argument("--checkout", type=Path, required=True, metavar="DIR")
    parser.add_argument("--cases", choices=("whole", "half", "both"), default="both")
    parser.add_argument("--only", action="append", metavar="PROGRAM")
    parser.add_argument("--budget-s", type=float, default=60.0, metavar="N")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="one gives honest times")
    parser.add_argument("--each", action="store_true", help="a line for each, and what is wrong")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--width", type=int, default=130, metavar="COLUMNS")
    return parser.parse_args(arguments)
