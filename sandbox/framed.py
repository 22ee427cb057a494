"""A command that runs in a framed session, as the host sees it."""

import json
import time
from typing import Final

import anyio

from sandbox.base import Command, Completed, Reason
from sandbox.errors import SandboxLost
from sandbox.frames import Frames
from sandbox.output import OutputRing

PING_S: Final = 5.0
"""A runner that was silent this long is asked whether it is there."""
PATIENCE_S: Final = 15.0
"""And is lost after this much more silence; a fork bomb under load 200 took 9 s to answer."""
GRACE_S: Final = 5.0
"""Client-side deadline of a command: its wall limit and this."""
KILL_S: Final = 5.0
"""A kill that takes longer is left to the engine."""
OUTPUT_MARGIN: Final = 1 << 20


class FramedProcess:
    """A command in a framed session."""

    def __init__(self, frames: Frames, command: Command) -> None:
        self._frames = frames
        limits = command.limits
        self._ring = OutputRing(head_bytes=limits.head_bytes, tail_bytes=limits.tail_bytes)
        self._output_most = limits.output_bytes + OUTPUT_MARGIN
        self._began = time.monotonic()
        self._deadline = self._began + limits.wall_s + GRACE_S
        self._asked_at: float | None = None
        self.end: Completed | None = None

    async def send(self, data: bytes) -> None:
        """Write to its stdin; after its end, nothing happens."""
        if data and self.end is None:
            await self._frames.send(b"I", data)

    async def close_stdin(self) -> None:
        """End its stdin."""
        if self.end is None:
            await self._frames.send(b"E", b"")

    async def receive(self) -> bytes | Completed:
        """Return output or the end."""
        while self.end is None:
            kind, payload = b"", b""
            with anyio.move_on_after(min(PING_S, self._left_s())):
                kind, payload = await self._frames.receive()
            if not kind:
                await self._ask()
                continue
            self._asked_at = None
            if kind == b"o":
                self._ring.add(payload)
                if self._ring.total_bytes > self._output_most:
                    raise self._frames.lose("the runner does not keep to the output limit")
                return payload
            if kind == b"r":
                self._end(payload)
            elif kind != b"p":
                raise self._frames.lose(f"the runner sent {kind!r} while a command ran")
        return self.end

    async def kill(self) -> None:
        """End the command and everything it started; close the session where that fails."""
        with anyio.move_on_after(KILL_S):
            try:
                await self._frames.send(b"K", b"")
                while self.end is None:
                    await self.receive()
            except SandboxLost:
                pass
        if self.end is None:
            self._frames.close()
            self.cut_off(Reason.KILLED)

    def cut_off(self, reason: Reason) -> Completed:
        """Return the end of a command whose runner is gone."""
        self.end = self._completed(None, reason, time.monotonic() - self._began)
        return self.end

    def _left_s(self) -> float:
        return max(0.01, self._deadline - time.monotonic())

    async def _ask(self) -> None:
        now = time.monotonic()
        if now >= self._deadline:
            raise self._frames.lose("the command ran past its deadline")
        if self._asked_at is None:
            self._asked_at = now
            await self._frames.send(b"P", b"")
        elif now - self._asked_at > PATIENCE_S:
            raise self._frames.lose(f"the runner was silent for {now - self._asked_at:.0f} s")

    def _end(self, payload: bytes) -> None:
        try:
            answer = json.loads(payload)
            if "error" in answer:
                raise self._frames.lose(f"the command could not be started: {answer['error']}")
            code, reason = answer["code"], Reason(answer["reason"])
            self.end = self._completed(code, reason, float(answer["wall_s"]))
        except (ValueError, KeyError, TypeError) as error:
            raise self._frames.lose("the runner sent an end that makes no sense") from error

    def _completed(self, code: int | None, reason: Reason, wall_s: float) -> Completed:
        return Completed(
            exit_code=code if reason is Reason.EXITED else None,
            head=self._ring.head,
            tail=self._ring.tail,
            output_bytes=self._ring.total_bytes,
            wall_s=wall_s,
            reason=reason,
        )
