"""A collected pytest session that forks instead of running: its children try edits.

The session process itself never runs a test, so every child starts from the same clean state.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH108, PTH110, PTH118, PTH120, PTH123
from __future__ import annotations

import array
import gc
import json
import os
import re
import resource
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from _pytest.nodes import Node
from _pytest.runner import runtestprotocol

from .lines import LineCollector  # noqa: TID252 - has another package name inside the sandbox
from .swapping import Equal, Swapper, Unsound  # noqa: TID252

MEMORY_HEADROOM = 512 * 1024 * 1024
"""A child may grow by this much before it gets a MemoryError (bytes)."""


class Hung(BaseException):
    """A test that does not end."""


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


def fork_on_request(control: socket.socket, session: Any, errors: list[str], root: str) -> None:
    """Say which tests there are; then fork a child for each socket that comes over `control`."""
    items = {item.nodeid: item for item in session.items}
    started = {
        "ready": True,
        "tests": list(items),
        "errors": errors,
        "modules": outside_modules(root),
    }
    control.sendall(json.dumps(started).encode("ascii") + b"\n")
    swapper = Swapper(root)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        sock = receive_socket(control)
        if sock is None:
            return
        if os.fork() == 0:
            control.close()
            run_child(sock, lambda messages: Tries(messages, items, swapper, root))
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


def run_child(sock: socket.socket, make: Callable[[Messages], Any]) -> None:
    """Be the child: bounded, in a session of its own, and gone afterwards whatever happens."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        bound_resources()
        messages = Messages(sock)
        messages.send({"pid": os.getpid()})
        make(messages).serve()
    finally:
        os._exit(0)


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


class Tries:
    """One child's work: run tests as they are, or with edits swapped in, as the requests say."""

    def __init__(
        self, messages: Messages, items: dict[str, Any], swapper: Swapper, root: str
    ) -> None:
        self._messages = messages
        self._items = items
        self._swapper = swapper
        self._root = root
        self._threads = threading.active_count()
        self._run = ItemRunner()

    def serve(self) -> None:
        """Answer requests until there are no more."""
        while True:
            request = self._messages.receive()
            if request is None:
                return
            if request["op"] == "cover":
                self._cover(request)
            elif request["op"] == "check":
                self._messages.send({"clean": self._is_clean(request)})
            else:
                self._messages.send(self._try(request))

    def _try(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            swapped = self._swapper.swap(request["path"], request["edits"], request["unit"])
        except Unsound:
            return {"result": "unsound"}
        except Equal:
            return {"result": "equal"}
        except (SyntaxError, RecursionError, MemoryError):
            return {"result": "invalid"}
        answer = judge(self._run, self._items, request)
        self._swapper.undo(swapped)
        answer["threads"] = threading.active_count() > self._threads
        return answer

    def _is_clean(self, request: dict[str, Any]) -> bool:
        """Tell whether the untouched code still behaves: nothing leaked from earlier edits."""
        for test, limit in request["passing"]:
            if test in self._items and not self._run.passes(self._items[test], limit):
                return False
        for test, limit, expected in request["expected"]:
            if self._run.passes(self._items[test], limit):
                return False
            if how_it_failed(self._run.errors(self._root)) != expected:
                return False
        return True

    def _cover(self, request: dict[str, Any]) -> None:
        collector = LineCollector(self._root)
        until = time.monotonic() + request["seconds"]
        for test in request["tests"]:
            item = self._items.get(test)
            if item is None or time.monotonic() > until:
                continue
            started = time.process_time()
            collector.start()
            passed = self._run.passes(item, request["limit"], gently=True)
            lines = collector.stop()
            cpu_s = time.process_time() - started
            self._messages.send(
                {
                    "test": test,
                    "passed": passed,
                    "cpu_s": cpu_s,
                    "lines": lines,
                    "errors": [] if passed else self._run.errors(self._root),
                }
            )
        self._messages.send({"covered": True})


def how_it_failed(errors: list[dict[str, Any]]) -> list[str]:
    """Return type and message of the last exception, without addresses."""
    return [re.sub("0x[0-9a-f]+", "", error["type"] + error["message"]) for error in errors[:1]]


def judge(run: ItemRunner, items: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Run the targets, then what must not break; stop as soon as the answer is known.

    With few targets all of them are run, so that an edit which mends one of several is seen.
    """
    fixed = []
    for index, (test, limit) in enumerate(request["targets"]):
        if _target_passes(run, items, test, limit):
            fixed.append(index)
        elif not request["each"]:
            break
    if not fixed or (len(fixed) < len(request["targets"]) and not request["each"]):
        return {"result": "fail", "by": ""}
    for test, limit in request["passing"]:
        item = items.get(test)
        if item is None or not run.passes(item, limit):
            return {"result": "fail", "by": test}
    return {"result": "pass", "fixed": fixed}


def _target_passes(run: ItemRunner, items: dict[str, Any], test: str, limit: float) -> bool:
    """A target without `::` is a file that could not be collected: all of its tests count."""
    if "::" not in test:
        of_file = [item for id_, item in items.items() if id_.split("::")[0] == test]
        return bool(of_file) and all(run.passes(item, limit) for item in of_file)
    return test in items and run.passes(items[test], limit)


class ItemRunner:
    """Runs single test items within a time limit, cheaply: nobody reads a traceback here."""

    def __init__(self) -> None:
        self._problem: Any = None
        self._failed_part = False
        self._watched: Any = None
        for kind in _subclasses(Node):
            for name in ("repr_failure", "_repr_failure_py"):
                if name in vars(kind):
                    setattr(kind, name, _no_text)

    def pytest_exception_interact(self, call: Any) -> None:
        """Pytest's hook: keep the exception, for `errors`."""
        self._problem = call.excinfo

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Pytest's hook: a failed subtest is reported here and nowhere else."""
        self._failed_part = self._failed_part or report.failed

    def passes(self, item: Any, limit_s: float, *, gently: bool = False) -> bool:
        """Run one item. A process over its limit of CPU seconds is killed by the kernel.

        Or gently: the test gets an exception at the line that it hangs on.
        """
        if self._watched is not item.config:
            item.config.pluginmanager.register(self)
            self._watched = item.config
        self._problem = None
        self._failed_part = False
        _set_alarms(limit_s, _raise_hung if gently else signal.SIG_DFL)
        try:
            reports = runtestprotocol(item, log=False, nextitem=None)
        except BaseException:  # noqa: BLE001 - an edit may raise anything, and only fails by it
            return False
        finally:
            _set_alarms(0)
            _empty_temporary(item.config)
        return not self._failed_part and _is_pass(reports)

    def errors(self, root: str) -> list[dict[str, Any]]:
        """Return the exception that ended the last item and what caused it, outermost last."""
        found: list[dict[str, Any]] = []
        error = self._problem.value if self._problem is not None else None
        while error is not None and len(found) < 5:
            found.append(_describe(error, os.path.join(root, "")))
            error = error.__cause__ or error.__context__
        return found


def _is_pass(reports: list[Any]) -> bool:
    called = False
    for report in reports:
        expected = bool(getattr(report, "wasxfail", "")) and report.skipped
        if not (report.passed or expected):
            return False
        called = called or report.when == "call" or expected
    return called


def _describe(error: BaseException, prefix: str) -> dict[str, Any]:
    frames = []
    names: dict[str, str] = {}
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_filename.startswith(prefix) and "site-packages" not in code.co_filename:
            frames.append([code.co_filename[len(prefix) :], step.tb_lineno, code.co_name])
            names = {name: type(value).__name__ for name, value in step.tb_frame.f_locals.items()}
        step = step.tb_next
    try:
        message = str(error)[:2000]
    except Exception:  # noqa: BLE001 - __str__ is the repository's code
        message = ""
    return {
        "type": type(error).__name__,
        "message": message,
        "frames": frames[-50:],
        "locals": names,
    }


def _raise_hung(_number: int, _frame: Any) -> None:
    raise Hung("ran over its time limit")


def _set_alarms(limit_s: float, handler: Any = signal.SIG_DFL) -> None:
    """Arm (or with 0 disarm) CPU and wall timers; their signals end the process by default."""
    for kind, number, seconds in (
        (signal.ITIMER_PROF, signal.SIGPROF, limit_s),
        (signal.ITIMER_REAL, signal.SIGALRM, limit_s and 3 * limit_s + 1),
    ):
        if limit_s:
            signal.signal(number, handler)
        signal.setitimer(kind, seconds)


def _empty_temporary(config: Any) -> None:
    """Remove what `tmp_path` left: thousands of numbered folders slow each other down."""
    factory = getattr(config, "_tmp_path_factory", None)
    base = getattr(factory, "_basetemp", None)
    if base is not None:
        for entry in os.scandir(str(base)):
            if entry.is_symlink() or not entry.is_dir():
                os.unlink(entry.path)
            else:
                shutil.rmtree(entry.path, ignore_errors=True)


def _no_text(*_arguments: Any, **_named: Any) -> str:
    return "failed"


def _subclasses(kind: type[Any]) -> list[type[Any]]:
    found: list[type[Any]] = [kind]
    for inner in kind.__subclasses__():
        found.extend(_subclasses(inner))
    return found
