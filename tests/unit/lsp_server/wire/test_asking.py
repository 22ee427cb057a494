"""Requests of ours: late, double, foreign and missing answers reach nobody they should not."""

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from lsp_server.wire.asking import Asking
from lsp_server.wire.errors import ClientGone, ClientRefused


class Client:
    """Keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[Mapping[str, Any]] = []
        self.arrived = anyio.Event()

    def take(self, message: Mapping[str, Any]) -> None:
        self.got.append(message)
        self.arrived.set()


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def asking(client: Client) -> Asking:
    return Asking(client.take)


async def test_an_answer_reaches_whoever_asked(client: Client, asking: Asking) -> None:
    results = []

    async def ask(method: str) -> None:
        results.append(await asking.ask(method, {"of": method}))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, "one")
        tasks.start_soon(ask, "two")
        await anyio.wait_all_tasks_blocked()
        one, two = client.got
        assert (one["method"], one["params"]) == ("one", {"of": "one"})
        asking.take({"id": two["id"], "result": 2})
        asking.take({"id": one["id"], "result": 1})
    assert results == [2, 1]


async def test_an_error_is_raised_where_it_was_asked(client: Client, asking: Asking) -> None:
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            with pytest.raises(ClientRefused, match="no such thing") as caught:
                await asking.ask("one", None)
            assert caught.value.code == -32601

        tasks.start_soon(ask)
        await client.arrived.wait()
        error = {"code": -32601, "message": "no such thing"}
        asking.take({"id": client.got[0]["id"], "error": error})


@pytest.mark.parametrize("error", [None, 5, "no", {}, {"code": "x", "message": 5}])
async def test_an_error_of_any_shape_is_a_refusal(
    client: Client, asking: Asking, error: object
) -> None:
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            with pytest.raises(ClientRefused):
                await asking.ask("one", None)

        tasks.start_soon(ask)
        await client.arrived.wait()
        asking.take({"id": client.got[0]["id"], "error": error})


async def test_whoever_stops_waiting_says_so_and_the_late_answer_hurts_nobody(
    client: Client, asking: Asking
) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asking.ask, "one", None)
        await client.arrived.wait()
        tasks.cancel_scope.cancel()
    question, cancel = client.got
    assert cancel["method"] == "$/cancelRequest"
    assert cancel["params"] == {"id": question["id"]}
    asking.take({"id": question["id"], "result": "late"})
    asking.take({"id": question["id"], "result": "twice"})


@pytest.mark.parametrize("answer", [{"id": "?"}, {"id": 5}, {"id": None}, {"id": {}}, {}])
def test_answers_that_nobody_waits_for_are_dropped(
    asking: Asking, answer: Mapping[str, Any]
) -> None:
    asking.take(answer)


async def test_the_end_of_the_connection_reaches_everybody_who_waits_or_asks_later(
    client: Client, asking: Asking
) -> None:
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            with pytest.raises(ClientGone):
                await asking.ask("one", None)

        tasks.start_soon(ask)
        await client.arrived.wait()
        asking.end()
    with pytest.raises(ClientGone):
        await asking.ask("two", None)
