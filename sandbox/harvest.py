"""Decides which of the files that hostile code left in a tree may come back out.

Pure: archive bytes in, values out; nothing is extracted, no path is opened. Regular files with
plain relative names pass, within caps; of the mode only the execute bit. Everything else is
refused with a reason that a person can read. It knows nothing of engines or of how the archive
was made; what passes here is still only a proposal and is journalled like any other edit.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from sandbox.base import FileDelete, FileWrite, Harvest, HarvestLimits, Refused
from sandbox.harvest_archive import Damaged, Kind, Member, read_members

_NAME_BYTES_MAX = 255
_PATH_BYTES_MAX = 4096 - 1
"""NAME_MAX and PATH_MAX of Linux; the latter counts the closing zero."""
_REFUSED_MAX = 1_000
"""More refusals than this are summed up in one; a list of a million names helps nobody."""
_SHOWN_CHARS_MAX = 200
_HFS_IGNORED: Final = dict.fromkeys(
    (0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF)
)
"""Code points that HFS+ leaves out when it compares names (git's `is_hfs_dotgit`)."""
_BIDI: Final = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""Direction overrides, which make a name read as another one (CVE-2021-42574)."""


def check_harvest(
    tar: bytes, deleted: Sequence[str], refused: Sequence[Refused], limits: HarvestLimits
) -> Harvest:
    """Return what may come back of an archive, and what may not and why.

    `deleted` and `refused` are what the sandbox says besides: paths that are gone, and what it
    did not put into the archive. They are no more trusted than the archive.
    """
    basket = _Basket(limits)
    for item in refused:
        basket.refuse(item.path, item.why)
    for member in read_members(tar):
        basket.add(member)
    for path in deleted:
        basket.delete(path)
    return basket.close()


def name_fault(path: str) -> str | None:
    """Say why a path may not come out of a sandbox; None when nothing is wrong with it."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return "the name cannot exist on a file system"
    if any(_is_control(char) for char in path):
        return "the name has control characters"
    if not path or path.startswith("/"):
        return "the path is not relative to the tree"
    if len(raw) > _PATH_BYTES_MAX or any(len(n) > _NAME_BYTES_MAX for n in raw.split(b"/")):
        return "the name is too long"
    if any(name in ("", ".", "..") for name in path.split("/")):
        return "the path does not stay plainly inside the tree"
    for name in path.replace("\\", "/").split("/"):
        if name == "..":
            return "the path does not stay plainly inside the tree"
        if _is_dot_git(name):
            return "`.git` entries never come out of a sandbox"
    return None


def _is_control(char: str) -> bool:
    """Tell characters that move a cursor, break a line or turn the reading direction."""
    return unicodedata.category(char) in ("Cc", "Zl", "Zp") or char in _BIDI


def _is_dot_git(name: str) -> bool:
    """Tell every spelling that some file system opens as `.git` (git's `verify_path` rules).

    HFS+ ignores case and some code points; NTFS ignores case, trailing dots and blanks, ends
    a name at a colon and knows it as `git~1` too.
    """
    folded = name.translate(_HFS_IGNORED).casefold().split(":", 1)[0].rstrip(". ")
    return folded in (".git", "git~1")


class _Basket:
    """Collects what passes; each path at most once, within the caps."""

    def __init__(self, limits: HarvestLimits) -> None:
        self._limits = limits
        self._writes: dict[str, FileWrite] = {}
        self._deletes: dict[str, FileDelete] = {}
        self._refused: list[Refused] = []
        self._refused_count = 0
        self._bytes = 0

    def add(self, member: Member | Damaged) -> None:
        """Take a member, or refuse it. Folders say nothing that their files do not say."""
        if isinstance(member, Damaged):
            self.refuse("", member.why)
            return
        if member.kind is Kind.FOLDER:
            return
        path = member.name.removeprefix("./")
        fault = name_fault(path) or self._fault(path, member)
        if fault is not None:
            self.refuse(path, fault)
            return
        self._bytes += member.size_bytes
        self._writes[path] = FileWrite(
            path=path, data=bytes(member.data), executable=member.executable
        )

    def delete(self, path: str) -> None:
        """Take a deletion, or refuse it."""
        fault = name_fault(path)
        if fault is None and path in self._writes:
            fault = "it is reported as written and as deleted"
        if fault is None and path not in self._deletes and self._is_full():
            fault = self._too_many()
        if fault is not None:
            self.refuse(path, fault)
        else:
            self._deletes[path] = FileDelete(path=path)

    def refuse(self, path: str, why: str) -> None:
        """Note a refusal; names are made fit for a terminal."""
        self._refused_count += 1
        if len(self._refused) < _REFUSED_MAX:
            self._refused.append(Refused(path=_shown(path), why=_shown(why)))

    def close(self) -> Harvest:
        """Return the whole, sorted by path."""
        for path in _below_files(self._writes):
            del self._writes[path]
            self.refuse(path, "a folder above it is reported as a file")
        left_out = self._refused_count - len(self._refused)
        if left_out:
            self._refused.append(Refused(path="", why=f"{left_out} more entries were refused"))
        changes: list[FileWrite | FileDelete] = [*self._writes.values(), *self._deletes.values()]
        return Harvest(
            changes=tuple(sorted(changes, key=lambda change: change.path)),
            refused=tuple(self._refused),
        )

    def _fault(self, path: str, member: Member) -> str | None:
        """Say what is wrong with a member whose name is fine."""
        limits = self._limits
        if member.kind is not Kind.FILE:
            return f"it is {member.kind.value}; only regular files come out of a sandbox"
        if path in self._writes:
            return "the archive names it twice"
        if self._is_full():
            return self._too_many()
        if member.size_bytes > limits.file_bytes:
            return f"{member.size_bytes} bytes are over the limit of {limits.file_bytes} a file"
        if self._bytes + member.size_bytes > limits.total_bytes:
            return f"all changes together are over the limit of {limits.total_bytes} bytes"
        return None

    def _is_full(self) -> bool:
        return len(self._writes) + len(self._deletes) >= self._limits.files

    def _too_many(self) -> str:
        return f"more than {self._limits.files} files were changed"


def _below_files(paths: Iterable[str]) -> list[str]:
    """Return the paths that lie below another one, which therefore cannot be a file too."""
    below: list[str] = []
    file = None
    for path in sorted(paths, key=lambda path: path.split("/")):
        if file is not None and path.startswith(file + "/"):
            below.append(path)
        else:
            file = path
    return below


def _shown(text: str) -> str:
    """Return the text with control characters spelled out and an end in sight."""
    plain = "".join(
        ascii(char)[1:-1] if _is_control(char) or not char.isprintable() else char
        for char in text[: _SHOWN_CHARS_MAX + 1]
    )
    return plain if len(text) <= _SHOWN_CHARS_MAX else plain[:_SHOWN_CHARS_MAX] + "…"
