"""The host's end of the shell runner, for images without a usable Python.

Orders are lines of shell code that call the functions of sandbox/inside/runner.sh; answers come
in the stream of the command's output, each begun by the session's token. Limits are watched from
here. What is weaker than with the Python runner: a command that does not read its stdin holds up
`send`, and every harvest reads the whole tree (it is compared with what went in).
"""

import secrets
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from sandbox.base import TOOLS_DIR, Command, Harvest, HarvestLimits
from sandbox.errors import SandboxError, SandboxLost
from sandbox.harvest import check_harvest
from sandbox.inside.tree import BLOCK
from sandbox.session import ORDER_S
from sandbox.shell_process import ShellProcess
from sandbox.streams import Duplex
from sandbox.tarscan import TreeBook

FEED_BYTES: Final = 1 << 18
LINE_BYTES: Final = 4096
"""No honest answer is longer."""
TAR_OVERHEAD: Final = 2
"""A tar of many small files is larger than they are, but hardly ever twice."""

_BOOT: Final = """\
held=/run/greenloop/.held
mkdir -p "$held" && rm -f "$held/sh" && cp "$(command -v sh)" "$held/sh" && chmod 0111 "$held/sh" \
&& exec "$held/sh" -c "$1" sh
"""


@cache
def shell_argv() -> tuple[str, ...]:
    """Return the argv that starts the runner under the shell of an image."""
    script = (Path(__file__).parent / "inside" / "runner.sh").read_text(encoding="utf-8")
    return ("sh", "-c", _BOOT, "sh", script)


def quoted(text: str) -> str:
    """Return the text as one word of shell code on one line."""
    return "'" + text.replace("'", "'\\''").replace("\n", "'\"$nl\"'") + "'"


def steps(path: str) -> str:
    """Return the ancestors of a path and the path, as words: `'./a' './a/b'`."""
    parts = path.split("/")
    start = "" if path.startswith("/") else "./"
    names = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    return " ".join(quoted(start + name) for name in names if name)


class ShellSession:
    """A session with the shell runner; the same promises as `FramedSession`."""

    def __init__(self, stream: Duplex, *, tree_bytes: int) -> None:
        self._stream = stream
        self._mark = b"\x1e" + secrets.token_hex(16).encode()
        self._in = bytearray()
        self._out = bytearray()
        self._tar_bytes = tree_bytes * TAR_OVERHEAD
        self._book = TreeBook()
        self._mounted: tuple[str, ...] = ()
        self._ooms = 0
        self.lost = False

    async def greet(
        self,
        *,
        tree: str,
        home: str,
        awaited: Sequence[str],
        mounted: Sequence[str],
        within_s: float,
    ) -> None:
        """Wait until the runner is ready. Raises: SandboxLost.

        `mounted` names paths in the tree that do not belong to it; see `FramedSession.greet`.
        """
        self._mounted = tuple(mounted)
        words = " ".join(quoted(word) for word in (tree, home, *awaited))
        await self._write(self._mark + b"\n")
        await self._order(f"hello {words}")
        _, answer = await self._answer(within_s)
        if answer != "ready":
            raise self.lose("the shell runner is not ready")
        self._ooms = await self._reap()

    @asynccontextmanager
    async def process(
        self, command: Command, *, cwd: str, env: Mapping[str, str], interactive: bool
    ) -> AsyncGenerator[ShellProcess, None]:
        """Run a command; leaving the context kills it with all it started."""
        process = ShellProcess(self, command)
        try:
            mode = "pipe" if interactive else "none"
            if command.stdin and not interactive:
                mode = "file"
                await self._feed('take {} 9>>"$held/in"', command.stdin)
            await self._order(f"run {mode} {quoted(cwd)} {_words(command, env)}")
            if command.stdin and interactive:
                await process.send(command.stdin)
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
        over: Sequence[str] = (),
    ) -> None:
        """Delete and unpack below `tree` or `tools`. Raises: SandboxError, SandboxLost."""
        problem = ""
        with self._whole():
            for path in delete:
                self._book.delete(path)
                await self._order(f"drop {steps(path)}")
            if tar is not None:
                problem = await self._unpack(root, tar, over)
        if problem:
            raise SandboxError(f"cannot write into the sandbox: {problem}")

    async def read_file(self, path: str, limit_bytes: int) -> bytes | None:
        """Return a regular file's bytes, or None."""
        with self._whole():
            await self._order(f"show {limit_bytes + 1} {steps(path)}")
            data, answer = await self._answer(ORDER_S, most=limit_bytes + 1)
        return data if answer == "some" and len(data) <= limit_bytes else None

    async def harvest(self, limits: HarvestLimits) -> Harvest:
        """Return what commands changed."""
        comparison = self._book.compare(limits)
        excluded = " ".join(quoted(f"--exclude=./{path}") for path in self._mounted)
        with self._whole():
            await self._order(f"collect {self._tar_bytes} {excluded}")
            with self._within(ORDER_S, "the tree could not be read in time"):
                try:
                    while isinstance(piece := await self.next_piece(), bytes):
                        comparison.scan.feed(piece)
                except ValueError as error:
                    raise self.lose(f"the tar of the tree makes no sense: {error}") from error
        if not comparison.scan.is_whole:
            raise SandboxLost("the tree cannot be listed: it is too large, or a name in it is bad")
        deleted = comparison.deleted
        self._book.accept(comparison)
        tar = bytes(comparison.tar) + b"\0" * (2 * BLOCK)
        refused = sorted(comparison.refused, key=lambda refused: refused.path)
        return check_harvest(tar, deleted, refused, limits)

    def close(self) -> None:
        """Hang up; the runner ends itself and everything it started."""
        self.lost = True
        self._stream.close()

    def lose(self, what: str) -> SandboxLost:
        """Close, and return the error that says why."""
        words = self._stream.last_words()
        self.close()
        return SandboxLost(f"the sandbox is gone: {what}" + (f" ({words})" if words else ""))

    async def next_piece(self) -> bytes | str:
        """Return output, or the text of the next answer."""
        while True:
            at = self._in.find(self._mark)
            if at > 0 or (at < 0 and (at := self._safe_length())):
                data = bytes(self._in[:at])
                del self._in[:at]
                return data
            end = self._in.find(b"\n") if self._in.startswith(self._mark) else -1
            if end >= 0:
                line = bytes(self._in[len(self._mark) : end])
                del self._in[: end + 1]
                return line.decode("utf-8", "replace").strip()
            if self._in.startswith(self._mark) and len(self._in) > LINE_BYTES:
                raise self.lose("an answer of the runner has no end")
            await self._receive()

    async def order_reap(self) -> None:
        """Have everything killed; the answer is `over` and the count of kills for memory."""
        await self._order("reap")

    def is_oom(self, kills: str) -> bool:
        """Tell whether memory ran out since the last time, by the kernel's count."""
        count = int(kills)
        before, self._ooms = self._ooms, count
        return count > before

    async def feed(self, data: bytes) -> None:
        """Write to the stdin of the command that runs."""
        await self._feed("feed {}", data)

    async def end_input(self) -> None:
        """End the stdin of the command that runs."""
        await self._order("end_input")

    async def _unpack(self, root: str, tar: Iterator[bytes], over: Sequence[str]) -> str:
        if root == "tree":
            tar = self._book.watch(tar)
        for path in over:
            base = path if root == "tree" else f"{TOOLS_DIR}/{path}"
            await self._order(f"fit {steps(base)}")
        await self._order(f"unpack {'.' if root == 'tree' else quoted(TOOLS_DIR)}")
        while piece := await anyio.to_thread.run_sync(next, tar, b""):
            await self._write(b"%d\n" % len(piece) + piece)
        await self._write(b"0\n")
        _, answer = await self._answer(ORDER_S)
        word, code, *problem = answer.split(" ", 2)
        if word != "done":
            raise self.lose("the runner sent something that is not an answer")
        return "" if code == "0" else (problem or ["tar failed"])[0]

    async def _reap(self) -> int:
        await self.order_reap()
        _, answer = await self._answer(ORDER_S)
        return int(answer.removeprefix("over "))

    async def _answer(self, within_s: float, most: int = 0) -> tuple[bytes, str]:
        data = bytearray()
        with self._within(within_s, f"the runner did not answer within {within_s:g} s"):
            while True:
                piece = await self.next_piece()
                if isinstance(piece, str):
                    return bytes(data), piece
                data += piece
                if len(data) > most:
                    raise self.lose("the runner sent more than was asked for")

    @contextmanager
    def _within(self, seconds: float, what: str) -> Iterator[None]:
        try:
            with anyio.fail_after(seconds):
                yield
        except TimeoutError as error:
            raise self.lose(what) from error

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _safe_length(self) -> int:
        """Return how much of the buffer cannot be the beginning of an answer."""
        at = self._in.rfind(self._mark[:1])
        if at < 0 or not self._mark.startswith(self._in[at : at + len(self._mark)]):
            return len(self._in)
        return at

    async def _feed(self, order: str, data: bytes) -> None:
        for start in range(0, len(data), FEED_BYTES):
            piece = data[start : start + FEED_BYTES]
            await self._order(order.format(len(piece)))
            await self._write(piece)

    async def _order(self, line: str) -> None:
        await self._write(line.encode("utf-8", "surrogateescape") + b"\n")

    async def _write(self, data: bytes) -> None:
        if self.lost:
            raise SandboxLost("the sandbox is gone")
        self._out += data
        try:
            with self._within(ORDER_S, "the runner takes no orders"):
                while self._out:
                    sent = await self._stream.send_some(bytes(self._out))
                    del self._out[:sent]
        except OSError as error:
            raise self.lose(f"the runner takes no orders: {error}") from error

    async def _receive(self) -> None:
        try:
            data = await self._stream.receive()
        except OSError as error:
            raise self.lose(f"the stream broke: {error}") from error
        if not data:
            raise self.lose("the runner ended")
        self._in += data


def _words(command: Command, env: Mapping[str, str]) -> str:
    argv = list(command.argv)
    if "=" in argv[0]:
        # `env` would take it for a variable.
        argv = ["sh", "-c", 'exec "$@"', "sh", *argv]
    pairs = [f"{name}={value}" for name, value in env.items()]
    words = " ".join(quoted(word) for word in [*pairs, *argv])
    return f"$session env $signals -i {words}"
