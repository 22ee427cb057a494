"""Sandboxes for tests: the machine's own toolchain, small limits, commands in one line."""

import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from sandbox.base import (
    Command,
    CommandLimits,
    Completed,
    Environment,
    Mount,
    ProbeLine,
    Sandbox,
    SandboxEngine,
    SandboxLimits,
    SandboxSpec,
)

MIB = 1024**2
PYTHON = str(Path(sys.base_prefix) / "bin" / "python3")
SMALL = SandboxLimits(
    memory_bytes=192 * MIB,
    processes=64,
    cpus=1.0,
    tree_bytes=48 * MIB,
    tmp_bytes=32 * MIB,
    lease_s=600,
)


def host_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """The Python that runs the tests, and /usr; nothing else of this machine."""
    prefix = Path(sys.base_prefix)
    sources = [Path("/usr"), Path("/etc/ld.so.cache")]
    if not prefix.is_relative_to("/usr"):
        sources.append(prefix)
    tops = [Path(name) for name in ("/bin", "/sbin", "/lib", "/lib64")]
    sources += [top for top in tops if top.is_dir() and not top.is_symlink()]
    return Environment(
        kind="host",
        mounts=tuple(Mount(source=path, target=str(path)) for path in sources if path.exists()),
        links={str(top): str(top.readlink()) for top in tops if top.is_symlink()},
        variables=variables or {},
        interpreter=PYTHON,
        why="the Python of the test run",
        identity="tests",
    )


def a_spec(tree: Path | None = None, **changes: object) -> SandboxSpec:
    """A spec with small limits; the tree lies at a path that exists nowhere else."""
    fields: dict[str, object] = {
        "environment": host_environment(),
        "workdir": "/home/dev/project",
        "tree": tree,
        "limits": SMALL,
    }
    return SandboxSpec(**{**fields, **changes})  # type: ignore[arg-type]


class WithoutPython:
    """An engine whose environments name a Python that does not start: the shell has to do."""

    def __init__(self, engine: SandboxEngine) -> None:
        self._engine = engine
        self.name = engine.name

    def open(self, spec: SandboxSpec) -> AbstractAsyncContextManager[Sandbox]:
        """Open with the shell runner."""
        environment = replace(spec.environment, interpreter="/no/such/python")
        return self._engine.open(replace(spec, environment=environment))

    async def probe(self) -> tuple[ProbeLine, ...]:
        """As the engine."""
        return await self._engine.probe()

    async def reap(self) -> tuple[str, ...]:
        """As the engine."""
        return await self._engine.reap()


async def sh(sandbox: Sandbox, script: str, **changes: object) -> Completed:
    """Run a shell script to its end."""
    return await sandbox.run(a_command("sh", "-c", script, **changes))


async def py(sandbox: Sandbox, script: str, **changes: object) -> Completed:
    """Run a Python script to its end."""
    return await sandbox.run(a_command(PYTHON, "-c", script, **changes))


def a_command(*argv: str, wall_s: float = 20.0, **changes: object) -> Command:
    """A command with a short wall limit."""
    fields: dict[str, object] = {"limits": CommandLimits(wall_s=wall_s), **changes}
    return Command(argv=argv, **fields)  # type: ignore[arg-type]
