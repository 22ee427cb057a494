"""A real runner on this machine, outside of any sandbox, and streams that lie."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.frames import HEADER
from sandbox.session import FramedSession, runner_argv
from sandbox.streams import SocketDuplex

ROOT = Path(__file__).parents[2]
MEASURED = "from sandbox.inside.runner import main; main()"
"""Started so, the runner counts in the coverage of the test run."""


@asynccontextmanager
async def open_runner(folder: Path, interpreter: str | None = None) -> AsyncIterator[FramedSession]:
    """A greeted session; `alone` is false, so only what it started itself is killed."""
    argv = (sys.executable, "-c", MEASURED) if interpreter is None else runner_argv(interpreter)
    near, process = _started(argv)
    session = FramedSession(SocketDuplex(near))
    (folder / "tree").mkdir()
    try:
        await session.greet(
            roots={"tree": str(folder / "tree"), "tools": str(folder / "tools")},
            folders=[str(folder / "tools"), "/proc/no/such"],
            awaited=[str(folder / "tree")],
            alone=False,
            within_s=20,
        )
        yield session
    finally:
        session.close()
        process.wait(20)


def _started(argv: tuple[str, ...]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    near, far = socket.socketpair()
    with far:
        quiet = subprocess.DEVNULL
        return near, subprocess.Popen(argv, stdin=far, stdout=far, stderr=quiet, cwd=ROOT)


class Liar:
    """A stream whose other end is a script: what it says, whatever it is told."""

    def __init__(self, *answers: bytes, end: bool = False) -> None:
        self.answers = list(answers)
        self.end = end
        self.told = bytearray()
        self.is_closed = False

    async def send_some(self, data: bytes | memoryview) -> int:
        """Take at most a few bytes at a time."""
        self.told += data[:1000]
        return min(len(data), 1000)

    async def receive(self) -> bytes:
        """Say the next answer; then nothing, for ever, or the end."""
        import anyio

        if self.answers:
            return self.answers.pop(0)
        if not self.end:
            await anyio.sleep_forever()
        return b""

    def last_words(self) -> str:
        """Something to be shown to a person."""
        return "its last words"

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


def frame(session: FramedSession, kind: bytes, payload: bytes) -> bytes:
    """A frame as the runner of this session would send it."""
    return HEADER.pack(session.frames.token, kind, len(payload)) + payload
