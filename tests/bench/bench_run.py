"""A whole run: how soon its first test process starts in the sandbox, and what it costs in memory.

The floor of the start-up is what nobody can go below who wants a container: create it, start it,
start a Python in it. Image, mounts and limits are those of the run.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio

from agent.config import Settings
from agent.engine import make_sandbox_engine
from agent.repair.offline import OfflineSearch
from agent.run import Parts, run_task
from agent.task import RunId, TaskSpec
from sandbox.base import Command, Completed, Environment, Sandbox, SandboxEngine, SandboxSpec
from sandbox.docker.client import connect
from sandbox.docker.image import ensure_image
from sandbox.docker.recipe import host_config, read_only_mounts
from sandbox.environments import resolve_environment
from tests.support.product import GREENLOOP, make_project
from tests.support.projects import make_environment, make_repository
from tests.support.shop import SHOP

ROUNDS = 5
FILES = 20_000
MOUNTINFO = Path("/proc/self/mountinfo").read_text()


def run() -> list[tuple[str, float, float, str, str]]:
    with tempfile.TemporaryDirectory(prefix="greenloop-bench-") as name:
        folder = Path(name)
        repo = make_project(folder / "shop", SHOP)
        make_environment(repo)
        ours, floor = anyio.run(start_up, repo, folder / "state")
        peak, peak_import = memory(folder)
    return [
        ("start of a run to its first test process", ours * 1e3, floor * 1e3, "ms", "<= 2 x"),
        (f"memory of a fix in {FILES} files", peak, peak_import, "MB", "<= 100"),
    ]


async def start_up(repo: Path, state_dir: Path) -> tuple[float, float]:
    """Return the medians of our start-up and of the bare container's, taken in turns."""
    settings = Settings(state_dir=state_dir)
    variables = dict(os.environ)
    engine = make_sandbox_engine(settings, variables)
    environment = resolve_environment(repo, image=None, variables=variables)
    await first_command_s(repo, settings, engine)  # takes the first base, makes the image
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(await first_command_s(repo, settings, engine))
        bare.append(await bare_container_s(repo, environment))
    return statistics.median(ours), statistics.median(bare)


class Reached(Exception):
    """The first test process is about to start."""


class StopsAtTheFirstCommand:
    """A sandbox engine that opens real sandboxes in which no command is run."""

    def __init__(self, engine: SandboxEngine) -> None:
        self._engine = engine
        self.name = engine.name

    @asynccontextmanager
    async def open(self, spec: SandboxSpec) -> AsyncGenerator[Sandbox, None]:
        async with self._engine.open(spec) as sandbox:
            yield SandboxWithoutCommands(sandbox)

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


class SandboxWithoutCommands:
    """A real sandbox up to the point at which a command would start."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def run(
        self, command: Command, *, on_output: Callable[[bytes], None] | None = None
    ) -> Completed:
        raise Reached

    def start(self, command: Command) -> object:
        raise Reached

    def __getattr__(self, name: str) -> object:
        return getattr(self._sandbox, name)


async def first_command_s(repo: Path, settings: Settings, engine: SandboxEngine) -> float:
    """Return the seconds from the start of a run to its first command in a sandbox."""
    parts = Parts(
        run=RunId("bench"),
        run_dir=settings.state_dir,
        settings=settings,
        engine=StopsAtTheFirstCommand(engine),
        strategy=OfflineSearch(search_s=1, candidates=1),
        find_environment=lambda repo: resolve_environment(
            repo, image=None, variables=dict(os.environ)
        ),
        emit=lambda event: None,
    )
    started = time.perf_counter()
    with suppress(Reached):
        await run_task(TaskSpec(repo=repo), parts)
    return time.perf_counter() - started


async def bare_container_s(repo: Path, environment: Environment) -> float:
    """Return the seconds to create and start a container and to start a Python in it."""
    engine = await anyio.to_thread.run_sync(connect, dict(os.environ))
    image = (await ensure_image(engine, environment)).id
    spec = SandboxSpec(environment=environment, workdir=str(repo))
    mounts = read_only_mounts(environment.mounts, MOUNTINFO)
    config = host_config(spec, mounts=mounts, cpus_available=os.cpu_count() or 1, turn=0)
    python = environment.interpreter or "python3"

    def go(api):
        started = time.perf_counter()
        box = api.create_container(image, ["sleep", "60"], user="0:0", host_config=config)["Id"]
        try:
            api.start(box)
            command = api.exec_create(box, [python, "-c", "pass"], user="1000:1000")["Id"]
            api.exec_start(command)
            assert api.exec_inspect(command)["ExitCode"] == 0
            return time.perf_counter() - started
        finally:
            api.remove_container(box, v=True, force=True)

    return await engine.call(go)


def memory(folder: Path) -> tuple[float, float]:
    """Return the peak memory in MB of a fix in a large repository, and of an idle command."""
    repo = folder / "large"
    for number in range(FILES):
        path = repo / f"part{number // 100:03}" / f"module{number:05}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def value():\n    return {number}\n")
    for name, text in SHOP.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(text)
    (repo / ".gitignore").write_text(".venv/\n")
    make_repository(repo)
    make_environment(repo)
    fix = ["fix", "--json", "--test-command", "python -m pytest tests"]
    return peak_mb(repo, folder, *fix), peak_mb(repo, folder, "runs")


def peak_mb(repo: Path, home: Path, *arguments: str) -> float:
    """Return the largest resident set of one command."""
    process = subprocess.Popen(
        [str(GREENLOOP), *arguments],
        cwd=repo,
        env={**os.environ, "XDG_STATE_HOME": str(home / "state-of-fix")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.stderr.write((out + err).decode(errors="replace"))
        raise RuntimeError(f"greenloop {' '.join(arguments)} ended with {process.returncode}")
    return usage.ru_maxrss / 1024
