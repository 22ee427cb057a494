"""The host's side: what a front end is told that reads slowly, or not at all."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from agent.errors import TaskError
from agent.events import Event, Notice, SearchProgress, TestsMeasured
from agent.host.lines import LineReader, line_of
from agent.host.process import BACKLOG_BYTES, Clerk, FrontEnd
from agent.journal.records import Record
from agent.journal.redaction import Redactor
from agent.task import RunId

RUN = RunId("r")


class Wire:
    """A front end, and what it reads when it comes to it."""

    def __init__(self, front: FrontEnd, reader: asyncio.StreamReader) -> None:
        self.front = front
        self._reader = reader
        self._lines = LineReader()

    def tell(self, event: Event) -> None:
        self.front.tell(RUN, Record(number=0, at_unix_s=1.0, event=event))

    async def messages(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        with anyio.fail_after(60):
            while len(found) < count:
                found += self._lines.feed(await self._reader.read(1 << 16))
        return found

    async def texts_until_end(self) -> list[str]:
        texts: list[str] = []
        with anyio.fail_after(60):
            while "end" not in texts:
                told = self._lines.feed(await self._reader.read(1 << 16))
                texts += [each["record"]["data"].get("text", "progress") for each in told]
        return texts


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    ours, theirs = socket.socketpair()
    reader, far = await asyncio.open_connection(sock=ours)
    _, writer = await asyncio.open_connection(sock=theirs)
    yield Wire(FrontEnd(writer, Redactor([("KEY", "hush-hush-1")])), reader)
    for each in (far, writer):
        each.close()


async def test_a_reader_far_behind_misses_only_what_passes_by(wire: Wire) -> None:
    big = "x" * (BACKLOG_BYTES // 4)
    for number in range(8):
        wire.tell(Notice(level="info", text=f"{number}{big}"))
        wire.tell(SearchProgress(tried=number, plausible=0, space_left=0, best=""))
    wire.tell(TestsMeasured(results=(("a", "passed", 0.1),), whole=True))
    wire.tell(Notice(level="info", text="end"))
    texts = await wire.texts_until_end()
    assert [text[0] for text in texts if big in text] == [str(number) for number in range(8)]
    told = [text for text in texts if big not in text]
    assert 1 <= told.count("progress") - 1 < 8, "the measured tests, and only the first progress"
    assert told[-1] == "end"


async def test_a_reader_that_keeps_up_misses_nothing(wire: Wire) -> None:
    for number in range(50):
        wire.tell(SearchProgress(tried=number, plausible=0, space_left=0, best=""))
    messages = await wire.messages(50)
    assert [each["record"]["data"]["tried"] for each in messages] == list(range(50))


async def test_secrets_do_not_leave_the_process(wire: Wire) -> None:
    wire.tell(Notice(level="info", text="it is hush-hush-1"))
    (message,) = await wire.messages(1)
    assert message["record"]["data"]["text"] == "it is [redacted KEY]"


class Answers:
    """Stands in for the requests: each is a coroutine function of this test."""

    wish = "cancel"

    async def carry_out(self, name: str, values: dict[str, Any]) -> object:
        if name == "refuse":
            raise TaskError("what", remedy="do this")
        if name == "crash":
            raise KeyError("a bug")
        if name == "hang":
            await anyio.sleep_forever()
        return values


async def test_requests_are_answered_side_by_side_and_each_can_be_cancelled(wire: Wire) -> None:
    async with anyio.create_task_group() as tasks:
        clerk = Clerk(Answers(), wire.front, tasks)  # type: ignore[arg-type]
        for number, call in enumerate(["hang", "echo", "refuse", "crash"]):
            clerk.take(line_of({"id": number, "call": call, "with": {"n": number}}))
        answers = {each["id"]: each for each in await wire.messages(3)}
        assert answers[1]["gives"] == {"n": 1}
        assert answers[2]["fails"] == {"kind": "TaskError", "message": "what", "remedy": "do this"}
        assert answers[3]["fails"]["kind"] == "Infrastructure"
        assert "a bug" in answers[3]["fails"]["message"]
        clerk.take(line_of({"id": 0, "cancel": True}) + line_of({"id": 77, "cancel": True}))
    # The group ends: nothing hangs any more.
