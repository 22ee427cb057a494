"""The third way to this process: a WebSocket on loopback, one message a frame.

A page in a browser may open a WebSocket to any port of the machine, and says so by an `Origin`
header: such clients are turned away.
"""

from typing import Final

import anyio
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as open_websocket
from websockets.exceptions import ConnectionClosed

from lsp_server.wire.framing import BODY_LIMIT_BYTES, TooLarge
from lsp_server.wire.serving import Address, Serve, announce, listening

NO_BROWSER: Final = (None,)
"""Allowed origins: none at all."""


class WebSocketWire:
    """Bodies as the frames of a WebSocket."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    async def receive(self) -> bytes | TooLarge | None:
        """Return the next body; a frame that is too large ends the connection."""
        try:
            return await self._socket.recv(decode=False)
        except ConnectionClosed:
            return None

    async def send(self, body: bytes) -> None:
        """Write one body as text, which clients in JavaScript expect."""
        try:
            await self._socket.send(body, text=True)
        except ConnectionClosed as exc:
            raise anyio.BrokenResourceError from exc


async def serve_ws(serve: Serve, address: Address, *, once: bool) -> bool:
    """Serve clients one after the other and at once, until cancelled; with `once`, the first."""
    left_in_order = False
    first_left = anyio.Event()

    async def carry_through(socket: ServerConnection) -> None:
        nonlocal left_in_order
        left_in_order = await serve(WebSocketWire(socket), watches_parent=False)
        first_left.set()

    async def open_port(*, host: str, port: int) -> Server:
        return await open_websocket(
            carry_through, host, port, origins=NO_BROWSER, max_size=BODY_LIMIT_BYTES
        )

    server = await listening(open_port, host=address.host, port=address.port)
    async with server:
        announce("ws", next(iter(server.sockets)).getsockname())
        await (first_left.wait() if once else anyio.sleep_forever())
    return left_in_order
