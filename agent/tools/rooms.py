"""The sandboxes of one attempt: opened when first needed, each in step with the attempt's edits.

A command that goes on in the background keeps its sandbox; the next command gets another one. What
a command changed comes back by `take`, and only so. A sandbox that was lost is opened anew.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from agent.edits.changes import Content, Delta
from agent.job import Job
from agent.task import RepoPath
from agent.tools.background import Running
from agent.tools.desk import Desk, Taken
from agent.tools.holding import Holding
from agent.tools.interpreter import Interpreter, open_interpreter
from agent.tools.taking import NOTHING, Decided, take_harvest
from agent.verify.bench import Bench, file_changes
from agent.verify.sight import Sight
from agent.verify.warm import WarmRunner, changes_between, open_warm
from agent.workspace.attempt import Attempt
from sandbox.base import Command, Sandbox
from sandbox.errors import SandboxError, SandboxLost

T = TypeVar("T")
MOST_IN_BACKGROUND: Final = 3
"""Each has a sandbox of its own, with as much memory as the first."""
MOST_WARM_STARTS: Final = 4
"""After so many deaths of the warm runner each run is a fresh process."""


class Room:
    """A sandbox, and what lies over the base in it."""

    def __init__(self, bench: Bench, sandbox: Sandbox) -> None:
        self._bench = bench
        self.sandbox = sandbox
        self.laid: dict[RepoPath, Content | None] = {}
        self.used = False
        """Whether the model believes that it has worked in it."""

    async def bring(self, delta: Delta) -> None:
        """Bring the tree to base and delta; only what differs is sent. Raises: SandboxError."""
        changes = changes_between(self.laid, delta, self._bench.base)
        if changes:
            await self.sandbox.sync(file_changes(changes))
        self.laid = dict(delta)

    async def harvest(self, job: Job, attempt: Attempt, *, since: Delta | None = None) -> Decided:
        """Take what commands changed, and tell the sandbox what became of it.

        A sandbox that is replaced gets again what it was given, so what was taken is given to it.
        Raises: SandboxError.
        """
        decided = take_harvest(await self.sandbox.harvest(), job, attempt, since=since)
        again = {path: attempt.read(path) for path in (*decided.taken, *decided.put_back)}
        if again:
            await self.sandbox.sync(file_changes(again))
        self.laid = {
            path: content
            for path, content in {**self.laid, **again}.items()
            if content != self._bench.base.read(path)
        }
        return decided


class SandboxRooms:
    """Implements `agent.tools.desk.Rooms`; made by `open_desk`, and closed with it."""

    def __init__(self, job: Job, attempt: Attempt, tasks: TaskGroup) -> None:
        self.job = job
        self.attempt = attempt
        self._tasks = tasks
        self._running: list[Running] = []
        self._held: list[Holding[Any]] = []
        self.background: dict[str, Background] = {}
        """Commands that go on, by handle."""
        self._shell: Holding[Room] | None = None
        self._warm: Holding[WarmRunner] | None = None
        self._python: Holding[Interpreter] | None = None
        self.python_cells = 0
        """Cells that were run so far."""
        self._warm_starts = 0
        self._own_sight = Sight(job.bench.base)
        self.sight = job.sight or self._own_sight
        """The base as the repository's index knows it."""
        self._shells = 0
        self._count = 0

    async def shell(self) -> Sandbox:
        """Return the sandbox for commands, in step. Raises: SandboxError."""
        return (await self.shell_room()).sandbox

    async def shell_room(self) -> Room:
        """Return the room for commands, in step, a new one where the old one is spent.

        Raises: SandboxError.
        """
        for is_last in (False, True):
            if self._shell is None:
                self._shells += 1
                self._shell = self._hold(self._open_room)
            try:
                room = await self._shell.get()
                room.used = room.used or self._shells > 1
                await room.bring(self.attempt.delta())
            except SandboxLost:
                await self.drop_shell()
                if is_last:
                    raise
            except SandboxError:
                await self.drop_shell()
                raise
            else:
                return room
        raise AssertionError("the loop above returns or raises")

    async def take(self) -> Taken:
        """Take what commands changed in `shell` into the attempt. Raises: SandboxError."""
        if self._shell is None or not self._shell.is_open:
            return as_taken(NOTHING)
        return as_taken(await (await self._shell.get()).harvest(self.job, self.attempt))

    async def drop_shell(self) -> None:
        """Close the sandbox for commands; the next one is fresh."""
        shell, self._shell = self._shell, None
        if shell is not None:
            await shell.close()

    def keep_in_background(self, running: Running, *, word: str, shown: str) -> "Background":
        """Let a command go on in its sandbox, which is no longer the shell's."""
        shell, self._shell = self._shell, None
        assert shell is not None  # noqa: S101 - the command runs in it
        self._count += 1
        kept = Background(
            handle=f"bg{self._count}",
            running=running,
            room=shell,
            since=self.attempt.delta(),
            word=word,
            shown=shown,
        )
        self.background[kept.handle] = kept
        return kept

    async def end_background(self, kept: "Background") -> Decided:
        """Take what an ended command changed, and close its sandbox. Raises: SandboxError."""
        del self.background[kept.handle]
        try:
            room = await kept.room.get()
            return await room.harvest(self.job, self.attempt, since=kept.since)
        finally:
            kept.room.let_go()

    async def warm(self) -> WarmRunner:
        """Return a runner for narrow test runs over the attempt. Raises: SandboxError."""
        if self._warm is not None and self._warm.is_open:
            runner = await self._warm.get()
            if not runner.is_spent or self._warm_starts >= MOST_WARM_STARTS:
                return runner
            await self.drop_warm()
        if self._warm is None or not self._warm.is_open:
            self._warm_starts += 1
            self._warm = self._hold(lambda: open_warm(self.job.bench))
        return await self._warm.get()

    async def interpreter(self) -> Interpreter:
        """Return the Python that keeps its names, a new one where it is lost.

        Raises: SandboxError.
        """
        if self._python is not None and self._python.is_open:
            found = await self._python.get()
            if not found.is_spent:
                return found
        await self.drop_interpreter()
        self._python = self._hold(lambda: open_interpreter(self.job.bench))
        return await self._python.get()

    async def drop_interpreter(self) -> None:
        """Close the Python that keeps its names."""
        python, self._python = self._python, None
        if python is not None:
            await python.close()

    async def drop_warm(self) -> None:
        """Close the runner of narrow runs."""
        warm, self._warm = self._warm, None
        if warm is not None:
            await warm.close()

    def begin(self, room: Room, command: Command) -> Running:
        """Start a command; it runs until it ends, is killed, or the desk is closed."""
        self._running = [one for one in self._running if not one.is_over]
        self._running.append(Running(self._tasks, room.sandbox, command))
        return self._running[-1]

    async def close(self) -> None:
        """End every command and then have every sandbox closed; their task group waits for that.

        A sandbox that is closed under a command would leave that waiting for its end.
        """
        with anyio.CancelScope(shield=True):
            for running in self._running:
                running.stop()
            for running in self._running:
                await running.kill()
        for holding in self._held:
            holding.let_go()
        self._own_sight.close()

    def _hold(self, open_it: Callable[[], AbstractAsyncContextManager[T]]) -> Holding[T]:
        """Keep something open until it is let go, or until the desk is closed."""
        holding = Holding(self._tasks, open_it)
        self._held = [*(one for one in self._held if not one.is_gone), holding]
        return holding

    @asynccontextmanager
    async def _open_room(self) -> AsyncGenerator[Room, None]:
        """Open a fresh sandbox over the base. Raises: SandboxError."""
        async with self.job.bench.open() as sandbox:
            yield Room(self.job.bench, sandbox)


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """A command that goes on, with the sandbox that it keeps."""

    handle: str
    running: Running
    room: Holding[Room]
    since: Delta
    """The attempt's delta when the command began."""
    word: str
    """With which its shell ends."""
    shown: str
    """The command, in a line."""


def as_taken(decided: Decided) -> Taken:
    """Return what became of a harvest, by name."""
    return Taken(
        changed=tuple(path for path, content in decided.taken.items() if content is not None),
        deleted=tuple(path for path, content in decided.taken.items() if content is None),
        refused=decided.refused,
    )


def rooms_of(desk: Desk) -> SandboxRooms:
    """Return the desk's rooms, with all that they can do."""
    rooms = desk.rooms
    assert isinstance(rooms, SandboxRooms)  # noqa: S101 - `open_desk` makes no others
    return rooms
