"""Frames over a duplex stream: what host and runner say to each other, whole and in order.

A frame is a header (the session's token, a kind of one byte, a length) and a payload. The token is
the first thing that is sent; a frame without it, or without bounds, loses the runner.
"""

import json
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import anyio

from sandbox.errors import SandboxLost
from sandbox.streams import Duplex

HEADER: Final = struct.Struct(">16scI")
FRAME_BYTES: Final = 1 << 20
"""No honest frame is longer."""
SEND_S: Final = 120.0
"""A runner that takes nothing for so long is lost."""


class Frames:
    """The host's end of the stream. Every method may be cancelled and leaves whole frames."""

    def __init__(self, stream: Duplex) -> None:
        self._stream = stream
        self.token = secrets.token_bytes(16)
        self._in = bytearray()
        self._out = bytearray(self.token)
        self.lost = False

    async def order(self, kind: bytes, value: object) -> None:
        """Send a frame with a JSON value. Raises: SandboxLost."""
        await self.send(kind, json.dumps(value).encode())

    async def send(self, kind: bytes, payload: bytes) -> None:
        """Send a payload, in several frames where it is long. Raises: SandboxLost."""
        if self.lost:
            raise SandboxLost("the sandbox is gone")
        for start in range(0, len(payload) or 1, FRAME_BYTES):
            piece = payload[start : start + FRAME_BYTES]
            self._out += HEADER.pack(self.token, kind, len(piece)) + piece
            await self._flush()

    async def _flush(self) -> None:
        try:
            with anyio.fail_after(SEND_S):
                while self._out:
                    sent = await self._stream.send_some(bytes(self._out))
                    del self._out[:sent]
        except (OSError, TimeoutError) as error:
            raise self.lose(f"the runner takes no orders: {error}") from error

    async def receive(self) -> tuple[bytes, bytes]:
        """Return kind and payload of the next frame. Raises: SandboxLost."""
        while True:
            if len(self._in) >= HEADER.size:
                token, kind, length = HEADER.unpack_from(self._in)
                if token != self.token or length > FRAME_BYTES:
                    raise self.lose("the runner sent something that is not an answer")
                if len(self._in) >= HEADER.size + length:
                    payload = bytes(self._in[HEADER.size : HEADER.size + length])
                    del self._in[: HEADER.size + length]
                    return kind, payload
            try:
                data = await self._stream.receive()
            except OSError as error:
                raise self.lose(f"the stream broke: {error}") from error
            if not data:
                raise self.lose("the runner ended")
            self._in += data

    @contextmanager
    def whole(self) -> Iterator[None]:
        """An order that is not carried through leaves its answer in the stream: no way back."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def lose(self, what: str) -> SandboxLost:
        """Hang up, and return the error that says why."""
        words = self._stream.last_words()
        self.close()
        return SandboxLost(f"the sandbox is gone: {what}" + (f" ({words})" if words else ""))

    def close(self) -> None:
        """Hang up."""
        self.lost = True
        self._stream.close()
