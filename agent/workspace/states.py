"""What a tree holds by content id, for the index: of a base here, of a work tree in `work_tree`.

Ids are those of the bytes on disk, whatever filters and line-end settings make of them in git.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.edits.changes import Mode
from agent.repo.index.trees import READ_BYTES, ContentKeys, TreeState
from agent.task import RepoPath
from agent.workspace.base import Base
from agent.workspace.files import open_folder
from agent.workspace.intake import Intake
from agent.workspace.manifest import Record, load_manifest, mode_in, oid_in
from agent.workspace.trees import object_id
from agent.workspace.trusted_git import TrustedGit

_ATTRIBUTES: Final = {b"linguist-generated": "generated", b"linguist-vendored": "vendored"}
ATTRIBUTES_FILE: Final = b".gitattributes"


def index_folder(top: Path, state_dir: Path) -> Path:
    """Return the folder of a repository's index, the same for all its work trees."""
    common = os.fsencode(_common_dir(top))
    return state_dir / "index" / hashlib.sha256(common).hexdigest()[:16]


def index_folder_of(base: Base) -> Path | None:
    """Return the folder of the index that a base is read into; None where it is none of ours."""
    home = base.dir.parent.parent.parent
    if home.parent.name != "bases":
        return None
    return index_folder(base.repo, home.parent.parent)


def _common_dir(top: Path) -> Path:
    """Return the git folder that a repository's work trees share, as its files say."""
    place = top / ".git"
    try:
        place = (
            top / place.read_text(errors="surrogateescape").split(": ", 1)[1].strip()
        ).resolve()
        return (place / (place / "commondir").read_text().strip()).resolve()
    except (OSError, IndexError):
        return place.resolve()


def base_state(base: Base) -> TreeState:
    """Return what a base holds, its edits included. Raises: WorkspaceError."""
    slot = base.dir.parent
    manifest = load_manifest(slot / "content")
    if manifest is not None and manifest.tree.hex() == base.tree:
        keys: ContentKeys = Keys(manifest.records)
        skipped = _skipped_in_base(base, manifest.records)
    else:
        keys, skipped = _keys_by_reading(base), {}
    mark = base.tree
    if base.edits:
        algorithm = "sha256" if len(base.tree) == 64 else "sha1"
        edited = {path: key for path in keys if (key := keys.get(path)) is not None}
        for path, content in base.edits.items():
            edited.pop(os.fsencode(path), None)
            if content is not None and content.mode is not Mode.LINK:
                edited[os.fsencode(path)] = object_id(b"blob", content.data, algorithm)
        keys = edited
        every = b"".join(path + b"\0" + key for path, key in sorted(edited.items()))
        mark = hashlib.sha256(every).hexdigest()
    return TreeState(
        name=f"base {base.dir}", keys=keys, read=_BaseReader(base), skipped=skipped, mark=mark
    )


class Keys:
    """Content ids by path over records, links left out; computed when asked for."""

    def __init__(self, records: Mapping[bytes, Record]) -> None:
        self._records = records

    def get(self, path: bytes) -> bytes | None:
        """Return a file's content id; None for a link, and where there is no file."""
        record = self._records.get(path)
        return None if record is None or mode_in(record) == _LINK else oid_in(record)

    def __iter__(self) -> Iterator[bytes]:
        return (path for path, record in self._records.items() if mode_in(record) != _LINK)

    def __len__(self) -> int:
        return sum(1 for _ in self)


_LINK: Final = 0o120000


@dataclass(frozen=True, slots=True)
class _BaseReader:
    base: Base

    def __call__(self, path: RepoPath) -> bytes | None:
        if path in self.base.edits:
            content = self.base.edits[path]
            return None if content is None else content.data[: READ_BYTES + 1]
        return read_head(self.base.dir, path)


def _keys_by_reading(base: Base) -> "Keys":
    algorithm = "sha256" if len(base.tree) == 64 else "sha1"
    paths = [os.fsencode(path) for path in base.paths()]
    intake = Intake(top=os.fsencode(base.dir), target=None, held={}, algorithm=algorithm)
    return Keys(intake.take_all(paths))


def _skipped_in_base(base: Base, records: Mapping[bytes, Record]) -> dict[bytes, str]:
    home = base.dir.parent.parent.parent
    git = TrustedGit(git_dir=home / "git", work_tree=base.dir, settings={})
    return skipped_by_attributes(git, records) if git.git_dir.is_dir() else {}


def read_head(top: Path, path: RepoPath) -> bytes | None:
    """Return the first bytes of a regular file, no link followed; None where there is none.

    One that may not be read counts as none.
    """
    folder, _, name = path.rpartition("/")
    try:
        folder_fd = open_folder(top, folder)
    except OSError:
        return None
    try:
        fd = os.open(name, _READ, dir_fd=folder_fd)
    except OSError:
        return None
    finally:
        os.close(folder_fd)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return os.read(fd, READ_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(fd)


_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def skipped_by_attributes(git: TrustedGit, records: Mapping[bytes, Record]) -> dict[bytes, str]:
    """Return the files that .gitattributes calls generated or vendored, as linguist reads it."""
    if not any(_speaks_of_linguist(git.work_tree, path) for path in records):
        return {}
    raw = git.run(
        "check-attr", "-z", "--stdin", *map(os.fsdecode, _ATTRIBUTES), stdin=b"\0".join(records)
    )
    words = raw.split(b"\0")
    said = zip(words[::3], words[1::3], words[2::3], strict=False)
    return {path: _ATTRIBUTES[name] for path, name, value in said if value in {b"set", b"true"}}


def _speaks_of_linguist(top: Path, path: bytes) -> bool:
    if not path.endswith(ATTRIBUTES_FILE):
        return False
    return b"linguist-" in (read_head(top, RepoPath(os.fsdecode(path))) or b"")
