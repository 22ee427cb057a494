"""Several editors at one server: side by side, one after the other, each its own; on TCP and WS."""

import json
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.lsp import (
    PATIENCE_S,
    Answered,
    Peer,
    connected_peer,
    framed,
    running_server,
    serving_port,
)


@asynccontextmanager
async def a_client(way: str, port: int) -> AsyncGenerator[Peer]:
    if way == "--tcp":
        stream = await anyio.connect_tcp("127.0.0.1", port)
        async with stream, connected_peer(stream) as peer:
            yield peer
    else:
        socket = await connect(f"ws://127.0.0.1:{port}")
        async with socket, connected_peer(Framing(socket)) as peer:
            yield peer


class Framing:
    """A WebSocket as the stream of framed messages that a peer reads and writes."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def receive(self) -> bytes:
        try:
            return framed((await self._socket.recv()).encode())
        except ConnectionClosed:
            raise anyio.EndOfStream from None

    async def send(self, item: bytes) -> None:
        await self._socket.send(item.partition(b"\r\n\r\n")[2].decode())


@pytest.mark.parametrize("way", ["--tcp", "--ws"])
async def test_clients_come_and_go_and_the_process_stays(way: str, tmp_path: Path) -> None:
    with serving_port(way, tmp_path) as (process, port):
        async with a_client(way, port) as one, a_client(way, port) as two:
            await one.initialize(tmp_path)
            await two.initialize()
            assert await one.request("greenloop/runs", {}) == {"runs": []}
            await one.leave()
            with anyio.fail_after(PATIENCE_S):
                await one.ended.wait()
            assert await two.request("greenloop/runs", {}) == {"runs": []}
        async with a_client(way, port) as three:
            await three.initialize()
            assert await three.request("greenloop/runs", {}) == {"runs": []}
            with pytest.raises(Answered) as caught:
                await three.request("greenloop/run", {"run": "nope"})
            assert caught.value.code == -32803
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize("way", ["--tcp", "--ws"])
async def test_with_once_the_first_client_is_the_last(way: str, tmp_path: Path) -> None:
    with serving_port(way, tmp_path, "--once") as (process, port):
        async with a_client(way, port) as client:
            await client.initialize()
            await client.leave()
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("way", ["--tcp", "--ws"])
async def test_a_signal_ends_it_with_clients_connected(way: str, tmp_path: Path) -> None:
    with serving_port(way, tmp_path) as (process, port):
        async with a_client(way, port) as client:
            await client.initialize()
            await client.request("greenloop/runs", {})
            process.terminate()
            with anyio.fail_after(PATIENCE_S):
                await client.ended.wait()
        assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in (tmp_path / "server.log").read_text()


async def test_a_page_in_a_browser_is_turned_away(tmp_path: Path) -> None:
    with serving_port("--ws", tmp_path) as (_, port):
        address: Any = f"ws://127.0.0.1:{port}"
        with pytest.raises(InvalidStatus) as caught:
            await connect(address, origin="http://127.0.0.1:8000")
        assert caught.value.response.status_code == 403
        async with connect(address) as socket:
            await socket.send(b"\xff")
            assert json.loads(await socket.recv())["error"]["code"] == -32700


async def test_a_port_in_use_is_said_in_a_line(tmp_path: Path) -> None:
    with serving_port("--tcp", tmp_path) as (_, port):
        for way in ("--tcp", "--ws"):
            errors = tmp_path / "second.log"
            async with running_server(way, str(port), home=tmp_path, errors=errors) as second:
                assert await second.exit_code() == 2
        told = f"greenloop-lsp: cannot listen on 127.0.0.1 port {port}: Address already in use."
        what_to_do = "  Name another port; 0 takes a free one."
        assert errors.read_text().splitlines() == [told, what_to_do] * 2
