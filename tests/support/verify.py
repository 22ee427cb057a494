"""Small repositories to measure, and a sandbox without isolation to measure them in quickly.

`LocalEngine` runs commands as plain child processes over a copy of the tree. It keeps the
Protocol's promises about trees, files and output, and none about isolation: only code written
in these tests runs in it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.to_thread

from agent.edits.changes import Content
from agent.task import RepoPath
from agent.verify.bench import Bench
from agent.verify.pytest_command import recognise_pytest
from agent.verify.pytest_runner import PytestRunner
from agent.workspace.base import Base
from sandbox.base import (
    TOOLS_DIR,
    Command,
    Completed,
    Environment,
    FileChange,
    FileDelete,
    FileWrite,
    Harvest,
    HarvestLimits,
    LinkWrite,
    ProbeLine,
    Promises,
    Reason,
    SandboxLimits,
    SandboxSpec,
)

HARVEST_LIMITS = HarvestLimits()


def a_delta(files: Mapping[str, str | None]) -> dict[RepoPath, Content | None]:
    """Return a delta from texts; None deletes."""
    return {
        RepoPath(path): None if text is None else Content(data=dedent(text).encode())
        for path, text in files.items()
    }


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


class FolderBase(Base):
    """A base whose content is a folder, without git and without state."""

    __slots__ = ()

    def read(self, path: RepoPath) -> Content | None:
        if path in self.edits:
            return self.edits[path]
        file = self.dir / path
        return Content(data=file.read_bytes()) if file.is_file() else None

    def paths(self) -> tuple[RepoPath, ...]:
        files = (p for p in self.dir.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        found = (RepoPath(p.relative_to(self.dir).as_posix()) for p in files)
        return self._edited(found, "")


def a_base(folder: Path, files: Mapping[str, str]) -> FolderBase:
    """Write the files and return them as a base."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text))
    folder.mkdir(parents=True, exist_ok=True)
    return FolderBase(repo=folder, dir=folder, commit="c" * 40, tree="t" * 40, dirty_files=0)


def a_bench(folder: Path, files: Mapping[str, str], runner: object = None) -> Bench:
    """Return a bench over these files that runs them without isolation."""
    base = a_base(folder, files)
    return Bench(
        base=base,
        engine=LocalEngine(),
        environment=an_environment(),
        runner=runner or a_runner(),
    )


def a_runner(command: str = "python -m pytest") -> PytestRunner:
    """Return this interpreter's pytest without third-party plugins, which take a second to load."""
    recognised = recognise_pytest(f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {command}")
    assert recognised
    return PytestRunner(interpreter=sys.executable, command=recognised)


def a_docker_bench(folder: Path, files: Mapping[str, str]) -> Bench:
    """Return a bench over these files that runs them in Docker with this interpreter's packages."""
    from sandbox.docker import DockerEngine
    from sandbox.environments import resolve_environment

    base = a_base(folder, files)
    variables = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    environment = resolve_environment(base.repo, image=None, variables=variables)
    assert environment.interpreter
    return Bench(
        base=base,
        engine=DockerEngine(variables=os.environ),
        environment=environment,
        runner=replace(a_runner(), interpreter=environment.interpreter),
        limits=SandboxLimits(
            memory_bytes=512 * 1024**2, tree_bytes=64 * 1024**2, tmp_bytes=64 * 1024**2
        ),
    )


def an_environment() -> Environment:
    return Environment(
        kind="host", interpreter=sys.executable, why="this interpreter", identity="e" * 64
    )


class LocalEngine:
    """Opens `LocalSandbox`es; not a backend of the product."""

    name = "local"
    opened = 0

    async def probe(self) -> tuple[ProbeLine, ...]:
        return ()

    async def reap(self) -> tuple[str, ...]:
        return ()

    @asynccontextmanager
    async def open(self, spec: SandboxSpec) -> AsyncGenerator["LocalSandbox", None]:
        self.opened += 1
        # A process of tests that were killed may still be writing.
        with tempfile.TemporaryDirectory(
            prefix="greenloop-test-", ignore_cleanup_errors=True
        ) as folder:
            tools = Path(folder) / "tools"
            tools.mkdir()
            tree = Path(folder) / "tree"
            if spec.tree is None:
                tree.mkdir()
            else:
                shutil.copytree(spec.tree, tree, symlinks=True)
            yield LocalSandbox(spec, tree, tools)


class LocalSandbox:
    """A copy of the tree; the copy's path stands for the work tree in everything we pass in."""

    promises = Promises(
        backend="local",
        no_network=False,
        memory_limited=False,
        processes_limited=False,
        disk_limited=False,
        note="no isolation at all: for tests of tests",
    )

    def __init__(self, spec: SandboxSpec, tree: Path, tools: Path) -> None:
        self._tools = tools
        self._known = _state(tree)
        self._tree = tree
        self.spec = SandboxSpec(environment=spec.environment, workdir=str(tree))

    async def sync(self, changes: Iterable[FileChange]) -> None:
        for change in changes:
            target = self._tree / change.path
            target.unlink(missing_ok=True)
            if isinstance(change, FileDelete):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(change, LinkWrite):
                target.symlink_to(change.target)
            else:
                target.write_bytes(change.data)
        self._known = _state(self._tree)

    async def install(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            (self._tools / name).parent.mkdir(parents=True, exist_ok=True)
            (self._tools / name).write_bytes(data)

    async def run(
        self, command: Command, *, on_output: Callable[[bytes], None] | None = None
    ) -> Completed:
        return await anyio.to_thread.run_sync(self._run, command, on_output)

    def _run(self, command: Command, on_output: Callable[[bytes], None] | None) -> Completed:
        started = time.monotonic()
        process = self._popen(command)
        try:
            out, _ = process.communicate(self._here(command.stdin), timeout=command.limits.wall_s)
            reason = Reason.EXITED
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
            reason = Reason.TIMEOUT
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if on_output:
            on_output(out)
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        return Completed(
            exit_code=code if reason is Reason.EXITED else None,
            head=out,
            tail=b"",
            output_bytes=len(out),
            wall_s=time.monotonic() - started,
            reason=reason,
        )

    def _popen(self, command: Command) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._here(word.encode()).decode() for word in command.argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=command.cwd or self._tree,
            env={"PATH": os.environ["PATH"], "HOME": str(self._tools), **self._own(command.env)},
            start_new_session=True,
        )

    def _own(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return variables whose scratch folder is ours and not the machine's /tmp."""
        own = dict(variables)
        if scratch := own.get("SCRATCH"):
            own["SCRATCH"] = f"{self._tools}{scratch}"
        return own

    def _here(self, data: bytes) -> bytes:
        return data.replace(TOOLS_DIR.encode(), str(self._tools).encode())

    @asynccontextmanager
    async def start(self, command: Command) -> AsyncGenerator["LocalProcess", None]:
        process = self._popen(command)
        try:
            yield LocalProcess(process, self._here)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with process:
                process.wait()

    async def read_file(self, path: str, *, limit_bytes: int) -> bytes | None:
        file = self._tree / self._here(path.encode()).decode()
        if file.is_symlink() or not file.is_file() or file.stat().st_size > limit_bytes:
            return None
        return file.read_bytes()

    async def harvest(self, limits: HarvestLimits = HARVEST_LIMITS) -> Harvest:
        now = _state(self._tree)
        changes: list[FileWrite | FileDelete] = [
            FileWrite(path=path, data=(self._tree / path).read_bytes())
            for path, state in sorted(now.items())
            if self._known.get(path) != state
        ]
        changes += [FileDelete(path=path) for path in sorted(self._known.keys() - now.keys())]
        self._known = now
        return Harvest(changes=tuple(changes), refused=())


class LocalProcess:
    """A child process that is talked to."""

    def __init__(self, process: subprocess.Popen[bytes], here: Callable[[bytes], bytes]) -> None:
        self._process = process
        self._here = here

    async def send(self, data: bytes) -> None:
        assert self._process.stdin
        await anyio.to_thread.run_sync(self._process.stdin.write, self._here(data))
        await anyio.to_thread.run_sync(self._process.stdin.flush)

    async def close_stdin(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()

    async def receive(self) -> bytes | Completed:
        assert self._process.stdout
        await anyio.wait_readable(self._process.stdout)
        data = os.read(self._process.stdout.fileno(), 1 << 16)
        if data:
            return data
        code = await anyio.to_thread.run_sync(self._process.wait)
        return Completed(
            exit_code=code, head=b"", tail=b"", output_bytes=0, wall_s=0.0, reason=Reason.EXITED
        )


def _state(tree: Path) -> dict[str, tuple[int, int]]:
    return {
        path.relative_to(tree).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    }
