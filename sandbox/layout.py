"""How a sandbox is laid out, whatever holds it: sizes, places, user, counts of workers.

Pure, apart from asking who we are; both backends build on it.
"""

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.base import TOOLS_DIR, SandboxLimits
from sandbox.errors import SandboxError

RESERVE_BYTES: Final = 16 * 1024**2
"""Memory that the file systems of a sandbox may not take; the runner needs 9 MiB."""
ORDINARY_UID: Final = 1000
FORBIDDEN_WORKDIRS: Final = ("/proc", "/sys", "/dev", "/run", "/tmp", "/")  # noqa: S108


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How the memory of a sandbox is split between its file systems."""

    tree: int
    tmp: int
    tools: int
    shm: int


def sizes(limits: SandboxLimits) -> Sizes:
    """Split the limits; `tmp_bytes` is shared by /tmp, TOOLS_DIR and /dev/shm.

    A container whose file systems can fill its memory is poisoned for good: the kernel then kills
    every process in it, whatever it is (measured). Raises: SandboxError.
    """
    needed = limits.tree_bytes + limits.tmp_bytes + RESERVE_BYTES
    if needed > limits.memory_bytes:
        raise SandboxError(
            f"tree_bytes + tmp_bytes + {RESERVE_BYTES} is {needed},"
            f" more than memory_bytes {limits.memory_bytes}",
            remedy="raise memory_bytes, or lower tree_bytes or tmp_bytes",
        )
    tools, shm = limits.tmp_bytes // 4, limits.tmp_bytes // 8
    return Sizes(tree=limits.tree_bytes, tmp=limits.tmp_bytes - tools - shm, tools=tools, shm=shm)


def ordinary_ids() -> tuple[int, int]:
    """Return uid and gid of commands: the caller's own, or 1000 where the caller is root."""
    return (os.getuid(), os.getgid()) if os.getuid() else (ORDINARY_UID, ORDINARY_UID)


def checked_workdir(workdir: str) -> str:
    """Return the workdir. Raises: SandboxError when a tree cannot lie there."""
    path = posixpath.normpath(workdir)
    if path != workdir or not path.startswith("/") or "," in path or ":" in path:
        raise SandboxError(f"the tree cannot be put at {workdir!r}: not a plain absolute path")
    below_kernel = any(path.startswith(top + "/") for top in ("/proc", "/sys", "/dev"))
    if path in FORBIDDEN_WORKDIRS or below_kernel or is_below(path, TOOLS_DIR):
        raise SandboxError(
            f"the tree cannot be put at {workdir}", remedy="move the repository to another folder"
        )
    return path


def is_below(path: str, folder: str) -> bool:
    """Tell whether the path is the folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def worker_variables(cpus: float) -> Mapping[str, str]:
    """Return variables for tools that count the machine's CPUs instead of asking what is theirs."""
    count = str(max(1, int(cpus)))
    names = ("PYTEST_XDIST_AUTO_NUM_WORKERS", "GOMAXPROCS", "CARGO_BUILD_JOBS")
    return dict.fromkeys(names, count)
