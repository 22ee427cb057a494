"""Brings a slot to the state that was found in the work tree, with unsaved buffers on top."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.errors import TaskError
from agent.task import RepoPath
from agent.workspace.intake import Intake
from agent.workspace.listing import Listing, some_names
from agent.workspace.manifest import (
    Manifest,
    Record,
    content_key,
    make_record,
    mode_in,
    oid_in,
    save_manifest,
    unsettled_look,
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The work tree as it was found, compared with what was last read of it."""

    listing: Listing
    unchanged: Mapping[bytes, Record]
    """Files and links that are as they were."""
    changed: tuple[bytes, ...]
    """Those that have to be read."""
    seen: Manifest | None
    """What was last read."""
    index: str
    """Which state of the user's index the listing comes from."""


@dataclass(slots=True, kw_only=True)
class Taking:
    """One base being taken, under the lock of its repository."""

    repository: Repository
    git: TrustedGit
    home: Path
    """Our folder for this repository."""
    look: Look
    overlay: Mapping[RepoPath, bytes]
    notes: list[str] = field(default_factory=list)
    _computed: dict[bytes, bytes] = field(default_factory=dict)
    """Raw trees that were formed, by id."""

    def run(self) -> tuple[Slot, bytes]:
        """Return a leased slot that holds the base, and the base's tree id."""
        unchanged, changed = self._without_touched()
        if self.look.seen and not changed:
            disk = self._disk(unchanged, ())
            base = self._with_overlay(disk)
            slot = find_slot(self.home, base.tree)
            if slot:
                self._remember(disk)
                return slot, base.tree
        slot = free_slot(self.home, self.look.seen)
        try:
            return slot, self._fill(slot, unchanged, changed)
        except BaseException:
            slot.close()
            raise

    def _without_touched(self) -> tuple[Mapping[bytes, Record], Sequence[bytes]]:
        """Read the few files that look changed; those with their old content are not."""
        look = self.look
        if look.seen is None or not 0 < len(look.changed) <= TOUCHED_FILES:
            return look.unchanged, look.changed
        intake = self._intake(None, {})
        now = intake.take_all(look.changed)
        self._tell_unreadable(intake)
        before = look.seen.records
        same = {p: r for p, r in now.items() if content_key(r) == content_key(before.get(p))}
        return {**look.unchanged, **same}, [path for path in now if path not in same]

    def _fill(
        self, slot: Slot, unchanged: Mapping[bytes, Record], changed: Sequence[bytes]
    ) -> bytes:
        """Bring the slot to what is on disk now, then to the base; return the base's tree."""
        slot.begin_change()
        held = slot.held
        intake = self._intake(os.fsencode(slot.files), held)
        slot.remove(held.keys() - unchanged.keys() - set(changed))
        todo = [*changed, *self._older_in(slot, unchanged)]
        taken = intake.take_all(todo)
        slot.remove(held.keys() & (set(todo) - taken.keys()))
        self._tell_unreadable(intake)
        records = {**unchanged, **taken}
        for path in set(todo) - taken.keys():
            records.pop(path, None)
        disk = self._disk(records, todo)
        base = self._with_overlay(disk)
        for path, data in self._buffers().items():
            intake.put(path, data, base.records[path])
        self._record(slot, base, [*todo, *self._buffers()])
        seen = self._remember(disk)
        slot.end_change(base, saved=seen if base is disk else None)
        return base.tree

    def _older_in(self, slot: Slot, unchanged: Mapping[bytes, Record]) -> list[bytes]:
        """Return the paths that did not change lately, but since the slot was filled."""
        seen, held = self.look.seen, slot.held
        if seen and slot.tree == seen.tree:
            return []
        return [p for p, r in unchanged.items() if content_key(r) != content_key(held.get(p))]

    def _disk(self, records: Mapping[bytes, Record], read: Iterable[bytes]) -> Manifest:
        """Return the manifest of the work tree, of which some paths were read anew."""
        seen = self.look.seen
        if seen is None:
            return self._manifest(records, None, ())
        before = seen.records
        changed = {p for p in read if content_key(records.get(p)) != content_key(before.get(p))}
        if len(records) != len(before) or any(path not in before for path in changed):
            changed |= before.keys() ^ records.keys()
        return self._manifest(records, seen, changed)

    def _with_overlay(self, disk: Manifest) -> Manifest:
        """Return the manifest of the base: the work tree with the unsaved buffers on top."""
        if not self.overlay:
            return disk
        laid: dict[bytes, Record] = {}
        for path, data in self._buffers().items():
            _check_place(path, disk)
            below = disk.records.get(path)
            mode = _EXECUTABLE if below and mode_in(below) == _EXECUTABLE else _REGULAR
            oid = object_id(b"blob", data, self.repository.object_format)
            laid[path] = make_record(unsettled_look(len(data)), mode, oid)
        old = disk.records
        changed = [p for p, r in laid.items() if content_key(r) != content_key(old.get(p))]
        return self._manifest({**disk.records, **laid}, disk, changed)

    def _manifest(
        self, records: Mapping[bytes, Record], before: Manifest | None, changed: Collection[bytes]
    ) -> Manifest:
        index = self.look.index
        if before and not changed:
            folders = before.folders
            return Manifest(tree=before.tree, records=records, folders=folders, index=index)
        trees = form_trees(records, self.repository.object_format, before=before, changed=changed)
        self._computed.update(trees.computed)
        return Manifest(tree=trees.root, records=records, folders=trees.folders, index=index)

    def _record(self, slot: Slot, base: Manifest, paths: Iterable[bytes]) -> None:
        """Put into our git dir what the index does not name: changed files and their folders."""
        in_git, records = self.look.listing.tracked, base.records
        new = [p for p in paths if p in records and content_key(records[p]) != in_git.get(p)]
        record_base(
            self.git,
            self.repository.commit,
            trees=self._computed,
            blobs={oid_in(records[path]): slot.files / os.fsdecode(path) for path in new},
            algorithm=self.repository.object_format,
        )

    def _remember(self, disk: Manifest) -> Path:
        """Keep what was read for the next time; return the file."""
        file, seen = self.home / "seen", self.look.seen
        if seen is None or seen.index != disk.index or seen.records != disk.records:
            save_manifest(disk, file)
        return file

    def _tell_unreadable(self, intake: Intake) -> None:
        if intake.unreadable:
            names = some_names(sorted(intake.unreadable))
            self.notes.append(f"left out, not readable: {names}")

    def _buffers(self) -> dict[bytes, bytes]:
        return {os.fsencode(path): data for path, data in self.overlay.items()}

    def _intake(self, target: bytes | None, held: Mapping[bytes, Record]) -> Intake:
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
        if above in disk.records:
            raise _no_place(path, f"{printable(os.fsdecode(above))} is a file")
    if path in disk.folders:
        raise _no_place(path, "there is a folder of that name")


def _no_place(path: bytes, why: str) -> TaskError:
    return TaskError(
        f"an unsaved buffer cannot be at {printable(os.fsdecode(path))}: {why}",
        remedy="close or save that buffer",
    )
