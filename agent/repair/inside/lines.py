"""Collects which lines of the repository run, test by test.

On Python 3.12 and later `sys.monitoring` tells each line once a test and then leaves it alone.
Before, a trace function sees every line each time, which slows tests down up to eight times; where
it is known beforehand which files matter, these are given probes instead (see `probes`).
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH118
from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from .probes import Probes  # noqa: TID252 - see inside/__init__


class LineCollector:
    """Between `start` and `stop`, remembers every line that runs below a folder."""

    def __init__(self, root: str, files: Iterable[str] | None = None) -> None:
        """Collect in these files, relative to the folder; None: in all of its own below it."""
        self._root = os.path.join(root, "")
        self._files = None if files is None else {self._root + path for path in files}
        self._wanted: dict[str, bool] = {}
        self._lines: dict[str, set[int]] = {}
        self._stop: Callable[[], None] = _nothing
        self._monitoring: Any = getattr(sys, "monitoring", None)
        self._one_liners: dict[Any, bool] = {}
        self._tool = 0
        self._probes: Probes | None = None
        if self._files is not None and self._monitoring is None:
            self._probes = Probes.into(self._files)

    def start(self) -> None:
        """Begin with an empty set."""
        self._lines = {}
        if self._monitoring is not None:
            self._stop = self._start_monitoring()
        elif self._probes is not None:
            self._probes.clear()
        else:
            self._stop = self._start_tracing()

    def stop(self) -> dict[str, list[int]]:
        """End, and return the lines by path relative to the folder."""
        self._stop()
        self._stop = _nothing
        lines = self._lines if self._probes is None else self._probes.lines()
        prefix = len(self._root)
        return {path[prefix:]: sorted(found) for path, found in lines.items() if found}

    def _start_monitoring(self) -> Callable[[], None]:
        monitoring = self._monitoring
        tool = next((id_ for id_ in (4, 3, 1, 5) if monitoring.get_tool(id_) is None), None)
        if tool is None:
            return self._start_tracing()
        self._tool = tool
        events = monitoring.events
        monitoring.use_tool_id(tool, "greenloop")
        monitoring.register_callback(tool, events.LINE, self._on_line)
        monitoring.register_callback(tool, events.PY_START, self._on_start)
        # Lines are asked of the repository's own code alone, once it is seen to start
        monitoring.set_events(tool, events.PY_START)
        monitoring.restart_events()

        def stop() -> None:
            monitoring.set_events(tool, 0)
            monitoring.register_callback(tool, events.LINE, None)
            monitoring.register_callback(tool, events.PY_START, None)
            monitoring.free_tool_id(tool)

        return stop

    def _on_start(self, code: Any, _offset: int) -> object:
        if self._is_wanted(code.co_filename):
            self._monitoring.set_local_events(self._tool, code, self._monitoring.events.LINE)
            if self._is_one_liner(code):
                self._on_line(code, code.co_firstlineno)
        return self._monitoring.DISABLE

    def _on_line(self, code: Any, line: int) -> object:
        self._lines.setdefault(code.co_filename, set()).add(line)
        return self._monitoring.DISABLE

    def _is_one_liner(self, code: Any) -> bool:
        """Tell whether all of the code stands on its first line, which gets no event of its own."""
        found = self._one_liners.get(code)
        if found is None:
            lines = {line for _start, _end, line in code.co_lines() if line is not None}
            found = self._one_liners[code] = lines <= {code.co_firstlineno}
        return found

    def _start_tracing(self) -> Callable[[], None]:
        before = sys.gettrace()
        threading.settrace(self._trace)
        sys.settrace(self._trace)

        def stop() -> None:
            sys.settrace(before)
            threading.settrace(before)

        return stop

    def _trace(self, frame: Any, _event: str, _argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not self._is_wanted(name):
            return None
        lines = self._lines.setdefault(name, set())

        def on_event(inner: Any, kind: str, _value: Any) -> Any:
            if kind == "line":
                lines.add(inner.f_lineno)
            return on_event

        return on_event

    def _is_wanted(self, name: str) -> bool:
        wanted = self._wanted.get(name)
        if wanted is None:
            if self._files is not None:
                wanted = name in self._files
            else:
                wanted = name.startswith(self._root) and "site-packages" not in name
            self._wanted[name] = wanted
        return wanted


def _nothing() -> None:
    pass
