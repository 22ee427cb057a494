"""How a container is made: pure functions from a spec to what the engine's API takes.

Every line of `host_config` survived the attack that it is there for; measured together they cost
nothing against a plain container (475 ms and 478 ms for create, start, run, remove, 2026-11), so
there is no weaker default.
"""

import math
import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sandbox.base import TOOLS_DIR, Mount, SandboxSpec
from sandbox.held import covered_folders
from sandbox.layout import checked_workdir, is_below, ordinary_ids, sizes

OPEN_FILES: Final = 4096
INODE_BYTES: Final = 4096
"""One inode for as many bytes of a file system: an empty file costs 0.9 KB of kernel memory, so
without a bound a flood of them fills the memory of a sandbox whose disk is still empty."""


def tmpfs(spec: SandboxSpec) -> dict[str, str]:
    """Return the writable file systems, path to mount options."""
    uid, gid = ordinary_ids()
    split = sizes(spec.limits)
    # Docker's own default is noexec, which breaks compiled tests.
    common = f"rw,exec,nosuid,nodev,uid={uid},gid={gid}"
    found = {
        checked_workdir(spec.workdir): f"{common},mode=755,{_bounds(split.tree)}",
        "/tmp": f"{common},mode=1777,{_bounds(split.tmp)}",  # noqa: S108
        TOOLS_DIR: f"{common},mode=700,{_bounds(split.tools)}",
    }
    if spec.environment.kind == "image" and is_below(spec.workdir, "/root"):
        # An image's own /root is closed to others; what lies below it must be reachable.
        found["/root"] = "ro,nosuid,nodev,mode=755,size=4096"
    return found


def _bounds(size: int) -> str:
    return f"size={size},nr_inodes={max(64, size // INODE_BYTES)}"


def read_only_mounts(mounts: Sequence[Mount], mountinfo: str) -> list[Mount]:
    """Return the mounts and one for each host mount below them.

    A read-only bind leaves the mounts below it writable; each gets its own read-only bind.
    """
    points = [_unescape(line.split()[4]) for line in mountinfo.splitlines() if line.strip()]
    found = list(mounts)
    for mount in mounts:
        source = str(mount.source)
        for point in points:
            if point != source and is_below(point, source):
                target = posixpath.join(mount.target, posixpath.relpath(point, source))
                found.append(Mount(source=Path(point), target=target))
    return sorted(set(found), key=lambda mount: len(PurePosixPath(mount.target).parts))


def cpu_set(cpus: float, available: int, turn: int) -> str:
    """Return which CPUs a sandbox sees, so that `nproc` inside tells the truth.

    `turn` moves the set from sandbox to sandbox, so that they do not share one CPU.
    """
    count = min(available, max(1, math.ceil(cpus)))
    return ",".join(str(cpu) for cpu in sorted((turn + i) % available for i in range(count)))


def host_config(
    spec: SandboxSpec,
    *,
    mounts: Iterable[Mount],
    volumes: Iterable[str] = (),
    cpus_available: int,
    turn: int,
) -> dict[str, Any]:
    """Return the HostConfig of the engine's API."""
    limits = spec.limits
    # A volume that an image declares would be a writable folder whose size nobody bounds.
    closed = {path.rstrip("/"): "ro,nosuid,nodev,mode=755,size=4096" for path in volumes}
    cpus = min(limits.cpus, float(cpus_available))
    return {
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "IpcMode": "private",
        "PidsLimit": limits.processes,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "NanoCpus": int(cpus * 1e9),
        "CpusetCpus": cpu_set(cpus, cpus_available, turn),
        "Tmpfs": {**closed, **tmpfs(spec)},
        "ShmSize": sizes(limits).shm,
        "LogConfig": {"Type": "none", "Config": {}},
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "nofile", "Soft": OPEN_FILES, "Hard": OPEN_FILES},
            {"Name": "fsize", "Soft": limits.memory_bytes, "Hard": limits.memory_bytes},
        ],
        "Mounts": [_bind(mount) for mount in mounts],
        "AutoRemove": False,
        "RestartPolicy": {"Name": "no"},
    }


def init_argv(spec: SandboxSpec) -> list[str]:
    """Return what runs as pid 1: ends the container after the lease, reaps orphans until then.

    The engine's own init is put at /sbin, which on the host toolchain lies in a read-only mount.
    A shell that waits reaps every orphan; it has uid 0, so commands cannot signal it. The engine
    makes the folders around mounts in the tree as uid 0, so this opens them for the runner.
    """
    script = f'[ $# -eq 0 ] || chmod 777 "$@"; sleep {spec.limits.lease_s} & wait $!'
    return ["sh", "-c", script, "init", *covered_folders(spec)]


def _bind(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": mount.target,
        "ReadOnly": True,
        "BindOptions": {"Propagation": "rprivate"},
    }


def _unescape(point: str) -> str:
    r"""Undo the octal escapes (`\040`) of /proc/self/mountinfo."""
    return point.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
