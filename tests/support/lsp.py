"""A raw client of the language server: sends anything, well-formed or not, and waits for answers.

Knows nothing of what messages mean. `running_server` gives a started `greenloop-lsp` on its own
streams; `connected_peer` speaks over a socket, `in_process` to a connection in this process.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
from anyio.abc import Process

from lsp_server.keeping import CoreKeeper
from lsp_server.server import GreenloopServer
from lsp_server.wire.connection import carry
from lsp_server.wire.streams import FramedWire

PATIENCE_S = 60.0
"""For anything that must happen; this machine may be busy."""

Message = dict[str, Any]
Matches = Callable[[Message], bool]
Handler = Callable[[Any], Any]
"""Answers a request of the server: params in, result out."""


class ByteReceiver(Protocol):
    async def receive(self) -> bytes: ...


class ByteSender(Protocol):
    async def send(self, item: bytes) -> None: ...


class Answered(Exception):
    """The server answered with an error."""

    def __init__(self, error: Message) -> None:
        super().__init__(f"{error['message']} ({error['code']})")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class Ended(Exception):
    """The server's stream ended before what was waited for came."""


class Peer:
    """One connection, seen from the editor's side."""

    def __init__(self, reader: ByteReceiver, writer: ByteSender) -> None:
        self.reader = reader
        self.writer = writer
        self.seen: list[Message] = []
        """Everything that came, in order."""
        self.handlers: dict[str, Handler] = {}
        """Answers to requests of the server, by method; others get null."""
        self.ended = anyio.Event()
        self.left_in_order: bool | None = None
        """As the server has it, once it has ended; known in process only."""
        self._changed = anyio.Event()
        self._next_id = 0

    async def send_bytes(self, data: bytes) -> None:
        await self.writer.send(data)

    async def send(self, message: object) -> None:
        await self.send_bytes(framed(json.dumps(message).encode()))

    async def notify(self, method: str, params: object = None) -> None:
        await self.send(_message(method, params))

    async def begin(self, method: str, params: object = None) -> int:
        """Send a request and return its id."""
        self._next_id += 1
        await self.send({**_message(method, params), "id": self._next_id})
        return self._next_id

    async def request(self, method: str, params: object = None) -> Any:
        """Send a request and return its result; raises Answered."""
        return await self.answer(await self.begin(method, params))

    async def answer(self, request_id: int | str | None) -> Any:
        """Wait for the answer to a request and return its result; raises Answered."""
        answer = await self.wait_for(
            lambda message: "method" not in message and message.get("id", 0) == request_id
        )
        if "error" in answer:
            raise Answered(answer["error"])
        return answer["result"]

    async def command(self, name: str, *arguments: object) -> Any:
        """Run a command of the server."""
        params = {"command": name, "arguments": list(arguments)}
        return await self.request("workspace/executeCommand", params)

    async def told(self, method: str, matches: Matches = lambda _: True) -> Any:
        """Wait for a notification, or a request, of the server; `matches` looks at its params."""
        message = await self.wait_for(
            lambda message: message.get("method") == method and matches(message.get("params"))
        )
        return message.get("params")

    async def wait_for(self, matches: Matches, patience_s: float = PATIENCE_S) -> Message:
        """Return the first message that matches, come already or still to come."""
        looked_at = 0
        with anyio.fail_after(patience_s):
            while True:
                changed = self._changed
                for message in self.seen[looked_at:]:
                    looked_at += 1
                    if matches(message):
                        return message
                if self.ended.is_set():
                    raise Ended(f"{len(self.seen)} messages came")
                await changed.wait()

    async def initialize(
        self,
        folder: Path | None = None,
        *,
        options: object = None,
        capabilities: Mapping[str, Any] | None = None,
    ) -> Any:
        """Come to the point where the server can be asked for anything; return its answer."""
        folders = [] if folder is None else [{"uri": folder.as_uri(), "name": folder.name}]
        params = {
            "processId": os.getpid(),
            "rootUri": folder.as_uri() if folder else None,
            "workspaceFolders": folders,
            "capabilities": dict(capabilities or {}),
            "initializationOptions": options,
        }
        result = await self.request("initialize", params)
        await self.notify("initialized", {})
        return result

    async def leave(self) -> None:
        """Shut down and exit, as the protocol has it."""
        await self.request("shutdown")
        await self.notify("exit")

    async def listen(self) -> None:
        """Read until the end; answer what the server asks."""
        buffer = b""
        try:
            while True:
                while (cut := _next_message(buffer)) is not None:
                    body, buffer = cut
                    await self._take(json.loads(body))
                buffer += await self.reader.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        finally:
            self.ended.set()
            self._wake()

    async def _take(self, message: Message) -> None:
        self.seen.append(message)
        self._wake()
        if "method" in message and "id" in message:
            handler = self.handlers.get(message["method"], lambda _: None)
            result = handler(message.get("params"))
            if isinstance(result, Awaitable):
                result = await result
            await self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _wake(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


class Started(Peer):
    """A server process and the connection over its streams."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        super().__init__(process.stdout, process.stdin)
        self.process = process

    async def exit_code(self, patience_s: float = PATIENCE_S) -> int:
        with anyio.fail_after(patience_s):
            return await self.process.wait()


@asynccontextmanager
async def running_server(
    *arguments: str,
    home: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    program: Sequence[str] = (sys.executable, "-m", "lsp_server"),
    errors: Path | None = None,
) -> AsyncGenerator[Started]:
    """Start a server whose state and settings are in `home`; at the end it is gone."""
    errors = errors or home / "server.log"
    errors.parent.mkdir(parents=True, exist_ok=True)
    with errors.open("ab") as log:
        process = await anyio.open_process(
            [*program, *arguments],
            stderr=log,
            env={**surroundings(home), **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
        started = Started(process)
        async with process, _around(started.listen):
            try:
                yield started
            finally:
                await _end(process)


@contextmanager
def serving_port(
    way: str, home: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """Start a server on a free port (`way` is --tcp or --ws); at the end it is asked to go."""
    log = home / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "lsp_server", way, "0", *arguments],
            stdin=subprocess.DEVNULL,
            stderr=errors,
            env={**surroundings(home), **(env or {})},
        )
    try:
        yield process, _announced_port(process, log)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()


def _announced_port(process: subprocess.Popen[bytes], log: Path) -> int:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        announced = re.search(r"listening on \w+://127\.0\.0\.1:(\d+)\n", log.read_text())
        if announced:
            return int(announced[1])
        time.sleep(0.02)
    raise AssertionError(f"no port was announced: {log.read_text()}")


@asynccontextmanager
async def connected_peer(reader: Any, writer: Any = None) -> AsyncGenerator[Peer]:
    """Speak over streams that are open already, for one a socket."""
    peer = Peer(reader, writer or reader)
    async with _around(peer.listen):
        yield peer


def surroundings(home: Path) -> dict[str, str]:
    """Return an environment whose state and settings are in `home`, without any secret."""
    kept = ("PATH", "LANG", "DOCKER_HOST", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
    roots = {
        name: str(home / folder)
        for name, folder in (
            ("HOME", "home"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_DATA_HOME", "data"),
        )
    }
    for folder in roots.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    root = str(Path(__file__).parents[2])
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **roots,
        "PYTHONPATH": root,
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
    }


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _message(method: str, params: object) -> Message:
    message = {"jsonrpc": "2.0", "method": method}
    return message if params is None else {**message, "params": params}


def _next_message(buffer: bytes) -> tuple[bytes, bytes] | None:
    head, end, rest = buffer.partition(b"\r\n\r\n")
    if not end:
        return None
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    return (rest[:length], rest[length:]) if len(rest) >= length else None


@asynccontextmanager
async def _around(*beside: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Have something done beside the body; what the body raises comes out as it is."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        for function in beside:
            tasks.start_soon(function)
        try:
            yield
        except Exception as exc:  # noqa: BLE001 - raised again below, not as a group of one
            failure = exc
        finally:
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _end(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.stdin is not None:
            await process.stdin.aclose()
        with anyio.move_on_after(10):
            await process.wait()
            return
        process.kill()
        await process.wait()


@asynccontextmanager
async def in_process(server: GreenloopServer) -> AsyncGenerator[Peer]:
    """Serve a client in this process, over streams in memory; at the end it has gone."""
    to_server, at_server = anyio.create_memory_object_stream[bytes](100)
    to_client, at_client = anyio.create_memory_object_stream[bytes](100)
    wire = FramedWire(Ends(at_server, to_client))
    peer = Peer(at_client, to_server)

    async def serve() -> None:
        peer.left_in_order = await carry(server.protocol, wire)
        to_client.close()

    with to_server, at_server, to_client, at_client:
        async with _around(peer.listen, serve):
            yield peer
            to_server.close()


class Ends:
    """One side of a stream in memory."""

    def __init__(self, reader: ByteReceiver, writer: ByteSender) -> None:
        self.receive = reader.receive
        self.send = writer.send


@asynccontextmanager
async def quiet_keeper() -> AsyncGenerator[CoreKeeper]:
    """Give a keeper whose core knows no run."""
    core = QuietCore()

    @asynccontextmanager
    async def open_core() -> AsyncGenerator[Any]:
        yield core

    keeper = CoreKeeper(open_core)
    async with _around(keeper.run):
        try:
            yield keeper
        finally:
            keeper.end()


class QuietCore:
    """Notes who comes and goes, and how it was closed."""

    def __init__(self) -> None:
        self.runs = self
        self.clients: list[object] = []
        self.closed_with = ""

    def join(self, server: object) -> None:
        self.clients.append(server)

    def leave(self, server: object) -> None:
        self.clients.remove(server)

    async def close(self, wish: str) -> None:
        self.closed_with = wish
