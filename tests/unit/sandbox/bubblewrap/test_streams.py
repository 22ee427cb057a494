"""Two pipes as one stream."""

import os
from collections.abc import Iterator

import anyio
import pytest

from sandbox.bubblewrap.streams import PipeDuplex


class Ends:
    """A stream and the other ends of its pipes."""

    def __init__(self) -> None:
        source, self.sink = os.pipe()
        self.source, sink = os.pipe()
        self.words = os.memfd_create("words")
        self.stream = PipeDuplex(source=source, sink=sink, words=os.dup(self.words))

    def close(self) -> None:
        self.stream.close()
        for descriptor in (self.source, self.sink, self.words):
            os.close(descriptor)


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


async def test_bytes_go_both_ways(ends: Ends) -> None:
    assert await ends.stream.send_some(b"order") == 5
    assert os.read(ends.source, 100) == b"order"
    os.write(ends.sink, b"answer")
    assert await ends.stream.receive() == b"answer"


async def test_it_waits_for_bytes_and_for_room(ends: Ends) -> None:
    sent, got = bytes(range(256)) * 2_000, bytearray()

    async def send() -> None:
        rest = memoryview(sent)
        while rest:
            rest = rest[await ends.stream.send_some(rest) :]

    async def receive() -> None:
        while len(got) < 5:
            got.extend(await ends.stream.receive())

    read = bytearray()
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            tasks.start_soon(send)
            while len(read) < len(sent):
                await anyio.wait_readable(ends.source)
                read += os.read(ends.source, 65_536)
            os.write(ends.sink, b"there")
    assert (bytes(read), bytes(got)) == (sent, b"there")


async def test_the_end_of_the_other_side_is_the_end(ends: Ends) -> None:
    os.close(ends.sink)
    ends.sink = os.dup(ends.source)
    assert await ends.stream.receive() == b""


async def test_a_closed_stream_touches_no_descriptor_again(ends: Ends) -> None:
    ends.stream.close()
    ends.stream.close()
    with pytest.raises(BrokenPipeError):
        await ends.stream.send_some(b"x")
    with pytest.raises(BrokenPipeError):
        await ends.stream.receive()
    assert ends.stream.last_words() == ""


def test_last_words_are_one_line_and_not_many(ends: Ends) -> None:
    assert ends.stream.last_words() == ""
    os.write(ends.words, b"first\n\n  second \xff\n")
    assert ends.stream.last_words() == "first / second \ufffd"
    os.write(ends.words, b"x" * 10_000)
    assert len(ends.stream.last_words()) < 2_100
