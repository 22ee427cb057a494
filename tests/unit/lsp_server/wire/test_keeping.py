"""The core is opened once, when somebody wants it, and closed with the last wish."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest

from agent.errors import ConfigError, Infrastructure
from lsp_server import keeping
from lsp_server.keeping import CoreKeeper
from tests.support.lsp import QuietCore


class Opening:
    """Opens a core, or fails to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.core: Any = QuietCore()
        self.opened = 0
        self.left = 0
        self.failure = failure

    def __call__(self) -> AbstractAsyncContextManager[Any]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[Any]:
        self.opened += 1
        if self.failure is not None:
            raise self.failure
        yield self.core
        self.left += 1


async def test_nothing_is_opened_before_somebody_asks() -> None:
    opening = Opening()
    keeper = CoreKeeper(opening)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.run)
        await anyio.wait_all_tasks_blocked()
        keeper.end()
    assert opening.opened == 0


async def test_everybody_gets_the_same_core_and_it_is_closed_with_the_wish() -> None:
    opening = Opening()
    keeper = CoreKeeper(opening)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.run)
        assert await keeper.get() is opening.core
        assert await keeper.get() is opening.core
        keeper.wish = "finish"
        keeper.end()
    assert (opening.opened, opening.left, opening.core.closed_with) == (1, 1, "finish")
    assert keeper.core is None


async def test_after_the_end_nobody_gets_it() -> None:
    keeper = CoreKeeper(Opening())
    async with anyio.create_task_group() as tasks:
        keeper.end()
        tasks.start_soon(keeper.run)
        with pytest.raises(Infrastructure, match="is closing"):
            await keeper.get()


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ConfigError("no such key", remedy="See the page."), "no such key"),
        (RuntimeError("a secret"), "could not start its inner part"),
    ],
)
async def test_what_keeps_it_from_opening_is_told_to_everybody(
    failure: Exception, told: str
) -> None:
    keeper = CoreKeeper(Opening(failure))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.run)
        for _ in range(2):
            with pytest.raises(Exception, match=told) as caught:
                await keeper.get()
            assert "a secret" not in str(caught.value)


async def test_it_is_closed_also_when_everything_is_cancelled() -> None:
    opening = Opening()
    keeper = CoreKeeper(opening)
    async with anyio.create_task_group() as process:
        process.start_soon(keeper.run)
        await keeper.get()
        process.cancel_scope.cancel()
        keeper.end()
    assert opening.core.closed_with == "cancel"


async def test_closing_takes_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "CLOSING_S", 0.01)
    opening = Opening()

    async def close(wish: str) -> None:
        await anyio.sleep_forever()

    opening.core.close = close
    keeper = CoreKeeper(opening)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.run)
        await keeper.get()
        keeper.end()
    assert opening.left == 1
