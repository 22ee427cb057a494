"""A command that runs under the shell runner; its limits are watched from here."""

import time
from typing import Protocol

import anyio

from sandbox.base import Command, Completed, Reason
from sandbox.errors import SandboxLost
from sandbox.framed import GRACE_S, KILL_S
from sandbox.output import OutputRing


class ShellWire(Protocol):
    """What a command needs of its session; every method raises SandboxLost."""

    async def next_piece(self) -> bytes | str:
        """Return output, or the text of the next answer."""
        ...

    async def feed(self, data: bytes) -> None:
        """Write to the stdin of the command that runs."""
        ...

    async def end_input(self) -> None:
        """End the stdin of the command that runs."""
        ...

    async def order_reap(self) -> None:
        """Have everything killed."""
        ...

    def is_oom(self, kills: str) -> bool:
        """Tell whether memory ran out since the last time, by the kernel's count."""
        ...

    def lose(self, what: str) -> SandboxLost:
        """Close, and return the error that says why."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class ShellProcess:
    """A command in a shell session."""

    def __init__(self, session: ShellWire, command: Command) -> None:
        self._session = session
        self._limits = command.limits
        self._ring = OutputRing(
            head_bytes=command.limits.head_bytes, tail_bytes=command.limits.tail_bytes
        )
        self._began = self._heard = time.monotonic()
        self._reason: Reason | None = None
        self._code: int | None = None
        self._kill_by = 0.0
        self.end: Completed | None = None

    async def send(self, data: bytes) -> None:
        """Write to its stdin; after its end, nothing happens."""
        if data and self.end is None:
            await self._session.feed(data)

    async def close_stdin(self) -> None:
        """End its stdin."""
        if self.end is None:
            await self._session.end_input()

    async def receive(self) -> bytes | Completed:
        """Return output or the end."""
        while self.end is None:
            piece: bytes | str = b""
            with anyio.move_on_after(self._patience_s()):
                piece = await self._session.next_piece()
            if not piece:
                await self._overdue()
            elif isinstance(piece, str):
                await self._heed(piece)
            elif data := await self._taken(piece):
                return data
        return self.end

    async def kill(self) -> None:
        """End the command and everything it started; close the session where that fails."""
        with anyio.move_on_after(KILL_S):
            try:
                await self._stop(Reason.KILLED)
                while self.end is None:
                    await self.receive()
            except SandboxLost:
                pass
        if self.end is None:
            self._session.close()
            self.cut_off(Reason.KILLED)

    def cut_off(self, reason: Reason) -> Completed:
        """Return the end of a command whose runner is gone."""
        self.end = Completed(
            exit_code=self._code if reason is Reason.EXITED else None,
            head=self._ring.head,
            tail=self._ring.tail,
            output_bytes=self._ring.total_bytes,
            wall_s=time.monotonic() - self._began,
            reason=reason,
        )
        return self.end

    def _patience_s(self) -> float:
        now = time.monotonic()
        if self._reason is not None:
            return max(0.01, self._kill_by - now)
        left = self._began + self._limits.wall_s - now
        if self._limits.no_output_s is not None:
            left = min(left, self._heard + self._limits.no_output_s - now)
        return max(0.0, left)

    async def _overdue(self) -> None:
        if self._reason is not None:
            raise self._session.lose("the command could not be killed")
        late = time.monotonic() - self._began >= self._limits.wall_s
        await self._stop(Reason.TIMEOUT if late else Reason.NO_OUTPUT)

    async def _heed(self, answer: str) -> None:
        word, _, value = answer.partition(" ")
        if word == "end" and value.isdigit():
            self._code = int(value)
            await self._stop(Reason.EXITED)
        elif word == "over" and value.isdigit() and self._reason is not None:
            self.cut_off(Reason.OOM if self._session.is_oom(value) else self._reason)
        else:
            raise self._session.lose(f"the runner sent {word!r} while a command ran")

    async def _taken(self, piece: bytes) -> bytes:
        self._heard = time.monotonic()
        room = self._limits.output_bytes - self._ring.total_bytes
        data = piece[: max(0, room)]
        self._ring.add(data)
        if len(piece) > room:
            await self._stop(Reason.OUTPUT_CAP)
        return data

    async def _stop(self, reason: Reason) -> None:
        if self._reason is None:
            self._reason = reason
            self._kill_by = time.monotonic() + GRACE_S
            await self._session.order_reap()
