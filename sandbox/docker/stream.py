"""The stream of an exec: one connection to the engine that carries stdin, stdout and stderr.

The connection is the raw socket of docker-py's hijacked HTTP response; it is driven by the event
loop, without a thread. Where the engine is reached over TLS or ssh, two threads bridge it.
"""

import socket
import struct
from typing import TYPE_CHECKING, Any, Final

from sandbox.streams import SocketDuplex, bridge

if TYPE_CHECKING:
    from docker import APIClient

FRAME: Final = struct.Struct(">BxxxL")
STDERR: Final = 2
WORDS_BYTES: Final = 2_000


class ExecStream:
    """Duplex over an exec without a terminal: stdout is the stream, stderr the last words."""

    def __init__(self, sock: socket.socket, early: bytes, keep: Any) -> None:
        """Take over the socket; `keep` is closed with it (the response that owns it)."""
        self._duplex = SocketDuplex(sock)
        self._keep = keep
        self._in = bytearray(early)
        self._words = bytearray()

    async def send_some(self, data: bytes | memoryview) -> int:
        """Write to the stdin of the exec."""
        return await self._duplex.send_some(data)

    async def receive(self) -> bytes:
        """Return stdout as it comes; empty at the end."""
        while True:
            data = self._demultiplex()
            if data:
                return data
            arrived = await self._duplex.receive()
            if not arrived:
                return b""
            self._in += arrived

    def last_words(self) -> str:
        """Return the end of stderr, for a message."""
        return self._words.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Hang up."""
        self._duplex.close()
        self._keep.close()

    def _demultiplex(self) -> bytes:
        """Take all whole frames off the buffer: stdout is returned, stderr kept."""
        out = bytearray()
        at = 0
        while len(self._in) - at >= FRAME.size:
            kind, length = FRAME.unpack_from(self._in, at)
            end = at + FRAME.size + length
            if len(self._in) < end:
                break
            payload = self._in[at + FRAME.size : end]
            if kind == STDERR:
                self._words = (self._words + payload)[-WORDS_BYTES:]
            else:
                out += payload
            at = end
        del self._in[:at]
        return bytes(out)


def start_exec(
    api: "APIClient", container: str, argv: tuple[str, ...], *, user: str, env: list[str]
) -> ExecStream:
    """Start a program in a container and return its stream. Blocking; docker-py's errors."""
    made = api.exec_create(
        container, list(argv), stdin=True, stdout=True, stderr=True, user=user, environment=env,
        workdir="/",
    )  # fmt: skip
    raw: Any = api.exec_start(made["Id"], socket=True)
    response = getattr(raw, "_response", raw)
    plain = getattr(raw, "_sock", None)
    if type(plain) is not socket.socket:
        return ExecStream(bridge(raw), b"", response)
    plain.setblocking(False)
    return ExecStream(plain, _read_early(response), response)


def _read_early(response: Any) -> bytes:
    """Return what came in one packet with the response's headers and was buffered with them."""
    early: bytes = response.raw._fp.fp.peek() or b""
    return early
