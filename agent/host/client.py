"""A front end's way to a host: started on the first need, and again after it died.

Light on purpose: a language server imports this before it answers its client, and everything
heavy lives on the other side. Decides nothing about runs.
"""

import asyncio
import itertools
import logging
import socket
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.abc import TaskGroup

from agent.errors import AgentError, Infrastructure
from agent.events import RunFinished
from agent.host.api import Checked, CheckSpec, Condition, TestsSpec, Told, Wish
from agent.host.codec import (
    asked_out,
    check_out,
    checked_in,
    condition_in,
    error_in,
    task_out,
)
from agent.host.launch import launch, wait_until_gone
from agent.host.lines import LineReader, line_of
from agent.journal.records import NOT_KEPT, Record, record_from_json
from agent.task import RepoPath, RunId, TaskSpec

READ_BYTES: Final = 1 << 16
HELLO_S: Final = 60.0
"""A host says hello within a second; a machine that swaps may need longer."""
LAST_WORDS_S: Final = 1.0
GOODBYE_S: Final = 1.0
"""An editor kills its server some two seconds after it asked it to end."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_host(*, variables: Mapping[str, str]) -> AsyncGenerator["RemoteHost", None]:
    """Give a way to a host with that environment; leaving the context leaves the host.

    Nothing is started before the first call that needs it.
    """
    expected: AgentError | None = None
    async with anyio.create_task_group() as tasks:
        host = RemoteHost(variables, tasks)
        try:
            yield host
        except AgentError as error:
            expected = error  # raised below as itself: a task group would wrap it
        finally:
            with anyio.CancelScope(shield=True):
                await host.leave()
            tasks.cancel_scope.cancel()
    if expected is not None:
        raise expected


class RemoteHost:
    """Implements `agent.host.api.Host` over a process of its own."""

    def __init__(self, variables: Mapping[str, str], tasks: TaskGroup) -> None:
        self._variables = variables
        self._tasks = tasks
        self._told: list[Told] = []
        self._line: _Line | None = None
        self._connecting = anyio.Lock()
        self._runs_at_once: int | None = None
        self._wish: Wish = "cancel"
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The host's process; None while there is none."""
        return self._line.pid if self._line and self._line.is_open else None

    def listen(self, told: Told) -> None:
        """Be told of every event from now on."""
        self._told.append(told)

    async def start(self, task: TaskSpec, *, flags: Mapping[str, object]) -> RunId:
        """Start a run. Raises: AgentError."""
        return await self._new_run("start", task=task_out(task), flags=dict(flags))

    async def resume(self, run: RunId) -> RunId:
        """Go on with a run whose process has ended. Raises: AgentError."""
        return await self._new_run("resume", run=run)

    async def run_tests(self, spec: TestsSpec, *, flags: Mapping[str, object]) -> RunId:
        """Run tests. Raises: AgentError."""
        return await self._new_run("run_tests", spec=asked_out(spec), flags=dict(flags))

    async def check(self, spec: CheckSpec) -> Checked:
        """Measure a change of a run's base. Raises: AgentError."""
        return checked_in(await self._ask("check", spec=check_out(spec)))

    async def cancel(self, run: RunId) -> bool:
        """End a run. Raises: AgentError."""
        return bool(await self._ask("cancel", run=run))

    async def test_files(self, repo: Path) -> tuple[RepoPath, ...]:
        """Return the files that hold tests. Raises: AgentError."""
        return tuple(map(RepoPath, await self._ask("test_files", repo=str(repo))))

    async def condition(self, repo: Path | None, *, flags: Mapping[str, object]) -> Condition:
        """Say whether a run could be started there. Raises: AgentError."""
        where = str(repo) if repo else ""
        return condition_in(await self._ask("condition", repo=where, flags=dict(flags)))

    async def limit(self, runs_at_once: int) -> None:
        """Bound how many runs are carried out side by side."""
        self._runs_at_once = runs_at_once
        if self._line and self._line.is_open:
            await self._line.ask("limit", runs_at_once=runs_at_once)

    async def wish(self, runs: Wish) -> None:
        """Say what becomes of runs when this front end goes, by a word or by a kill."""
        self._wish = runs
        if self._line and self._line.is_open:
            await self._line.ask("wish", runs=runs)

    async def close(self, *, runs: Wish) -> None:
        """Leave the host, which ends or finishes its runs by itself."""
        self._wish = runs
        await self.leave()

    async def leave(self) -> None:
        """Leave the host by the last wish."""
        self._closed = True
        line, self._line = self._line, None
        if line is None:
            return
        with suppress(AgentError), anyio.move_on_after(GOODBYE_S):
            await line.ask("wish", runs=self._wish)
        line.close()

    async def _new_run(self, call: str, **values: object) -> RunId:
        line = await self._connected()
        run = RunId(str(await line.ask(call, **values)))
        line.expect(run)
        return run

    async def _ask(self, call: str, **values: object) -> Any:
        return await (await self._connected()).ask(call, **values)

    async def _connected(self) -> "_Line":
        async with self._connecting:
            if self._closed:
                raise AgentError("the engine was closed with its editor", remedy="start it again")
            if self._line is None or not self._line.is_open:
                self._line = await _Line.open(self._variables, self._tasks, self._tell)
                await self._line.ask("wish", runs=self._wish)
                if self._runs_at_once is not None:
                    await self._line.ask("limit", runs_at_once=self._runs_at_once)
            return self._line

    def _tell(self, run: RunId, record: Record) -> None:
        for told in self._told:
            try:
                told(run, record)
            except Exception:  # noqa: BLE001 - one listener's fault must not cost the others
                _log.exception("an event of %s could not be taken in", run)


class _Line:
    """The connection to one host process, as long as it lives."""

    def __init__(self, writer: asyncio.StreamWriter, tell: Told) -> None:
        self.pid: int | None = None
        self.is_open = True
        self._writer = writer
        self._tell = tell
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Answer] = {}
        self._greeted = _Answer()
        self._under_way: dict[RunId, float] = {}

    @classmethod
    async def open(cls, variables: Mapping[str, str], tasks: TaskGroup, tell: Told) -> "_Line":
        """Start a host and wait until it answers. Raises: Infrastructure."""
        ends = await anyio.to_thread.run_sync(launch, variables)
        reader, writer = await asyncio.open_connection(sock=ends.control)
        line = cls(writer, tell)
        printed = _Printed()
        tasks.start_soon(printed.read, ends.printed)
        tasks.start_soon(line.read, reader)
        try:
            with anyio.fail_after(HELLO_S):
                line.pid = int((await line._greeted.value())["pid"])
        except TimeoutError as exc:
            line.close()
            raise Infrastructure(
                f"the engine's process did not answer within {HELLO_S:g} s",
                remedy="try again; the machine may be overloaded",
            ) from exc
        except Infrastructure as exc:
            with anyio.move_on_after(LAST_WORDS_S):
                await printed.over.wait()
            raise Infrastructure(
                f"the engine's process ended at its start: {printed.last or 'it said nothing'}",
                remedy="install Greenloop anew if this goes on",
            ) from exc
        return line

    async def ask(self, call: str, **values: object) -> Any:
        """Send a request and wait for its answer; cancelling the wait cancels the request.

        Raises: AgentError.
        """
        if not self.is_open:
            raise _gone()
        number, answer = next(self._numbers), _Answer()
        self._waiting[number] = answer
        self._send({"id": number, "call": call, "with": values})
        try:
            return await answer.value()
        except anyio.get_cancelled_exc_class():
            self._send({"id": number, "cancel": True})
            raise
        finally:
            del self._waiting[number]

    def expect(self, run: RunId) -> None:
        """Know of a run before its first event: it may wait its turn for long."""
        self._under_way.setdefault(run, time.monotonic())

    def close(self) -> None:
        """Let go of the host, which notices."""
        self.is_open = False
        self._writer.close()

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Take in what the host says until it is gone; then end what was open with it."""
        lines = LineReader()
        try:
            while data := await reader.read(READ_BYTES):
                for message in lines.feed(data):
                    if self._take(message):
                        # Who asked for a run hears its id before the first event of it.
                        await anyio.lowlevel.checkpoint()
        except OSError:
            pass  # as good as its end
        finally:
            was_left = not self.is_open
            self.close()
            for answer in (self._greeted, *self._waiting.values()):
                answer.fail(_gone())
        if not was_left and self.pid is not None:
            # Its locks go a moment after its sockets; who hears of the end may look at once.
            await anyio.to_thread.run_sync(wait_until_gone, self.pid)
            self._tell_what_died()

    def _take(self, message: Mapping[str, Any]) -> bool:
        """Take in a message; tell whether somebody waited for it."""
        if "run" in message:
            self._event(RunId(message["run"]), message["record"])
            return False
        if "hello" in message:
            self._greeted.give(message["hello"])
            return True
        answer = self._waiting.get(message["id"])
        if answer is None:
            return False  # cancelled meanwhile
        if "fails" in message:
            answer.fail(error_in(message["fails"]))
        else:
            answer.give(message["gives"])
        return True

    def _event(self, run: RunId, value: Mapping[str, Any]) -> None:
        record = record_from_json(value)
        if record is None:
            return
        if isinstance(record.event, RunFinished):
            self._under_way.pop(run, None)
        else:
            self.expect(run)
        self._tell(run, record)

    def _tell_what_died(self) -> None:
        """End the runs of a host that was killed, for who watches: it cannot do so itself."""
        for run, since_s in list(self._under_way.items()):
            event = RunFinished(
                verdict="interrupted",
                confidence="",
                message="the engine's process ended in the middle; what it did until then is kept",
                wall_s=time.monotonic() - since_s,
            )
            self._tell(run, Record(number=NOT_KEPT, at_unix_s=time.time(), event=event))
        self._under_way.clear()

    def _send(self, message: Mapping[str, object]) -> None:
        if not self._writer.is_closing():
            self._writer.write(line_of(message))


class _Answer:
    """What a request comes to, once."""

    def __init__(self) -> None:
        self._arrived = anyio.Event()
        self._value: Any = None
        self._error: AgentError | None = None

    def give(self, value: Any) -> None:
        """Take the answer."""
        self._value = value
        self._arrived.set()

    def fail(self, error: AgentError) -> None:
        """Take the refusal; too late after an answer."""
        if not self._arrived.is_set():
            self._error = error
            self._arrived.set()

    async def value(self) -> Any:
        """Wait for it. Raises: AgentError."""
        await self._arrived.wait()
        if self._error:
            raise self._error
        return self._value


class _Printed:
    """What the host prints: warnings, or what kept it from starting. It goes to our log."""

    def __init__(self) -> None:
        self.last = ""
        self.over = anyio.Event()

    async def read(self, control: socket.socket) -> None:
        """Read until the host is gone."""
        reader, writer = await asyncio.open_connection(sock=control)
        try:
            while line := await reader.readline():
                self.last = line.decode("utf-8", "replace").strip() or self.last
                _log.warning("engine: %s", self.last)
        except (OSError, ValueError):
            pass  # gone, or a line of more than any log should hold
        finally:
            writer.close()
            self.over.set()


def _gone() -> Infrastructure:
    return Infrastructure(
        "the engine's process ended unexpectedly",
        remedy="try again, which starts it anew; the log has what it said last",
    )
