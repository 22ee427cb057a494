"""Keeps sandboxes ready that nobody has asked for yet, so that opening one costs nothing.

A start takes a few hundred milliseconds and can happen while a model thinks or a test runs. A
sandbox is handed out once and never given back: what comes after it is fresh.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from sandbox.base import ProbeLine, Sandbox, SandboxEngine, SandboxSpec
from sandbox.errors import SandboxError


class Pool:
    """Implements `sandbox.base.SandboxEngine` over another one.

    Keeps up to `spare` unused sandboxes of the spec last asked for; they live in the given task
    group until they are handed out or `drain` is called.
    """

    def __init__(self, engine: SandboxEngine, tasks: TaskGroup, *, spare: int) -> None:
        self._engine = engine
        self._tasks = tasks
        self._spare = spare
        self._waiting: list[_Spare] = []

    @property
    def name(self) -> str:
        """As the engine's."""
        return self._engine.name

    async def probe(self) -> tuple[ProbeLine, ...]:
        """Look at the engine."""
        return await self._engine.probe()

    async def reap(self) -> tuple[str, ...]:
        """Remove what dead owners left behind."""
        return await self._engine.reap()

    def prepare(self, spec: SandboxSpec) -> None:
        """Start sandboxes of this spec in the background, and drop those of any other."""
        for other in [spare for spare in self._waiting if spare.spec != spec]:
            self._waiting.remove(other)
            other.done.set()
        while len(self._waiting) < self._spare:
            spare = _Spare(spec)
            self._waiting.append(spare)
            self._tasks.start_soon(self._hold, spare)

    @asynccontextmanager
    async def open(self, spec: SandboxSpec) -> AsyncGenerator[Sandbox, None]:
        """Hand out a sandbox that is ready, or wait for one. Raises as the engine's."""
        spare = next((spare for spare in self._waiting if spare.spec == spec), None)
        if spare is not None:
            self._waiting.remove(spare)
        self.prepare(spec)
        if spare is None:
            async with self._engine.open(spec) as sandbox:
                yield sandbox
            return
        try:
            yield await spare.ready()
        finally:
            spare.done.set()
            with anyio.CancelScope(shield=True):
                await spare.gone.wait()

    async def drain(self) -> None:
        """End the sandboxes that nobody asked for, and wait until they are gone."""
        unused, self._waiting = self._waiting, []
        for spare in unused:
            spare.done.set()
        for spare in unused:
            await spare.gone.wait()

    async def _hold(self, spare: "_Spare") -> None:
        """Own a sandbox from its start to its end, in one task, as its context demands."""
        try:
            async with self._engine.open(spare.spec) as sandbox:
                spare.give(sandbox)
                await spare.done.wait()
        except SandboxError as error:
            spare.give(error)
        finally:
            if spare in self._waiting:
                self._waiting.remove(spare)
            spare.gone.set()


class _Spare:
    """A sandbox that is being started or waits to be used."""

    def __init__(self, spec: SandboxSpec) -> None:
        self.spec = spec
        self.done = anyio.Event()
        self.gone = anyio.Event()
        self._opened = anyio.Event()
        self._result: Sandbox | SandboxError | None = None

    def give(self, result: Sandbox | SandboxError) -> None:
        """Say what became of the start; what comes later does not change it."""
        if self._result is None:
            self._result = result
        self._opened.set()

    async def ready(self) -> Sandbox:
        """Wait for the start. Raises: SandboxError."""
        await self._opened.wait()
        if isinstance(self._result, SandboxError) or self._result is None:
            raise self._result or SandboxError("the sandbox was not started")
        return self._result
