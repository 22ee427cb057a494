"""Which paths belong to a base: what git tracks, and what it neither tracks nor ignores.

Only names come from git. Bytes and modes are read from the disk, so flags such as
assume-unchanged or skip-worktree, filters and line-end settings hide or alter nothing.

Submodules that are checked out are listed as plain files below their path, since tests need
them; one that is not is an empty folder. A repository inside the repository that git does not
know as a submodule is left out, as git does, and said. Installed packages that git neither tracks
nor ignores (a virtual environment, the top folder's node_modules) are left out and said as well:
they belong to the environment of a run, not to what is edited.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.errors import AgentError
from agent.workspace.manifest import (
    index_key,
    join_names,
    load_columns,
    save_columns,
    split_evenly,
    split_names,
)
from agent.workspace.paths import printable
from agent.workspace.trusted_git import Repository, TrustedGit, find_repository

_TRACKED = re.compile(rb"([A-Za-z?]) (\d{6}) ([0-9a-f]+) ([0-3])\t([^\0]+)\0")
_GITLINK: Final = b"160000"
_VENV_MARK: Final = b"pyvenv.cfg"
_SHOWN_NAMES: Final = 3
_NO_CONVERSION: Final = b"* -text -ident -filter -working-tree-encoding -diff -merge\n"
"""Overrides every .gitattributes: bytes are compared as they are on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What the index says, without a look at the files."""

    keys: Mapping[bytes, bytes]
    """Mode and object id by path, as `content_key` has them; they are not those of the disk where
    the file is dirty, or a filter or a line-end setting made the index differ from it."""
    gitlinks: tuple[bytes, ...] = ()
    conflicted: tuple[bytes, ...] = ()
    flagged: tuple[bytes, ...] = ()
    """Marked assume-unchanged or skip-worktree: git does not look at them, we do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untracked:
    """What a look at the work tree says."""

    paths: tuple[bytes, ...]
    repositories: tuple[bytes, ...]
    """Folders with a repository of their own that git does not know as submodules."""
    dirty: frozenset[bytes]
    """Every path that differs from HEAD, the untracked among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Candidates for a base; a path may be absent, or no file, on disk."""

    tracked: Mapping[bytes, bytes]
    """The index's mode and object id by path; submodules' files are among `others`."""
    others: tuple[bytes, ...]
    dirty: frozenset[bytes]
    notes: tuple[str, ...] = field(default=())


def open_trusted(repository: Repository, folder: Path) -> TrustedGit:
    """Return a git dir of ours for the user's repository, its index and HEAD as they are now."""
    (folder / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "info").mkdir(exist_ok=True)
    _put(folder / "config", _configuration(repository.object_format))
    _put(folder / "objects/info/alternates", os.fsencode(repository.common_dir / "objects\n"))
    _put(folder / "info" / "exclude", _content(repository.common_dir / "info" / "exclude"))
    _put(folder / "info" / "attributes", _NO_CONVERSION)
    _put(folder / "HEAD", (repository.commit or "ref: refs/heads/unborn").encode() + b"\n")
    return TrustedGit(git_dir=folder, work_tree=repository.top, settings=repository.settings)


def copy_index(repository: Repository, git: TrustedGit) -> str:
    """Copy the user's index where it changed; return a name of its present state.

    The times go along: git takes an entry as clean only if it is older than the index file.
    """
    source, copy = repository.git_dir / "index", git.git_dir / "index"
    try:
        status = source.stat()
    except FileNotFoundError:
        copy.unlink(missing_ok=True)
        return "none"
    state = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
    noted = git.git_dir / "index.state"
    if _content(noted) != state.encode():
        for shared in repository.git_dir.glob("sharedindex.*"):
            _put(git.git_dir / shared.name, shared.read_bytes())
        _put(copy, source.read_bytes())
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
        _put(noted, state.encode())
    return state


def forget_index(git: TrustedGit) -> None:
    """Drop our copy of the index and what was read of it, so that both are made anew."""
    for name in ("index", "index.state", "tracked"):
        (git.git_dir / name).unlink(missing_ok=True)


def read_tracked(git: TrustedGit, index: str) -> Tracked:
    """Return what the index holds; git is asked only when that is in another state."""
    kept = git.git_dir / "tracked"
    tracked = _load_tracked(kept, index)
    if tracked is None:
        tracked = _parse_tracked(git.run("ls-files", "-z", "--stage", "-v"))
        _keep_tracked(kept, index, tracked)
    return tracked


def _load_tracked(file: Path, index: str) -> Tracked | None:
    loaded = load_columns(file)
    if loaded is None or loaded[0].get("index") != index:
        return None
    try:
        header, (names, keys, *marks) = loaded
        gitlinks, conflicted, flagged = (tuple(split_names(mark)) for mark in marks)
        return Tracked(
            keys=dict(zip(split_names(names), split_evenly(keys, header["width"]), strict=True)),
            gitlinks=gitlinks,
            conflicted=conflicted,
            flagged=flagged,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _keep_tracked(file: Path, index: str, tracked: Tracked) -> None:
    keys = b"".join(tracked.keys.values())
    width = len(keys) // max(len(tracked.keys), 1) or 1
    marks = (tracked.gitlinks, tracked.conflicted, tracked.flagged)
    columns = [join_names(tracked.keys), keys, *map(join_names, marks)]
    save_columns(file, {"index": index, "width": width}, columns)


def read_untracked(git: TrustedGit) -> Untracked:
    """Return what a `git status` finds, by bytes and not by filtered text; takes as long."""
    status = git.run(
        "status",
        "--porcelain=v2",
        "-z",
        "--untracked-files=all",
        "--no-renames",
        "--ignore-submodules=all",
    )
    return _parse_status(status)


def form_listing(
    repository: Repository, git: TrustedGit, tracked: Tracked, untracked: Untracked
) -> Listing:
    """Return every path that may belong to the base, those of submodules included."""
    installed = _installed(untracked.paths)
    others = [path for path in untracked.paths if not path.startswith(installed)]
    notes = _notes(tracked, untracked, installed)
    left_out = set(untracked.paths).difference(others)
    links = tracked.gitlinks
    for link in links:
        inner = _submodule(repository, git, link)
        others += inner.others
        notes += inner.notes
    return Listing(
        tracked=tracked.keys if not links else _without(tracked.keys, links),
        others=tuple(others),
        dirty=frozenset(untracked.dirty.difference(tracked.gitlinks, left_out)),
        notes=tuple(notes),
    )


def _without(keys: Mapping[bytes, bytes], links: Collection[bytes]) -> dict[bytes, bytes]:
    return {path: key for path, key in keys.items() if path not in links}


def _installed(untracked: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the folders, with a slash at the end, that hold installed packages."""
    found = {b"node_modules/" for path in untracked if path.startswith(b"node_modules/")}
    found |= {path[: -len(_VENV_MARK)] for path in untracked if path.endswith(b"/" + _VENV_MARK)}
    return tuple(sorted(found))


def _submodule(repository: Repository, git: TrustedGit, link: bytes) -> Listing:
    """Return a submodule's paths as seen from the outer repository."""
    empty = Listing(tracked={}, others=(), dirty=frozenset())
    folder = repository.top / os.fsdecode(link)
    if not (folder / ".git").exists():
        return empty
    try:
        inner = find_repository(folder)
        if inner.top != folder.resolve():
            return empty
        modules = git.git_dir / "modules" / hashlib.sha256(link).hexdigest()[:16]
        inner_git = open_trusted(inner, modules)
        tracked = read_tracked(inner_git, copy_index(inner, inner_git))
        listing = form_listing(inner, inner_git, tracked, read_untracked(inner_git))
    except AgentError as exc:
        note = f"submodule {printable(os.fsdecode(link))} is left out: {exc.message}"
        return Listing(tracked={}, others=(), dirty=frozenset(), notes=(note,))
    paths = [link + b"/" + path for path in (*listing.tracked, *listing.others)]
    return Listing(tracked={}, others=tuple(paths), dirty=frozenset(), notes=listing.notes)


def _parse_tracked(raw: bytes) -> Tracked:
    found: list[tuple[bytes, bytes, bytes, bytes, bytes]] = _TRACKED.findall(raw)
    return Tracked(
        keys={path: index_key(mode, oid) for _, mode, oid, _, path in found},
        gitlinks=tuple(path for _, mode, _, _, path in found if mode == _GITLINK),
        conflicted=tuple(sorted({path for _, _, _, stage, path in found if stage != b"0"})),
        flagged=tuple(path for tag, _, _, _, path in found if tag == b"S" or tag.islower()),
    )


def _parse_status(raw: bytes) -> Untracked:
    """Read porcelain v2: `1` ordinary, `u` unmerged, `?` untracked; git-status(1)."""
    changed: list[bytes] = []
    untracked: list[bytes] = []
    for record in raw.split(b"\0"):
        if record.startswith(b"? "):
            untracked.append(record[2:])
        elif record.startswith(b"1 "):
            changed.append(record.split(b" ", 8)[8])
        elif record.startswith(b"u "):
            changed.append(record.split(b" ", 10)[10])
    paths = [path for path in untracked if not path.endswith(b"/")]
    return Untracked(
        paths=tuple(paths),
        repositories=tuple(path[:-1] for path in untracked if path.endswith(b"/")),
        dirty=frozenset(changed + paths),
    )


def _notes(tracked: Tracked, untracked: Untracked, installed: Iterable[bytes]) -> list[str]:
    notes = []
    if tracked.conflicted:
        notes.append(
            f"a merge is in progress; taken as on disk, markers included: "
            f"{some_names(tracked.conflicted)}"
        )
    if untracked.repositories:
        notes.append(
            f"repositories inside the repository are left out: {some_names(untracked.repositories)}"
        )
    if installed:
        notes.append(f"installed packages are not part of the base: {some_names(installed)}")
    return notes


def some_names(paths: Iterable[bytes]) -> str:
    """Return the first names for a person to read, and how many more there are."""
    names = [printable(os.fsdecode(path)) for path in paths]
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _configuration(object_format: str) -> bytes:
    version = "0" if object_format == "sha1" else "1"
    extension = (
        "" if object_format == "sha1" else f"[extensions]\n\tobjectformat = {object_format}\n"
    )
    core = f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n"
    return f"{core}{extension}[gc]\n\tauto = 0\n".encode()


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _put(file: Path, data: bytes) -> None:
    """Write a file of ours unless it already holds that."""
    if not file.exists() or file.read_bytes() != data:
        waiting = file.with_name(f"{file.name}.new")
        waiting.write_bytes(data)
        waiting.replace(file)
