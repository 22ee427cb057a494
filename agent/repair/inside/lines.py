"""Collects which lines of the repository run, test by test.

On Python 3.12 and later `sys.monitoring` reports each line once and then leaves it alone; before,
a trace function does, which slows the tests down some ten times.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH118
from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any


class LineCollector:
    """Between `start` and `stop`, remembers every line that runs below a folder."""

    def __init__(self, root: str) -> None:
        self._root = os.path.join(root, "")
        self._wanted: dict[str, bool] = {}
        self._lines: dict[str, set[int]] = {}
        self._stop: Callable[[], None] = _nothing
        self._disable: object = None

    def start(self) -> None:
        """Begin with an empty set."""
        self._lines = {}
        if hasattr(sys, "monitoring"):
            self._stop = self._start_monitoring(getattr(sys, "monitoring"))  # noqa: B009 - newer than our types
        else:
            self._stop = self._start_tracing()

    def stop(self) -> dict[str, list[int]]:
        """End, and return the lines by path relative to the folder."""
        self._stop()
        self._stop = _nothing
        prefix = len(self._root)
        return {path[prefix:]: sorted(lines) for path, lines in self._lines.items()}

    def _start_monitoring(self, monitoring: Any) -> Callable[[], None]:
        tool = next((id_ for id_ in (4, 3, 1, 5) if monitoring.get_tool(id_) is None), None)
        if tool is None:
            return self._start_tracing()
        self._disable = monitoring.DISABLE
        monitoring.use_tool_id(tool, "greenloop")
        monitoring.register_callback(tool, monitoring.events.LINE, self._on_line)
        # A function on one line gets no line event of its own
        monitoring.register_callback(tool, monitoring.events.PY_START, self._on_start)
        monitoring.set_events(tool, monitoring.events.LINE | monitoring.events.PY_START)
        monitoring.restart_events()

        def stop() -> None:
            monitoring.set_events(tool, 0)
            monitoring.register_callback(tool, monitoring.events.LINE, None)
            monitoring.register_callback(tool, monitoring.events.PY_START, None)
            monitoring.free_tool_id(tool)

        return stop

    def _on_line(self, code: Any, line: int) -> object:
        if self._is_wanted(code.co_filename):
            self._lines.setdefault(code.co_filename, set()).add(line)
        return self._disable

    def _on_start(self, code: Any, _offset: int) -> object:
        return self._on_line(code, code.co_firstlineno)

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
            wanted = name.startswith(self._root) and "site-packages" not in name
            self._wanted[name] = wanted
        return wanted


def _nothing() -> None:
    pass
