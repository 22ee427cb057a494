"""Tells, test by test, what happened, from what the plugin in pytest says.

It also takes back options of the repository that would spoil the measuring: stopping at the first
failure, spreading over processes, retrying, measuring coverage, listing instead of running. What
is selected is put in after pytest has read its configuration, so that a narrow run has the same
root, plugins and conftest files as a run of everything.
"""

# Pathlib is slow where this is called, for every test and every frame.
# ruff: noqa: PTH100, PTH110, PTH118, PTH120
from __future__ import annotations

import builtins
import os
import sys
import time
from collections.abc import Callable
from typing import Any

# From here on our functions have builtins of their own, which nobody can replace by name.
globals()["__builtins__"] = dict(vars(builtins))

MESSAGE_CHARS = 2000
FRAMES = 40
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
"""Options by their names in `config.option`; those that no plugin of the session has are left."""
IDLE: dict[str, Any] = {"cov_source": []}
"""Options that a plugin acts on before the command line is final."""


class Reporter:
    """Sends one message when a test starts and one when it is over, with its details."""

    def __init__(
        self,
        send: Callable[[Any], None],
        root: str,
        select: Any,
        fingerprint: Any,
        put_in_canaries: Callable[[Any], set[str]] | None,
    ) -> None:
        self._send = send
        self._root = os.path.realpath(root) + os.sep
        self._libraries = _libraries(self._root)
        self._select = select
        self._fingerprint = fingerprint
        self._put_in_canaries = put_in_canaries
        self._canaries: set[str] = set()
        self._owner = os.getpid()
        self._getpid = os.getpid
        self._clock = time.perf_counter
        self._config: Any = None
        self._places: dict[str, tuple[str, int]] = {}
        self._test = _Test()
        self._handlers: dict[str, Callable[..., None]] = {
            "options_read": self._options_read,
            "configured": self._configured,
            "tests_chosen": self._tests_chosen,
            "collector_reported": self._collector_reported,
            "test_collected": fingerprint.remember_test,
            "all_collected": self._all_collected,
            "test_started": self._test_started,
            "test_called": fingerprint.check_test,
            "test_returned": fingerprint.check_item,
            "report_made": self._report_made,
            "test_reported": self._test_reported,
            "test_finished": self._test_finished,
        }

    def say(self, message: Any) -> None:
        """Send, unless this is a process that a test forked and let run on."""
        if self._getpid() == self._owner:
            self._send(message)

    def take(self, what: str, *about: Any) -> None:
        """Take in what the plugin tells."""
        self._handlers[what](*about)

    def _options_read(self, early_config: Any) -> None:
        _set_known(early_config.known_args_namespace, IDLE)

    def _configured(self, config: Any) -> None:
        self._config = config
        _set_known(config.option, NEUTRAL)
        files = list(dict.fromkeys(_file_of(id_) for id_ in self._select["ids"]))
        rootdir = str(getattr(config, "rootpath", None) or config.rootdir)
        chosen = [os.path.join(rootdir, name) for name in files]
        chosen += [os.path.join(self._root, name) for name in self._select["files"]]
        if chosen:
            config.args[:] = [path for path in chosen if os.path.exists(path)] or chosen

    def _tests_chosen(self, items: Any) -> None:
        leave_out = frozenset(self._select["leave_out"])
        if leave_out:
            items[:] = [item for item in items if item.nodeid not in leave_out]
        if self._select["ids"]:
            items[:] = _in_order(items, self._select["ids"], self._select["files"], self._path_of)
        if self._put_in_canaries:
            self._canaries = self._put_in_canaries(items)

    def _collector_reported(self, collector: Any, report: Any) -> None:
        if report.skipped:
            self._say_skipped(collector, report)
        if not report.failed:
            return
        excinfo = getattr(getattr(report, "call", None), "excinfo", None)
        error, message, frames = self._explain(excinfo, str(report.longrepr))
        self.say(
            {
                "k": "not_collected",
                "id": collector.nodeid,
                "path": self._path_of(collector),
                "error": error,
                "message": message,
                "frames": frames,
            }
        )

    def _all_collected(self, session: Any) -> None:
        self._fingerprint.remember_session(session)
        self._fingerprint.check()
        for item in session.items:
            if item.nodeid in self._canaries:
                continue
            self._places[item.nodeid] = (self._path_of(item), (item.location[1] or 0) + 1)
        self.say({"k": "collected", "count": len(self._places)})

    def _test_started(self, nodeid: str) -> None:
        self._test = _Test()
        if nodeid not in self._canaries:
            self.say({"k": "start", "id": nodeid})

    def _report_made(self, call: Any, report: Any) -> None:
        raised = call.excinfo is not None and report.outcome == "passed"
        if report.failed or (raised and not hasattr(report, "wasxfail")):
            self._test.details[report.when] = self._explain(call.excinfo, str(report.longrepr))

    def _test_reported(self, report: Any) -> None:
        self._test.add(report)

    def _test_finished(self, nodeid: str) -> None:
        path, line = self._places.get(nodeid, ("", 0))
        error, message, frames = self._test.explanation()
        self._fingerprint.check()
        self._fingerprint.check_session()
        if nodeid in self._canaries:
            self._finish_canary(nodeid, self._test.outcome())
            return
        self.say(
            {
                "k": "result",
                "id": nodeid,
                "outcome": self._test.outcome(),
                "seconds": round(self._test.seconds, 6),
                "path": path,
                "line": line,
                "error": error,
                "message": message,
                "frames": frames,
            }
        )

    def _finish_canary(self, id_: str, outcome: str) -> None:
        if outcome in ("passed", "xpassed", "xfailed"):
            self._fingerprint.seen["what makes a failing test fail"] = None
        self.say({"k": "canary", "id": id_, "outcome": outcome})

    def _say_skipped(self, collector: Any, report: Any) -> None:
        """A whole file or class that skipped itself is told as one skipped test."""
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        self.say(
            {
                "k": "result",
                "id": collector.nodeid,
                "outcome": "skipped",
                "seconds": 0.0,
                "path": self._path_of(collector),
                "line": 0,
                "error": "",
                "message": str(reason)[:MESSAGE_CHARS],
                "frames": [],
            }
        )

    def finish(self, exit_status: int) -> None:
        """Send the last message: how pytest ended, and what was found replaced."""
        self.say(
            {
                "k": "end",
                "status": exit_status,
                "altered": self._fingerprint.check_everything(),
                "plugins": self._plugins_in_tree(),
            }
        )

    def _plugins_in_tree(self) -> list[str]:
        if self._config is None:
            return []
        files = set()
        for plugin in self._config.pluginmanager.get_plugins():
            module = sys.modules.get(getattr(type(plugin), "__module__", ""))
            file = getattr(plugin, "__file__", None) or getattr(module, "__file__", None)
            files.add(self._relative(file) if isinstance(file, str) else None)
        return sorted(file for file in files if file)

    def place_of(self, file: str) -> str:
        """Name a file of the code under test; tests, libraries and pytest have no name here."""
        if file.startswith("<"):
            return "code made at run time"
        if file.startswith(self._libraries):
            return ""
        path = file[len(self._root) :] if file.startswith(self._root) else file  # noqa: FURB188
        tests = {place[0] for place in self._places.values()}
        return path if path not in tests else ""

    def _path_of(self, node: Any) -> str:
        return self._relative(str(getattr(node, "path", None) or node.fspath)) or ""

    def _relative(self, path: str) -> str | None:
        """Return a path of the tree relative to it; None for one outside or in a virtualenv."""
        if path.startswith("<"):
            return None
        path = os.path.realpath(path)
        if not path.startswith(self._root) or "/site-packages/" in path:
            return None
        return path[len(self._root) :]

    def _explain(self, excinfo: Any, otherwise: str) -> tuple[str, str, list[Any]]:
        """Return the exception's class name, its text, and its frames in the tree."""
        if excinfo is None:
            return "", otherwise[-MESSAGE_CHARS:], []
        error = excinfo.value
        if type(error).__name__ == "CollectError" and error.__cause__ is not None:
            error = error.__cause__
        try:
            text = str(error) or type(error).__name__
        except Exception as broken:  # noqa: BLE001 - a broken __str__ of the code under test
            text = f"{type(error).__name__} whose text raises {type(broken).__name__}"
        if isinstance(error, SyntaxError) and isinstance(error.filename, str):
            text = f"{error.msg} ({error.filename}, line {error.lineno})"
        return type(error).__name__, text[:MESSAGE_CHARS], self._frames(error)

    def _frames(self, error: Any) -> list[Any]:
        frames = []
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            path = self._relative(code.co_filename)
            if path:
                frames.append([path, trace.tb_lineno, code.co_name])
            trace = trace.tb_next
        if len(frames) > FRAMES:
            frames[FRAMES // 2 : -FRAMES // 2] = []
        return frames


class _Test:
    """What is known of the test that is running."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.details: dict[str, tuple[str, str, list[Any]]] = {}
        self._seen: set[str] = set()

    def add(self, report: Any) -> None:
        self.seconds += getattr(report, "duration", 0.0)
        if report.outcome == "rerun":
            self.details.clear()
            self._seen.clear()
            return
        when = getattr(report, "when", "call")
        expected = hasattr(report, "wasxfail")
        if report.outcome == "failed" or (when in self.details and not expected):
            self.details.setdefault(when, ("", str(report.longrepr)[-MESSAGE_CHARS:], []))
            self._seen.add("failed" if when == "call" else "error")
        elif report.outcome == "skipped":
            self._seen.add("xfailed" if expected else "skipped")
        elif report.outcome == "passed" and when == "call":
            self._seen.add("xpassed" if expected else "passed")

    def outcome(self) -> str:
        """Return the worst of what was reported; a test of which nothing was is an error."""
        for outcome in ("failed", "error", "skipped", "xfailed", "xpassed", "passed"):
            if outcome in self._seen:
                return outcome
        return "error"

    def explanation(self) -> tuple[str, str, list[Any]]:
        for when in ("call", "setup", "teardown"):
            if when in self.details:
                return self.details[when]
        return "", "", []


def _libraries(root: str) -> tuple[str, ...]:
    """Return where code that is not the repository's comes from, before any of it can run."""
    places = {sys.prefix, sys.base_prefix, os.path.dirname(os.__file__), *sys.path}
    places -= {"", os.path.dirname(os.path.abspath(__file__))}
    folders = [place.rstrip(os.sep) + os.sep for place in places]
    return tuple(
        folder
        for folder in folders
        if not root.startswith(folder)
        and (not folder.startswith(root) or "/site-packages/" in folder)
    )


def _set_known(options: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if hasattr(options, name):
            setattr(options, name, value)


def _file_of(id_: str) -> str:
    return id_.split("::", 1)[0]


def _in_order(items: Any, ids: Any, files: Any, path_of: Callable[[Any], str]) -> list[Any]:
    """Keep what was asked for, in the order of asking; an id without `::` is a whole file."""
    places = {id_: place for place, id_ in reversed(list(enumerate(ids)))}
    chosen = []
    for item in items:
        place = places.get(item.nodeid, places.get(_file_of(item.nodeid)))
        if place is None and path_of(item) in files:
            place = len(places)
        if place is not None:
            chosen.append((place, item))
    return [item for _, item in sorted(chosen, key=lambda pair: pair[0])]
