"""Reads requests on stdin, spreads them over forked children, and writes answers to stdout.

Everything is a JSON line. The first line opens the server; then `cover`, `tests`, `try` and `check`
requests may come in any order, and each is answered under its id. This process imports none of the
repository's code. Tests' own output goes nowhere.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH109
from __future__ import annotations

import array
import json
import os
import selectors
import signal
import socket
import sys
import time
from typing import Any

from .begun import Begun  # noqa: TID252 - has another package name inside the sandbox
from .blank import serve_forks  # noqa: TID252
from .items import how_it_failed  # noqa: TID252
from .reimport import Waiting  # noqa: TID252
from .session import Messages, collect, fork_on_request  # noqa: TID252
from .tries import Tries  # noqa: TID252

CHECK_EVERY = 40
"""Edits that a child tries before it has to show that nothing leaked from them."""
MOST_WAITING = 6
"""Edited files for which a process waits at their first import, ready to be forked."""


class Child:
    """A forked process and what it is doing."""

    def __init__(self, sock: socket.socket, *, is_fresh: bool) -> None:
        self.sock = sock
        self.is_fresh = is_fresh
        """Imports the edited file anew and serves a single request."""
        self.pid = 0
        self.request: dict[str, Any] | None = None
        self.deadline = float("inf")
        self.started = 0.0
        self.unchecked: list[dict[str, Any]] = []
        """Requests that failed here since the last check."""
        self.left = b""
        self.tests = 0
        """Version of the tests that it was told; 0 is none."""
        self.passed = 0
        """Tests that it said have passed with the edit that it tries."""


class Server:
    """The dispatcher: one selector loop, no thread, no state of the repository."""

    def __init__(self, opening: dict[str, Any], stdin: int, output: int) -> None:
        self._options: list[str] = opening["options"]
        self._files: list[str] = opening["files"]
        self._root: str = opening["root"]
        self._workers: int = opening["workers"]
        self._stdin = stdin
        self._output = output
        self._selector = selectors.DefaultSelector()
        self._queue: list[dict[str, Any]] = []
        self._children: list[Child] = []
        self._tests: dict[str, Any] = {"targets": [], "passing": [], "each": False}
        self._version = 1
        self._isolate = False
        self._failed_as: dict[str, list[str]] = {}
        """How tests failed on the untouched base, by test."""
        self._places: dict[str, list[Any]] = {}
        """Where they did."""
        self._input = b""
        self._is_open = True
        self._collect_s = 0.0
        self._modules: list[str] = []
        self._blank: socket.socket | None = None
        self._waiting: dict[str, socket.socket] = {}
        """By edited file: the process that waits at its first import."""
        self._control = self._start_session()

    def _start_session(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        started = time.monotonic()
        if os.fork() == 0:
            ours.close()
            self._let_go()
            try:
                code = self._collect(theirs)
                problem = {"failed": f"pytest ended with exit code {code} before the tests ran"}
                theirs.sendall(json.dumps(problem).encode("ascii") + b"\n")
            finally:
                os._exit(0)
        theirs.close()
        first = Messages(ours).receive()
        self._collect_s = time.monotonic() - started
        if first is None:
            first = {"failed": "the process that collects the tests died"}
        first["collect_s"] = self._collect_s
        self._modules = first.pop("modules", [])
        self._say(first)
        self._is_open = "ready" in first
        return ours

    def _collect(self, control: socket.socket) -> int:
        begun = Begun(self._root)

        def serve(session: Any, errors: list[str]) -> None:
            begun.stop()
            fork_on_request(
                control,
                session,
                errors,
                self._root,
                begun,
                lambda messages, items, swapper: Tries(messages, items, swapper, self._root),
            )

        begun.start()
        return collect(self._options, self._files, serve)

    def serve(self) -> None:
        """Work until stdin ends, then stop every child."""
        self._selector.register(self._stdin, selectors.EVENT_READ, None)
        while self._is_open:
            self._hand_out()
            for key, _events in self._selector.select(self._wait_s()):
                if key.data is None:
                    self._read_requests()
                elif key.data in self._children:
                    self._read_answer(key.data)
            for child in list(self._children):
                if time.monotonic() > child.deadline:
                    self._drop(child, "hang")
        for child in list(self._children):
            self._drop(child, "")
        self._control.close()
        self._forget_waiting()
        if self._blank is not None:
            self._blank.close()

    def _wait_s(self) -> float:
        nearest = min((child.deadline for child in self._children), default=float("inf"))
        return max(0.0, min(nearest - time.monotonic(), 3600.0))

    def _read_requests(self) -> None:
        data = os.read(self._stdin, 1 << 16)
        self._is_open = bool(data)
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if request["op"] == "tests":
                self._set_tests(request)
            else:
                self._queue.append(request)

    def _set_tests(self, request: dict[str, Any]) -> None:
        if self._files_of(request) != self._files_of(self._tests):
            self._forget_waiting()
        self._tests = request
        self._version += 1

    def _files_of(self, tests: dict[str, Any]) -> list[str]:
        named = [test for kind in ("targets", "passing") for test, _limit in tests[kind]]
        return sorted({test.split("::")[0] for test in named})

    def _forget_waiting(self) -> None:
        for waiting in self._waiting.values():
            waiting.close()
        self._waiting.clear()

    def _hand_out(self) -> None:
        while self._queue:
            request = self._queue[0]
            if request["op"] == "drain":
                if self._is_drained():
                    self._queue.pop(0)
                    self._say({"id": request["id"], "drained": True})
                    continue
                return
            child = self._child_for(request)
            if child is None:
                return
            self._queue.pop(0)
            self._give(child, request)

    def _is_drained(self) -> bool:
        """Have every child checked; True once nothing that was asked is still open."""
        for child in list(self._children):
            if child.request is None and child.pid and child.unchecked:
                self._give(child, {"op": "check", "id": 0})
        if self._queue and self._queue[0]["op"] != "drain":
            return False
        return all(child.request is None for child in self._children)

    def _child_for(self, request: dict[str, Any]) -> Child | None:
        is_fresh = request["op"] == "try" and not request.get("unit")
        idle = [child for child in self._children if child.request is None and child.pid]
        if not is_fresh and idle:
            return idle[0]
        busy = [child for child in self._children if child.request is not None or not child.pid]
        if len(busy) >= self._workers:
            return None
        if any(not child.pid for child in busy) and not is_fresh:
            return None
        if is_fresh:
            return self._fork_fresh(request["path"])
        self._fork_from_session()
        return None

    def _fork_from_session(self) -> Child:
        return self._add(Child(_fork_through(self._control), is_fresh=False))

    def _fork_fresh(self, path: str) -> Child:
        for _attempt in range(2):
            try:
                return self._add(Child(_fork_through(self._waiting_for(path)), is_fresh=True))
            except OSError:  # it ended, as the imports before the edited file may make it do
                self._waiting.pop(path).close()
        nobody, theirs = socket.socketpair()
        theirs.close()
        return self._add(Child(nobody, is_fresh=True))

    def _waiting_for(self, path: str) -> socket.socket:
        """Return the way to the process that waits at the first import of the file."""
        waiting = self._waiting.pop(path, None)
        if waiting is None:
            if self._blank is None:
                # Where the packages drag the repository in, forks have to import them themselves
                self._blank = self._start_blank(self._modules) or self._start_blank([])
            waiting = _fork_through(self._blank)
            opening = {"path": path, "files": self._files_of(self._tests)}
            waiting.sendall(json.dumps(opening).encode("ascii") + b"\n")
        self._waiting[path] = waiting
        if len(self._waiting) > MOST_WAITING:
            self._waiting.pop(next(iter(self._waiting))).close()
        return waiting

    def _start_blank(self, modules: list[str]) -> Any:
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            self._let_go()
            self._control.close()
            for child in self._children:
                child.sock.close()
            try:
                serve_forks(
                    theirs,
                    modules,
                    self._root,
                    lambda control: Waiting(control, self._options, self._root).serve(),
                )
            finally:
                os._exit(0)
        theirs.close()
        if ours.recv(1) == b"y":
            return ours
        ours.close()
        return None

    def _let_go(self) -> None:
        """In a fork: keep nothing by which it could speak in the server's name."""
        os.close(self._stdin)
        os.close(self._output)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _add(self, child: Child) -> Child:
        child.deadline = time.monotonic() + 30
        self._children.append(child)
        self._selector.register(child.sock, selectors.EVENT_READ, child)
        return child

    def _give(self, child: Child, request: dict[str, Any]) -> None:
        child.request = request
        child.started = time.monotonic()
        if request["op"] == "cover":
            child.deadline = child.started + request["seconds"] + 3 * request["limit"] + 5
            message = request
        else:
            limits = [limit for _test, limit in self._tests["targets"] + self._tests["passing"]]
            base = 10 * self._collect_s + 5 if child.is_fresh else 1.0
            patience = request.get("patience", 1.0)
            allowed_s = sum(3 * patience * limit + 1 for limit in limits)
            child.deadline = child.started + base + allowed_s
        try:
            for message in self._messages_for(child, request):
                child.sock.sendall(json.dumps(message).encode("ascii") + b"\n")
        except OSError:
            self._drop(child, "crash")

    def _messages_for(self, child: Child, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what the child has to be told; the tests once, for there may be hundreds."""
        if request["op"] == "check":
            targets, passing = self._tests["targets"], self._tests["passing"]
            expected = [
                [test, limit, self._failed_as[test]]
                for test, limit in targets[:2]
                if test in self._failed_as
            ]
            return [dict(request, passing=passing[:3], expected=expected)]
        if request["op"] != "try":
            return [request]
        watched = dict(self._tests, places=self._places)
        if child.is_fresh:
            return [dict(request, watched=watched)]
        if child.tests == self._version:
            return [request]
        child.tests = self._version
        return [watched, request]

    def _read_answer(self, child: Child) -> None:
        try:
            data = child.sock.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._drop(child, "crash")
            return
        *lines, child.left = (child.left + data).split(b"\n")
        for line in lines:
            try:
                answer = json.loads(line)
            except ValueError:
                self._drop(child, "crash")
                return
            if child in self._children:
                self._take(child, answer)

    def _take(self, child: Child, answer: dict[str, Any]) -> None:
        request = child.request
        if "pid" in answer and not child.pid:
            child.pid = int(answer["pid"])
            child.deadline = float("inf") if request is None else child.deadline
        elif request is None:
            self._drop(child, "")
        elif request["op"] == "cover" and "test" in answer:
            place = answer.pop("place", [])
            if not answer["passed"]:
                self._failed_as[answer["test"]] = how_it_failed(answer["errors"])
                self._places[answer["test"]] = place
            self._say(dict(answer, id=request["id"]))
        elif "passed" in answer:
            child.passed = int(answer["passed"])
        elif request["op"] == "check":
            self._take_check(child, bool(answer.get("clean")))
        else:
            self._finish(child, request, answer)

    def _finish(self, child: Child, request: dict[str, Any], answer: dict[str, Any]) -> None:
        child.request = None
        child.deadline = float("inf")
        child.passed = 0
        if not request.get("again") or answer.get("result") == "pass":
            self._say(dict(answer, id=request["id"]))
        self._prefer(answer.get("by"))
        if child.is_fresh or request["op"] == "cover" or self._isolate or answer.get("threads"):
            self._drop(child, "")
            return
        if answer.get("result") == "fail":
            child.unchecked.append(request)
        if len(child.unchecked) >= CHECK_EVERY:
            self._give(child, {"op": "check", "id": 0})

    def _take_check(self, child: Child, is_clean: bool) -> None:
        """A child ends with its check, for the untouched code may leave something behind too."""
        child.request = None
        if not is_clean:
            self._isolate = True
            self._queue[:0] = [dict(request, again=True) for request in child.unchecked]
        self._drop(child, "")

    def _prefer(self, test: Any) -> None:
        """Run what rejected this edit earlier for the next ones."""
        passing = self._tests["passing"]
        if test:
            passing.sort(key=lambda pair: pair[0] != test)

    def _drop(self, child: Child, result: str) -> None:
        """Kill the child with all it started; answer what it was doing with the given result."""
        self._selector.unregister(child.sock)
        child.sock.close()
        self._children.remove(child)
        if child.pid:
            _kill_group(child.pid)
        request = child.request
        if not result or request is None:
            return
        if request["op"] == "check":
            self._isolate = True
            self._queue[:0] = [dict(failed, again=True) for failed in child.unchecked]
            return
        if request["op"] == "cover":
            self._say({"id": request["id"], "covered": True, "result": result})
            return
        took_s = time.monotonic() - child.started
        limits = [limit for _test, limit in self._tests["targets"] + self._tests["passing"]]
        if result == "crash" and limits and took_s >= min(limits) * request.get("patience", 1.0):
            result = "hang"
        if not request.get("again"):
            self._say({"id": request["id"], "result": result, "passed": child.passed})

    def _say(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode("ascii") + b"\n"
        while data:
            data = data[os.write(self._output, data) :]


def _fork_through(control: Any) -> socket.socket:
    """Have the process at the other end fork a child; return the socket to talk to it."""
    ours, theirs = socket.socketpair()
    fds = array.array("i", [theirs.fileno()])
    control.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    theirs.close()
    return ours


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            continue


def main() -> None:
    """Open by the first line of stdin, then serve."""
    stdin, output = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(stdin, 1)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    opening = json.loads(line)
    if opening["cwd_on_path"]:
        sys.path.insert(0, os.getcwd())
    Server(opening, stdin, output).serve()
