"""The one way out: in order, bounded, and quiet when nobody reads."""

import anyio
import pytest

from lsp_server.wire import outbox as outbox_module
from lsp_server.wire.outbox import Outbox


class Reader:
    """A client that reads, or not."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.stuck = False
        self.gone = False
        self.begun = anyio.Event()

    async def send(self, body: bytes) -> None:
        self.begun.set()
        if self.gone:
            raise BrokenPipeError
        if self.stuck:
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()
        self.got.append(body)


async def test_bodies_are_written_in_order_also_those_put_before_the_end() -> None:
    outbox, reader = Outbox(), Reader()
    async with anyio.create_task_group() as tasks:
        outbox.put(b"1")
        tasks.start_soon(outbox.write_to, reader)
        await reader.begun.wait()
        outbox.put(b"2")
        outbox.put(b"3")
        outbox.close()
        outbox.put(b"too late")
    assert reader.got == [b"1", b"2", b"3"]
    assert outbox.written.is_set()


async def test_a_client_that_left_ends_the_writing_in_peace() -> None:
    outbox, reader = Outbox(), Reader()
    reader.gone = True
    outbox.put(b"1")
    await outbox.write_to(reader)
    outbox.put(b"2")
    assert outbox.is_closed
    assert outbox.written.is_set()


async def test_a_client_that_reads_no_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "PENDING_LIMIT_BYTES", 100)
    outbox, reader = Outbox(), Reader()
    reader.stuck = True
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(outbox.write_to, reader)
        outbox.put(b"x")
        await reader.begun.wait()
        outbox.put(b"x" * 101)
    assert outbox.written.is_set()
