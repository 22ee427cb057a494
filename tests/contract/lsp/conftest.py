"""One real server on a port for a whole file: each test is a client of its own."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import pytest

from tests.support.lsp import Peer, connected_peer, serving_port

Connect = Callable[[], AbstractAsyncContextManager[Peer]]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Generator[int]:
    home = tmp_path_factory.mktemp("server")
    with serving_port("--tcp", home) as (process, number):
        yield number
        assert process.poll() is None, "the server went: " + (home / "server.log").read_text()


@pytest.fixture
def connect(port: int) -> Connect:
    @asynccontextmanager
    async def connected() -> AsyncGenerator[Peer]:
        stream = await anyio.connect_tcp("127.0.0.1", port)
        async with stream, connected_peer(stream) as peer:
            yield peer

    return connected
