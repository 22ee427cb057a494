"""Duplex byte streams over a socket, without a thread per stream.

A stream is read and written in parts that a cancellation cannot tear: what was received is
returned, what was sent is counted.
"""

import contextlib
import socket
import threading
from typing import Final, Protocol

import anyio

RECEIVE_BYTES: Final = 1 << 18


class Duplex(Protocol):
    """Bytes in both directions. Both methods may be cancelled and lose nothing then."""

    async def send_some(self, data: bytes | memoryview) -> int:
        """Send at least one byte; return how many. Raises: OSError."""
        ...

    async def receive(self) -> bytes:
        """Return what has arrived; empty at the end. Raises: OSError."""
        ...

    def last_words(self) -> str:
        """Return what the other side said besides the stream (its stderr), for messages."""
        ...

    def close(self) -> None:
        """Hang up; never blocks."""
        ...


class SocketDuplex:
    """A connected stream socket; takes it over and makes it non-blocking."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        sock.setblocking(False)

    async def send_some(self, data: bytes | memoryview) -> int:
        """Send what the kernel takes now, waiting until it takes something."""
        while True:
            try:
                return self._socket.send(data)
            except BlockingIOError:
                await anyio.wait_writable(self._socket)

    async def receive(self) -> bytes:
        """Return what has arrived, waiting for at least one byte or the end."""
        while True:
            try:
                return self._socket.recv(RECEIVE_BYTES)
            except BlockingIOError:
                await anyio.wait_readable(self._socket)

    def last_words(self) -> str:
        """Return nothing: a socket has no second channel."""
        return ""

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Blocking(Protocol):
    """What can only be read and written with waiting: a TLS socket, an ssh channel."""

    def recv(self, size: int, /) -> bytes:
        """Wait for bytes; empty at the end."""
        ...

    def sendall(self, data: bytes, /) -> object:
        """Wait until all is sent."""
        ...


def bridge(remote: Blocking) -> socket.socket:
    """Return a plain socket that two daemon threads connect with `remote`, until either ends."""
    near, far = socket.socketpair()

    def inward() -> None:
        try:
            while data := remote.recv(RECEIVE_BYTES):
                far.sendall(data)
        except (OSError, EOFError):
            pass
        # Wakes the other thread, which closes the socket.
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)

    def outward() -> None:
        try:
            while data := far.recv(RECEIVE_BYTES):
                remote.sendall(data)
        except (OSError, EOFError):
            pass
        finally:
            far.close()

    for work in (inward, outward):
        threading.Thread(target=work, daemon=True, name="greenloop-bridge").start()
    return near
