"""The life of a host: reads requests, answers them, tells events, and ends in order.

What a request does is in `requests`. When the front end is gone (its end of the socket is closed,
by a word or by a kill), runs are cancelled or carried to their end, by the last wish that was told.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from agent.config import host_variables
from agent.errors import AgentError
from agent.events import ModelStreamed, SearchProgress, TestsProgress
from agent.host.codec import error_out
from agent.host.lines import LineReader, line_of
from agent.host.requests import Requests
from agent.journal.records import Record, record_to_json
from agent.journal.redaction import Redactor, log_filter
from agent.task import RunId
from sandbox.errors import SandboxError

READ_BYTES: Final = 1 << 16
BACKLOG_BYTES: Final = 1 << 20
"""A front end that is so far behind is no longer told what only passes by."""
CLEAN_UP_S: Final = 60.0
"""So long sandboxes may take to be removed; then the process ends without them, and the next one
removes what is left."""

YIELDING: Final = 10
"""What runs do yields to whoever types: the editor and its server go first."""

_log = logging.getLogger(__name__)


def run_host(control: socket.socket) -> None:
    """Serve one front end over a connected socket until it is gone and all is cleaned up."""
    variables = host_variables()
    _log_to_stderr(Redactor.from_variables(variables))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.nice(YIELDING)
    anyio.run(_serve, control, variables)


def _log_to_stderr(redactor: Redactor) -> None:
    """Warnings only, for whoever reads the front end's log; nobody may be reading any more."""
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(log_filter(redactor))
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


async def _serve(control: socket.socket, variables: Mapping[str, str]) -> None:
    reader, writer = await asyncio.open_connection(sock=control)
    async with anyio.create_task_group() as tasks:
        front = FrontEnd(writer, Redactor.from_variables(variables))
        requests = Requests(variables, tasks, front.tell)
        clerk = Clerk(requests, front, tasks)
        front.send({"hello": {"pid": os.getpid()}})
        async with anyio.create_task_group() as listening:
            listening.start_soon(_until_asked_to_end, clerk, listening.cancel_scope)
            while data := await _read(reader):
                clerk.take(data)
            listening.cancel_scope.cancel()
        clerk.stop()
        if requests.wish == "finish":
            await requests.finish()
        _end_in_time()
        await requests.cancel_all()
        tasks.cancel_scope.cancel()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Return what came; nothing once the front end is gone, however it went."""
    try:
        return await reader.read(READ_BYTES)
    except OSError:
        return b""


async def _until_asked_to_end(clerk: "Clerk", listening: anyio.CancelScope) -> None:
    """End in order when the system asks for it, whatever the wish is."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        await anext(signals)
    clerk.requests.wish = "cancel"
    listening.cancel()


def _end_in_time() -> None:
    """End the process after a while, whatever hangs: an engine that does not answer, say."""
    timer = threading.Timer(CLEAN_UP_S, os._exit, (1,))
    timer.daemon = True
    timer.start()


class FrontEnd:
    """The other side, as far as it can be told something. Never blocks, never fails."""

    def __init__(self, writer: asyncio.StreamWriter, redactor: Redactor) -> None:
        self._writer = writer
        self._redactor = redactor

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, in order."""
        if not self._writer.is_closing():
            self._writer.write(line_of(message))

    def tell(self, run: RunId, record: Record) -> None:
        """Send an event; one that only passes by is left out for a reader that is far behind."""
        if self._writer.is_closing():
            return
        behind = self._writer.transport.get_write_buffer_size() > BACKLOG_BYTES
        if behind and isinstance(record.event, TestsProgress | SearchProgress | ModelStreamed):
            return
        self.send({"run": run, "record": self._redactor.value(record_to_json(record))})


class Clerk:
    """Takes requests in and answers each when it is done; side by side, each cancellable."""

    def __init__(self, requests: Requests, front: FrontEnd, tasks: TaskGroup) -> None:
        self.requests = requests
        self._front = front
        self._tasks = tasks
        self._lines = LineReader()
        self._under_way: dict[int, anyio.CancelScope] = {}

    def take(self, data: bytes) -> None:
        """Take in bytes of the front end."""
        for message in self._lines.feed(data):
            number = int(message["id"])
            if message.get("cancel"):
                if number in self._under_way:
                    self._under_way[number].cancel()
                continue
            scope = self._under_way[number] = anyio.CancelScope()
            self._tasks.start_soon(self._answer, number, scope, message)

    def stop(self) -> None:
        """Cancel what nobody waits for any more."""
        for scope in self._under_way.values():
            scope.cancel()

    async def _answer(
        self, number: int, scope: anyio.CancelScope, message: Mapping[str, Any]
    ) -> None:
        try:
            with scope:
                gives = await self.requests.carry_out(message["call"], message["with"])
                self._front.send({"id": number, "gives": gives})
        except (AgentError, SandboxError) as error:
            self._front.send({"id": number, "fails": error_out(error)})
        except Exception as error:  # noqa: BLE001 - a request handler; the others go on
            _log.exception("the request %s failed", message.get("call"))
            self._front.send({"id": number, "fails": error_out(error)})
        finally:
            del self._under_way[number]
