"""Keeps the first and the last bytes of an output of any length."""

from collections import deque


class OutputRing:
    """Head and tail of a stream; memory stays below both sizes plus one piece."""

    def __init__(self, *, head_bytes: int, tail_bytes: int) -> None:
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._head_room = head_bytes
        self._tail_bytes = tail_bytes
        self._tail_held = 0
        self.total_bytes = 0

    def add(self, data: bytes) -> None:
        """Take the next piece."""
        self.total_bytes += len(data)
        if self._head_room:
            self._head += data[: self._head_room]
            data, taken = data[self._head_room :], min(len(data), self._head_room)
            self._head_room -= taken
        if not data:
            return
        self._tail.append(data)
        self._tail_held += len(data)
        while self._tail_held - len(self._tail[0]) >= self._tail_bytes:
            self._tail_held -= len(self._tail.popleft())
            if not self._tail:
                return

    @property
    def head(self) -> bytes:
        """The first bytes."""
        return bytes(self._head)

    @property
    def tail(self) -> bytes:
        """The last bytes of what did not fit into the head."""
        joined = b"".join(self._tail)
        return joined[max(0, len(joined) - self._tail_bytes) :]
