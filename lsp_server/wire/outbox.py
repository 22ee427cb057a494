"""The one way out of a connection: bodies in order, written by one task.

Taking a body never waits, so that a handler need not either; a client that does not read any more
is given up once so much lies here that no living one would have left it.
"""

import logging
from collections import deque
from typing import Final, Protocol

import anyio

logger = logging.getLogger(__name__)

PENDING_LIMIT_BYTES: Final = 256 * 1024 * 1024


class Sink(Protocol):
    """Where bodies go."""

    async def send(self, body: bytes) -> None:
        """Write one body whole.

        Raises:
            OSError: Nobody reads it any more; so does anyio.BrokenResourceError.
        """
        ...


class Outbox:
    """Bodies that wait for their turn."""

    def __init__(self) -> None:
        self._bodies: deque[bytes] = deque()
        self._pending_bytes = 0
        self._wake = anyio.Event()
        self._is_closed = False
        self._writing = anyio.CancelScope()
        self.written = anyio.Event()
        """Set once nothing more will be written."""

    @property
    def is_closed(self) -> bool:
        """Whether what is put here is dropped."""
        return self._is_closed

    def put(self, body: bytes) -> None:
        """Take a body; after the end of the connection it is dropped in silence."""
        if self._is_closed:
            return
        self._bodies.append(body)
        self._pending_bytes += len(body)
        if self._pending_bytes > PENDING_LIMIT_BYTES:
            logger.warning("the client reads nothing any more: its connection is given up")
            self._is_closed = True
            self._writing.cancel()
        self._wake.set()

    def close(self) -> None:
        """Take nothing more; what waits is still written."""
        self._is_closed = True
        self._wake.set()

    async def write_to(self, sink: Sink) -> None:
        """Write until the end: closed and empty, or nobody reads; never raises but cancellation."""
        try:
            with self._writing:
                await self._write_all(sink)
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            logger.info("the client has left")
        finally:
            self._is_closed = True
            self._bodies.clear()
            self.written.set()

    async def _write_all(self, sink: Sink) -> None:
        while True:
            while self._bodies:
                body = self._bodies.popleft()
                self._pending_bytes -= len(body)
                await sink.send(body)
            if self._is_closed:
                return
            self._wake = anyio.Event()
            await self._wake.wait()
