"""Runs one command and gets rid of everything that it started.

The runner is a child subreaper: whatever a command leaves behind becomes the runner's own child,
so killing everybody and waiting until there is no child left proves that nothing is alive.
Inside a sandbox `kill(-1)` reaches every process of this uid in this pid namespace except the
runner, at one moment, so that a fork bomb cannot outrun it. The init of the sandbox has another
uid (or, as pid 1, cannot be killed from within).
"""

# Pathlib would cost the runner a third of its start.
# ruff: noqa: PTH123, PTH208
from __future__ import annotations

import errno
import os
import resource
import select
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 65536
STALL = 4 * PIECE
"""Above this much unsent output the command's pipe is left alone: the host sets the pace."""
LONGEST_WAIT_S = 3600.0
LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})
OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


class Running:
    """A command between its start and its end."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.wall = float(order["wall_s"])
        self.no_output = order["no_output_s"]
        self.cap = int(order["output_bytes"])
        self.began = self.heard = time.monotonic()
        self.output_bytes = 0
        self.status: int | None = None
        self.reason = ""
        self.problem = b""
        self.ooms = _oom_kills()
        self.input: list[bytes] = []
        self.input_ends = False
        self.stdin = self.stdout = -1
        self.pid = 0
        try:
            self._spawn(order)
        except OSError as error:
            self.status = (127 if error.errno == errno.ENOENT else 126) << 8
            self.problem = _explain(order["argv"][0], error)

    def _spawn(self, order: dict[str, Any]) -> None:
        interactive = bool(order["stdin"])
        process = subprocess.Popen(
            order["argv"],
            cwd=order["cwd"],
            env=order["env"],
            stdin=subprocess.PIPE if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        self.stdout = _own(process.stdout)
        self.stdin = _own(process.stdin)
        self.pid = process.pid
        process.returncode = 0  # reaped here, not by Popen
        _prefer_for_oom(process.pid)

    def feed(self, data: bytes) -> None:
        """Queue input for the command; empty data ends it."""
        if data:
            self.input.append(data)
        else:
            self.input_ends = True

    def reap(self) -> None:
        """Collect every process that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = status

    def is_over(self) -> bool:
        """Tell whether the command ended or has to end; the reason is kept."""
        now = time.monotonic()
        if self.status is not None or self.reason:
            return True
        if now - self.began >= self.wall:
            self.reason = "timeout"
        elif self.no_output is not None and now - self.heard >= self.no_output:
            self.reason = "no_output"
        return bool(self.reason)

    def wait_s(self) -> float:
        """Return how long nothing has to be checked."""
        now = time.monotonic()
        left = self.began + self.wall - now
        if self.no_output is not None:
            left = min(left, self.heard + self.no_output - now)
        return max(0.0, left)

    def read(self) -> bytes:
        """Return the output that is there; empty: none now, or none any more (see `stdout`)."""
        try:
            data = os.read(self.stdout, PIECE)
        except BlockingIOError:
            return b""
        if not data:
            os.close(self.stdout)
            self.stdout = -1
            return b""
        self.heard = time.monotonic()
        room = self.cap - self.output_bytes
        if len(data) > room:
            data = data[:room]
            self.reason = self.reason or "output_cap"
        self.output_bytes += len(data)
        return data

    def write(self) -> None:
        """Hand queued input to the command; one that does not want it loses it."""
        try:
            while self.input:
                sent = os.write(self.stdin, self.input[0])
                self.input[0] = self.input[0][sent:]
                if not self.input[0]:
                    self.input.pop(0)
        except BlockingIOError:
            return
        except OSError:
            self.input.clear()
            self.input_ends = True
        if self.input_ends:
            os.close(self.stdin)
            self.stdin = -1

    def finish(self, pass_on: Callable[[bytes], None], alone: bool) -> dict[str, Any]:
        """Kill all that is left, pass on the rest of the output, and say how it ended."""
        kill_everything(alone, self)
        if self.problem:
            pass_on(self.problem)
            self.output_bytes += len(self.problem)
        while self.stdout >= 0:
            data = self.read()
            if data:
                pass_on(data)
            elif self.stdout >= 0:
                # A blocked read with no writer alive cannot happen; never spin on a surprise.
                os.close(self.stdout)
                self.stdout = -1
        if self.stdin >= 0:
            os.close(self.stdin)
        reason = self.reason or "exited"
        if _oom_kills() > self.ooms:
            reason = "oom"
        return {
            "code": _exit_code(self.status) if reason == "exited" else None,
            "reason": reason,
            "output_bytes": self.output_bytes,
            "wall_s": time.monotonic() - self.began,
        }


def step(running: Running, control: int, wake: int, out: int, backlog: int) -> bool:
    """Wait for the next thing to do; return whether there is something to read from control."""
    watch = select.poll()
    watch.register(control, select.POLLIN)
    watch.register(wake, select.POLLIN)
    if running.stdout >= 0 and backlog < STALL:
        watch.register(running.stdout, select.POLLIN)
    if running.stdin >= 0 and (running.input or running.input_ends):
        watch.register(running.stdin, select.POLLOUT)
    if backlog:
        watch.register(out, select.POLLOUT)
    ready = dict(watch.poll(min(running.wait_s(), LONGEST_WAIT_S) * 1000 + 1))
    if wake in ready:
        os.read(wake, 4096)
    running.reap()
    if running.stdin in ready:
        running.write()
    return control in ready


def conditions() -> tuple[object, ...]:
    """Return what commands inherit from the runner and another process of its uid can change.

    `prlimit` and `sched_setaffinity` ask for no more than the same uid; a command that has used
    them on the runner would make every later one fail or crawl.
    """
    limits = [resource.getrlimit(number) for number in LIMITS]
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    return (*limits, priority, os.sched_getscheduler(0), frozenset(os.sched_getaffinity(0)))


def is_alone() -> bool:
    """Tell whether this pid namespace holds hardly anybody but us: an init, its child, us.

    On a machine `kill(-1)` would end everything of its user; nobody may get that wrong.
    """
    return os.getuid() != 0 and sum(name.isdigit() for name in os.listdir("/proc")) <= 6


def kill_everything(alone: bool, running: Running | None = None) -> None:
    """Return when nothing that was started here is alive."""
    while True:
        for pid in (-1,) if alone else _descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return
        if running is not None and pid == running.pid:
            running.status = status


def _descendants() -> list[int]:
    found: list[int] = []
    parents = [os.getpid()]
    while parents:
        try:
            with open(f"/proc/{parents[0]}/task/{parents[0]}/children") as children:
                below = [int(word) for word in children.read().split()]
        except OSError:
            below = []
        found += below
        parents = parents[1:] + below
    return found


def _own(pipe: IO[bytes] | None) -> int:
    """Take the descriptor out of Popen's file object, non-blocking; -1 where there is none."""
    if pipe is None:
        return -1
    descriptor = os.dup(pipe.fileno())
    pipe.close()
    os.set_blocking(descriptor, False)
    return descriptor


def _oom_kills() -> int:
    for name in OOM_FILES:
        try:
            with open(name, encoding="ascii") as lines:
                for line in lines:
                    if line.startswith("oom_kill "):
                        return int(line.split()[1])
        except (OSError, ValueError):
            continue
    return 0


def _prefer_for_oom(pid: int) -> None:
    """Offer the command to the kernel before the runner when memory runs out."""
    try:
        with open(f"/proc/{pid}/oom_score_adj", "w", encoding="ascii") as score:
            score.write("500")
    except OSError:
        pass


def _exit_code(status: int | None) -> int | None:
    if status is None:
        return None
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _explain(program: str, error: OSError) -> bytes:
    where = error.filename if isinstance(error.filename, str) else program
    text = f"cannot run {program}: {where}: {os.strerror(error.errno or 0)}\n"
    return text.encode("utf-8", "surrogateescape")
