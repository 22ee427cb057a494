"""Starts pytest in a process of its own and vouches for what comes back.

The code under test never runs here. This process cannot be traced or looked into by others of its
user (it is not dumpable), it alone knows the secret with which the host recognises messages, it
ends tests that take too long, and it kills every process that the tests left behind before it
says that they are over. Run with `python -I -S -B`; the request comes as JSON over stdin.
"""

# Pathlib would cost the start of every run.
# ruff: noqa: PTH100, PTH108, PTH118, PTH120, PTH123
from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = frozenset(
    f"greenloop_{name}.py"
    for name in (
        *("canary", "channel", "ear", "fingerprint", "plugin"),
        *("reporter", "session", "supervise", "warm"),
    )
)
OUTPUT_TAIL_BYTES = 32 * 1024
SLOW_S = 5.0
"""A test that runs for longer is told of, as often."""
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


def main() -> None:
    """Read the request and run one session."""
    protect_process()
    clean_folder()
    channel = import_channel()
    request = json.loads(sys.stdin.buffer.readline())
    send = channel.sender(write_stdout, bytes.fromhex(request.pop("secret")))
    send({"k": "hello"})
    program = [*request.pop("interpreter"), os.path.join(HERE, "greenloop_session.py")]

    def start(request_fd: int, results_fd: int) -> None:
        os.set_inheritable(request_fd, True)
        os.set_inheritable(results_fd, True)
        os.execvp(  # noqa: S606 - there is no shell
            program[0], [*program, str(request_fd), str(results_fd)]
        )

    supervise(request, channel, send, start)


def clean_folder() -> None:
    """Remove what an earlier command may have planted beside us: modules, compiled files."""
    for entry in os.scandir(HERE):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        elif entry.name not in SCRIPTS or entry.is_symlink():
            os.unlink(entry.path)


def import_channel() -> Any:
    """Import the one script of ours that this process needs, from beside it."""
    sys.path.append(HERE)
    return importlib.import_module("greenloop_channel")


def protect_process() -> None:
    """Hide this process from its user's others, and inherit what they abandon."""
    _prctl(PR_SET_DUMPABLE, 0)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def make_dumpable() -> None:
    """Undo the hiding in a forked child, in which tests may look at themselves in /proc."""
    _prctl(PR_SET_DUMPABLE, 1)


def _prctl(option: int, value: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} is refused")


def write_stdout(data: bytes) -> None:
    """Write all of it to the host."""
    while data:
        data = data[os.write(1, data) :]


def supervise(
    request: dict[str, Any],
    channel: Any,
    send: Callable[[Any], None],
    start: Callable[[int, int], None],
) -> None:
    """Run one session to its end, passing on what it reports, then say how it ended."""
    key = os.urandom(32)
    request["key"] = key.hex()
    wall_s, test_s = request.pop("wall_s"), request.pop("test_s")
    child, results, output = _spawn(request, start)
    watch = _Watch(results, output, channel.Receiver(key), send, wall_s=wall_s, test_s=test_s)
    reason = watch.until_over(child)
    _kill_group(child)
    status = _wait(child)
    kill_descendants()
    watch.drain()
    for fd in (results, output):
        os.close(fd)
    send(
        {
            "k": "over",
            "reason": watch.forged or reason,
            "status": status,
            "running": watch.running,
            "output": base64.b64encode(bytes(watch.tail)).decode("ascii"),
        }
    )


def _spawn(request: dict[str, Any], start: Callable[[int, int], None]) -> tuple[int, int, int]:
    request_out, request_in = os.pipe()
    results_out, results_in = os.pipe()
    output_out, output_in = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            nowhere = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nowhere, 0)
            os.dup2(output_in, 1)
            os.dup2(output_in, 2)
            for fd in (nowhere, request_in, results_out, output_out, output_in):
                os.close(fd)
            start(request_out, results_in)
        except BaseException as error:  # noqa: BLE001 - nothing may get out of the child
            os.write(2, f"the tests could not be started: {error!r}\n".encode())
        finally:
            os._exit(127)
    for fd in (request_out, results_in, output_in):
        os.close(fd)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError), open(request_in, "wb") as stream:
        stream.write(json.dumps(request).encode("ascii"))
    return child, results_out, output_out


class _Watch:
    """Reads what a session reports and prints, and looks at the clock."""

    def __init__(
        self,
        results: int,
        output: int,
        receiver: Any,
        send: Callable[[Any], None],
        *,
        wall_s: float,
        test_s: float,
    ) -> None:
        self.running = ""
        self.forged = ""
        self.tail = bytearray()
        self._open = {results, output}
        self._results = results
        self._receiver = receiver
        self._send = send
        self._test_s = test_s
        self._wall_end = time.monotonic() + wall_s
        self._test_end = self._wall_end
        self._slow_at = self._wall_end

    def until_over(self, child: int) -> str:
        """Return `exited`, or `timeout` or `test_timeout` when the clock decided."""
        while not self.forged and not _is_over(child):
            now = time.monotonic()
            if now >= self._wall_end:
                return "timeout"
            if self.running and now >= self._test_end:
                return "test_timeout"
            if self.running and now >= self._slow_at:
                self._slow_at = now + SLOW_S
                self._send({"k": "slow", "id": self.running})
            until = min(self._wall_end, self._test_end if self.running else self._wall_end)
            pause = min(0.2, max(0.0, until - now)) if self._results in self._open else 0.002
            self._read(pause)
        return "exited"

    def drain(self) -> None:
        """Read what is left; nobody is alive who could write more."""
        while self._open and self._read(0.0):
            continue

    def _read(self, pause: float) -> bool:
        ready, _, _ = select.select(sorted(self._open), [], [], pause)
        for fd in ready:
            data = os.read(fd, 1 << 16)
            if not data:
                self._open.discard(fd)
            elif fd == self._results:
                self._pass_on(data)
            else:
                self.tail += data
                del self.tail[:-OUTPUT_TAIL_BYTES]
        return bool(ready)

    def _pass_on(self, data: bytes) -> None:
        if self.forged:
            return
        try:
            messages = self._receiver.feed(data)
        except ValueError:
            self.forged = "forged"
            return
        for message in messages:
            kind = message.get("k")
            if kind == "start":
                self.running = message["id"]
                now = time.monotonic()
                self._test_end, self._slow_at = now + self._test_s, now + SLOW_S
            elif kind in ("result", "end"):
                self.running = ""
            self._send(message)


def _is_over(child: int) -> bool:
    """Look whether the child has ended, without taking its status away."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _kill_group(child: int) -> None:
    with contextlib.suppress(OSError):  # it is gone already
        os.killpg(child, signal.SIGKILL)


def _wait(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


def kill_descendants() -> None:
    """Kill what the tests started and let run on, until nothing of it is left."""
    for _ in range(200):
        children = _children()
        if not children:
            return
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        for pid in children:
            try:
                os.waitpid(pid, 0)
            except OSError:
                continue


def _children() -> list[int]:
    me = str(os.getpid())
    try:
        with open(f"/proc/self/task/{me}/children") as stream:
            return [int(pid) for pid in stream.read().split()]
    except OSError:
        return []  # a kernel without this file; the sandbox kills them after the command


if __name__ == "__main__":
    main()
