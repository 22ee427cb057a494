"""Spare sandboxes: started ahead, handed out once, gone when nobody wants them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from sandbox.base import ProbeLine, SandboxSpec
from sandbox.errors import EngineUnavailable
from sandbox.pool import Pool
from tests.support.sandboxes import a_spec


class FakeEngine:
    """Opens numbers."""

    name = "fake"

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.living: set[int] = set()
        self.fails = False

    @asynccontextmanager
    async def open(self, spec: SandboxSpec) -> AsyncGenerator[int, None]:
        if self.fails:
            raise EngineUnavailable("down")
        number = len(self.opened)
        self.opened.append(spec.workdir)
        self.living.add(number)
        try:
            await anyio.lowlevel.checkpoint()
            yield number
        finally:
            self.living.discard(number)

    async def probe(self) -> tuple[ProbeLine, ...]:
        return (ProbeLine(name="fake", value="yes", ok=True),)

    async def reap(self) -> tuple[str, ...]:
        return ("old",)


@asynccontextmanager
async def open_pool(engine: FakeEngine, *, spare: int) -> AsyncGenerator[Pool, None]:
    async with anyio.create_task_group() as tasks:
        pool = Pool(engine, tasks, spare=spare)
        yield pool
        await pool.drain()


async def settle() -> None:
    for _ in range(10):
        await anyio.lowlevel.checkpoint()


async def test_the_next_sandbox_is_ready_before_it_is_asked_for() -> None:
    engine = FakeEngine()
    async with open_pool(engine, spare=1) as pool:
        async with pool.open(a_spec()) as first:
            await settle()
            assert (first, len(engine.opened)) == (0, 2) or (first, len(engine.opened)) == (1, 2)
        await settle()
        async with pool.open(a_spec()) as second:
            assert second != first
            await settle()
            assert len(engine.opened) == 3
            assert len(engine.living) == 2
        assert second not in engine.living
    assert engine.living == set()


async def test_a_sandbox_can_be_prepared_while_others_think() -> None:
    engine = FakeEngine()
    async with open_pool(engine, spare=2) as pool:
        pool.prepare(a_spec())
        await settle()
        assert len(engine.opened) == 2
        async with pool.open(a_spec()) as sandbox:
            assert sandbox in (0, 1)


async def test_spares_of_another_spec_are_dropped() -> None:
    engine = FakeEngine()
    async with open_pool(engine, spare=1) as pool:
        pool.prepare(a_spec())
        await settle()
        async with pool.open(replace(a_spec(), workdir="/other")):
            await settle()
            assert engine.opened.count("/home/dev/project") == 1
            assert 0 not in engine.living


async def test_without_spares_the_pool_is_the_engine() -> None:
    engine = FakeEngine()
    async with open_pool(engine, spare=0) as pool:
        async with pool.open(a_spec()) as sandbox:
            assert sandbox == 0
        assert await pool.reap() == ("old",)
        assert (await pool.probe())[0].name == pool.name == "fake"
    assert engine.opened == ["/home/dev/project"]


async def test_a_spare_that_could_not_start_is_the_error_of_who_gets_it() -> None:
    engine = FakeEngine()
    engine.fails = True
    async with open_pool(engine, spare=1) as pool:
        pool.prepare(a_spec())
        with pytest.raises(EngineUnavailable):
            async with pool.open(a_spec()):
                pass
        await settle()
        engine.fails = False
        async with pool.open(a_spec()) as sandbox:
            assert sandbox in (0, 1)


async def test_a_cancelled_wait_for_a_spare_leaves_nothing_behind() -> None:
    engine = FakeEngine()
    async with open_pool(engine, spare=1) as pool:
        pool.prepare(a_spec())
        with anyio.CancelScope() as scope:
            scope.cancel()
            async with pool.open(a_spec()):
                pytest.fail("cancelled before")
    assert engine.living == set()


async def test_a_drained_pool_holds_nothing() -> None:
    engine = FakeEngine()
    async with anyio.create_task_group() as tasks:
        pool = Pool(engine, tasks, spare=2)
        pool.prepare(a_spec())
        await pool.drain()
        assert engine.living == set()
        assert len(engine.opened) == 2
