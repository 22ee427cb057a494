"""Opens a base of the past again, from our record of it and the user's objects.

A receipt names the tree of its base. The user has typed on since; what the tree names is still in
our git dir (what was not committed) and in the user's repository (what was). GitPython reads the
objects out of our git dir, with our environment; nothing is written to the user's repository, and
every byte is checked against the ids in the tree.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import WorkspaceError
from agent.workspace.base import Base
from agent.workspace.intake import Intake
from agent.workspace.manifest import (
    Manifest,
    Record,
    content_key,
    make_record,
    oid_in,
    unsettled_look,
)
from agent.workspace.open import home_of
from agent.workspace.slots import Slot, find_slot, free_slot, locked, remove_spare_slots
from agent.workspace.trees import form_trees, object_id
from agent.workspace.trusted_git import variables_for

if TYPE_CHECKING:
    import git

_SHA1_DIGITS = 40


@contextmanager
def open_recorded(repo: Path, tree: str, *, state_dir: Path) -> Iterator[Base]:
    """Open the base with that tree id, taken earlier of the repository with its top at `repo`.

    Blocking. Raises: WorkspaceError when it is not, or not wholly, on record: the state folder was
    cleared, commits it built on are gone, or a file that git did not hold was over the size limit
    of a record.
    """
    home = home_of(repo, state_dir)
    if not (home / "git" / "objects").is_dir() or len(tree) != _SHA1_DIGITS:
        raise _not_on_record(tree, "there is no record of this repository")
    try:
        with locked(home):
            slot = find_slot(home, bytes.fromhex(tree)) or _restored(home, tree)
            remove_spare_slots(home)
    except (OSError, ValueError) as exc:
        raise _not_on_record(tree, str(exc)) from exc
    try:
        yield Base(repo=repo, dir=slot.files, commit="", tree=tree, dirty_files=0)
    finally:
        slot.close()


def _restored(home: Path, tree: str) -> Slot:
    """Return a slot brought to the recorded tree."""
    import git

    with git.Repo(home / "git") as store:
        store.git.update_environment(**variables_for(home / "git"))
        try:
            blobs = _blobs_of(store, tree)
            slot = free_slot(home)
            try:
                _fill(slot, store, blobs, tree)
            except BaseException:
                slot.close()
                raise
        except git.exc.ODBError as exc:
            raise _not_on_record(tree, f"an object is gone: {exc}") from exc
    return slot


def _blobs_of(store: "git.Repo", tree: str) -> dict[bytes, Record]:
    import git

    found: dict[bytes, Record] = {}
    root = git.Tree(store, bytes.fromhex(tree), path="")
    for item in root.traverse():
        if isinstance(item, git.Blob):
            record = make_record(unsettled_look(0), item.mode, item.binsha)
            found[os.fsencode(item.path)] = record
    return found


def _fill(slot: Slot, store: "git.Repo", records: dict[bytes, Record], tree: str) -> None:
    slot.begin_change()
    slot.remove(slot.held.keys() - records.keys())
    intake = Intake(top=b"", target=os.fsencode(slot.files), held=slot.held, algorithm="sha1")
    for path, record in records.items():
        if content_key(record) != content_key(slot.held.get(path)):
            data = store.odb.stream(oid_in(record)).read()
            if object_id(b"blob", data, "sha1") != oid_in(record):
                raise ValueError(f"{os.fsdecode(path)} is damaged in the record")
            intake.put(path, data, record)
    trees = form_trees(records, "sha1")
    if trees.root.hex() != tree:
        raise ValueError("the record holds another tree")
    slot.end_change(Manifest(tree=trees.root, records=records, folders=trees.folders))


def _not_on_record(tree: str, why: str) -> WorkspaceError:
    return WorkspaceError(
        f"the base {tree} cannot be opened again: {why}",
        remedy="check out the commit it was taken on, and run again from there",
    )
