"""Follows tar streams as they go by, and tells what changed between two of them.

For sandboxes whose runner keeps no book (the shell's): what went in is compared with what comes
out. Nothing is extracted; memory holds one digest per file and the files that changed.
"""

import hashlib
import stat
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.base import HarvestLimits, Refused
from sandbox.inside.tree import BLOCK, header

NAME_BYTES: Final = 1 << 16
KINDS: Final = {b"1": "is a hard link", b"2": "is a symlink"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file or link, its content as a digest."""

    kind: bytes
    executable: bool
    digest: bytes


Found = Callable[[str, Member, bytes | None], None]
"""Gets a name, the member, and its data where it was kept."""


class TarScan:
    """Feed it a tar stream in any pieces; it calls `found` for each file or link.

    Feeding raises ValueError where it is not a tar.
    """

    def __init__(self, found: Found, *, keep_bytes: int) -> None:
        self._found = found
        self._keep_bytes = keep_bytes
        self._buffer = bytearray()
        self.is_whole = False
        """The end mark was seen."""
        self._walk = self._members()
        next(self._walk)

    def feed(self, data: bytes) -> None:
        """Take the next piece; what follows the end mark is padding."""
        self._buffer += data
        if not self.is_whole:
            next(self._walk)
        if self.is_whole:
            self._buffer.clear()

    def _members(self) -> Generator[None, None, None]:
        names: dict[bytes, bytes] = {}
        while True:
            block = yield from self._take(BLOCK)
            if not block.strip(b"\0"):
                break
            kind = block[156:157].replace(b"\0", b"0")
            size = _number(block[124:136])
            if kind in b"LKxg":
                if size > NAME_BYTES:
                    raise ValueError("a name that no file system can hold")
                names[kind] = (yield from self._take(size + -size % BLOCK))[: max(0, size - 1)]
                continue
            name = names.pop(b"L", None) or block[:100].rstrip(b"\0")
            target = names.pop(b"K", None) or block[157:257].rstrip(b"\0")
            yield from self._content(name, target, kind, _number(block[100:108]), size)
        self.is_whole = True
        while True:
            yield

    def _content(
        self, name: bytes, target: bytes, kind: bytes, mode: int, size: int
    ) -> Generator[None, None, None]:
        size = size if kind in (b"0", b"7") else 0
        digest = hashlib.sha256(target)
        kept = bytearray()
        left = size
        while left > 0:
            piece = yield from self._take(min(left, 1 << 16))
            left -= len(piece)
            digest.update(piece)
            if size <= self._keep_bytes:
                kept += piece
        yield from self._take(-size % BLOCK)
        if kind != b"5":
            executable = bool(mode & stat.S_IXUSR) and kind == b"0"
            member = Member(kind=kind, executable=executable, digest=digest.digest())
            text = name.removeprefix(b"./").decode("utf-8", "surrogateescape")
            self._found(text, member, bytes(kept) if size <= self._keep_bytes else None)

    def _take(self, size: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < size:
            yield
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


class TreeBook:
    """The tree as the host last saw it: what it wrote, and what it harvested."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}

    def delete(self, path: str) -> None:
        """Note that the path and all below it are gone."""
        for name in [n for n in self._members if n == path or n.startswith(path + "/")]:
            del self._members[name]

    def watch(self, tar: Iterator[bytes]) -> Iterator[bytes]:
        """Pass on a tar that is written to the tree, and note what it holds."""

        def note(name: str, member: Member, _data: bytes | None) -> None:
            self.delete(name)
            self._members[name] = member

        scan = TarScan(note, keep_bytes=0)
        for piece in tar:
            scan.feed(piece)
            yield piece

    def compare(self, limits: HarvestLimits) -> "Comparison":
        """Begin to compare the tree with a tar of what it is now."""
        return Comparison(self._members, limits)

    def accept(self, comparison: "Comparison") -> None:
        """Take what was compared as the state that is known."""
        self._members = comparison.members


class Comparison:
    """What differs between what is known and a tar; feed `scan` with the tar."""

    def __init__(self, known: dict[str, Member], limits: HarvestLimits) -> None:
        self._known = known
        self._limits = limits
        self._room = limits.total_bytes
        self._files = 0
        self.members: dict[str, Member] = {}
        self.tar = bytearray()
        self.refused: list[Refused] = []
        self.scan = TarScan(self._note, keep_bytes=limits.file_bytes)

    @property
    def deleted(self) -> list[str]:
        """What is known and was not in the tar."""
        return sorted(set(self._known) - set(self.members))

    def _note(self, name: str, member: Member, data: bytes | None) -> None:
        self.members[name] = member
        if self._known.get(name) == member:
            return
        why = self._unwanted(member, data)
        if why or data is None:
            self.refused.append(Refused(path=name, why=why))
            return
        self._files += 1
        self._room -= len(data)
        raw = name.encode("utf-8", "surrogateescape")
        self.tar += header(raw, len(data), 0o755 if member.executable else 0o644)
        self.tar += data + b"\0" * (-len(data) % BLOCK)

    def _unwanted(self, member: Member, data: bytes | None) -> str:
        if member.kind != b"0":
            return KINDS.get(member.kind, "is not a regular file")
        if data is None:
            return f"more than {self._limits.file_bytes} bytes"
        if self._files >= self._limits.files:
            return f"more than {self._limits.files} files changed"
        if len(data) > self._room:
            return f"more than {self._limits.total_bytes} bytes changed"
        return ""


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)
