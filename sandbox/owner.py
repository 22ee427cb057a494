"""Says to whom a sandbox belongs, in labels that a later process can check.

A process is named by pid and start time (a pid alone is reused), inside one pid namespace of one
boot of one machine. Who cannot look into that namespace knows nothing of its processes and relies
on the lease alone: several machines, or containers, may share an engine.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PREFIX: Final = "dev.greenloop."
MARK: Final = PREFIX + "sandbox"
"""Every container, volume and image of ours carries this label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One process, for as long as it lives."""

    pid: int
    start: str
    """Start time in clock ticks since boot (field 22 of /proc/PID/stat)."""
    place: str
    """Boot id and pid namespace."""

    def labels(self, lease_s: int) -> dict[str, str]:
        """Return the labels of something that this process owns for at most the lease."""
        return {
            MARK: "1",
            PREFIX + "pid": str(self.pid),
            PREFIX + "start": self.start,
            PREFIX + "place": self.place,
            PREFIX + "expires": str(int(time.time()) + lease_s),
        }


@cache
def this_process() -> Owner:
    """Return the owner that this process is."""
    return Owner(pid=os.getpid(), start=_start_of(os.getpid()), place=_place())


def is_abandoned(labels: Mapping[str, str]) -> bool:
    """Tell whether the owner named by the labels is dead, or the lease over."""
    try:
        pid, expires = int(labels[PREFIX + "pid"]), int(labels[PREFIX + "expires"])
        start, place = labels[PREFIX + "start"], labels[PREFIX + "place"]
    except (KeyError, ValueError):
        return False
    if time.time() > expires:
        return True
    return place == _place() and _start_of(pid) != start


def _start_of(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "" if _has_proc() else _alive(pid)
    # The name, in brackets, may itself hold brackets and blanks; a zombie is dead.
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _alive(pid: int) -> str:
    """Without /proc (macOS) only the pid speaks; a reused one is left to the lease."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "alive"
    return "alive"


@cache
def _has_proc() -> bool:
    return Path("/proc/self/stat").exists()


@cache
def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return os.uname().nodename
