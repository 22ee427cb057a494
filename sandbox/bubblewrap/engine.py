"""The bubblewrap engine: sandboxes without a container engine, for who asked for it.

Never chosen by itself. It isolates with the same kernel means as a container, but from parts that
this machine may lack; what is missing then is said in `Promises`, never passed over.
"""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio.to_thread

from sandbox.base import ProbeLine, Promises, Sandbox, SandboxSpec
from sandbox.bubblewrap.groups import (
    Hierarchy,
    find_hierarchies,
    left_groups,
    make_group,
    remove_folders,
)
from sandbox.bubblewrap.names import is_name_abandoned, owned_name
from sandbox.bubblewrap.recipe import User, check_mounts
from sandbox.bubblewrap.seccomp import seccomp_program
from sandbox.bubblewrap.vessel import Means, start_vessel
from sandbox.errors import EngineUnavailable
from sandbox.held import Vessel, open_held
from sandbox.layout import checked_workdir, ordinary_ids, sizes, worker_variables

_OLDEST: Final = (0, 8)
"""The first with bounded tmpfs and with `--disable-userns`."""
_KERNEL_COUNTING_PER_NAMESPACE: Final = (5, 14)
"""From here on RLIMIT_NPROC counts the processes of one user namespace, not of the user."""
_TRIAL_S: Final = 20.0
_TRIAL_LEASE_S: Final = 60

_INSTALL: Final = "install it: apt install bubblewrap (0.8 or newer), or use the Docker engine"
_ALLOW: Final = (
    "allow user namespaces for bwrap (on Ubuntu 24.04 and later an AppArmor profile, see "
    "bwrap-userns-restrict), or use the Docker engine"
)
_GROUPS: Final = (
    "start greenloop as `systemd-run --user --scope greenloop …`, so that it may make groups"
)


class BubblewrapEngine:
    """Implements `sandbox.base.SandboxEngine`."""

    name = "bubblewrap"

    def __init__(self, *, variables: Mapping[str, str]) -> None:
        self._path = variables.get("PATH", os.defpath)
        self._means: Means | None = None

    async def probe(self) -> tuple[ProbeLine, ...]:
        """Look at bubblewrap and what this machine lets it do."""
        return await anyio.to_thread.run_sync(_examine, self._path)

    @asynccontextmanager
    async def open(self, spec: SandboxSpec) -> AsyncGenerator[Sandbox]:
        """Open a sandbox."""
        checked_workdir(spec.workdir)
        sizes(spec.limits)
        await anyio.to_thread.run_sync(check_mounts, spec.environment)
        if self._means is None:
            self._means = await anyio.to_thread.run_sync(_means, self._path)
        means = self._means

        async def launch() -> Vessel:
            return await start_vessel(spec, means)

        variables = worker_variables(min(spec.limits.cpus, len(os.sched_getaffinity(0))))
        async with open_held(spec, _promises(means), launch, variables=variables) as sandbox:
            yield sandbox

    async def reap(self) -> tuple[str, ...]:
        """Remove the control groups of sandboxes whose owner is dead.

        Their processes are dead already, or are killed here.
        """
        return await anyio.to_thread.run_sync(_reap)


@dataclass(frozen=True, slots=True)
class _Program:
    """A bubblewrap that was found."""

    path: str
    version: tuple[int, ...]


def _means(path: str) -> Means:
    """Return what sandboxes are built with. Raises: EngineUnavailable."""
    program = _find(path)
    if program is None:
        raise EngineUnavailable("bubblewrap (bwrap) is not installed", remedy=_INSTALL)
    if program.version < _OLDEST:
        raise EngineUnavailable(
            f"bubblewrap at {program.path} is too old: {_dotted(program.version)}", remedy=_INSTALL
        )
    fault = _trial(program.path)
    if fault is not None:
        raise EngineUnavailable(f"bubblewrap cannot make a sandbox here: {fault}", remedy=_ALLOW)
    return Means(
        program=program.path,
        user=_user(),
        hierarchies=_usable_hierarchies(),
        filter_program=seccomp_program(os.uname().machine),
    )


def _user() -> User:
    """Return who commands run as when this process opens a sandbox."""
    uid, gid = ordinary_ids()
    return User(uid=uid, gid=gid, is_root_outside=os.getuid() == 0)


def _promises(means: Means) -> Promises:
    """Return what is enforced with these means."""
    grouped = bool(means.hierarchies)
    weaker = ["no container engine; commands can take more processors than they were given"]
    if not grouped:
        weaker.append("memory is bounded for each process only, the number of files not at all")
    if means.filter_program is None:
        weaker.append("no system call filter for this processor")
    return Promises(
        backend=BubblewrapEngine.name,
        no_network=True,
        memory_limited=grouped,
        processes_limited=grouped or _counts_processes(means),
        disk_limited=True,
        note="; ".join(weaker),
    )


def _counts_processes(means: Means) -> bool:
    """Tell whether the limit on processes holds without control groups."""
    return not means.user.is_root_outside and _kernel() >= _KERNEL_COUNTING_PER_NAMESPACE


def _examine(path: str) -> tuple[ProbeLine, ...]:
    """Return the facts for `greenloop doctor`; what only weakens it is advice, not a fault."""
    program = _find(path)
    if program is None:
        return (ProbeLine(name="bubblewrap", value="not installed", ok=False, remedy=_INSTALL),)
    recent = program.version >= _OLDEST
    fault = _trial(program.path) if recent else "too old to try"
    grouped = bool(_usable_hierarchies())
    has_filter = seccomp_program(os.uname().machine) is not None
    return (
        ProbeLine(
            name="bubblewrap",
            value=f"{_dotted(program.version)} at {program.path}",
            ok=recent,
            remedy="" if recent else _INSTALL,
        ),
        ProbeLine(
            name="bubblewrap sandbox",
            value=fault or "works",
            ok=fault is None,
            remedy="" if fault is None else _ALLOW,
        ),
        ProbeLine(
            name="bubblewrap limits",
            value="memory and processes by control groups"
            if grouped
            else "memory for each process only: no control group can be made here",
            ok=True,
            remedy="" if grouped else _GROUPS,
        ),
        ProbeLine(
            name="bubblewrap call filter",
            value="on" if has_filter else f"none for {os.uname().machine}",
            ok=True,
            remedy="" if has_filter else "use the Docker engine",
        ),
    )


def _find(path: str) -> _Program | None:
    """Return bubblewrap and its version; None where there is none that answers."""
    found = shutil.which("bwrap", path=path)
    if found is None:
        return None
    try:
        said = subprocess.run(
            [found, "--version"], capture_output=True, timeout=_TRIAL_S, check=False, text=True
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    numbers = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    version = tuple(int(n) for n in numbers.groups(default="0")) if numbers else ()
    return _Program(found, version)


def _trial(program: str) -> str | None:
    """Make the emptiest sandbox; return why it cannot be made."""
    rights = [] if os.getuid() == 0 else ["--unshare-user", "--disable-userns"]
    line = [program, *rights, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--ro-bind"]
    try:
        done = subprocess.run(
            [*line, "/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/sh", "-c", ":"],
            capture_output=True,
            timeout=_TRIAL_S,
            check=False,
            env={},
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return str(exc)
    said = done.stderr.decode("utf-8", "replace").strip()
    return None if done.returncode == 0 else said or f"exit code {done.returncode}"


def _usable_hierarchies() -> tuple[Hierarchy, ...]:
    """Return where control groups can be made, tried out."""
    found = _hierarchies()
    name = owned_name(_TRIAL_LEASE_S, f"trial{secrets.token_hex(4)}")
    group = make_group(found, name, memory_bytes=64 * 1024**2, processes=16) if found else None
    if group is None:
        return ()
    remove_folders(group.folders)
    return found


def _hierarchies() -> tuple[Hierarchy, ...]:
    """Return where control groups could be made; nowhere on a system without /proc."""
    try:
        return find_hierarchies(
            Path("/proc/self/mounts").read_text(), Path("/proc/self/cgroup").read_text()
        )
    except OSError:
        return ()


def _reap() -> tuple[str, ...]:
    """Remove the groups of dead owners; return their names."""
    removed = []
    for name, folders in left_groups(_hierarchies()).items():
        if is_name_abandoned(name):
            remove_folders(folders)
            removed.append(folders[0].name)
    return tuple(removed)


def _kernel() -> tuple[int, ...]:
    """Return the kernel's version, as far as it is numbers."""
    return tuple(int(n) for n in re.findall(r"\d+", os.uname().release)[:2])


def _dotted(version: tuple[int, ...]) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version)) or "unknown version"
