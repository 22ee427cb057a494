"""What is run in a bubblewrap sandbox: how it joins its group, narrows itself, becomes the runner.

All of it is text in one command line; nothing is started here.
"""

import os
import resource
import secrets
from math import ceil
from typing import Final

from sandbox.base import SandboxSpec
from sandbox.bubblewrap.groups import Group
from sandbox.bubblewrap.recipe import Inside, User, arguments, interpreter_of, own_folders
from sandbox.session import runner_argv

OPEN_FILES: Final = 8_192
JOIN: Final = """\
while [ "$1" != -- ]; do
    echo 0 >"$1" || exit 70
    shift
done
shift
exec "$@"
"""
"""Joins control groups, for which 0 is who writes, and becomes the rest of its arguments.

A process can put itself into a group before it starts anything; nobody else could do it in time.
"""


def command_line(spec: SandboxSpec, inside: Inside, group: Group | None) -> list[str]:
    """Return bubblewrap and the runner in one line, in front of it how the group is joined."""
    interpreter = interpreter_of(spec.environment)
    runner = list(runner_argv(interpreter))
    code = runner.index("-c") + 1
    runner[code] = (
        setup_text(
            spec,
            inside.user,
            is_grouped=group is not None,
            cpus=_some_processors(spec.limits.cpus),
        )
        + runner[code]
    )
    join = [] if group is None else ["/bin/sh", "-c", JOIN, "join", *group.join_files, "--"]
    return [*join, *arguments(spec, inside), *runner]


def setup_text(spec: SandboxSpec, user: User, *, is_grouped: bool, cpus: frozenset[int]) -> str:
    """Return what the first program inside does before it is the runner; Python 3.8.

    It narrows itself once and for all (resource limits, processors, and as root the user), and
    sees to it that everything ends with the lease.
    """
    limits = spec.limits
    largest = max(limits.tree_bytes, limits.tmp_bytes)
    bounds = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": largest, "RLIMIT_NOFILE": _open_files()}
    if not is_grouped:
        bounds["RLIMIT_AS"] = limits.memory_bytes
        if not user.is_root_outside:
            bounds["RLIMIT_NPROC"] = limits.processes
    lines = [
        "import os, resource, sys, threading",
        *(f"resource.setrlimit(resource.{name}, ({n}, {n}))" for name, n in bounds.items()),
        f"os.sched_setaffinity(0, {sorted(cpus)})",
    ]
    if user.is_root_outside:
        lines += [
            f"for folder in {own_folders(spec)!a}: os.chown(folder, {user.uid}, {user.gid})",
            "os.setgroups([])",
            f"os.setresgid({user.gid}, {user.gid}, {user.gid})",
            f"os.setresuid({user.uid}, {user.uid}, {user.uid})",
            "import ctypes",
            "words = ctypes.c_uint32",
            # What changing the user leaves: inheritable rights (capset, version 3, this process).
            "if ctypes.CDLL(None).capset((words * 2)(0x20080522, 0), (words * 6)()): sys.exit(70)",
        ]
    # Process 1 cannot be ended by an alarm of its own, only by itself.
    lines += [
        f"lease = threading.Timer({limits.lease_s}, os._exit, [75])",
        "lease.daemon = True",
        "lease.start()",
    ]
    return "\n".join(lines) + "\n"


def _open_files() -> int:
    """Return the limit on open files; never above what we may have ourselves."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)


def _some_processors(cpus: float) -> frozenset[int]:
    """Return as many processors as the limit says, not always the same ones."""
    ours = sorted(os.sched_getaffinity(0))
    count = min(len(ours), max(1, ceil(cpus)))
    first = secrets.randbelow(len(ours))
    return frozenset((ours * 2)[first : first + count])
