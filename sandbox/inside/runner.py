"""The held process of a sandbox: takes orders over stdin, one at a time, answers on stdout.

A frame is a header (token of the session, kind, length) and a payload; sandbox.session is the
other end and describes the kinds. The runner makes itself non-dumpable first, so that a command
of the same uid can neither trace it nor open its pipes below /proc. What it cannot prevent (a
SIGKILL or SIGSTOP) shows as silence, and the host replaces the sandbox.
"""

# Pathlib would cost the runner a third of its start.
# ruff: noqa: PTH103, PTH118
from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import struct
import sys
import time
from typing import Any

from sandbox.inside.command import STALL, Running, conditions, is_alone, kill_everything, step
from sandbox.inside.tree import Tree, pack, read_regular

HEADER = struct.Struct(">16scI")
CHUNK = 1 << 18
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


class Wire:
    """Both directions of the stream to the host."""

    def __init__(self, source: int, sink: int) -> None:
        self.source = source
        self.sink = sink
        self.token = b""
        self._in = bytearray()
        self._out: list[bytes] = []
        self.backlog = 0

    def take_token(self) -> None:
        """Read the token of the session, the first 16 bytes from the host."""
        while len(self._in) < 16:
            self.fill()
        self.token = bytes(self._in[:16])
        del self._in[:16]

    def receive(self) -> tuple[bytes, bytes]:
        """Wait for the next frame. Raises: EOFError when the host is gone."""
        while True:
            frame = self.pending()
            if frame is not None:
                return frame
            self.fill()

    def pending(self) -> tuple[bytes, bytes] | None:
        """Return a frame that has arrived as a whole, or None."""
        if len(self._in) < HEADER.size:
            return None
        token, kind, length = HEADER.unpack_from(self._in)
        if len(self._in) < HEADER.size + length:
            return None
        if token != self.token:
            raise EOFError("not the host's token")
        payload = bytes(self._in[HEADER.size : HEADER.size + length])
        del self._in[: HEADER.size + length]
        return kind, payload

    def fill(self) -> None:
        """Read what is there, waiting for at least one byte."""
        data = os.read(self.source, CHUNK)
        if not data:
            raise EOFError("the host is gone")
        self._in += data

    def put(self, kind: bytes, payload: bytes) -> None:
        """Queue a frame."""
        frame = HEADER.pack(self.token, kind, len(payload)) + payload
        self._out.append(frame)
        self.backlog += len(frame)

    def flush(self, *, wait: bool) -> None:
        """Write the queue: all of it, or as much as goes without waiting."""
        os.set_blocking(self.sink, wait)
        try:
            while self._out:
                sent = os.write(self.sink, self._out[0])
                self.backlog -= sent
                if sent < len(self._out[0]):
                    self._out[0] = self._out[0][sent:]
                else:
                    self._out.pop(0)
        except BlockingIOError:
            pass

    def answer(self, kind: bytes, value: Any) -> None:
        """Send a frame with a JSON value."""
        self.put(kind, json.dumps(value).encode())
        self.flush(wait=True)


class Runner:
    """Carries out the host's orders."""

    def __init__(self, wire: Wire, wake: int, hello: dict[str, Any]) -> None:
        self.wire = wire
        self.wake = wake
        self.trees = {name: Tree(os.fsencode(path)) for name, path in hello["roots"].items()}
        self.work = self.trees["tree"]
        self.alone = bool(hello["alone"])
        self.conditions = conditions()
        if self.alone and not is_alone():
            raise EOFError("not in a sandbox of its own")
        for folder in hello["folders"]:
            make_folder(folder)
        for folder in hello["awaited"]:
            await_writable(folder)

    def serve(self) -> None:
        """Answer one order after the other until the host hangs up."""
        while True:
            kind, payload = self.wire.receive()
            if kind == b"P":
                self.wire.answer(b"p", None)
            elif kind in b"IEK":
                continue  # meant for a command that has ended in the meantime
            else:
                self._carry_out(kind, json.loads(payload))

    def _carry_out(self, kind: bytes, order: dict[str, Any]) -> None:
        try:
            if kind == b"R":
                answer = self._run(order)
            elif kind == b"T":
                answer = self._unpack(order)
            elif kind == b"F":
                answer = self._read(order)
            else:
                answer = self._changes(order)
        except OSError as error:
            name = error.filename if isinstance(error.filename, (str, bytes)) else ""
            text = f"{os.fsdecode(name)}: {os.strerror(error.errno or 0)}"
            answer = {"error": text, "errno": error.errno}
        except RecursionError:
            answer = {"error": "folders are nested too deeply", "errno": 0}
        self.wire.answer(b"r", answer)

    def _run(self, order: dict[str, Any]) -> dict[str, Any]:
        wire = self.wire
        running = Running(order)
        # What came in one piece with the order: no further byte may ever wake us.
        self._heed_all(running)
        while not running.is_over():
            if step(running, wire.source, self.wake, wire.sink, wire.backlog):
                wire.fill()
                self._heed_all(running)
            if running.stdout >= 0 and wire.backlog < STALL:
                data = running.read()
                if data:
                    wire.put(b"o", data)
            wire.flush(wait=False)
        end = running.finish(lambda data: wire.put(b"o", data), self.alone)
        if conditions() != self.conditions:
            raise EOFError("a command changed the limits or the priority of the runner")
        return end

    def _heed_all(self, running: Running) -> None:
        frame = self.wire.pending()
        while frame is not None:
            self._heed(frame, running)
            frame = self.wire.pending()

    def _heed(self, frame: tuple[bytes, bytes], running: Running) -> None:
        kind, payload = frame
        if kind == b"I":
            running.feed(payload)
        elif kind == b"E":
            running.feed(b"")
        elif kind == b"K":
            running.reason = running.reason or "killed"
        elif kind == b"P":
            self.wire.put(b"p", b"null")

    def _unpack(self, order: dict[str, Any]) -> dict[str, Any]:
        tree = self.trees[order["root"]]
        parts = Parts(self.wire)
        try:
            for name in order["delete"]:
                tree.delete(os.fsencode(name))
            if order["tar"]:
                tree.unpack(parts.read)
        finally:
            if order["tar"]:
                parts.skip()
        return {}

    def _read(self, order: dict[str, Any]) -> dict[str, Any]:
        path = os.path.join(self.work.root, os.fsencode(order["path"]))
        data = read_regular(path, order["limit"])
        for start in range(0, len(data or b""), CHUNK):
            self.wire.put(b"d", (data or b"")[start : start + CHUNK])
            self.wire.flush(wait=True)
        return {"found": data is not None}

    def _changes(self, order: dict[str, Any]) -> dict[str, Any]:
        files, deleted, refused = self.work.changes()
        limits = (order["files"], order["file_bytes"], order["total_bytes"])
        for piece in pack(self.work.root, files, limits, refused):
            for start in range(0, len(piece), CHUNK):
                self.wire.put(b"d", piece[start : start + CHUNK])
            self.wire.flush(wait=True)
        return {
            "deleted": [os.fsdecode(name) for name in deleted],
            "refused": [[os.fsdecode(name), why] for name, why in sorted(refused.items())],
        }


class Parts:
    """The payloads of a run of `t` frames as one stream; an empty one ends it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._rest = memoryview(b"")
        self._over = False

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes."""
        if size <= len(self._rest):
            data, self._rest = self._rest[:size], self._rest[size:]
            return bytes(data)
        pieces = bytearray(self._rest)
        while len(pieces) < size:
            pieces += self._next()
        self._rest = memoryview(bytes(pieces[size:]))
        return bytes(pieces[:size])

    def skip(self) -> None:
        """Leave the rest, so that the next frame is the next order."""
        while not self._over:
            self._next()

    def _next(self) -> bytes:
        if self._over:
            raise OSError(0, "the tar is too short")
        payload = b""
        while not payload and not self._over:
            kind, payload = self._wire.receive()
            if kind == b"P":
                self._wire.answer(b"p", None)
                payload = b""
            else:
                self._over = not payload
        return payload


def make_folder(folder: str) -> None:
    """Make a folder where it is missing and may be made."""
    # A home that cannot be made is the commands' concern, not ours.
    with contextlib.suppress(OSError):
        os.makedirs(folder, exist_ok=True)


def await_writable(folder: str) -> None:
    """Wait a moment until the init of the sandbox has opened the folder for us."""
    for _ in range(2_000):
        if os.access(folder, os.W_OK):
            return
        time.sleep(0.001)


def seal() -> bool:
    """Hide this process from its children, and inherit theirs; False where that fails."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return False
    orders = ((PR_SET_DUMPABLE, 0), (PR_SET_CHILD_SUBREAPER, 1))
    return not any(prctl(order, value, 0, 0, 0) for order, value in orders)


def calm_signals() -> int:
    """Survive whatever a stray `kill` sends short of SIGKILL; return what SIGCHLD wakes."""
    for name in ("HUP", "INT", "QUIT", "TERM", "PIPE", "ALRM", "VTALRM", "PROF", "USR1", "USR2",
                 "CHLD", "CONT", "TSTP", "TTIN", "TTOU", "IO", "PWR", "XCPU", "XFSZ"):  # fmt: skip
        # A function, not SIG_IGN: an ignored signal would stay ignored in every command.
        signal.signal(getattr(signal, "SIG" + name), _nothing)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    wake, poke = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(poke, False)
    signal.set_wakeup_fd(poke, warn_on_full_buffer=False)
    return wake


def _nothing(number: int, frame: Any) -> None:
    pass


def main() -> None:
    """Serve the host on stdin and stdout until it hangs up; then leave nothing alive."""
    wire = Wire(0, 1)
    sealed = seal()
    wake = calm_signals()
    os.umask(0o022)
    alone = False
    try:
        wire.take_token()
        _, payload = wire.receive()
        runner = Runner(wire, wake, json.loads(payload))
        alone = runner.alone
        wire.answer(b"h", {"sealed": sealed, "python": sys.version.split()[0], "pid": os.getpid()})
        runner.serve()
    except EOFError as gone:
        sys.stderr.write(f"{gone}\n")
    except BrokenPipeError:
        pass
    finally:
        kill_everything(alone)
