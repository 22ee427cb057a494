"""Which files are part of what a repository brings along, read from git's index.

A virtualenv that was cloned with the repository is a stranger's choice of folders to show, and a
generated file that was committed is in the tree anyway: both must be told from what only the
developer has. No git runs here.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sandbox.environments.folders import is_file

_MOST_INDEX_BYTES: Final = 256 * 1024**2
_LENGTH_MASK: Final = 0xFF


def tracked_among(repo: Path, names: Iterable[str]) -> set[str]:
    """Return those of the names, relative to the repository, that git's index has.

    An entry holds the length of its name, then the name, then NUL (gitformat-index). Version 4
    shares the beginnings of names with the entry before, so there the last part of a longer name
    is enough: a doubt counts as tracked.
    """
    names = set(names)
    if not names:
        return names
    try:
        index = _git_dir(repo) / "index"
        if index.stat().st_size > _MOST_INDEX_BYTES:
            return names
        content = index.read_bytes()
    except (OSError, ValueError):  # ValueError: a zero byte in what `.git` points to
        return set()
    if content[4:8] == b"\0\0\0\x04":
        return {name for name in names if "/" in name and _ending(name) in content}
    return {name for name in names if _entry(name) in content}


def _entry(name: str) -> bytes:
    """Return how the index spells a name: low byte of its length, name, NUL."""
    raw = name.encode("utf-8", "surrogateescape")
    return bytes([len(raw) & _LENGTH_MASK]) + raw + b"\0"


def _ending(name: str) -> bytes:
    """Return the part of a name that a compressed entry holds at least."""
    return name.rpartition("/")[2].encode("utf-8", "surrogateescape") + b"\0"


def _git_dir(repo: Path) -> Path:
    """Return the folder with the index; of a linked worktree, its own."""
    entry = repo / ".git"
    if not is_file(entry):
        return entry
    text = entry.read_text(encoding="utf-8", errors="replace")
    return repo / text.removeprefix("gitdir:").strip()
