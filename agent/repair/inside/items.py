"""Runs single tests of a collected session within a time limit, and says how they failed."""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH108, PTH118
from __future__ import annotations

import os
import re
import shutil
import signal
from typing import Any

from _pytest import fixtures
from _pytest.nodes import Node
from _pytest.runner import runtestprotocol


class Hung(BaseException):
    """A test that does not end."""


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
        _remember_signatures()

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

    def place(self, item: Any, root: str) -> list[Any]:
        """Return where the last item failed, for `further`; empty where nobody knows.

        The line of the test that was reached, then file, function and line of the innermost
        frame in the repository, and the type of the exception.
        """
        if self._problem is None:
            return []
        prefix = os.path.join(root, "")
        own = str(getattr(item, "path", None) or getattr(item, "fspath", ""))
        reached, innermost = 0, ["", "", 0]
        step = self._problem.value.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            if code.co_filename == own and not reached:
                reached = step.tb_lineno
            if code.co_filename.startswith(prefix) and "site-packages" not in code.co_filename:
                innermost = [code.co_filename, code.co_name, step.tb_lineno]
            step = step.tb_next
        return [reached, *innermost, type(self._problem.value).__name__]

    def errors(self, root: str) -> list[dict[str, Any]]:
        """Return the exception that ended the last item and what caused it, outermost last."""
        found: list[dict[str, Any]] = []
        error = self._problem.value if self._problem is not None else None
        while error is not None and len(found) < 5:
            found.append(_describe(error, os.path.join(root, "")))
            error = error.__cause__ or error.__context__
        return found


def how_it_failed(errors: list[dict[str, Any]]) -> list[str]:
    """Return type and message of the last exception, without addresses."""
    return [re.sub("0x[0-9a-f]+", "", error["type"] + error["message"]) for error in errors[:1]]


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


def _remember_signatures() -> None:
    """Spare pytest to read the signatures of fixtures anew for each test: a quarter of its time."""
    read: Any = getattr(fixtures, "getfuncargnames", None)
    known: dict[Any, Any] = {}

    def remembered(function: Any, *more: Any, **named: Any) -> Any:
        key = (function, more, tuple(sorted(named.items())))
        try:
            return known[key]
        except KeyError:
            known[key] = read(function, *more, **named)
            return known[key]
        except TypeError:  # something of it cannot be a key
            return read(function, *more, **named)

    if read is not None:
        setattr(fixtures, "getfuncargnames", remembered)  # noqa: B010 - no part of its interface


def _no_text(*_arguments: Any, **_named: Any) -> str:
    return "failed"


def _subclasses(kind: type[Any]) -> list[type[Any]]:
    found: list[type[Any]] = [kind]
    for inner in kind.__subclasses__():
        found.extend(_subclasses(inner))
    return found
