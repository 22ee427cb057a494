"""Git's tree objects over a manifest, computed without git and without touching its objects.

Git itself would renew the times of the objects it finds in the user's repository; that is why
ids are computed here. Only folders with a changed path are computed again.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.workspace.manifest import Manifest, Record, mode_in, oid_in

_FOLDER_MODE = 0o40000
_Child = tuple[bytes, int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The tree of a base and those folders that had to be computed for it."""

    root: bytes
    folders: Mapping[bytes, bytes]
    """Tree id of every folder below the root."""
    computed: Mapping[bytes, bytes]
    """Raw tree objects by id: every folder on the way to a changed path."""


def object_id(kind: bytes, data: bytes, algorithm: str) -> bytes:
    """Return git's id of an object."""
    return hashlib.new(algorithm, b"%s %d\0" % (kind, len(data)) + data).digest()


def form_trees(
    records: Mapping[bytes, Record],
    algorithm: str,
    *,
    before: Manifest | None = None,
    changed: Iterable[bytes] = (),
) -> Trees:
    """Return the trees over the records.

    `before` is an earlier state whose folders hold wherever no path in `changed` lies; without it
    every folder is computed.
    """
    stale = {folder for path in changed for folder in _folders_above(path)} if before else None
    kept = dict(before.folders) if before else {}
    children = _files_by_folder(records, stale)
    todo = _all_folders(children) if stale is None else stale
    if stale is not None:
        _add_kept_folders(children, kept, stale)
    computed: dict[bytes, bytes] = {}
    root = b""
    for folder in sorted(todo | {b""}, key=_deepest_first):
        raw = _raw_tree(children[folder])
        kept.pop(folder, None)
        if not raw and folder:
            continue
        oid = object_id(b"tree", raw, algorithm)
        computed[oid] = raw
        if folder:
            parent, _, name = folder.rpartition(b"/")
            kept[folder] = oid
            children[parent].append((name, _FOLDER_MODE, oid))
        else:
            root = oid
    return Trees(root=root, folders=kept, computed=computed)


def _files_by_folder(
    records: Mapping[bytes, Record], only: set[bytes] | None
) -> defaultdict[bytes, list[_Child]]:
    children: defaultdict[bytes, list[_Child]] = defaultdict(list)
    for path, record in records.items():
        folder, _, name = path.rpartition(b"/")
        if only is None or folder in only:
            children[folder].append((name, mode_in(record), oid_in(record)))
    return children


def _add_kept_folders(
    children: defaultdict[bytes, list[_Child]], kept: Mapping[bytes, bytes], stale: set[bytes]
) -> None:
    for folder, oid in kept.items():
        parent, _, name = folder.rpartition(b"/")
        if parent in stale and folder not in stale:
            children[parent].append((name, _FOLDER_MODE, oid))


def _all_folders(children: Mapping[bytes, list[_Child]]) -> set[bytes]:
    return {above for folder in children for above in (folder, *_folders_above(folder))}


def _folders_above(path: bytes) -> list[bytes]:
    folders = []
    while path:
        path = path.rpartition(b"/")[0]
        folders.append(path)
    return folders


def _deepest_first(folder: bytes) -> int:
    return -folder.count(b"/") - 1 if folder else 0


def _raw_tree(children: list[_Child]) -> bytes:
    def as_git_sorts(child: _Child) -> bytes:
        return child[0] + b"/" if child[1] == _FOLDER_MODE else child[0]

    ordered = sorted(children, key=as_git_sorts)
    return b"".join([b"%o %s\0%s" % (mode, name, oid) for name, mode, oid in ordered])
