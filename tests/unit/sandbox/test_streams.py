"""Streams over sockets: plain ones, bridged ones, and the engine's multiplexed one."""

import socket
import struct

import anyio
from hypothesis import given
from hypothesis import strategies as st

from sandbox.docker.stream import WORDS_BYTES, ExecStream
from sandbox.streams import SocketDuplex, bridge


class Closed:
    """Remembers that it was closed."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


async def test_bytes_go_both_ways_and_the_end_is_empty() -> None:
    near, far = socket.socketpair()
    with far:
        duplex = SocketDuplex(near)
        assert await duplex.send_some(b"there") == 5
        assert far.recv(10) == b"there"
        far.sendall(b"back")
        assert await duplex.receive() == b"back"
        assert duplex.last_words() == ""
        far.shutdown(socket.SHUT_WR)
        assert await duplex.receive() == b""
        duplex.close()


async def test_a_full_pipe_waits_and_a_cancelled_wait_loses_nothing() -> None:
    near, far = socket.socketpair()
    with far:
        duplex = SocketDuplex(near)
        sent = 0
        with anyio.move_on_after(0.05):
            while True:
                sent += await duplex.send_some(b"x" * 100_000)
        with anyio.move_on_after(0.01) as scope:
            await duplex.receive()
        assert scope.cancelled_caught
        far.setblocking(False)
        got = 0
        while got < sent:
            got += len(far.recv(1 << 20))
        assert got == sent
        duplex.close()


async def test_a_blocking_channel_is_bridged_until_either_end_closes() -> None:
    remote, other = socket.socketpair()
    with remote, other:
        duplex = SocketDuplex(bridge(remote))
        await duplex.send_some(b"to")
        assert other.recv(10) == b"to"
        other.sendall(b"from")
        assert await duplex.receive() == b"from"
        other.shutdown(socket.SHUT_RDWR)
        assert await duplex.receive() == b""
        duplex.close()


def multiplexed(kind: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(data)) + data


@given(
    frames=st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40))),
    cuts=st.lists(st.integers(1, 30), min_size=1),
)
def test_frames_cut_anywhere_are_put_together(
    frames: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    near, far = socket.socketpair()
    with far:
        stream = ExecStream(near, b"", Closed())
        wire = b"".join(multiplexed(kind, data) for kind, data in frames)
        got = b""
        position = 0
        while position < len(wire):
            size = cuts[position % len(cuts)]
            stream._in += wire[position : position + size]
            position += size
            got += stream._demultiplex()
        assert got == b"".join(data for kind, data in frames if kind == 1)
        stream.close()


async def test_stderr_is_kept_as_last_words_and_early_bytes_come_first() -> None:
    near, far = socket.socketpair()
    with far:
        keep = Closed()
        early = multiplexed(1, b"early ") + multiplexed(2, b"!" * 3 * WORDS_BYTES + b"the end\n")
        stream = ExecStream(near, early, keep)
        assert await stream.receive() == b"early "
        far.sendall(multiplexed(1, b"late"))
        assert await stream.receive() == b"late"
        assert stream.last_words().endswith("the end")
        assert len(stream.last_words()) <= WORDS_BYTES
        assert await stream.send_some(b"in") == 2
        far.shutdown(socket.SHUT_WR)
        assert await stream.receive() == b""
        stream.close()
        assert keep.is_closed
