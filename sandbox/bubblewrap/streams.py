"""Two pipes as one duplex stream, and what a child said on stderr besides."""

import os
from typing import Final

import anyio

from sandbox.streams import RECEIVE_BYTES

_WORDS_BYTES: Final = 2_000


class PipeDuplex:
    """A `sandbox.streams.Duplex` over two pipes; takes the descriptors over."""

    def __init__(self, *, source: int, sink: int, words: int) -> None:
        self._descriptors = (source, sink, words)
        self._source, self._sink, self._words = self._descriptors
        self._is_open = True
        os.set_blocking(source, False)
        os.set_blocking(sink, False)

    async def send_some(self, data: bytes | memoryview) -> int:
        """Write what the pipe takes now, waiting until it takes something."""
        while self._is_open:
            try:
                return os.write(self._sink, data)
            except BlockingIOError:
                await anyio.wait_writable(self._sink)
        raise BrokenPipeError("the stream is closed")

    async def receive(self) -> bytes:
        """Return what has arrived, waiting for at least one byte or the end."""
        while self._is_open:
            try:
                return os.read(self._source, RECEIVE_BYTES)
            except BlockingIOError:
                await anyio.wait_readable(self._source)
        raise BrokenPipeError("the stream is closed")

    def last_words(self) -> str:
        """Return the first lines of what was said on stderr, as one line."""
        if not self._is_open:
            return ""
        said = os.pread(self._words, _WORDS_BYTES, 0).decode("utf-8", "replace")
        return " / ".join(line.strip() for line in said.splitlines() if line.strip())

    def close(self) -> None:
        """Close everything; a second time does nothing."""
        if self._is_open:
            # First the mark: a number that is closed may be somebody else's a moment later.
            self._is_open = False
            for descriptor in self._descriptors:
                os.close(descriptor)
