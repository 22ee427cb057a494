"""Reads the members of an untrusted tar archive, in memory, without ever touching a disk.

The archive was made where hostile code ran, so the reader is small and strictly linear: it knows
plain headers, GNU long names and pax `path` and `size` records, and stops at the first thing it
does not understand. The standard library's reader has had endless loops and quadratic header
parsing on crafted input (CVE-2019-20907, CVE-2024-6232, CVE-2025-8194) in interpreters that are
still in use. It decides nothing about names; `sandbox.harvest` does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_BLOCK = 512
_HEADER_BYTES_MAX = 64 * 1024
"""Longest extended header that is read; paths end at 4,096 bytes, so 64 KiB is generous."""


class Kind(Enum):
    """What a member is."""

    FILE = "a regular file"
    FOLDER = "a folder"
    HARD_LINK = "a hard link"
    SYMLINK = "a symlink"
    DEVICE = "a device"
    FIFO = "a fifo"
    SPARSE = "a sparse archive entry"
    UNKNOWN = "an unknown kind of entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry of the archive."""

    name: str
    """As it stands in the archive; surrogateescape where it is not UTF-8."""
    kind: Kind
    executable: bool
    size_bytes: int
    data: memoryview
    """The content of a regular file; a view of the archive, so nothing is copied."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """The archive cannot be read beyond this point."""

    why: str


_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMLINK,
    b"3": Kind.DEVICE,
    b"4": Kind.DEVICE,
    b"5": Kind.FOLDER,
    b"6": Kind.FIFO,
    b"S": Kind.SPARSE,
}
_EXTENSIONS = frozenset((b"L", b"K", b"x", b"g"))


def read_members(archive: bytes) -> Iterator[Member | Damaged]:
    """Yield the members in their order; `Damaged`, if it comes, is the last thing yielded."""
    view = memoryview(archive)
    offset = 0
    extended: dict[bytes, bytes] = {}
    while offset + _BLOCK <= len(view):
        header = bytes(view[offset : offset + _BLOCK])
        offset += _BLOCK
        if not any(header):
            return
        kind = header[156:157]
        size = _size(header, {} if kind in _EXTENSIONS else extended)
        if size is None or not _checksum_holds(header):
            yield Damaged("the archive has a header that makes no sense")
            return
        data = view[offset : offset + size]
        if len(data) < size:
            yield Damaged("the archive ends in the middle of a file")
            return
        offset += -(-size // _BLOCK) * _BLOCK
        if kind in _EXTENSIONS:
            records = _records(kind, data)
            if records is None:
                yield Damaged("the archive has an extended header that makes no sense")
                return
            extended |= records
            continue
        yield _member(header, kind, extended, data)
        extended = {}
    if offset < len(view):
        yield Damaged("the archive ends in the middle of a header")


def _member(header: bytes, kind: bytes, extended: dict[bytes, bytes], data: memoryview) -> Member:
    """Put one member together from its header and what came before it."""
    sparse = any(key.startswith(b"GNU.sparse") for key in extended)
    mode = _octal(header[100:108])
    return Member(
        name=_name(header, extended),
        kind=Kind.SPARSE if sparse else _KINDS.get(kind, Kind.UNKNOWN),
        executable=mode is not None and bool(mode & 0o100),
        size_bytes=len(data),
        data=data,
    )


def _name(header: bytes, extended: dict[bytes, bytes]) -> str:
    """Return the long name when there is one, else prefix and name of the header."""
    name = extended.get(b"path")
    if name is None:
        name = header[:100].split(b"\0", 1)[0]
        prefix = header[345:500].split(b"\0", 1)[0]
        if prefix and header[257:263] == b"ustar\0":
            name = prefix + b"/" + name
    return name.decode("utf-8", "surrogateescape")


def _size(header: bytes, extended: dict[bytes, bytes]) -> int | None:
    """Return the content's length; a pax record beats the header."""
    text = extended.get(b"size")
    if text is None:
        return _octal(header[124:136])
    return int(text) if text.isdigit() and len(text) < 20 else None


def _octal(field: bytes) -> int | None:
    """Return a number field; GNU's binary form for what octal digits cannot hold."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not digits:
        return 0
    return int(digits, 8) if all(c in b"01234567" for c in digits) else None


def _checksum_holds(header: bytes) -> bool:
    """Compare the header's own sum, computed with its field as blanks."""
    return _octal(header[148:156]) == sum(header[:148]) + 8 * 0x20 + sum(header[156:])


def _records(kind: bytes, data: memoryview) -> dict[bytes, bytes] | None:
    """Return what an extended header says about the next member; None when it is malformed."""
    if len(data) > _HEADER_BYTES_MAX:
        return None
    if kind == b"L":
        return {b"path": bytes(data).split(b"\0", 1)[0]}
    if kind == b"x":
        return _pax_records(bytes(data))
    return {}


def _pax_records(data: bytes) -> dict[bytes, bytes] | None:
    """Split `length key=value` lines, each as long as it says (POSIX.1-2001, pax)."""
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        digits, blank, _ = data[at : at + 8].partition(b" ")
        if not blank or not digits.isdigit():
            return None
        end = at + int(digits)
        key, equals, value = data[at + len(digits) + 1 : end].partition(b"=")
        if end > len(data) or not equals or value[-1:] != b"\n":
            return None
        records[key] = value[:-1]
        at = end
    return records
