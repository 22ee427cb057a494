"""Where a connection's bytes come from and go to: this process' own streams, or a socket.

Uses no thread: an editor's next message must be read however busy every pool is, a cancellation
above all.
"""

import os
import select
from typing import Final, Protocol

import anyio
import anyio.lowlevel

from lsp_server.wire.framing import Frames, TooLarge, frame

CHUNK_BYTES: Final = 64 * 1024
SURE_BYTES: Final = 4096
"""What a pipe takes without waiting once it says that it takes anything (PIPE_BUF, pipe(7))."""


class Wire(Protocol):
    """Message bodies in both directions."""

    async def receive(self) -> bytes | TooLarge | None:
        """Return the next body; None at the end.

        Raises:
            BrokenFraming: What came can be read no further.
        """
        ...

    async def send(self, body: bytes) -> None:
        """Write one body.

        Raises:
            OSError: Nobody reads it any more; so does anyio.BrokenResourceError.
        """
        ...


class ByteStream(Protocol):
    """What anyio's sockets offer, and the streams of this process."""

    async def receive(self) -> bytes:
        """Return some bytes; raises anyio.EndOfStream."""
        ...

    async def send(self, item: bytes) -> None:
        """Write all of it."""
        ...


class FramedWire:
    """Bodies with headers over a stream of bytes."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._frames = Frames()

    async def receive(self) -> bytes | TooLarge | None:
        """Return the next body; the end of the stream is the end, wherever it cuts."""
        while (body := self._frames.next()) is None:
            try:
                self._frames.feed(await self._stream.receive())
            except (anyio.EndOfStream, anyio.BrokenResourceError, OSError):
                return None
        return body

    async def send(self, body: bytes) -> None:
        """Write one body with its header."""
        await self._stream.send(frame(body))


class DescriptorStream:
    """Two file descriptors of this process, blocking ones: they are shared with whoever gave them.

    Both are asked before they are used, so that neither keeps the loop waiting. Descriptors that
    cannot be asked (a file, /dev/null) are always ready.
    """

    def __init__(self, *, read_from: int, write_to: int) -> None:
        self._read_from = read_from
        self._write_to = write_to
        self._room = select.poll()
        self._room.register(write_to, select.POLLOUT)

    async def receive(self) -> bytes:
        """Return what is there as soon as something is."""
        try:
            await anyio.wait_readable(self._read_from)
        except PermissionError:
            await anyio.lowlevel.checkpoint()
        data = os.read(self._read_from, CHUNK_BYTES)
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        """Write all of it, in pieces that do not wait."""
        left = memoryview(item)
        while left:
            if not self._room.poll(0):
                await anyio.wait_writable(self._write_to)
            left = left[os.write(self._write_to, left[:SURE_BYTES]) :]
