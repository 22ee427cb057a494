"""JSON objects as lines of bytes, and back. Knows nothing of what they mean.

A line is ASCII: text that is no valid Unicode, such as a path in another encoding, travels as
escaped lone surrogates and comes back as it was.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def line_of(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


class LineReader:
    """Cuts a stream of bytes into messages, however the bytes come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Yield every message that is whole now. Raises: ValueError where a line is none."""
        *whole, rest = data.split(b"\n")
        for each in whole:
            self._parts.append(each)
            line = b"".join(self._parts)
            self._parts.clear()
            message: dict[str, Any] = json.loads(line)
            yield message
        if rest:
            self._parts.append(rest)
