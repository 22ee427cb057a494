"""Bytes into message bodies, after the base protocol of LSP. Pure: no IO, no JSON.

A header block whose length is unknown leaves no way to find the next message, so it ends the
stream; a body that is merely too large is skipped, and reading goes on behind it.
"""

from dataclasses import dataclass
from typing import Final

BODY_LIMIT_BYTES: Final = 64 * 1024 * 1024
"""Larger bodies are skipped: no editor sends a file of this size, and memory is not endless."""
SKIP_LIMIT_BYTES: Final = 4 * 1024 * 1024 * 1024
"""Nothing that means well announces more; the stream ends there."""
HEADER_LIMIT_BYTES: Final = 8 * 1024


class BrokenFraming(Exception):
    """What came is no message of the base protocol; nothing after it can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLarge:
    """A message that was not read."""

    length_bytes: int


class Frames:
    """Takes bytes as they come and gives whole bodies, in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        self._to_skip = 0

    def feed(self, data: bytes) -> None:
        """Take what was read; what belongs to a skipped body is dropped at once."""
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        self._buffer += data

    def next(self) -> bytes | TooLarge | None:
        """Return the next body; None as long as more bytes are needed.

        Raises:
            BrokenFraming: The stream cannot be read any further.
        """
        if self._length is None:
            length = self._take_header()
            if length is None:
                return None
            if length > BODY_LIMIT_BYTES:
                return self._skip(length)
            self._length = length
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._length = None
        return body

    @property
    def is_between_messages(self) -> bool:
        """Whether an end of the stream here cuts no message in two."""
        return not self._buffer and self._length is None and not self._to_skip

    def _take_header(self) -> int | None:
        while self._buffer.startswith((b"\r\n", b"\n")):
            del self._buffer[: self._buffer.index(b"\n") + 1]
        end, size = _blank_line(self._buffer)
        if end < 0:
            if len(self._buffer) > HEADER_LIMIT_BYTES:
                raise BrokenFraming(f"no end of a header within {HEADER_LIMIT_BYTES} bytes")
            return None
        header = bytes(self._buffer[:end])
        del self._buffer[: end + size]
        return _length_of(header)

    def _skip(self, length: int) -> TooLarge:
        if length > SKIP_LIMIT_BYTES:
            raise BrokenFraming(f"a message of {length} bytes was announced")
        skipped = min(length, len(self._buffer))
        del self._buffer[:skipped]
        self._to_skip = length - skipped
        return TooLarge(length_bytes=length)


def frame(body: bytes) -> bytes:
    """Return a body with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _blank_line(data: bytearray) -> tuple[int, int]:
    """Return where the header ends and how long its end is; (-1, 0) before it has come."""
    window = data[: HEADER_LIMIT_BYTES + 4]
    ends = [(at, len(end)) for end in (b"\r\n\r\n", b"\n\n") if (at := window.find(end)) >= 0]
    return min(ends, default=(-1, 0))


def _length_of(header: bytes) -> int:
    lengths = set()
    for line in header.splitlines():
        name, colon, value = line.partition(b":")
        if not colon:
            raise BrokenFraming("a header line without a colon")
        if b" " in name.strip():
            # A web page may post to a port of this machine: no such body is a message of an editor.
            raise BrokenFraming("a request of HTTP, or a header that is none")
        if name.strip().lower() == b"content-length":
            lengths.add(value.strip())
    if len(lengths) != 1:
        raise BrokenFraming("no Content-Length" if not lengths else "two lengths for one message")
    (digits,) = lengths
    if not digits.isdigit() or len(digits) > 18:
        raise BrokenFraming("a Content-Length that is no number")
    return int(digits)
