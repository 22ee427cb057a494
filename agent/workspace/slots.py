"""Folders that hold a base each, kept between runs, never changed while somebody uses them.

A slot in use carries a shared lock on its lease file, which ends with its process. One that is
free may be brought up to date; where all are in use, a new one is made of hard links to files of
another (nobody writes into a file of a slot: a changed one is unlinked and made anew).
"""

# Paths are bytes here, thousands at a time; pathlib takes ten times as long for each.
# ruff: noqa: PTH103, PTH106, PTH108

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.workspace.manifest import Manifest, Record, load_manifest, load_tree, save_manifest

SPARE_SLOTS: Final = 2
"""So many unused slots stay for later runs; the rest is removed."""
FORGOTTEN_AFTER_S: Final = 30 * 24 * 3600
"""The slots of a repository that was not used for so long are removed; its records stay."""


@dataclass(slots=True, kw_only=True)
class Slot:
    """A leased slot; `close` gives it back."""

    folder: Path
    held: Mapping[bytes, Record]
    """What its tree holds, by path; empty for a new one."""
    tree: bytes
    """Tree id of what it holds; empty where unknown."""
    lease: int

    @property
    def files(self) -> Path:
        """The folder with the files of the base."""
        return self.folder / "tree"

    def remove(self, paths: Iterable[bytes]) -> None:
        """Remove files and the folders that are empty then."""
        root = os.fsencode(self.files)
        for path in paths:
            with suppress(FileNotFoundError):
                os.unlink(root + b"/" + path)
            _remove_empty_folders(root, path.rpartition(b"/")[0])

    def begin_change(self) -> None:
        """Forget what the slot holds: killed from here on, it counts as worthless."""
        (self.folder / "content").unlink(missing_ok=True)

    def end_change(self, manifest: Manifest, *, saved: Path | None = None) -> None:
        """Note what the slot holds now, and let others share it.

        `saved`: a file that holds this very manifest already; one more name for it is enough.
        """
        if saved:
            os.link(saved, self.folder / "content")
        else:
            save_manifest(manifest, self.folder / "content")
        self.share()

    def share(self) -> None:
        """Keep it for reading."""
        fcntl.flock(self.lease, fcntl.LOCK_SH)

    def close(self) -> None:
        """Give it back."""
        os.close(self.lease)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: one process at a time takes bases of one repository.

    The time of the lock file is that of its last use.
    """
    # Copies of private sources; `parents` alone would leave the folders above open to everybody.
    for each in (folder.parent.parent, folder.parent, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = _open_lock(folder / "lock")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.utime(fd)
        yield
    finally:
        os.close(fd)


def find_slot(folder: Path, tree: bytes) -> Slot | None:
    """Return a slot that holds the tree already, in use or not, leased for reading."""
    for place in _places(folder):
        if load_tree(place / "content") == tree:
            lease = _open_lock(place / "lease")
            fcntl.flock(lease, fcntl.LOCK_SH)
            return Slot(folder=place, held={}, tree=tree, lease=lease)
    return None


def free_slot(folder: Path, known: Manifest | None = None) -> Slot:
    """Return a slot that nobody uses, leased for changing: an old one, else a new one.

    `known` is a manifest that need not be read again where a slot holds the same tree.
    """
    places = _places(folder)
    for place in places:
        lease = _try_lease(place)
        if lease is not None:
            return _opened(place, lease, known)
    names = {place.name for place in places}
    name = next(str(n) for n in range(len(names) + 1) if str(n) not in names)
    fresh = folder / "slots" / name
    (fresh / "tree").mkdir(parents=True)
    slot = _opened(fresh, _lease_for_change(fresh), None)
    for place in places:
        model = load_manifest(place / "content")
        if model is not None:
            slot.held = _link_all(place / "tree", slot.files, model.records)
            break
    return slot


def remove_spare_slots(folder: Path) -> None:
    """Remove unused slots beyond those kept for later."""
    unused = []
    for place in _places(folder):
        lease = _try_lease(place)
        if lease is not None:
            unused.append((place, lease))
    for index, (place, lease) in enumerate(unused):
        if index >= SPARE_SLOTS:
            shutil.rmtree(place)
        os.close(lease)


def remove_forgotten_slots(bases: Path, now_s: float) -> None:
    """Remove the slots of repositories that nobody asked for in a long time; records stay."""
    for lock in bases.glob("*/lock"):
        if lock.stat().st_mtime < now_s - FORGOTTEN_AFTER_S:
            with suppress(BlockingIOError):
                _remove_unused_slots(lock)


def _remove_unused_slots(lock: Path) -> None:
    fd = _open_lock(lock)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for place in _places(lock.parent):
            lease = _try_lease(place)
            if lease is not None:
                shutil.rmtree(place)
                os.close(lease)
    finally:
        os.close(fd)


def _opened(place: Path, lease: int, known: Manifest | None) -> Slot:
    """Return a slot with what it holds; one that was left half changed is emptied."""
    is_known = known and load_tree(place / "content") == known.tree
    manifest = known if is_known else load_manifest(place / "content")
    if manifest is None:
        shutil.rmtree(place / "tree", ignore_errors=True)
        (place / "tree").mkdir()
        return Slot(folder=place, held={}, tree=b"", lease=lease)
    return Slot(folder=place, held=manifest.records, tree=manifest.tree, lease=lease)


def _places(folder: Path) -> list[Path]:
    try:
        return sorted((folder / "slots").iterdir())
    except FileNotFoundError:
        return []


def _try_lease(place: Path) -> int | None:
    try:
        return _lease_for_change(place)
    except BlockingIOError:
        return None


def _lease_for_change(place: Path) -> int:
    lease = _open_lock(place / "lease")
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lease)
        raise
    return lease


def _open_lock(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _link_all(
    source: Path, target: Path, records: Mapping[bytes, Record]
) -> Mapping[bytes, Record]:
    old, new = os.fsencode(source) + b"/", os.fsencode(target) + b"/"
    for folder in sorted({path.rpartition(b"/")[0] for path in records}):
        os.makedirs(new + folder, exist_ok=True)
    for path in records:
        os.link(old + path, new + path, follow_symlinks=False)
    return records


def _remove_empty_folders(root: bytes, folder: bytes) -> None:
    while folder:
        try:
            os.rmdir(root + b"/" + folder)
        except OSError:
            return
        folder = folder.rpartition(b"/")[0]
