"""Brings a slot to the state that was found in the work tree, with unsaved buffers on top."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.errors import TaskError
from agent.task import RepoPath
from agent.workspace.intake import Intake, Survey
from agent.workspace.listing import Listing, some_names
from agent.workspace.manifest import UNSETTLED, Entry, Manifest, save_manifest
from agent.workspace.paths import printable
from agent.workspace.record import record_base
from agent.workspace.slots import Slot, find_slot, free_slot
from agent.workspace.trees import form_trees, object_id
from agent.workspace.trusted_git import Repository, TrustedGit

TOUCHED_FILES: Final = 64
"""Up to so many files that look changed are read before a slot is chosen: many were only
touched, or are too young to tell, and then a slot in use can be shared."""

_REGULAR: Final = 0o100644
_EXECUTABLE: Final = 0o100755


@dataclass(slots=True, kw_only=True)
class Taking:
    """One base being taken, under the lock of its repository."""

    repository: Repository
    git: TrustedGit
    home: Path
    """Our folder for this repository."""
    listing: Listing
    seen: Manifest | None
    """The work tree as it was when it was last read."""
    overlay: Mapping[RepoPath, bytes]
    notes: list[str] = field(default_factory=list)
    _computed: dict[bytes, bytes] = field(default_factory=dict)
    """Raw trees that were formed, by id."""

    def run(self, found: Survey) -> tuple[Slot, bytes]:
        """Return a leased slot that holds the base, and the base's tree id."""
        found = self._without_touched(found)
        if self.seen and not found.changed:
            disk = self._disk(found.unchanged, ())
            base = self._with_overlay(disk)
            slot = find_slot(self.home, base.tree)
            if slot:
                self._remember(disk)
                return slot, base.tree
        slot = free_slot(self.home)
        try:
            return slot, self._fill(slot, found)
        except BaseException:
            slot.close()
            raise

    def _without_touched(self, found: Survey) -> Survey:
        """Read the few files that look changed; those with their old content are not."""
        if self.seen is None or len(found.changed) > TOUCHED_FILES:
            return found
        now = self._intake(None, {}).take_all(found.changed)
        before = self.seen.entries
        same = {path: entry for path, entry in now.items() if entry.same_content(before.get(path))}
        return Survey(
            unchanged={**found.unchanged, **same},
            changed=tuple(path for path in found.changed if path not in same),
        )

    def _fill(self, slot: Slot, found: Survey) -> bytes:
        """Bring the slot to what is on disk now, then to the base; return the base's tree."""
        slot.begin_change()
        held = slot.held
        intake = self._intake(os.fsencode(slot.files), held)
        wanted = found.unchanged.keys() | set(found.changed)
        slot.remove(held.keys() - wanted)
        older = [p for p, entry in found.unchanged.items() if not entry.same_content(held.get(p))]
        todo = [*found.changed, *older]
        taken = intake.take_all(todo)
        slot.remove(held.keys() & (set(todo) - taken.keys()))
        if intake.unreadable:
            self.notes.append(f"left out, not readable: {some_names(intake.unreadable)}")
        entries = {**found.unchanged, **taken}
        for path in set(todo) - taken.keys():
            entries.pop(path, None)
        disk = self._disk(entries, todo)
        base = self._with_overlay(disk)
        for path, data in self._buffers().items():
            intake.put(path, data, base.entries[path])
        self._record(slot, base, [*todo, *self._buffers()])
        self._remember(disk)
        slot.end_change(base)
        return base.tree

    def _disk(self, entries: Mapping[bytes, Entry], read: Iterable[bytes]) -> Manifest:
        """Return the manifest of the work tree, of which some paths were read anew."""
        before = self.seen
        if before is None:
            return self._manifest(entries, None, ())
        changed = before.entries.keys() ^ entries.keys()
        changed |= {
            p for p in read if p in entries and not entries[p].same_content(before.entries.get(p))
        }
        return self._manifest(entries, before, changed)

    def _with_overlay(self, disk: Manifest) -> Manifest:
        """Return the manifest of the base: the work tree with the unsaved buffers on top."""
        laid: dict[bytes, Entry] = {}
        for path, data in self._buffers().items():
            below = disk.entries.get(path)
            mode = _EXECUTABLE if below and below.mode == _EXECUTABLE else _REGULAR
            oid = object_id(b"blob", data, self.repository.object_format)
            laid[path] = Entry(len(data), UNSETTLED, 0, 0, mode, oid)
            _check_place(path, disk)
        changed = [
            path for path, entry in laid.items() if not entry.same_content(disk.entries.get(path))
        ]
        return self._manifest({**disk.entries, **laid}, disk, changed) if changed else disk

    def _manifest(
        self, entries: Mapping[bytes, Entry], before: Manifest | None, changed: Collection[bytes]
    ) -> Manifest:
        if before and not changed:
            return Manifest(tree=before.tree, entries=entries, folders=before.folders)
        trees = form_trees(entries, self.repository.object_format, before=before, changed=changed)
        self._computed.update(trees.computed)
        return Manifest(tree=trees.root, entries=entries, folders=trees.folders)

    def _record(self, slot: Slot, base: Manifest, paths: Iterable[bytes]) -> None:
        """Put into our git dir what the index does not name: changed files and their folders."""
        in_git = self.listing.tracked
        entries = base.entries
        blobs = {
            entries[path].oid: slot.files / os.fsdecode(path)
            for path in paths
            if path in entries and in_git.get(path) != entries[path].oid.hex().encode()
        }
        record_base(
            self.git,
            self.repository.commit,
            trees=self._computed,
            blobs=blobs,
            algorithm=self.repository.object_format,
        )

    def _remember(self, disk: Manifest) -> None:
        if disk.entries != (self.seen.entries if self.seen else None):
            save_manifest(disk, self.home / "seen")

    def _buffers(self) -> dict[bytes, bytes]:
        return {os.fsencode(path): data for path, data in self.overlay.items()}

    def _intake(self, target: bytes | None, held: Mapping[bytes, Entry]) -> Intake:
        return Intake(
            top=os.fsencode(self.repository.top),
            target=target,
            held=held,
            algorithm=self.repository.object_format,
        )


def _check_place(path: bytes, disk: Manifest) -> None:
    """Raise where a file cannot be: below a file, or in the place of a folder."""
    above = path
    while above := above.rpartition(b"/")[0]:
        if above in disk.entries:
            raise _no_place(path, f"{printable(os.fsdecode(above))} is a file")
    if path in disk.folders:
        raise _no_place(path, "there is a folder of that name")


def _no_place(path: bytes, why: str) -> TaskError:
    return TaskError(
        f"an unsaved buffer cannot be at {printable(os.fsdecode(path))}: {why}",
        remedy="close or save that buffer",
    )
