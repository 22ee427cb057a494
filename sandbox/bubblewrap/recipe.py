"""The whole command line of one bubblewrap sandbox, computed; nothing is started here.

Whoever wants to know what a command can see or reach inside reads this file. Two ways in:

* as an ordinary user, a user namespace gives the rights to build the sandbox, and none remain;
* as root there is none on purpose: mapped into a user namespace, root outside would still own
  /proc/sys and could write core_pattern (tried on bubblewrap 0.8). Instead the first program
  inside changes to an ordinary user id, with the few capabilities it was left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from sandbox.base import TOOLS_DIR, Environment, SandboxSpec
from sandbox.errors import EnvironmentMissing
from sandbox.held import DEFAULT_VARIABLES, covered_folders
from sandbox.layout import is_below, sizes

_SETUP_RIGHTS: Final = ("CAP_CHOWN", "CAP_SETUID", "CAP_SETGID")
"""What root keeps until the first program inside has changed to the ordinary user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who commands run as, and how the sandbox gets its rights."""

    uid: int
    gid: int
    is_root_outside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What the host lays into one sandbox besides the environment."""

    program: str
    """Path of bubblewrap."""
    user: User
    files: Mapping[str, int]
    """Path inside to the descriptor its content is read from."""
    info_descriptor: int
    """Where bubblewrap says the id of the first process inside."""
    filter_descriptor: int | None
    """Where the system call filter is read from."""
    shown: Mapping[str, Path]
    """Single files of the host to show read-only, path inside to path outside."""


def files_of(environment: Environment, user: User) -> dict[str, bytes]:
    """Return the small files of /etc without which libraries stumble, unless mounted."""
    variables = {**DEFAULT_VARIABLES, **environment.variables}
    home, name = variables["HOME"], variables["USER"]
    files = {
        "/etc/passwd": "root:x:0:0:root:/:/bin/sh\n"
        f"{name}:x:{user.uid}:{user.gid}::{home}:/bin/sh\n",
        "/etc/group": f"root:x:0:\n{name}:x:{user.gid}:\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    return {
        path: text.encode()
        for path, text in files.items()
        if not any(is_below(path, mount.target) for mount in environment.mounts)
    }


def interpreter_of(environment: Environment) -> str:
    """Return the Python that runs the runner inside: the environment's own, else a system one."""
    candidates = (environment.interpreter, "/usr/bin/python3", "/usr/local/bin/python3")
    for candidate in candidates:
        outside = None if candidate is None else _outside(environment, candidate)
        if candidate is not None and outside is not None and outside.exists():
            return candidate
    raise EnvironmentMissing(
        "there is no Python inside to hold the sandbox, and bubblewrap needs one",
        remedy="install python3 (3.8 or newer), or use the Docker engine",
    )


def check_mounts(environment: Environment) -> None:
    """Raise EnvironmentMissing unless all that the environment mounts is still there."""
    if environment.kind != "host":
        raise EnvironmentMissing(
            f"bubblewrap has no images, and this repository asks for {environment.image}",
            remedy="use the Docker engine, or the host's own toolchain (no `image` setting)",
        )
    for mount in environment.mounts:
        if not mount.source.exists():
            raise EnvironmentMissing(
                f"{mount.source} is part of the environment and is not there any more",
                remedy="start again, so that the environment is looked for anew",
            )


def own_folders(spec: SandboxSpec) -> list[str]:
    """Return the folders that must belong to who runs the commands, not to who made them.

    Beside a mount inside the tree commands may put things of their own, and git refuses to work
    in a tree that belongs to somebody else.
    """
    return [TOOLS_DIR, spec.workdir, *covered_folders(spec)]


def arguments(spec: SandboxSpec, inside: Inside) -> list[str]:
    """Return the program and its arguments up to where the first program inside is named."""
    found = [inside.program, *_namespaces(inside.user), *_folders(spec)]
    for path, descriptor in inside.files.items():
        found += ["--perms", "0644", "--file", str(descriptor), path]
    for path, source in inside.shown.items():
        for folder in _folders_above(path):
            found += ["--perms", "0755", "--dir", folder]
        found += ["--ro-bind", str(source), path]
    # Last, because what was mounted into it needed it writable.
    found += ["--remount-ro", "/dev", "--remount-ro", "/"]
    found += ["--chdir", "/", "--info-fd", str(inside.info_descriptor)]
    if inside.filter_descriptor is not None:
        found += ["--seccomp", str(inside.filter_descriptor)]
    return [*found, "--"]


def _outside(environment: Environment, path: str) -> Path | None:
    """Return what a path inside is on the host, by the innermost mount over it."""
    over = [mount for mount in environment.mounts if is_below(path, mount.target)]
    if not over:
        return None
    mount = max(over, key=lambda mount: len(mount.target))
    return mount.source / PurePosixPath(path).relative_to(mount.target)


def _namespaces(user: User) -> Iterator[str]:
    """Yield how everything is unshared and every right given up."""
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts")
    yield from ("--unshare-cgroup-try", "--hostname", "sandbox")
    yield from ("--die-with-parent", "--new-session", "--as-pid-1", "--clearenv")
    yield from ("--cap-drop", "ALL")
    if user.is_root_outside:
        for right in _SETUP_RIGHTS:
            yield from ("--cap-add", right)
    else:
        yield from ("--unshare-user", "--disable-userns")
        yield from ("--uid", str(user.uid), "--gid", str(user.gid))


def _folders(spec: SandboxSpec) -> Iterator[str]:
    """Yield what is where: outer folders before the ones inside them."""
    split = sizes(spec.limits)
    yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev")
    placed: list[tuple[str, list[str]]] = [
        _writable("/dev/shm", "1777", split.shm),  # noqa: S108 - a path inside the sandbox
        _writable("/tmp", "1777", split.tmp),  # noqa: S108 - a path inside the sandbox
        _writable(TOOLS_DIR, "0700", split.tools),
        _writable(spec.workdir, "0755", split.tree),
    ]
    placed += [
        (name, ["--symlink", target, name]) for name, target in spec.environment.links.items()
    ]
    placed += [
        (mount.target, ["--ro-bind", str(mount.source), mount.target])
        for mount in spec.environment.mounts
    ]
    made: set[str] = set()
    for path, steps in sorted(placed, key=lambda item: len(PurePosixPath(item[0]).parts)):
        for folder in _folders_above(path):
            if folder not in made:
                made.add(folder)
                yield from ("--perms", "0755", "--dir", folder)
        yield from steps


def _writable(path: str, mode: str, size_bytes: int) -> tuple[str, list[str]]:
    """Return where and how a writable folder of bounded size is made."""
    return path, ["--perms", mode, "--size", str(size_bytes), "--tmpfs", path]


def _folders_above(path: str) -> list[str]:
    """Return the folders above a path, outermost first; bubblewrap would make them 0700."""
    return [str(folder) for folder in reversed(PurePosixPath(path).parents[:-1])]
