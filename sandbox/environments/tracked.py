"""Whether a file is part of what a repository brings along, read from git's index.

A virtualenv that was cloned with the repository is a stranger's choice of folders to show, so it
must be told from one that the developer made. No git runs here.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

_MOST_INDEX_BYTES: Final = 256 * 1024**2


def is_any_tracked(repo: Path, names: Iterable[str]) -> bool:
    """Whether git's index has a file of one of these names, relative to the repository.

    An entry holds the length of its name, then the name, then NUL (gitformat-index). Version 4
    shares the beginnings of names with the entry before, so there the last part of a longer name
    is enough: a doubt counts as tracked.
    """
    try:
        index = _git_dir(repo) / "index"
        if index.stat().st_size > _MOST_INDEX_BYTES:
            return True
        content = index.read_bytes()
    except OSError:
        return False
    if content[4:8] == b"\0\0\0\x04":
        endings = (name.rpartition("/")[2] for name in names if "/" in name)
        return any(ending.encode() + b"\0" in content for ending in endings)
    entries = (bytes([len(name)]) + name.encode() + b"\0" for name in names)
    return any(entry in content for entry in entries)


def _git_dir(repo: Path) -> Path:
    """Return the folder with the index; of a linked worktree, its own."""
    entry = repo / ".git"
    if not entry.is_file():
        return entry
    text = entry.read_text(encoding="utf-8", errors="replace")
    return repo / text.removeprefix("gitdir:").strip()
