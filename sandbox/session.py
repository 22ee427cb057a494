"""The host's end of the held runner: one stream, one order at a time.

The runner (sandbox.inside.runner) is started once per sandbox with `runner_argv`. Over its stdin
and stdout go frames: a header of the session's token, a kind (one byte) and a length, and a
payload. The token is the first thing the host sends; commands never see it.

    host to runner                           runner to host
    H  hello: roots, folders, alone          h  ready
    R  run a command      I input  E its end  o  output        r  how it ended
    K  kill the command                      r  how it ended
    T  change a tree      t  tar, empty: end r  done, or the error
    F  read a file                           d  its bytes      r  whether it was found
    V  what changed                          d  a tar of it    r  deleted and refused names
    P  are you there?                        p  yes

What changed: while it unpacks, the runner notes size, mtime, ctime, inode and execute bit of each
file. Asked for changes it walks the tree, compares, sends what differs and notes the new state.
A sync notes the state of the paths it names and of no others, so nothing is lost by syncing.

Knows neither containers nor bubblewrap; silence, nonsense and a closed stream are `SandboxLost`.
"""

import json
import secrets
import struct
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import anyio
import anyio.to_thread

from sandbox.base import Command, Completed, Harvest, HarvestLimits, Reason, Refused
from sandbox.errors import SandboxError, SandboxLost
from sandbox.harvest import check_harvest
from sandbox.output import OutputRing
from sandbox.streams import Duplex

HEADER: Final = struct.Struct(">16scI")
FRAME_BYTES: Final = 1 << 20
"""No honest frame is longer."""
PING_S: Final = 5.0
"""A runner that was silent this long is asked whether it is there."""
PATIENCE_S: Final = 15.0
"""And is lost after this much more silence; a fork bomb under load 200 took 9 s to answer."""
GRACE_S: Final = 5.0
"""Client-side deadline of a command: its wall limit and this."""
ORDER_S: Final = 120.0
"""Deadline of any other order."""
KILL_S: Final = 5.0
"""A kill that takes longer is left to the engine."""
OUTPUT_MARGIN: Final = 1 << 20

_BOOT: Final = """\
import sys, types
for name in ("sandbox", "sandbox.inside"):
    sys.modules[name] = types.ModuleType(name)
for name, text in zip(sys.argv[1::2], sys.argv[2::2]):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
module.main()
"""


@cache
def runner_argv(interpreter: str) -> tuple[str, ...]:
    """Return the argv that starts the runner under a Python 3.8 or newer inside the sandbox."""
    texts: list[str] = []
    for name in ("tree", "command", "runner"):
        text = (Path(__file__).parent / "inside" / f"{name}.py").read_text(encoding="utf-8")
        texts += [f"sandbox.inside.{name}", text]
    return (interpreter, "-I", "-S", "-B", "-X", "utf8", "-c", _BOOT, *texts)


class SessionProcess(Protocol):
    """A command that runs in a session."""

    @property
    def end(self) -> Completed | None:
        """How it ended; None while it runs."""
        ...

    async def send(self, data: bytes) -> None:
        """Write to its stdin. Raises: SandboxLost."""
        ...

    async def close_stdin(self) -> None:
        """End its stdin. Raises: SandboxLost."""
        ...

    async def receive(self) -> bytes | Completed:
        """Return output or the end. Raises: SandboxLost."""
        ...

    def cut_off(self, reason: Reason) -> Completed:
        """Return the end of a command whose runner is gone."""
        ...


class Session(Protocol):
    """A runner that answers; one order at a time, the caller sees to that.

    Every method raises SandboxLost when the runner is gone, silent or talks nonsense.
    """

    @property
    def lost(self) -> bool:
        """Tell whether the runner is known to be gone."""
        ...

    def process(
        self, command: Command, *, cwd: str, env: Mapping[str, str], interactive: bool
    ) -> AbstractAsyncContextManager[SessionProcess]:
        """Run a command; leaving the context kills it with all it started."""
        ...

    async def change(
        self,
        root: str,
        *,
        delete: Sequence[str],
        tar: Iterator[bytes] | None,
        over: Sequence[str] = (),
    ) -> None:
        """Delete and unpack below `tree` or `tools`. Raises: SandboxError.

        `over` names what the tar holds, where commands may have left something in the way.
        """
        ...

    async def read_file(self, path: str, limit_bytes: int) -> bytes | None:
        """Return a regular file's bytes, or None."""
        ...

    async def harvest(self, limits: HarvestLimits) -> Harvest:
        """Return what commands changed."""
        ...

    def close(self) -> None:
        """Hang up; the runner ends itself and everything it started."""
        ...


class FramedSession:
    """A session with the Python runner."""

    def __init__(self, stream: Duplex) -> None:
        self._stream = stream
        self._token = secrets.token_bytes(16)
        self._in = bytearray()
        self._out = bytearray()
        self.lost = False
        self.python = ""
        """Version of the Python that runs the runner, once it answered."""

    async def greet(
        self,
        *,
        roots: Mapping[str, str],
        folders: Sequence[str],
        awaited: Sequence[str] = (),
        alone: bool,
        within_s: float,
    ) -> None:
        """Wait until the runner is ready. Raises: SandboxLost.

        `roots` names the folders `tree` and `tools`, `folders` are made where missing, `awaited`
        become writable by somebody else's hand before anything is unpacked. `alone`:
        everything of the runner's uid in its pid namespace belongs to the sandbox and is killed
        after each command; never say so outside a pid namespace of its own.
        """
        self._out += self._token
        hello = {
            "roots": dict(roots),
            "folders": list(folders),
            "awaited": list(awaited),
            "alone": alone,
        }
        await self._order(b"H", hello)
        answer = await self._expect(b"h", within_s)
        if not answer["sealed"]:
            raise self._lose("the runner could not hide itself from the commands it starts")
        self.python = answer["python"]

    @asynccontextmanager
    async def process(
        self, command: Command, *, cwd: str, env: Mapping[str, str], interactive: bool
    ) -> AsyncGenerator["FramedProcess", None]:
        """Run a command; leaving the context kills it with all it started."""
        limits = command.limits
        order = {
            "argv": command.argv,
            "cwd": cwd,
            "env": dict(env),
            "stdin": interactive or bool(command.stdin),
            "wall_s": limits.wall_s,
            "no_output_s": limits.no_output_s,
            "output_bytes": limits.output_bytes,
        }
        process = FramedProcess(self, command)
        try:
            await self._order(b"R", order)
            if command.stdin:
                await process.send(command.stdin)
                if not interactive:
                    await process.close_stdin()
            yield process
        finally:
            if process.end is None and not self.lost:
                with anyio.CancelScope(shield=True):
                    await process.kill()

    async def change(
        self,
        root: str,
        *,
        delete: Sequence[str],
        tar: Iterator[bytes] | None,
        over: Sequence[str] = (),  # noqa: ARG002 - the Python runner clears every way by itself
    ) -> None:
        """Delete and unpack below `tree` or `tools`. Raises: SandboxError, SandboxLost."""
        with self._whole():
            await self._order(b"T", {"root": root, "delete": delete, "tar": tar is not None})
            if tar is not None:
                while piece := await anyio.to_thread.run_sync(next, tar, b""):
                    await self._send(b"t", piece)
                await self._send(b"t", b"")
            answer = await self._expect(b"r", ORDER_S)
        if "error" in answer:
            raise SandboxError(f"cannot write into the sandbox: {answer['error']}")

    async def read_file(self, path: str, limit_bytes: int) -> bytes | None:
        """Return a regular file's bytes, or None."""
        with self._whole():
            await self._order(b"F", {"path": path, "limit": limit_bytes})
            data, answer = await self._collect(limit_bytes)
        return data if answer.get("found") else None

    async def harvest(self, limits: HarvestLimits) -> Harvest:
        """Return what commands changed."""
        order = {
            "files": limits.files,
            "file_bytes": limits.file_bytes,
            "total_bytes": limits.total_bytes,
        }
        # Headers and long names come on top of the content.
        most = limits.total_bytes + limits.files * 16_384 + OUTPUT_MARGIN
        with self._whole():
            await self._order(b"V", order)
            tar, answer = await self._collect(most)
        if "error" in answer:
            raise SandboxLost(f"the tree cannot be listed: {answer['error']}")
        refused = [Refused(path=path, why=why) for path, why in answer["refused"]]
        return check_harvest(tar, answer["deleted"], refused, limits)

    def close(self) -> None:
        """Hang up; the runner ends itself and everything it started."""
        self.lost = True
        self._stream.close()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """An order that is not carried through leaves its answer in the stream: no way back."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    async def _order(self, kind: bytes, value: object) -> None:
        await self._send(kind, json.dumps(value).encode())

    async def _send(self, kind: bytes, payload: bytes) -> None:
        if self.lost:
            raise SandboxLost("the sandbox is gone")
        for start in range(0, len(payload) or 1, FRAME_BYTES):
            piece = payload[start : start + FRAME_BYTES]
            self._out += HEADER.pack(self._token, kind, len(piece)) + piece
            await self._flush()

    async def _flush(self) -> None:
        try:
            with anyio.fail_after(ORDER_S):
                while self._out:
                    sent = await self._stream.send_some(bytes(self._out))
                    del self._out[:sent]
        except (OSError, TimeoutError) as error:
            raise self._lose(f"the runner takes no orders: {error}") from error

    async def _frame(self) -> tuple[bytes, bytes]:
        while True:
            if len(self._in) >= HEADER.size:
                token, kind, length = HEADER.unpack_from(self._in)
                if token != self._token or length > FRAME_BYTES:
                    raise self._lose("the runner sent something that is not an answer")
                if len(self._in) >= HEADER.size + length:
                    payload = bytes(self._in[HEADER.size : HEADER.size + length])
                    del self._in[: HEADER.size + length]
                    return kind, payload
            try:
                data = await self._stream.receive()
            except OSError as error:
                raise self._lose(f"the stream broke: {error}") from error
            if not data:
                raise self._lose("the runner ended")
            self._in += data

    async def _collect(self, most: int) -> tuple[bytes, dict[str, Any]]:
        data = bytearray()
        try:
            with anyio.fail_after(ORDER_S):
                while True:
                    kind, payload = await self._frame()
                    if kind == b"r":
                        return bytes(data), json.loads(payload)
                    if kind == b"d":
                        data += payload
                    if len(data) > most or kind not in b"dp":
                        raise self._lose("the runner sent more than was asked for")
        except TimeoutError as error:
            raise self._lose("the runner does not answer") from error
        except ValueError as error:
            raise self._lose("the runner sent something that is not JSON") from error

    async def _expect(self, wanted: bytes, within_s: float) -> dict[str, Any]:
        try:
            with anyio.fail_after(within_s):
                while True:
                    kind, payload = await self._frame()
                    if kind == wanted:
                        answer: dict[str, Any] = json.loads(payload)
                        return answer
                    if kind != b"p":
                        raise self._lose(f"the runner sent {kind!r} out of turn")
        except TimeoutError as error:
            raise self._lose(f"the runner did not answer within {within_s:g} s") from error
        except ValueError as error:
            raise self._lose("the runner sent something that is not JSON") from error

    def _lose(self, what: str) -> SandboxLost:
        words = self._stream.last_words()
        self.close()
        return SandboxLost(f"the sandbox is gone: {what}" + (f" ({words})" if words else ""))


class FramedProcess:
    """A command in a framed session."""

    def __init__(self, session: FramedSession, command: Command) -> None:
        self._session = session
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
            await self._session._send(b"I", data)

    async def close_stdin(self) -> None:
        """End its stdin."""
        if self.end is None:
            await self._session._send(b"E", b"")

    async def receive(self) -> bytes | Completed:
        """Return output or the end."""
        while self.end is None:
            kind, payload = b"", b""
            with anyio.move_on_after(min(PING_S, self._left_s())):
                kind, payload = await self._session._frame()
            if not kind:
                await self._ask()
                continue
            self._asked_at = None
            if kind == b"o":
                self._ring.add(payload)
                if self._ring.total_bytes > self._output_most:
                    raise self._session._lose("the runner does not keep to the output limit")
                return payload
            if kind == b"r":
                self._end(payload)
            elif kind != b"p":
                raise self._session._lose(f"the runner sent {kind!r} while a command ran")
        return self.end

    async def kill(self) -> None:
        """End the command and everything it started; close the session where that fails."""
        with anyio.move_on_after(KILL_S):
            try:
                await self._session._send(b"K", b"")
                while self.end is None:
                    await self.receive()
            except SandboxLost:
                pass
        if self.end is None:
            self._session.close()
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
            raise self._session._lose("the command ran past its deadline")
        if self._asked_at is None:
            self._asked_at = now
            await self._session._send(b"P", b"")
        elif now - self._asked_at > PATIENCE_S:
            raise self._session._lose(f"the runner was silent for {now - self._asked_at:.0f} s")

    def _end(self, payload: bytes) -> None:
        try:
            answer = json.loads(payload)
            if "error" in answer:
                raise self._session._lose(f"the command could not be started: {answer['error']}")
            code, reason = answer["code"], Reason(answer["reason"])
            self.end = self._completed(code, reason, float(answer["wall_s"]))
        except (ValueError, KeyError, TypeError) as error:
            raise self._session._lose("the runner sent an end that makes no sense") from error

    def _completed(self, code: int | None, reason: Reason, wall_s: float) -> Completed:
        return Completed(
            exit_code=code if reason is Reason.EXITED else None,
            head=self._ring.head,
            tail=self._ring.tail,
            output_bytes=self._ring.total_bytes,
            wall_s=wall_s,
            reason=reason,
        )
