"""What it costs to learn which test runs which line, against running the tests once.

The tests are those of two modules of Python's own library, copied into a project of their own. In
turns, each in a fresh sandbox and in one process: plain pytest, and the survey of the offline
search, which collects them, takes one for the failing test and runs the others beside it.
"""

import os
import tempfile
import time
from pathlib import Path

import anyio
import test

from agent.repair.survey import cover_tests
from agent.repair.validate.fork_server import open_fork_server
from agent.task import RepoPath
from agent.verify.bench import Bench, Selection
from agent.verify.pytest_runner import PytestRunner
from agent.verify.report import Baseline, NoReport, TestReport
from agent.workspace.base import Base
from sandbox.base import Command
from sandbox.docker.engine import DockerEngine
from sandbox.environments import resolve_environment

LIBRARY = Path(os.__file__).parent
TESTS = Path(test.__file__).parent
MODULES = ("textwrap", "configparser")
ROUNDS = 3
Row = tuple[str, float, float, str, str]


def run() -> list[Row]:
    """Return name, ours, floor, unit and goal."""
    return anyio.run(_measure)


async def _measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        files = _write(folder)
        environment = resolve_environment(folder, image=None, variables=os.environ)
        runner = PytestRunner(interpreter=environment.interpreter or "python3")
        bench = Bench(
            base=Base(repo=folder, dir=folder, commit="", tree="", dirty_files=0),
            engine=DockerEngine(variables=os.environ),
            environment=environment,
            runner=runner,
        )
        ours, floor = float("inf"), float("inf")
        async with bench.open() as sandbox:
            report = await runner.run(sandbox, Selection(files=tuple(files)), wall_s=300)
        if isinstance(report, NoReport):
            raise TypeError(f"the tests could not be run: {report}")
        for _ in range(ROUNDS):
            floor = min(floor, await _tested(bench, runner, files))
            ours = min(ours, await _located(bench, runner, files, report))
    return [("locating, against the test run", ours, floor, "s", "<= 2 x")]


def _write(folder: Path) -> list[RepoPath]:
    """Copy the modules under other names, for pytest uses them itself."""
    files = []
    for name in MODULES:
        (folder / f"our_{name}.py").write_text((LIBRARY / f"{name}.py").read_text())
        text = (TESTS / f"test_{name}.py").read_text()
        text = text.replace(f"import {name}\n", f"import our_{name} as {name}\n")
        text = text.replace(f"from {name} import", f"from our_{name} import")
        (folder / f"test_{name}.py").write_text(text)
        files.append(RepoPath(f"test_{name}.py"))
    return files


async def _tested(bench: Bench, runner: PytestRunner, files: list[RepoPath]) -> float:
    argv = (runner.interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files)
    started = time.perf_counter()
    async with bench.open() as sandbox:
        done = await sandbox.run(Command(argv=argv))
    if done.exit_code not in {0, 1}:
        raise TypeError(f"pytest ended with {done.exit_code}: {done.tail!r}")
    return time.perf_counter() - started


async def _located(
    bench: Bench, runner: PytestRunner, files: list[RepoPath], report: TestReport
) -> float:
    target, *others = report.passing
    baseline = Baseline(report=report, targets=(target,), flaky=(), wall_s=1.0)
    editable = frozenset(RepoPath(f"our_{name}.py") for name in MODULES)
    started = time.perf_counter()
    async with open_fork_server(bench, runner, files, workers=1, wall_s=120) as server:
        seen = await cover_tests(server, baseline, others, editable, seconds=60)
    took_s = time.perf_counter() - started
    if len(seen) != len(report.passing):
        raise TypeError(f"{len(seen)} of {len(report.passing)} tests were looked at")
    return took_s
