"""Paths that cannot escape the repository.

Checks text only; whether a folder on the way is a symlink is checked where a file is touched
(see agent.workspace.files).
"""

import re
import unicodedata
from typing import Final

from agent.errors import TaskError
from agent.task import RepoPath

LONGEST_PATH_BYTES: Final = 4096
"""PATH_MAX of Linux."""
LONGEST_NAME_BYTES: Final = 255
"""NAME_MAX of every common file system."""

_GIT_SHORT_NAME = re.compile(r"git~[0-9]+")
"""How NTFS may spell `.git` in eight characters; git refuses it as well."""


def repo_path(text: str) -> RepoPath:
    """Return the text as a path inside the repository, in its one normal spelling.

    `a//b`, `./a/b` and `a/b/` all name `a/b`. Refused: absolute paths, `..`, NUL, an empty path,
    names over the system's limits, and `.git` in any spelling that some file system takes for it.
    Raises: TaskError.
    """
    refusal = why_not_repo_path(text)
    if refusal:
        raise TaskError(
            f"{printable(text)} is not a path inside the repository: {refusal}",
            remedy="give a path relative to the repository's top folder",
        )
    return RepoPath("/".join(_names(text)))


def why_not_repo_path(text: str) -> str:
    """Return why the text is no path inside a repository; empty when it is one."""
    if "\0" in text:
        return "it holds a NUL character"
    if text.startswith("/"):
        return "it is absolute"
    names = _names(text)
    if not names:
        return "it names no file"
    if ".." in names:
        return "it goes up with `..`"
    if any(is_git_name(name) for name in names):
        return "`.git` belongs to git"
    return _why_too_long(text, names)


def is_git_name(name: str) -> bool:
    """Tell whether some file system may take the name for `.git`.

    Case is ignored (APFS, NTFS), so are trailing dots, spaces and `:stream` (NTFS) and characters
    that HFS+ drops; `git~1` is the short name on NTFS.
    """
    visible = "".join(c for c in name if unicodedata.category(c) != "Cf")
    folded = visible.split(":", 1)[0].rstrip(". ").casefold()
    return folded == ".git" or _GIT_SHORT_NAME.fullmatch(folded) is not None


def printable(text: str) -> str:
    """Return the text so that it can be shown on one line of a terminal."""
    shown = "".join(c if c.isprintable() else _escape(ord(c)) for c in text)
    return shown if len(shown) <= 200 else shown[:199] + "…"


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as surrogateescape carries it
        return f"\\x{code & 0xFF:02x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _names(text: str) -> list[str]:
    return [name for name in text.split("/") if name not in ("", ".")]


def _why_too_long(text: str, names: list[str]) -> str:
    try:
        sizes = [len(name.encode("utf-8", "surrogateescape")) for name in names]
    except UnicodeEncodeError:
        return "it holds characters that no file name can hold"
    if len(text) > LONGEST_PATH_BYTES or sum(sizes) + len(sizes) > LONGEST_PATH_BYTES:
        return "it is too long"
    return "a name in it is too long" if max(sizes) > LONGEST_NAME_BYTES else ""
