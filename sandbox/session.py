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
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import anyio
import anyio.to_thread

from sandbox.base import Command, Completed, Harvest, HarvestLimits, Reason, Refused
from sandbox.errors import SandboxError, SandboxLost
from sandbox.framed import FramedProcess
from sandbox.frames import Frames
from sandbox.harvest import check_harvest
from sandbox.streams import Duplex

ORDER_S: Final = 120.0
"""Deadline of any other order."""
HEADERS_MARGIN: Final = 1 << 20

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
        self.frames = Frames(stream)
        self.python = ""
        """Version of the Python that runs the runner, once it answered."""

    @property
    def lost(self) -> bool:
        """Tell whether the runner is known to be gone."""
        return self.frames.lost

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
        hello = {
            "roots": dict(roots),
            "folders": list(folders),
            "awaited": list(awaited),
            "alone": alone,
        }
        await self.frames.order(b"H", hello)
        answer = await self._expect(b"h", within_s)
        if not answer["sealed"]:
            raise self.frames.lose("the runner could not hide itself from the commands it starts")
        self.python = answer["python"]

    @asynccontextmanager
    async def process(
        self, command: Command, *, cwd: str, env: Mapping[str, str], interactive: bool
    ) -> AsyncGenerator[FramedProcess, None]:
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
        process = FramedProcess(self.frames, command)
        try:
            await self.frames.order(b"R", order)
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
        with self.frames.whole():
            await self.frames.order(b"T", {"root": root, "delete": delete, "tar": tar is not None})
            if tar is not None:
                while piece := await anyio.to_thread.run_sync(next, tar, b""):
                    await self.frames.send(b"t", piece)
                await self.frames.send(b"t", b"")
            answer = await self._expect(b"r", ORDER_S)
        if "error" in answer:
            raise SandboxError(f"cannot write into the sandbox: {answer['error']}")

    async def read_file(self, path: str, limit_bytes: int) -> bytes | None:
        """Return a regular file's bytes, or None."""
        with self.frames.whole():
            await self.frames.order(b"F", {"path": path, "limit": limit_bytes})
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
        most = limits.total_bytes + limits.files * 16_384 + HEADERS_MARGIN
        with self.frames.whole():
            await self.frames.order(b"V", order)
            tar, answer = await self._collect(most)
        if "error" in answer:
            raise SandboxLost(f"the tree cannot be listed: {answer['error']}")
        refused = [Refused(path=path, why=why) for path, why in answer["refused"]]
        return check_harvest(tar, answer["deleted"], refused, limits)

    def close(self) -> None:
        """Hang up; the runner ends itself and everything it started."""
        self.frames.close()

    async def _collect(self, most: int) -> tuple[bytes, dict[str, Any]]:
        data = bytearray()
        try:
            with anyio.fail_after(ORDER_S):
                while True:
                    kind, payload = await self.frames.receive()
                    if kind == b"r":
                        return bytes(data), json.loads(payload)
                    if kind == b"d":
                        data += payload
                    if len(data) > most or kind not in b"dp":
                        raise self.frames.lose("the runner sent more than was asked for")
        except TimeoutError as error:
            raise self.frames.lose("the runner does not answer") from error
        except ValueError as error:
            raise self.frames.lose("the runner sent something that is not JSON") from error

    async def _expect(self, wanted: bytes, within_s: float) -> dict[str, Any]:
        try:
            with anyio.fail_after(within_s):
                while True:
                    kind, payload = await self.frames.receive()
                    if kind == wanted:
                        answer: dict[str, Any] = json.loads(payload)
                        return answer
                    if kind != b"p":
                        raise self.frames.lose(f"the runner sent {kind!r} out of turn")
        except TimeoutError as error:
            raise self.frames.lose(f"the runner did not answer within {within_s:g} s") from error
        except ValueError as error:
            raise self.frames.lose("the runner sent something that is not JSON") from error
