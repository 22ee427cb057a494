"""Remembers which functions of the repository ran while the tests were collected.

What they did then is done: a decorator has decorated, a table is filled, a default is computed. An
edit of such a function that fails when it is swapped in may be right all the same.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH118
from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from typing import Any

from _pytest.assertion.rewrite import AssertionRewritingHook


class Begun:
    """Between `start` and `stop`, remembers each function below a folder that begins to run.

    On Python 3.12 and later through `sys.monitoring`, which tells each function once; before, by a
    profile function. That slows Python code down about twice, so it is only on while modules of
    the repository are being imported.
    """

    def __init__(self, root: str) -> None:
        self._root = os.path.join(root, "")
        self._known: dict[int, Any] = {}
        self.functions: set[tuple[str, str, int]] = set()
        """File, name and first line, as code objects have them."""
        self._stop: Callable[[], None] = _nothing

    def start(self) -> None:
        """Begin."""
        monitoring: Any = getattr(sys, "monitoring", None)
        ids = (id_ for id_ in (4, 3, 1, 5) if monitoring and monitoring.get_tool(id_) is None)
        tool = next(ids, 0)
        if tool:
            self._stop = self._start_monitoring(monitoring, tool)
        else:
            self._stop = self._start_profiling()

    def stop(self) -> None:
        """End; `functions` stays as it is."""
        self._stop()
        self._stop = _nothing
        self._known.clear()

    def _note(self, code: Any) -> None:
        if id(code) not in self._known:
            self._known[id(code)] = code  # alive, so that no other code gets its id
            name = code.co_filename
            if name.startswith(self._root) and "site-packages" not in name:
                self.functions.add((name, code.co_name, code.co_firstlineno))

    def _start_monitoring(self, monitoring: Any, tool: int) -> Callable[[], None]:
        event = monitoring.events.PY_START

        def on_start(code: Any, _offset: int) -> Any:
            self._note(code)
            return monitoring.DISABLE

        monitoring.use_tool_id(tool, "greenloop")
        monitoring.register_callback(tool, event, on_start)
        monitoring.set_events(tool, event)

        def stop() -> None:
            monitoring.set_events(tool, 0)
            monitoring.register_callback(tool, event, None)
            monitoring.free_tool_id(tool)

        return stop

    def _start_profiling(self) -> Callable[[], None]:
        def profile(frame: Any, event: str, _argument: Any) -> None:
            if event == "call":
                self._note(frame.f_code)

        loaders: list[Any] = [SourceFileLoader, AssertionRewritingHook]
        before = [(loader, loader.exec_module) for loader in loaders]
        for loader, execute in before:
            loader.exec_module = self._profiled(execute, profile)

        def stop() -> None:
            for loader, execute in before:
                loader.exec_module = execute

        return stop

    def _profiled(self, execute: Callable[[Any, Any], None], profile: Any) -> Any:
        """Wrap a loader's way of running a module: watched where it is the repository's."""

        def exec_module(this: Any, module: Any) -> None:
            path = getattr(getattr(module, "__spec__", None), "origin", None) or ""
            is_ours = path.startswith(self._root) and "site-packages" not in path
            outer = sys.getprofile()
            if outer not in (None, profile):
                execute(this, module)
                return
            sys.setprofile(profile if is_ours else None)
            try:
                execute(this, module)
            finally:
                sys.setprofile(outer)

        return exec_module


def _nothing() -> None:
    pass
