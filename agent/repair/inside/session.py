"""A collected pytest session that forks instead of running: its children try edits.

The session process itself never runs a test, so every child starts from the same clean state.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH110, PTH118, PTH120, PTH123
from __future__ import annotations

import array
import gc
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .begun import Begun  # noqa: TID252 - has another package name inside the sandbox
from .swapping import Swapper  # noqa: TID252

MEMORY_HEADROOM = 512 * 1024 * 1024
"""A child may grow by this much before it gets a MemoryError (bytes)."""


class Messages:
    """JSON lines over a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._left = b""

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        self.sock.sendall(json.dumps(message).encode("ascii") + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """Wait for one message; None at the end."""
        while b"\n" not in self._left:
            data = self.sock.recv(65536)
            if not data:
                return None
            self._left += data
        line, self._left = self._left.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message


NEUTRAL: dict[str, Any] = {
    "maxfail": 0,
    "lf": False,
    "failedfirst": False,
    "newfirst": False,
    "stepwise": False,
    "collectonly": False,
    "setuponly": False,
    "setupplan": False,
    "usepdb": False,
    "trace": False,
    "numprocesses": None,
    "dist": "no",
    "tx": [],
    "looponfail": False,
    "forked": False,
    "reruns": 0,
    "force_reruns": None,
    "no_cov": True,
    "continue_on_collection_errors": True,
}
"""Options of the repository that would spoil the search, by their names in `config.option`."""


class Collected:
    """The pytest plugin: lists the tests, then hands the process over to `serve`."""

    def __init__(self, files: list[str], serve: Callable[[Any, list[str]], None]) -> None:
        self._files = files
        self._serve = serve
        self._errors: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: Any) -> None:
        """Take the files that are wanted, with the root and conftest files of a whole run."""
        for name, value in NEUTRAL.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        root = str(getattr(config, "rootpath", None) or config.rootdir)
        found = [os.path.join(root, file) for file in self._files]
        config.args[:] = [path for path in found if os.path.exists(path)] or config.args

    def pytest_collectreport(self, report: Any) -> None:
        """Remember which files could not be collected."""
        if report.failed:
            self._errors.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Take the place of pytest's own loop."""
        self._serve(session, self._errors)
        return True


def collect(arguments: list[str], files: list[str], serve: Callable[[Any, list[str]], None]) -> int:
    """Run pytest up to the collected session, then `serve(session, errors)` in its place."""
    sys.argv = [os.path.join(os.path.dirname(pytest.__file__), "__main__.py"), *arguments]
    return int(pytest.main(arguments, plugins=[Collected(files, serve)]))


def fork_on_request(
    control: socket.socket,
    session: Any,
    errors: list[str],
    root: str,
    begun: Begun,
    child: Callable[[Messages, dict[str, Any], Swapper], Any],
) -> None:
    """Say which tests there are; then fork a child for each socket that comes over `control`."""
    items = {item.nodeid: item for item in session.items}
    started = {
        "ready": True,
        "tests": list(items),
        "errors": errors,
        "modules": outside_modules(root),
    }
    control.sendall(json.dumps(started).encode("ascii") + b"\n")
    swapper = Swapper(root, begun.functions)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        sock = receive_socket(control)
        if sock is None:
            return
        if os.fork() == 0:
            control.close()
            try:
                child(become_child(sock), items, swapper).serve()
            finally:
                os._exit(0)
        sock.close()


def receive_socket(control: socket.socket) -> socket.socket | None:
    """Wait for a socket that another process of ours hands over; None at the end."""
    space = socket.CMSG_LEN(array.array("i").itemsize)
    data, ancillary, _flags, _address = control.recvmsg(1, space)
    if not data:
        return None
    return socket.socket(fileno=array.array("i", ancillary[0][2])[0])


def outside_modules(root: str) -> list[str]:
    """Return what was imported from files outside of the repository, in that order."""
    found = []
    for name, module in list(sys.modules.items()):
        is_ours = name.startswith(__name__.split(".", maxsplit=1)[0])
        if getattr(module, "__file__", None) and not is_ours and not is_below(module, root):
            found.append(name)
    return found


def is_below(module: Any, root: str) -> bool:
    """Tell whether a module is the repository's own; its virtualenv is not."""
    path = getattr(module, "__file__", None)
    if not isinstance(path, str) or "site-packages" in path:
        return False
    return path.startswith(root.rstrip("/") + "/")


def become_child(sock: socket.socket) -> Messages:
    """Make this fork one that answers over the socket: bounded, in a session of its own."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    bound_resources()
    messages = Messages(sock)
    messages.send({"pid": os.getpid()})
    return messages


def bound_resources() -> None:
    """Let a wild edit run out of its own memory and files, not of the sandbox's."""
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    for what, value in (
        (resource.RLIMIT_AS, now + MEMORY_HEADROOM),
        (resource.RLIMIT_FSIZE, 64 * 1024 * 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (limit, hard))
