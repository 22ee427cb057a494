"""Messages over a byte stream that only the two holders of a key can write.

One line a message: a tag, a space, JSON. The tag is a keyed hash under a key that moves on with
each message, so a line that was made up, changed, dropped, repeated or reordered is noticed, and
who learns the key in the middle cannot rewrite what was sent before. Used on both sides of the
sandbox; knows nothing of tests.
"""

from __future__ import annotations

import builtins
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

# From here on our functions have builtins of their own, which nobody can replace by name.
globals()["__builtins__"] = dict(vars(builtins))
blake2b, dumps = hashlib.blake2b, json.dumps

LINE_BYTES = 1 << 20
"""A longer line is not one of ours: every text in a message is capped far below."""


class Forged(ValueError):
    """Somebody without the key wrote to the stream, or a message is missing from it."""


def sender(write: Callable[[bytes], Any], key: bytes) -> Callable[[Any], None]:
    """Return a function that sends a JSON value as the next message."""
    chain = _keys(key)

    def send(value: Any) -> None:
        body = dumps(value, separators=(",", ":")).encode("ascii")
        write(_tag(next(chain), body) + b" " + body + b"\n")

    return send


class Receiver:
    """Takes the bytes as they come and gives back whole, authentic messages.

    `noise_first`: what stands before the first message is skipped, for a stream on which an
    interpreter may complain before it runs our first line.
    """

    def __init__(self, key: bytes, noise_first: bool = False) -> None:
        self._chain = _keys(key)
        self._key = next(self._chain)
        self._noise = noise_first
        self._rest = b""

    def feed(self, data: bytes) -> list[Any]:
        """Return the messages completed by this piece. Raises: Forged."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_BYTES:
            raise Forged("a line without an end")
        return [json.loads(body) for body in map(self._open, lines) if body]

    def _open(self, line: bytes) -> bytes:
        """Return the JSON of a line; nothing for noise. Raises: Forged."""
        tag, _, body = line.partition(b" ")
        if tag == _tag(self._key, body):
            self._key = next(self._chain)
            self._noise = False
            return body
        if self._noise:
            return b""
        raise Forged("a message that was not sent by us")


def _keys(key: bytes) -> Iterator[bytes]:
    while True:
        key = blake2b(b"next", key=key, digest_size=32).digest()
        yield key


def _tag(key: bytes, body: bytes) -> bytes:
    return blake2b(body, key=key, digest_size=16).hexdigest().encode("ascii")
