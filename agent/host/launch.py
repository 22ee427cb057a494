"""Starts a host: a process of its own that outlives who starts it, with a socket between them.

It is nobody's child for long and in a session of its own, so that an editor that kills the process
tree below its language server, or a terminal that goes away, does not take the host along before
it has cleaned up. What it prints comes back through a second socket and never reaches our output.
"""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

from agent.errors import Infrastructure

MODULE: Final = "agent.host"
GONE_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Our ends of the two sockets."""

    control: socket.socket
    """Messages, both ways. That it ends is how either side knows that the other is gone."""
    printed: socket.socket
    """What the host writes to its stdout and stderr."""


def launch(variables: Mapping[str, str]) -> Ends:
    """Start a host with that environment. Blocking, for some tens of milliseconds.

    Raises: Infrastructure.
    """
    with ExitStack() as ours, ExitStack() as theirs:
        try:
            control, its_control = socket.socketpair()
            printed, its_printed = socket.socketpair()
            for each in (control, printed):
                ours.enter_context(each)
            for each in (its_control, its_printed):
                theirs.enter_context(each)
            # -P: the folder that we happen to be started in must not give the host its modules.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE, str(its_control.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=its_printed.fileno(),
                stderr=its_printed.fileno(),
                pass_fds=[its_control.fileno()],
                cwd="/",
                env=dict(variables),
                start_new_session=True,
            )
            process.wait()  # it forks the host and ends
        except OSError as exc:
            raise Infrastructure(
                f"the engine's process cannot be started: {exc.strerror or exc}",
                remedy="look whether this machine is out of memory, processes or open files",
            ) from exc
        ours.pop_all()
        return Ends(control=control, printed=printed)


def wait_until_gone(pid: int) -> None:
    """Wait until a process that is ending has let go of everything. Blocking, bounded."""
    with suppress(OSError):  # gone already
        process = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(process, select.POLLIN)
            poll.poll(GONE_S * 1000)
        finally:
            os.close(process)
