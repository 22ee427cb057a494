"""Files below a folder, read without ever following a symlink, neither the last nor on the way."""

import os
import stat
from pathlib import Path

from agent.edits.changes import Content, Mode
from agent.task import RepoPath


def read_content(root: Path, path: RepoPath) -> Content | None:
    """Return the file or link at a path; None for everything else and where there is none.

    Raises: OSError when it is there and cannot be read.
    """
    folder, _, name = path.rpartition("/")
    try:
        folder_fd = open_folder(root, folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return _read_at(folder_fd, name)
    finally:
        os.close(folder_fd)


def open_folder(root: Path, folder: str) -> int:
    """Open a folder below root, one name at a time so that no symlink is followed.

    Raises: FileNotFoundError, or NotADirectoryError also where a name is a symlink.
    """
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in folder.split("/") if folder else ():
        try:
            inner = os.open(name, _FOLDER, dir_fd=fd)
        finally:
            os.close(fd)
        fd = inner
    return fd


def mode_of(status: os.stat_result) -> Mode | None:
    """Return what git would record; None for folders and special files."""
    if stat.S_ISLNK(status.st_mode):
        return Mode.LINK
    if not stat.S_ISREG(status.st_mode):
        return None
    return Mode.EXECUTABLE if status.st_mode & stat.S_IXUSR else Mode.FILE


def read_open_file(fd: int) -> bytes:
    """Return everything from an open file, from its present position."""
    size = os.fstat(fd).st_size
    pieces = []
    while piece := os.read(fd, max(size + 1, 1 << 16)):
        pieces.append(piece)
        size = 0
    return b"".join(pieces)


def write_all(fd: int, data: bytes) -> None:
    """Write everything; a single write may take only a part."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def _read_at(folder_fd: int, name: str) -> Content | None:
    try:
        status = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    mode = mode_of(status)
    if mode is None:
        return None
    if mode is Mode.LINK:
        return Content(data=os.fsencode(os.readlink(name, dir_fd=folder_fd)), mode=mode)
    fd = os.open(name, _FILE, dir_fd=folder_fd)
    try:
        return Content(data=read_open_file(fd), mode=mode)
    finally:
        os.close(fd)
