"""The tree as the runner sees it: unpacks what the host sends, lists what commands changed.

Written for one caller that runs while no command is alive, so nothing changes underneath it.
Paths are bytes, relative to the root, as in the tar that carries them.
"""

# Names are bytes here and pathlib knows only text.
# ruff: noqa: PTH101, PTH102, PTH106, PTH108, PTH114, PTH116, PTH118, PTH120, PTH208, PTH211
from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[int], bytes]
    """Return exactly that many bytes of the stream."""
    Mark = tuple[int, int, int, int, int]
    """Kind and execute bit, size, mtime, ctime and inode: what differs when a command wrote."""

BLOCK = 512

MAX_ENTRIES = 1_000_000
"""More files than this in a tree are not listed."""


class Tree:
    """A folder and the state in which the host last saw it."""

    def __init__(self, root: bytes) -> None:
        self.root = root
        self._marks: dict[bytes, Mark] = {}
        self._folders: set[bytes] = set()

    def unpack(self, read: Read) -> None:
        """Write every member of a tar stream (as sandbox.packing writes it) below the root."""
        self._folders.clear()
        for kind, name, mode, target, size in _members(read):
            path = os.path.join(self.root, name)
            if kind == b"5":
                self._make_folders(name)
                continue
            self._make_folders(os.path.dirname(name))
            if kind == b"2":
                _clear(path)
                os.symlink(target, path)
                self._marks[name] = _mark(os.lstat(path))
            else:
                self._marks[name] = _write(path, read, size, mode)
                read(-size % BLOCK)

    def delete(self, name: bytes) -> None:
        """Remove a file or link; a name that is not there is fine."""
        self._marks.pop(name, None)
        parent = os.path.dirname(name)
        while parent:
            if os.path.islink(os.path.join(self.root, parent)):
                return
            parent = os.path.dirname(parent)
        _clear(os.path.join(self.root, name))

    def changes(self) -> tuple[list[tuple[bytes, os.stat_result]], list[bytes], dict[bytes, str]]:
        """Return changed regular files, deleted names, and what cannot come back with why."""
        files: list[tuple[bytes, os.stat_result]] = []
        refused: dict[bytes, str] = {}
        seen: set[bytes] = set()
        for name, found in self._walk(refused):
            seen.add(name)
            mark = _mark(found)
            if self._marks.get(name) == mark:
                continue
            self._marks[name] = mark
            why = _unwanted(found)
            if why:
                refused[name] = why
            else:
                files.append((name, found))
        deleted = sorted(set(self._marks) - seen)
        for name in deleted:
            del self._marks[name]
        return sorted(files, key=lambda item: item[0]), deleted, refused

    def _walk(self, refused: dict[bytes, str]) -> Iterator[tuple[bytes, os.stat_result]]:
        device = os.stat(self.root).st_dev
        folders = [b""]
        left = MAX_ENTRIES
        while folders:
            folder = folders.pop()
            try:
                entries = list(os.scandir(os.path.join(self.root, folder) if folder else self.root))
            except OSError as error:
                refused[folder] = f"cannot be listed: {os.strerror(error.errno or 0)}"
                continue
            for entry in entries:
                left -= 1
                if left < 0:
                    refused[folder] = "too many files: the rest of the tree was not listed"
                    return
                name = os.path.join(folder, entry.name)
                found = entry.stat(follow_symlinks=False)
                if found.st_dev != device:
                    continue  # mounted, not part of the tree
                if not stat.S_ISDIR(found.st_mode):
                    yield name, found
                elif entry.name.lower() == b".git":
                    refused[name] = "belongs to git"
                else:
                    folders.append(name)

    def _make_folders(self, name: bytes) -> None:
        """Make `name` a folder that we can write, whatever a command left in its place."""
        if not name or name in self._folders:
            return
        self._make_folders(os.path.dirname(name))
        path = os.path.join(self.root, name)
        try:
            found: os.stat_result | None = os.lstat(path)
        except FileNotFoundError:
            found = None
        if found is None or not stat.S_ISDIR(found.st_mode):
            if found is not None:
                os.unlink(path)
            os.mkdir(path, 0o755)
        elif found.st_mode & stat.S_IRWXU != stat.S_IRWXU and os.access(path, os.F_OK):
            os.chmod(path, stat.S_IMODE(found.st_mode) | stat.S_IRWXU)
        self._folders.add(name)


def pack(
    root: bytes,
    files: list[tuple[bytes, os.stat_result]],
    limits: tuple[int, int, int],
    refused: dict[bytes, str],
) -> Iterator[bytes]:
    """Yield a tar of the files; what is over the caps (count, each, total) goes to `refused`."""
    count, each, total = limits
    for name, found in files:
        if found.st_size > each:
            refused[name] = f"{found.st_size} bytes, more than {each}"
        elif count <= 0:
            refused[name] = f"more than {limits[0]} files changed"
        elif found.st_size > total:
            refused[name] = f"more than {limits[2]} bytes changed"
        else:
            data = read_regular(os.path.join(root, name), each)
            if data is None:
                refused[name] = "cannot be read"
                continue
            count -= 1
            total -= len(data)
            yield header(name, len(data), 0o755 if found.st_mode & stat.S_IXUSR else 0o644)
            yield data
            yield b"\0" * (-len(data) % BLOCK)
    yield b"\0" * (2 * BLOCK)


def read_regular(path: bytes, limit: int) -> bytes | None:
    """Return a regular file's bytes, no link followed at any step; None: no such, or larger."""
    if not path.startswith(b"/"):
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    current = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        parts = [part for part in path.split(b"/") if part]
        for index, part in enumerate(parts):
            kind = os.O_NONBLOCK if index == len(parts) - 1 else os.O_DIRECTORY
            below = os.open(part, flags | kind, dir_fd=current)
            os.close(current)
            current = below
        found = os.fstat(current)
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            return None
        pieces = []
        left = limit + 1
        while left > 0:
            piece = os.read(current, min(left, 1 << 20))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces) if left > 0 else None
    except OSError:
        return None
    finally:
        os.close(current)


def header(name: bytes, size: int, mode: int, kind: bytes = b"0", target: bytes = b"") -> bytes:
    """Return the tar header of a member, with GNU long-name members before it where needed."""
    before = b""
    for long, marker in ((name, b"L"), (target, b"K")):
        if len(long) > 100:
            before += header(b"././@LongLink", len(long) + 1, 0o644, marker)
            before += long + b"\0" * (BLOCK - len(long) % BLOCK)
    size_field = b"%011o\0" % size if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
    fields = b"%b%07o\0%07o\0%07o\0%b%011o\0%b%b%b" % (
        name[:100].ljust(100, b"\0"), mode, 0, 0, size_field, 0, b" " * 8, kind,
        target[:100].ljust(100, b"\0"),
    )  # fmt: skip
    block = (fields + b"ustar  \0").ljust(BLOCK, b"\0")
    return before + block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _members(read: Read) -> Iterator[tuple[bytes, bytes, int, bytes, int]]:
    """Yield kind, name, mode, link target and size of each member, up to the end mark."""
    long: dict[bytes, bytes] = {}
    while True:
        block = read(BLOCK)
        if not block.strip(b"\0"):
            read(BLOCK)
            return
        kind = block[156:157]
        size = _number(block[124:136])
        if kind in (b"L", b"K"):
            long[kind] = read(size + -size % BLOCK)[: size - 1]
            continue
        name = long.pop(b"L", None) or block[:100].rstrip(b"\0")
        target = long.pop(b"K", None) or block[157:257].rstrip(b"\0")
        yield kind, name.rstrip(b"/"), _number(block[100:108]), target, size


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)


def _write(path: bytes, read: Read, size: int, mode: int) -> Mark:
    target = _create(path, 0o755 if mode & stat.S_IXUSR else 0o644)
    try:
        while size > 0:
            piece = read(min(size, 1 << 20))
            size -= len(piece)
            while piece:
                piece = piece[os.write(target, piece) :]
        return _mark(os.fstat(target))
    finally:
        os.close(target)


def _create(path: bytes, mode: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, mode)
    except FileExistsError:
        _clear(path)
        return os.open(path, flags, mode)


def _clear(path: bytes) -> None:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    for name in os.listdir(path):
        _clear(os.path.join(path, name))
    os.rmdir(path)


def _mark(found: os.stat_result) -> Mark:
    kind = stat.S_IFMT(found.st_mode) | (found.st_mode & stat.S_IXUSR)
    return kind, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _unwanted(found: os.stat_result) -> str:
    if stat.S_ISLNK(found.st_mode):
        return "is a symlink"
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file"
    if found.st_nlink > 1:
        return "is a hard link"
    return ""
