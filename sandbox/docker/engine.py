"""Sandboxes in Docker containers: `DockerEngine` is what the rest of the house sees."""

import weakref
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import anyio
import anyio.to_thread

from sandbox.base import ProbeLine, Promises, Sandbox, SandboxSpec
from sandbox.docker.client import NOT_ENFORCED, Engine, connect
from sandbox.docker.image import ensure_image
from sandbox.docker.probe import probe_engine
from sandbox.docker.reaper import remove_abandoned
from sandbox.docker.vessel import DockerVessel, launch
from sandbox.errors import EngineUnavailable
from sandbox.held import open_held
from sandbox.layout import checked_workdir, sizes, worker_variables

PROMISES: Final = Promises(
    backend="docker",
    no_network=True,
    memory_limited=True,
    processes_limited=True,
    disk_limited=True,
)


class DockerEngine:
    """Implements `sandbox.base.SandboxEngine` over whatever engine `docker` would talk to.

    `variables` is the environment in which DOCKER_HOST, DOCKER_CONTEXT and the like are looked up.
    Nothing is connected before the first use.
    """

    name = "docker"

    def __init__(self, *, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._engine: Engine | None = None
        self._connecting = anyio.Lock()
        self._turns = count()

    async def probe(self) -> tuple[ProbeLine, ...]:
        """Look at the engine without changing anything; never raises."""
        return await anyio.to_thread.run_sync(probe_engine, self._variables, abandon_on_cancel=True)

    @asynccontextmanager
    async def open(self, spec: SandboxSpec) -> AsyncGenerator[Sandbox, None]:
        """Open a fresh sandbox; leaving the context removes every trace of it.

        Raises: EngineUnavailable, EnvironmentMissing, SandboxError.
        """
        checked_workdir(spec.workdir)
        sizes(spec.limits)
        engine = await self._connected()
        must_enforce(engine)
        image = await ensure_image(engine, spec.environment)

        async def start() -> DockerVessel:
            return await launch(engine, image, spec, turn=next(self._turns))

        workers = worker_variables(min(spec.limits.cpus, engine.cpus))
        variables = {**workers, **image.variables}
        async with open_held(spec, PROMISES, start, variables=variables) as sandbox:
            yield sandbox

    async def reap(self) -> tuple[str, ...]:
        """Remove what dead owners of ours left behind; return the names of what was removed."""
        engine = await self._connected()
        return await engine.call(remove_abandoned)

    async def _connected(self) -> Engine:
        async with self._connecting:
            if self._engine is None:
                self._engine = await anyio.to_thread.run_sync(
                    connect, self._variables, abandon_on_cancel=True
                )
                # Nobody closes an engine; its idle connections end with it.
                weakref.finalize(self, self._engine.api.close)
            return self._engine


def must_enforce(engine: Engine) -> None:
    """Raise EngineUnavailable where a sandbox would promise more than the engine keeps.

    A swap limit alone may be missing: without swap accounting the memory limit still holds.
    """
    missing = [name for name in engine.unenforced if name in ("memory limit", "process limit")]
    if missing:
        raise EngineUnavailable(
            f"this Docker Engine does not enforce the {' and the '.join(missing)}",
            remedy=NOT_ENFORCED,
        )
