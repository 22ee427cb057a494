"""Control groups of a sandbox: the kernel's own bounds on memory and processes.

On the old hierarchies (one a controller) a group is made below the one this process lives in, so
it can only be narrower. On the unified one, where a group with processes has no groups below, it
is made below the nearest one above that hands the controllers down. Either way only where this
user may write: as root, or in a part delegated by a service manager. Nothing here knows of
bubblewrap or commands.
"""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

_NEEDED: Final = ("memory", "pids")
_PREFIX: Final = "greenloop-"
_REMOVE_S: Final = 5.0
"""How long the last process of a group may take to go; a killed one needs milliseconds."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where a group can be made for some controllers."""

    folder: Path
    """The group that becomes the parent."""
    controllers: tuple[str, ...]
    unified: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The group of one sandbox: a folder in each hierarchy."""

    folders: tuple[Path, ...]
    memory_folder: Path
    unified: bool

    @property
    def join_files(self) -> tuple[str, ...]:
        """Files into which a process writes itself to be bound."""
        return tuple(str(folder / "cgroup.procs") for folder in self.folders)

    @property
    def oom_file(self) -> tuple[Path, str]:
        """The file that counts killings for want of memory, and where containers have it."""
        if self.unified:
            return self.memory_folder / "memory.events", "/sys/fs/cgroup/memory.events"
        return (
            self.memory_folder / "memory.oom_control",
            "/sys/fs/cgroup/memory/memory.oom_control",
        )

    def oom_kills(self) -> int:
        """Return how often the kernel killed for want of memory; 0 once the group is gone."""
        try:
            lines = self.oom_file[0].read_text().splitlines()
        except OSError:
            return 0
        counts = [int(line.split()[1]) for line in lines if line.startswith("oom_kill ")]
        return sum(counts)


def find_hierarchies(mounts: str, memberships: str) -> tuple[Hierarchy, ...]:
    """Return where groups bounding memory and processes can be made; empty if nowhere.

    The arguments are the texts of /proc/self/mounts and /proc/self/cgroup.
    """
    own = dict(_memberships(memberships))
    found: list[Hierarchy] = []
    missing = set(_NEEDED)
    for folder, kind, options in _cgroup_mounts(mounts):
        if kind == "cgroup":
            here = tuple(name for name in _NEEDED if name in options and name in missing)
            parent = _own_group(folder, own[here[0]]) if here and here[0] in own else None
        else:
            here = tuple(name for name in _NEEDED if name in missing)
            parent = _nearest_handing_down(folder, own.get("", "/"), here) if here else None
        if parent is not None and here:
            found.append(Hierarchy(parent, here, kind == "cgroup2"))
            missing -= set(here)
    return () if missing else tuple(found)


def make_group(
    hierarchies: Iterable[Hierarchy], name: str, *, memory_bytes: int, processes: int
) -> Group | None:
    """Make a group with these bounds; None when the kernel does not let us, with nothing left."""
    folders: list[Path] = []
    memory_folder, unified = Path(), False
    try:
        for hierarchy in hierarchies:
            folder = hierarchy.folder / (_PREFIX + name)
            folder.mkdir()
            folders.append(folder)
            if "memory" in hierarchy.controllers:
                memory_folder, unified = folder, hierarchy.unified
                _bound_memory(folder, memory_bytes, unified=unified)
            if "pids" in hierarchy.controllers:
                (folder / "pids.max").write_text(str(processes))
    except OSError as exc:
        _log.info("no control group below %s: %s", [str(f.parent) for f in folders], exc)
        remove_folders(folders)
        return None
    return Group(tuple(folders), memory_folder, unified)


def remove_folders(folders: Iterable[Path]) -> list[Path]:
    """Kill what is left in the groups and remove them; return those that stay.

    Blocks up to some seconds a group, while killed processes go.
    """
    stay = []
    for folder in folders:
        deadline = time.monotonic() + _REMOVE_S
        while folder.exists():
            _kill_members(folder)
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            if time.monotonic() > deadline:
                stay.append(folder)
                break
            time.sleep(0.005)
    return stay


def left_groups(hierarchies: Iterable[Hierarchy]) -> dict[str, list[Path]]:
    """Return the groups that bear our prefix, by the name given to `make_group`."""
    groups: dict[str, list[Path]] = {}
    for hierarchy in hierarchies:
        for folder in sorted(hierarchy.folder.glob(_PREFIX + "*")):
            groups.setdefault(folder.name.removeprefix(_PREFIX), []).append(folder)
    return groups


def _memberships(text: str) -> Iterable[tuple[str, str]]:
    """Yield controller and own path; the unified hierarchy has no controller name."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path


def _cgroup_mounts(text: str) -> Iterable[tuple[Path, str, list[str]]]:
    """Yield folder, kind and options of every control group file system."""
    for line in text.splitlines():
        _, folder, kind, options, *_ = line.split(" ")
        if kind in ("cgroup", "cgroup2"):
            yield Path(folder), kind, options.split(",")


def _own_group(root: Path, path: str) -> Path | None:
    """Return the own group where this user may make one below it.

    Inside a container the path may be the machine's, while the mount shows only our part of it.
    """
    folder = root / path.lstrip("/")
    folder = folder if folder.exists() else root
    return folder if _is_writable(folder) else None


def _nearest_handing_down(root: Path, path: str, controllers: tuple[str, ...]) -> Path | None:
    """Return the own group or the nearest above it that gives its children the controllers."""
    folder = root / path.lstrip("/")
    while folder.is_relative_to(root):
        with contextlib.suppress(OSError):
            handed_down = (folder / "cgroup.subtree_control").read_text().split()
            if set(controllers) <= set(handed_down) and _is_writable(folder):
                return folder
        folder = folder.parent
    return None


def _is_writable(folder: Path) -> bool:
    """Tell whether a group can be made here and processes moved into it."""
    return os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)


def _bound_memory(folder: Path, memory_bytes: int, *, unified: bool) -> None:
    """Bound memory and, where the kernel counts it, swap."""
    if unified:
        (folder / "memory.max").write_text(str(memory_bytes))
        with contextlib.suppress(OSError):
            (folder / "memory.swap.max").write_text("0")
        return
    (folder / "memory.limit_in_bytes").write_text(str(memory_bytes))
    with contextlib.suppress(OSError):
        (folder / "memory.memsw.limit_in_bytes").write_text(str(memory_bytes))


def _kill_members(folder: Path) -> None:
    """Kill every process of a group."""
    with contextlib.suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
