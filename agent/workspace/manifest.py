"""What a folder holds, path by path, and how each file looked when it was read.

Kept between runs so that a later base reads only what changed: a file whose size, times and
inode are as before has its old content. 20,000 entries load in about 15 ms (measured 2026-11).
"""

import json
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

UNSETTLED: Final = -1
"""As `mtime_ns`: the file changed so lately that an equal time proves nothing; read it again."""

_MAGIC: Final = b"greenloop manifest 1\n"
_FIXED: Final = "<QqqQI"


class Entry(NamedTuple):
    """A file or link: how it looked on disk, and its content as git names it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    mode: int
    """As git records it: 0o100644, 0o100755 or 0o120000."""
    oid: bytes
    """Git's object id of the bytes as they are on disk, never filtered."""

    def looks_like(self, status: os.stat_result) -> bool:
        """Tell whether the file on disk is still the one that was read."""
        return (
            self.mtime_ns == status.st_mtime_ns
            and self.ctime_ns == status.st_ctime_ns
            and self.size == status.st_size
            and self.inode == status.st_ino
        )

    def same_content(self, other: "Entry | None") -> bool:
        """Tell whether both stand for the same bytes and mode."""
        return other is not None and self.oid == other.oid and self.mode == other.mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Entries by path (bytes, relative, posix) with the tree they form."""

    tree: bytes
    """Root tree id."""
    entries: Mapping[bytes, Entry]
    folders: Mapping[bytes, bytes] = field(default_factory=dict)
    """Tree id of every folder below the root, by path."""


def save_manifest(manifest: Manifest, file: Path) -> None:
    """Write a manifest so that a reader sees the old one or the whole new one."""
    record = struct.Struct(f"{_FIXED}{len(manifest.tree)}s")
    parts = [
        b"\0".join(manifest.entries),
        b"".join([record.pack(*entry) for entry in manifest.entries.values()]),
        b"\0".join(manifest.folders),
        b"".join(manifest.folders.values()),
    ]
    header = {"tree": manifest.tree.hex(), "sizes": [len(part) for part in parts]}
    waiting = file.with_name(f"{file.name}.new")
    waiting.write_bytes(b"".join([_MAGIC, json.dumps(header).encode(), b"\n", *parts]))
    waiting.replace(file)


def load_manifest(file: Path) -> Manifest | None:
    """Return a saved manifest; None where there is none or it is not whole."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _parsed(data)
    except (ValueError, KeyError, struct.error):
        return None


def _parsed(data: bytes) -> Manifest:
    magic_end = len(_MAGIC)
    header_end = data.index(b"\n", magic_end)
    if data[:magic_end] != _MAGIC:
        raise ValueError("another format")
    header = json.loads(data[magic_end:header_end])
    tree = bytes.fromhex(header["tree"])
    names, records, folder_names, folder_oids = _cut(data, header_end + 1, header["sizes"])
    record = struct.Struct(f"{_FIXED}{len(tree)}s")
    entries = map(Entry._make, record.iter_unpack(records))
    width = len(tree)
    oids = [folder_oids[at : at + width] for at in range(0, len(folder_oids), width)]
    return Manifest(
        tree=tree,
        entries=dict(zip(_split(names), entries, strict=True)),
        folders=dict(zip(_split(folder_names), oids, strict=True)),
    )


def _cut(data: bytes, start: int, sizes: Iterable[int]) -> list[bytes]:
    parts = []
    for size in sizes:
        parts.append(data[start : start + size])
        start += size
    if start != len(data):
        raise ValueError("not whole")
    return parts


def _split(names: bytes) -> list[bytes]:
    return names.split(b"\0") if names else []
