"""Looking at paths that may be missing, closed to us, or links in a circle: never an exception."""

import os
from pathlib import Path


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except OSError:
        return []


def follow(path: Path) -> Path:
    """Return a path with all links followed, whether it exists or not."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # a zero byte in it
        return path


def is_file(path: Path) -> bool:
    """Whether a regular file is there and we may know of it."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder is there and we may know of it."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_link(path: Path) -> bool:
    """Whether a link is there and we may know of it."""
    try:
        return path.is_symlink()
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Whether anything is there and we may know of it."""
    try:
        return path.exists()
    except OSError:
        return False
