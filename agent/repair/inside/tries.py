"""The work of one child of a collected session: edits are swapped in, tests run, edits taken out.

Also runs tests as they are, under the line collector.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from .items import ItemRunner, how_it_failed  # noqa: TID252 - see inside/__init__
from .lines import LineCollector  # noqa: TID252
from .session import Messages  # noqa: TID252
from .swapping import Equal, Swapper, Unsound  # noqa: TID252
from .watched import Watched  # noqa: TID252


class Tries:
    """One child: answers requests until there are no more."""

    def __init__(
        self, messages: Messages, items: dict[str, Any], swapper: Swapper, root: str
    ) -> None:
        self._messages = messages
        self._items = items
        self._swapper = swapper
        self._root = root
        self._threads = threading.active_count()
        self._run = ItemRunner()
        self._watched = Watched({})

    def serve(self) -> None:
        """Answer requests until there are no more."""
        while True:
            request = self._messages.receive()
            if request is None:
                return
            if request["op"] == "cover":
                self._cover(request)
            elif request["op"] == "tests":
                self._watched = Watched(request)
            elif request["op"] == "check":
                self._messages.send({"clean": self._is_clean(request)})
            else:
                self._messages.send(self._try(request))

    def _try(self, request: dict[str, Any]) -> dict[str, Any]:
        unit = request["unit"]
        try:
            swapped = self._swapper.swap(request["path"], request["edits"], unit)
        except Unsound:
            return {"result": "unsound"}
        except Equal:
            return {"result": "equal"}
        except (SyntaxError, RecursionError, MemoryError):
            return {"result": "invalid"}
        answer = self._watched.judge(
            self._run, self._items, request["patience"], self._messages.send, self._root
        )
        self._swapper.undo(swapped)
        answer["threads"] = threading.active_count() > self._threads
        if answer["result"] == "fail" and self._swapper.ran_already(swapped):
            answer["doubtful"] = True
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
        collector = LineCollector(self._root, request.get("files"))
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
                    "place": [] if passed else self._run.place(item, self._root),
                }
            )
        self._messages.send({"covered": True})
