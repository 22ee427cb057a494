"""A process that imported what the tests need from outside of the repository, and nothing of it.

Its forks start a session much sooner than a new interpreter would, and still import every file of
the repository themselves.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from .session import is_below, receive_socket  # noqa: TID252 - has another package name inside the sandbox


def serve_forks(
    control: socket.socket, modules: list[str], root: str, child: Callable[[socket.socket], None]
) -> None:
    """Import the modules, answer `y`, then fork a child for each socket that comes.

    Answers `n` and returns where an import brought code of the repository with it.
    """
    for name in modules:
        with contextlib.suppress(BaseException):  # the sessions import it again, and will see
            importlib.import_module(name)
    for module in list(sys.modules.values()):
        _leave_as_it_is(module)
    if any(is_below(module, root) for module in list(sys.modules.values())):
        control.sendall(b"n")
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no fork of it stays as a zombie
    control.sendall(b"y")
    while True:
        sock = receive_socket(control)
        if sock is None:
            return
        if os.fork() == 0:
            try:
                control.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                child(sock)
            finally:
                os._exit(0)
        sock.close()


def _leave_as_it_is(module: Any) -> None:
    """Keep pytest from warning that a plugin's module came too early for its rewriting.

    The mark in the docstring is pytest's own way of saying so.
    """
    text = getattr(module, "__doc__", None)
    if text is None or isinstance(text, str):
        try:
            module.__doc__ = (text or "") + "\nPYTEST_DONT_REWRITE"
        except (AttributeError, TypeError):
            return
