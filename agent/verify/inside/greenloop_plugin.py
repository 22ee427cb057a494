"""The plugin that pytest knows: it tells what pytest does, and holds nothing itself.

Whoever gets hold of pytest's configuration finds this plugin there. So what is known of the run,
and the means to report it, are kept by an audit hook, to which Python code has no way.
"""

# The methods are pytest's hooks.
# ruff: noqa: D102
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

TOLD = "greenloop.told"
tell: Callable[..., Any] = sys.audit
"""Where there is nothing to guard against, something more direct takes its place."""


class Plugin:
    """Passes on the name of what happens, and what it happens to."""

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> Iterator[None]:
        tell(TOLD, "options_read", early_config)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: Any) -> Iterator[None]:
        tell(TOLD, "configured", config)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: Any) -> Iterator[None]:
        yield
        tell(TOLD, "tests_chosen", items)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: Any) -> Iterator[None]:
        outcome: Any = yield
        tell(TOLD, "collector_reported", collector, outcome.get_result())

    @pytest.hookimpl(tryfirst=True)
    def pytest_itemcollected(self, item: Any) -> None:
        tell(TOLD, "test_collected", item)

    def pytest_collection_finish(self, session: Any) -> None:
        tell(TOLD, "all_collected", session)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        tell(TOLD, "test_started", nodeid)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        tell(TOLD, "test_called", item)
        yield
        tell(TOLD, "test_returned", item)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: Any) -> Iterator[None]:
        outcome: Any = yield
        tell(TOLD, "report_made", call, outcome.get_result())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        tell(TOLD, "test_reported", report)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        tell(TOLD, "test_finished", nodeid)
