"""Runs the tests with an edited file imported anew, in a process that has imported nothing yet.

The file on disk stays as it is, since other tries run beside this one: the import system is told
the edited text instead.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH118, PTH123
from __future__ import annotations

import importlib.machinery
import os
from typing import Any

from .session import ItemRunner, Messages, collect, judge  # noqa: TID252 - see inside/__init__
from .swapping import apply_edits  # noqa: TID252


class Reimport:
    """One child's work: a single edit, pytest from its start."""

    def __init__(self, messages: Messages, arguments: list[str], root: str) -> None:
        self._messages = messages
        self._arguments = arguments
        self._root = root

    def serve(self) -> None:
        """Answer one request."""
        request = self._messages.receive()
        if request is None:
            return
        if request["path"]:
            filename = os.path.join(self._root, request["path"])
            with open(filename, "rb") as file:
                text = apply_edits(file.read(), request["edits"])
            try:
                compile(text, filename, "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._messages.send({"result": "invalid"})
                return
            serve_instead(filename, text)

        def answer(session: Any, _errors: list[str]) -> None:
            items = {item.nodeid: item for item in session.items}
            self._messages.send(judge(ItemRunner(), items, request))

        tests = [*request["targets"], *request["passing"]]
        files = sorted({test.split("::")[0] for test, _limit in tests})
        collect(self._arguments, files, answer)


def serve_instead(filename: str, text: bytes) -> None:
    """Make every later import of the file read the given text, and no cached byte code."""
    loader: Any = importlib.machinery.SourceFileLoader
    get_data, path_stats = loader.get_data, loader.path_stats
    real = os.path.realpath(filename)

    def edited_data(self: Any, path: str) -> bytes:
        if os.path.realpath(path) == real:
            return text
        data: bytes = get_data(self, path)
        return data

    def edited_stats(self: Any, path: str) -> Any:
        if os.path.realpath(path) == real:
            raise OSError("no cached code for an edited file")
        return path_stats(self, path)

    loader.get_data = edited_data
    loader.path_stats = edited_stats
