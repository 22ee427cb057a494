"""Records a base in our own git dir: what the user's repository does not hold already.

New objects are written here and not by git, which would renew the times of the objects it meets in
the user's repository: a few as loose files, many as one pack. The tree id of a base then names its
whole content for `git show` and friends, as long as the user's own objects live.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from hashlib import new as new_digest
from pathlib import Path
from typing import Final

from agent.workspace.trees import object_id
from agent.workspace.trusted_git import TrustedGit

LARGEST_BLOB_BYTES: Final = 8 * 1024**2
"""Larger files that git does not hold yet are named by the tree and not recorded themselves."""
_ASK_GIT_ABOVE: Final = 50
"""Fewer new trees than this are packed without asking whether HEAD has them already."""

_LOOSE_UP_TO: Final = 30
"""So many loose files cost less than a git process that makes an index of a pack."""

_KINDS: Final = {b"tree": 2, b"blob": 3}


def record_base(
    git: TrustedGit,
    commit: str,
    *,
    trees: Mapping[bytes, bytes],
    blobs: Mapping[bytes, Path],
    algorithm: str,
) -> None:
    """Add raw trees by id, and blobs by id and the file that holds them."""
    missing = dict(trees)
    if commit and len(trees) > _ASK_GIT_ABOVE:
        for oid in _trees_of(git, commit):
            missing.pop(oid, None)
    objects = [(b"tree", raw) for raw in missing.values()]
    contents = (_blob(file) for file in blobs.values())
    objects += [(b"blob", data) for data in contents if data is not None]
    if len(objects) > _LOOSE_UP_TO:
        git.run("index-pack", "--stdin", stdin=_pack(objects, algorithm))
    else:
        for kind, data in objects:
            _write_loose(git.git_dir / "objects", kind, data, algorithm)


def _trees_of(git: TrustedGit, commit: str) -> Iterable[bytes]:
    listed = git.run("ls-tree", "-r", "-d", "-z", commit)
    for record in listed.split(b"\0"):
        if record:
            yield bytes.fromhex(record.split(b"\t", 1)[0].split(b" ")[2].decode())


def _blob(file: Path) -> bytes | None:
    if file.is_symlink():
        return os.fsencode(file.readlink())
    return file.read_bytes() if file.stat().st_size <= LARGEST_BLOB_BYTES else None


def _write_loose(folder: Path, kind: bytes, data: bytes, algorithm: str) -> None:
    """Write an object as a file of its own (gitformat-loose: header and data, compressed)."""
    name = object_id(kind, data, algorithm).hex()
    place = folder / name[:2] / name[2:]
    if place.exists():
        return
    place.parent.mkdir(exist_ok=True)
    waiting = place.with_suffix(".new")
    waiting.write_bytes(zlib.compress(b"%s %d\0" % (kind, len(data)) + data, 1))
    waiting.replace(place)


def _pack(objects: list[tuple[bytes, bytes]], algorithm: str) -> bytes:
    """Return a pack without deltas (gitformat-pack(5), version 2)."""
    parts = [struct.pack(">4sII", b"PACK", 2, len(objects))]
    for kind, data in objects:
        parts += [_entry_header(_KINDS[kind], len(data)), zlib.compress(data, 1)]
    body = b"".join(parts)
    return body + new_digest(algorithm, body).digest()


def _entry_header(kind: int, size: int) -> bytes:
    """Return type and size: four bits of the size first, then seven a byte, lowest first."""
    byte, size = kind << 4 | size & 0x0F, size >> 4
    header = bytearray()
    while size:
        header.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    header.append(byte)
    return bytes(header)
