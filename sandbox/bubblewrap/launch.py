"""Becomes bubblewrap: joins the control groups, arms the lease, then replaces itself.

Run as a program of its own between the host process and bubblewrap, because a process can only
put itself into a group before it starts anything, and an alarm outlives exec: the kernel ends
bubblewrap when the lease is over, whatever became of its owner. Standard library only.

Usage: launch.py LEASE_S [FILE]... -- PROGRAM [ARGUMENT]...
"""

import os
import signal
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Do what the arguments say; never returns unless something is wrong."""
    end = arguments.index("--")
    lease_s, groups = int(arguments[0]), arguments[1:end]
    for file in groups:
        Path(file).write_text("0")  # the kernel reads 0 as "who writes"
    signal.alarm(lease_s)
    os.execv(arguments[end + 1], arguments[end + 1 :])  # noqa: S606 - no shell on purpose


if __name__ == "__main__":
    main(sys.argv[1:])
