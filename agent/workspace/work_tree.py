"""The user's work tree as it is now, by its stat data; only read.

The looks of its files and folders are kept, and only what looks changed is read again. Git is asked
for names where one turns up, or where its index or its rules have changed. Blocking, all of it.
"""

import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.errors import WorkspaceError
from agent.repo.index.trees import TreeState
from agent.task import RepoPath
from agent.workspace.intake import SETTLING_NS, Intake, survey
from agent.workspace.listing import (
    copy_index,
    form_listing,
    open_trusted,
    read_tracked,
    read_untracked,
)
from agent.workspace.manifest import Record, look_of
from agent.workspace.slots import locked
from agent.workspace.states import (
    ATTRIBUTES_FILE,
    Keys,
    index_folder,
    read_head,
    skipped_by_attributes,
)
from agent.workspace.trusted_git import Repository, find_repository
from agent.workspace.watched import (
    Watched,
    compare,
    entries,
    folder_look,
    load_watched,
    save_watched,
)

_IGNORE_FILE: Final = b".gitignore"
_FEW: Final = 2_000
"""Folders that hold nothing of the tree are watched up to so many; a new file in others is seen
with the next name that turns up elsewhere."""


@contextmanager
def open_work_tree(start: Path, *, state_dir: Path) -> Iterator["WorkTree"]:
    """Open the work tree that holds `start`, to be looked at again and again.

    Raises: TaskError, WorkspaceError.
    """
    repository = find_repository(start)
    folder = index_folder(repository.top, state_dir)
    with ExitStack() as stack:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            writable = os.access(folder, os.W_OK)
        except OSError:
            writable = False
        if not writable:
            folder = Path(stack.enter_context(_passing_folder()))
        tree = WorkTree(repository=repository, folder=folder, state_dir=state_dir, stack=stack)
        try:
            yield tree
        finally:
            tree.save()


def _passing_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="greenloop-")


def work_tree_state(start: Path, *, state_dir: Path) -> TreeState:
    """Return what the work tree that holds `start` holds now. Raises: TaskError, WorkspaceError."""
    with open_work_tree(start, state_dir=state_dir) as tree:
        return tree.look()


@dataclass(slots=True, kw_only=True)
class WorkTree:
    """The user's work tree; only read. For one thread at a time."""

    repository: Repository
    folder: Path
    """Ours: how the tree looked, and a git dir that we trust."""
    state_dir: Path
    stack: ExitStack
    """Takes what has to go when the tree is closed."""
    notes: tuple[str, ...] = ()
    """What a person should know: what is left out, and why."""
    _watched: Watched | None = None
    _saved: Watched | None = None

    @property
    def _file(self) -> Path:
        return self.folder / f"{self._id}.seen"

    @property
    def _id(self) -> str:
        return hashlib.sha256(os.fsencode(self.repository.top)).hexdigest()[:16]

    def look(self) -> TreeState:
        """Return what the work tree holds now. Raises: WorkspaceError."""
        if self._watched is None:
            self._watched = self._saved = load_watched(self._file)
        before = self._watched
        found = None if before is None else self._quick(before)
        if found is not None and before is not None:
            return self._settle(before, *found)
        try:
            now = self._thorough_somewhere(before)
        except OSError as exc:
            raise WorkspaceError(
                f"cannot look at the work tree {self.repository.top}: {exc.strerror}",
                remedy=f"make room and rights in {self.folder}, or set another state folder",
            ) from exc
        state = self._settle(before, now, None)
        self.save()
        return state

    def look_at(self, paths: Collection[RepoPath]) -> TreeState:
        """Return what it holds if nothing but these files has changed since the last look.

        Where that cannot be (there was none, or a file is new), everything is looked at.
        """
        before = self._watched
        asked = [os.fsencode(path) for path in paths]
        if before is None or any(_rules_in(path) or path not in before.records for path in asked):
            return self.look()
        return self._settle(before, self._reread(before, asked), asked)

    def save(self) -> None:
        """Keep how the tree looked; where it cannot be kept, all is looked at next time."""
        if self._watched is not self._saved and self._watched is not None:
            with suppress(OSError):
                save_watched(self._watched, self._file)
            self._saved = self._watched

    def _quick(self, before: Watched) -> tuple[Watched, tuple[bytes, ...]] | None:
        """Return the tree as it is now, and which paths looked changed.

        None where a name is new, or what belongs to the tree may have changed.
        """
        if before.index != self._index() or before.rules != self._rules():
            return None
        found = compare(os.fsencode(self.repository.top), before)
        if not found.is_known or any(_rules_in(path) for path in found.files):
            return None
        now = self._reread(before, found.files) if found.files else before
        if found.folders:
            now = replace(now, folders={**now.folders, **found.folders})
        return now, found.files

    def _reread(self, before: Watched, asked: Collection[bytes]) -> Watched:
        taken = self._take(asked)
        records = {**before.records, **taken}
        for path in set(asked) - taken.keys():
            records.pop(path, None)
        return replace(before, records=records)

    def _thorough_somewhere(self, before: Watched | None) -> Watched:
        """Look in our folder, and where that is full or closed in one that lasts until the end.

        What is looked at is the user's tree, which may be fine all the same.
        """
        try:
            return self._thorough(before)
        except (OSError, WorkspaceError):
            kept = self.folder
            self.folder = Path(self.stack.enter_context(_passing_folder()))
            try:
                return self._thorough(before)
            except BaseException:
                self.folder = kept
                raise

    def _thorough(self, before: Watched | None) -> Watched:
        """Ask git for the names, look at all files, and read those that look changed."""
        began_ns = time.time_ns()
        git_dir = self.folder / f"{self._id}.git"
        with locked(self.folder / f"{self._id}.lock"):
            git = open_trusted(self.repository, git_dir)
            index = copy_index(self.repository, git)
            tracked = read_tracked(git, index)
            rules = self._rules()
            listing = form_listing(self.repository, git, tracked, read_untracked(git))
            ignored = git.run("ls-files", "-z", "-o", "-i", "--exclude-standard", "--directory")
            top = os.fsencode(self.repository.top)
            names = self._outside_state(set(listing.tracked).union(listing.others))
            known = before.records if before else {}
            found = survey(top, names, known)
            records = {**found.unchanged, **self._take(found.changed)}
            folders, left = _surroundings(top, records, ignored, began_ns)
            skipped = skipped_by_attributes(git, records)
        self.notes = listing.notes
        has_submodules = bool(tracked.gitlinks)
        return Watched(
            records=records,
            folders=folders,
            left=left,
            skipped=skipped,
            index="" if has_submodules else index,
            rules=rules,
            mark="",
            notes=listing.notes,
        )

    def _settle(
        self, before: Watched | None, now: Watched, asked: Collection[bytes] | None
    ) -> TreeState:
        """Give the tree a mark of its own where it has changed, at most among the asked paths."""
        changed = _changed(before, now, asked)
        if before is None or before.skipped != now.skipped:
            now = replace(now, mark=secrets.token_hex(8))
            state = self._state(now, earlier="", changed=frozenset())
        else:
            mark = secrets.token_hex(8) if changed else before.mark
            now = now if now.mark == mark else replace(now, mark=mark)
            state = self._state(now, earlier=before.mark, changed=changed)
        self._watched, self.notes = now, now.notes
        return state

    def _state(self, now: Watched, *, earlier: str, changed: frozenset[bytes]) -> TreeState:
        top = self.repository.top
        return TreeState(
            name=f"work {top}",
            keys=Keys(now.records),
            read=_WorkReader(top),
            skipped=now.skipped,
            mark=now.mark,
            earlier=earlier,
            changed=changed,
        )

    def _take(self, paths: Iterable[bytes]) -> dict[bytes, Record]:
        algorithm = self.repository.object_format
        top = os.fsencode(self.repository.top)
        return Intake(top=top, target=None, held={}, algorithm=algorithm).take_all(paths)

    def _index(self) -> str:
        try:
            status = (self.repository.git_dir / "index").stat()
        except FileNotFoundError:
            return "none"
        return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"

    def _rules(self) -> str:
        """Return the state of the ignore files that lie outside the tree."""
        places = [self.repository.common_dir / "info" / "exclude"]
        if excludes := self.repository.settings.get("core.excludesfile"):
            places.append(Path(excludes))
        return " ".join(_look_at(place) for place in places)

    def _outside_state(self, paths: Iterable[bytes]) -> list[bytes]:
        """Leave out what lies in our own state folder, should it be inside the repository."""
        state = self.state_dir.resolve()
        if not state.is_relative_to(self.repository.top):
            return list(paths)
        own = os.fsencode(state.relative_to(self.repository.top)) + b"/"
        return [path for path in paths if not path.startswith(own)]


@dataclass(frozen=True, slots=True)
class _WorkReader:
    top: Path

    def __call__(self, path: RepoPath) -> bytes | None:
        return read_head(self.top, path)


def _rules_in(path: bytes) -> bool:
    """Tell whether a file says what belongs to the tree, or what is generated."""
    return path.rpartition(b"/")[2] in {_IGNORE_FILE, ATTRIBUTES_FILE}


def _look_at(place: Path) -> str:
    try:
        return look_of(place.stat()).hex()
    except OSError:
        return "none"


def _changed(
    before: Watched | None, now: Watched, asked: Collection[bytes] | None
) -> frozenset[bytes]:
    """Return the paths whose bytes differ, or that only one of them has.

    `asked` None: any path may differ.
    """
    if before is None or before.records is now.records:
        return frozenset()
    old, new = Keys(before.records), Keys(now.records)
    paths = before.records.keys() | now.records.keys() if asked is None else asked
    return frozenset(path for path in paths if old.get(path) != new.get(path))


def _surroundings(
    top: bytes, records: Mapping[bytes, Record], ignored: bytes, began_ns: int
) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """Return the looks of the folders that are watched, and the names in them that do not count.

    Watched are the folders above a file, and those that git does not ignore though they hold
    nothing of the tree: a file may turn up there. A name that is younger than git's look is
    neither: the next look has to ask again.
    """
    never = set(ignored.split(b"\0"))
    above = {b""}
    for path in records:
        folder = path
        while folder := folder.rpartition(b"/")[0]:
            if folder in above:
                break
            above.add(folder)
    looks: dict[bytes, bytes] = {}
    left: set[bytes] = set()
    hollow = 0
    todo = list(above)
    while todo:
        folder = todo.pop()
        look = folder_look(top, folder)
        if look is None:
            continue
        looks[folder] = look
        with suppress(OSError):
            for path, is_folder in entries(top, folder):
                if path in (above if is_folder else records):
                    continue
                name = path + b"/" if is_folder else path
                if is_folder and hollow < _FEW and name not in never and not _is_apart(top, path):
                    hollow += 1
                    todo.append(path)
                elif name in never or not _is_younger(top, path, began_ns):
                    left.add(name)
    return looks, frozenset(left)


def _is_apart(top: bytes, folder: bytes) -> bool:
    """Tell whether a folder is a repository of its own, or holds installed packages."""
    place = top + b"/" + folder
    marks = (b"/.git", b"/pyvenv.cfg")
    return folder == b"node_modules" or any(os.path.lexists(place + mark) for mark in marks)


def _is_younger(top: bytes, path: bytes, began_ns: int) -> bool:
    try:
        status = os.lstat(top + b"/" + path)
    except OSError:
        return True
    return max(status.st_mtime_ns, status.st_ctime_ns) > began_ns - SETTLING_NS
