"""Puts one file into the user's tree: whole or not at all, never through a symlink.

A file is written beside its place and renamed over it, after it is safely on disk. Rights, owner,
group and extended attributes of the file that was there stay, but for the executable bit where
that is what changes. A hard link to the old file keeps the old content, as with git.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.edits.changes import Content, Mode
from agent.task import RepoPath
from agent.workspace.files import mode_of, open_folder, read_content, write_all

_NEW_FILE_RIGHTS: Final = 0o666
"""Before the umask."""
_EXECUTE: Final = 0o111
_READ: Final = 0o444


class Moved(Exception):
    """The file is not any more what it was when its new content was worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A path as it is in the user's tree."""

    content: Content | None
    rights: int = 0
    """Permission bits of a regular file."""

    @property
    def is_read_only(self) -> bool:
        """Tell whether its owner took away every right to write it."""
        regular = self.content is not None and self.content.mode is not Mode.LINK
        return regular and not self.rights & 0o222


def find(root: Path, path: RepoPath) -> Found:
    """Return what is at a path, links not followed. Raises: OSError when it cannot be read."""
    content = read_content(root, path)
    if content is None or content.mode is Mode.LINK:
        return Found(content=content)
    with _folder_of(root, path) as (folder, name):
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return Found(content=content, rights=stat.S_IMODE(status.st_mode))


def is_occupied(root: Path, path: RepoPath) -> bool:
    """Tell whether something is at the path that is neither file nor link: a folder, a device."""
    try:
        with _folder_of(root, path) as (folder, name):
            return mode_of(os.stat(name, dir_fd=folder, follow_symlinks=False)) is None
    except FileNotFoundError:
        return False


def put(root: Path, path: RepoPath, found: Found, wanted: Found, *, waiting: str) -> None:
    """Bring a path from what was found to what is wanted; `rights` 0 means as usual.

    `waiting` is the name, in the same folder, under which the new file is written first.
    Raises: Moved when it is not as found any more, OSError when it cannot be written.
    """
    if wanted.content is None:
        _remove(root, path, found)
        return
    _make_folders(root, path)
    with _folder_of(root, path) as (folder, name):
        _write_beside(folder, waiting, name, wanted)
        _check_unmoved(root, path, found)
        os.rename(waiting, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)


def remove_waiting(root: Path, path: RepoPath, waiting: str) -> None:
    """Remove what a `put` that did not end left beside its place."""
    with suppress(FileNotFoundError, NotADirectoryError), _folder_of(root, path) as (folder, _):
        os.unlink(waiting, dir_fd=folder)


def missing_folders(root: Path, path: RepoPath) -> list[str]:
    """Return the folders above a path that are not there yet, outermost first."""
    missing = []
    folder = path.rpartition("/")[0]
    while folder and not os.path.lexists(root / folder):
        missing.append(folder)
        folder = folder.rpartition("/")[0]
    return missing[::-1]


def remove_empty_folder(root: Path, folder: str) -> None:
    """Remove a folder of ours unless something is in it by now."""
    with suppress(OSError), _folder_of(root, RepoPath(folder)) as (above, name):
        os.rmdir(name, dir_fd=above)


@contextmanager
def _folder_of(root: Path, path: RepoPath) -> Iterator[tuple[int, str]]:
    folder, _, name = path.rpartition("/")
    fd = open_folder(root, folder)
    try:
        yield fd, name
    finally:
        os.close(fd)


def _check_unmoved(root: Path, path: RepoPath, found: Found) -> None:
    if find(root, path) != found:
        raise Moved(path)


def _remove(root: Path, path: RepoPath, found: Found) -> None:
    _check_unmoved(root, path, found)
    with _folder_of(root, path) as (folder, name):
        os.unlink(name, dir_fd=folder)
        os.fsync(folder)


def _make_folders(root: Path, path: RepoPath) -> None:
    for folder in missing_folders(root, path):
        with _folder_of(root, RepoPath(folder)) as (above, name), suppress(FileExistsError):
            os.mkdir(name, dir_fd=above)


def _write_beside(folder: int, waiting: str, name: str, wanted: Found) -> None:
    content = wanted.content
    if content is None:
        return
    if content.mode is Mode.LINK:
        os.symlink(content.data, os.fsencode(waiting), dir_fd=folder)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    out = os.open(waiting, flags, _NEW_FILE_RIGHTS, dir_fd=folder)
    try:
        write_all(out, content.data)
        _keep_owner(out, folder, name)
        os.fchmod(out, wanted.rights or _rights(os.fstat(out).st_mode, content.mode))
        os.fsync(out)
    finally:
        os.close(out)


def _rights(rights: int, mode: Mode) -> int:
    """Return the rights with the executable bit as wanted, for whoever may read."""
    rights = stat.S_IMODE(rights) & ~_EXECUTE
    return rights | (rights & _READ) >> 2 if mode is Mode.EXECUTABLE else rights


def rights_for(rights: int, mode: Mode) -> int:
    """Return rights that differ from those given only where the mode asks for it."""
    if bool(rights & stat.S_IXUSR) is (mode is Mode.EXECUTABLE):
        return rights
    return _rights(rights, mode)


def _keep_owner(out: int, folder: int, name: str) -> None:
    """Give a new file owner, group and attributes of the one it replaces, as far as allowed."""
    try:
        old = os.open(
            name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
        )
    except OSError:
        return
    try:
        status = os.fstat(old)
        with suppress(PermissionError):
            os.fchown(out, status.st_uid, status.st_gid)
        if hasattr(os, "listxattr"):
            for attribute in os.listxattr(old):
                with suppress(OSError):
                    os.setxattr(out, attribute, os.getxattr(old, attribute))
    finally:
        os.close(old)
