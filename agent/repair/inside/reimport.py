"""Runs the tests with an edited file imported anew, in processes that have not imported it yet.

A process for each edited file goes through the start of pytest up to the first import of that file
and waits there; each try is a fork of it and goes on with its own text (fork at the first use,
after Gopinath et al. 2016). So no try ever shares a process with the untouched file or with another
edit. The file on disk stays as it is, since other tries run beside this one.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH118, PTH123
from __future__ import annotations

import gc
import importlib
import importlib.machinery
import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from .items import ItemRunner  # noqa: TID252 - has another package name inside the sandbox
from .session import Messages, become_child, collect, receive_socket  # noqa: TID252
from .swapping import apply_edits  # noqa: TID252
from .watched import Watched  # noqa: TID252


class Waiting:
    """A process that forks at the first import of one file."""

    def __init__(self, control: socket.socket, arguments: list[str], root: str) -> None:
        opening = json.loads(_line(control))
        self._control = control
        self._arguments = arguments
        self._root = root
        self._filename = os.path.join(root, opening["path"])
        self._files: list[str] = opening["files"]
        self._text: bytes | None = None
        self._messages: Messages | None = None
        self._request: dict[str, Any] = {}

    def serve(self) -> None:
        """Collect, and fork where the file is asked for first; without that, after collecting."""
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        serve_instead(self._filename, self._edited)
        collect(self._arguments, self._files, self._answer)

    def _edited(self) -> bytes:
        """Return the text of a try, in its own fork."""
        if self._text is None:
            with open(self._filename, "rb") as file:
                text = file.read()
            self._messages, self._request = self._wait()
            self._text = self._compiled(apply_edits(text, self._request["edits"]))
        return self._text

    def _answer(self, session: Any, _errors: list[str]) -> None:
        self._edited()
        if self._messages is not None:
            items = {item.nodeid: item for item in session.items}
            watched, patience = Watched(self._request["watched"]), self._request["patience"]
            run, tell = ItemRunner(), self._messages.send
            self._messages.send(watched.judge(run, items, patience, tell, self._root))

    def _wait(self) -> tuple[Messages, dict[str, Any]]:
        """Wait here for tries; return in each one's own process, with what it is asked."""
        gc.collect()
        gc.freeze()
        while True:
            sock = receive_socket(self._control)
            if sock is None:
                os._exit(0)
            if os.fork() == 0:
                self._control.close()
                messages = become_child(sock)
                request = messages.receive()
                if request is None:
                    os._exit(0)
                return messages, request
            sock.close()

    def _compiled(self, text: bytes) -> bytes:
        """Return the text if it compiles, else end here."""
        try:
            compile(text, self._filename, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            if self._messages is not None:
                self._messages.send({"result": "invalid"})
            os._exit(0)
        return text


def _line(sock: socket.socket) -> bytes:
    """Read one line and not a byte more: sockets come behind it."""
    line = b""
    while not line.endswith(b"\n"):
        piece = sock.recv(1)
        if not piece:
            os._exit(0)
        line += piece
    return line


def serve_instead(filename: str, text_of: Callable[[], bytes]) -> None:
    """Make every later import of the file read the text returned, and no cached byte code."""
    loader: Any = importlib.machinery.SourceFileLoader
    get_data, path_stats = loader.get_data, loader.path_stats
    real = os.path.realpath(filename)

    def edited_data(self: Any, path: str) -> bytes:
        if os.path.realpath(path) == real:
            return text_of()
        data: bytes = get_data(self, path)
        return data

    def edited_stats(self: Any, path: str) -> Any:
        if os.path.realpath(path) == real:
            raise OSError("no cached code for an edited file")
        return path_stats(self, path)

    loader.get_data = edited_data
    loader.path_stats = edited_stats
    _rewrite_instead(real, text_of)


def _rewrite_instead(real: str, text_of: Callable[[], bytes]) -> None:
    """Do the same for files whose assertions pytest rewrites, which it reads by itself."""
    rewrite: Any = importlib.import_module("_pytest.assertion.rewrite")
    rewritten, read_cached = rewrite._rewrite_test, rewrite._read_pyc

    class Edited:
        """The file, as far as it is asked for anything."""

        def __init__(self, path: str) -> None:
            self._path = path

        def __fspath__(self) -> str:
            return self._path

        def __str__(self) -> str:  # type: ignore[explicit-override]  # not in 3.8
            return self._path

        def read_bytes(self) -> bytes:
            """Return the edited text."""
            return text_of()

    def edited_test(path: Any, config: Any) -> Any:
        is_it = os.path.realpath(str(path)) == real
        return rewritten(Edited(str(path)) if is_it else path, config)

    def edited_cache(source: Any, *more: Any, **named: Any) -> Any:
        is_it = os.path.realpath(str(source)) == real
        return None if is_it else read_cached(source, *more, **named)

    rewrite._rewrite_test = edited_test
    rewrite._read_pyc = edited_cache
