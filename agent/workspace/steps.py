"""What an apply is about to write, on disk before the first byte of the user's tree changes.

A step is a folder: `plan.json` and the contents it names, before and after. It appears whole (one
rename) or not at all. While it is not marked as done, whoever comes next takes it back; the steps
that are done are what undo goes back through, newest first.
"""

import base64
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.edits.changes import Content, Mode
from agent.errors import WorkspaceError
from agent.task import RepoPath
from agent.workspace.files import write_all
from agent.workspace.placing import Found

_VERSION: Final = 1
_PLAN: Final = "plan.json"
_DONE: Final = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path of a step."""

    path: RepoPath
    before: Found
    after: Found
    waiting: str
    """Name beside the path under which the new file is written first; ours alone."""
    folders: tuple[str, ...] = ()
    """Folders made for it, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one apply changes."""

    folder: Path
    changes: tuple[Change, ...]
    is_done: bool


def write_step(undo_dir: Path, changes: Sequence[Change]) -> Step:
    """Put a step on disk, safe against a crash, not yet done."""
    undo_dir.mkdir(parents=True, exist_ok=True)
    numbers = [int(place.name) for place in _places(undo_dir)]
    folder = undo_dir / f"{max(numbers, default=0) + 1:04d}"
    waiting = undo_dir / f"{folder.name}.new"
    for left in (waiting, *undo_dir.glob("*.gone")):
        shutil.rmtree(left, ignore_errors=True)
    waiting.mkdir()
    plan = [_change_to_json(waiting, index, change) for index, change in enumerate(changes)]
    _write(waiting / _PLAN, json.dumps({"version": _VERSION, "changes": plan}).encode())
    _sync(waiting)
    waiting.rename(folder)
    _sync(undo_dir)
    return Step(folder=folder, changes=tuple(changes), is_done=False)


def mark_done(step: Step) -> None:
    """Note that everything of the step is in the user's tree."""
    _write(step.folder / _DONE, b"")
    _sync(step.folder)


def mark_undoing(step: Step) -> None:
    """Note that the step is being taken back; from here on it is not done any more."""
    (step.folder / _DONE).unlink(missing_ok=True)
    _sync(step.folder)


def drop_step(step: Step) -> None:
    """Forget a step that is taken back."""
    gone = step.folder.with_suffix(".gone")
    step.folder.rename(gone)
    shutil.rmtree(gone)


def read_steps(undo_dir: Path) -> list[Step]:
    """Return the steps, oldest first. Raises: WorkspaceError when one cannot be read."""
    steps = []
    for place in _places(undo_dir):
        try:
            value = json.loads((place / _PLAN).read_bytes())
            changes = tuple(_change_from_json(place, change) for change in value["changes"])
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise WorkspaceError(
                f"the undo record {place} cannot be read: {exc}",
                remedy="what it would restore is in the files beside it; put them back by hand",
            ) from exc
        steps.append(Step(folder=place, changes=changes, is_done=(place / _DONE).exists()))
    return steps


def _places(undo_dir: Path) -> list[Path]:
    if not undo_dir.is_dir():
        return []
    return sorted(place for place in undo_dir.iterdir() if place.name.isdecimal())


def _change_to_json(folder: Path, index: int, change: Change) -> dict[str, Any]:
    return {
        "path": base64.b64encode(change.path.encode("utf-8", "surrogateescape")).decode(),
        "shown": change.path.encode("utf-8", "replace").decode(),
        "before": _found_to_json(folder / f"{index}.before", change.before),
        "after": _found_to_json(folder / f"{index}.after", change.after),
        "waiting": base64.b64encode(os.fsencode(change.waiting)).decode(),
        "folders": [base64.b64encode(os.fsencode(name)).decode() for name in change.folders],
    }


def _found_to_json(file: Path, found: Found) -> dict[str, Any] | None:
    if found.content is None:
        return None
    _write(file, found.content.data)
    return {"file": file.name, "mode": found.content.mode.value, "rights": found.rights}


def _change_from_json(folder: Path, value: Any) -> Change:
    return Change(
        path=RepoPath(os.fsdecode(base64.b64decode(value["path"]))),
        before=_found_from_json(folder, value["before"]),
        after=_found_from_json(folder, value["after"]),
        waiting=os.fsdecode(base64.b64decode(value["waiting"])),
        folders=tuple(os.fsdecode(base64.b64decode(name)) for name in value["folders"]),
    )


def _found_from_json(folder: Path, value: Any) -> Found:
    if value is None:
        return Found(content=None)
    data = (folder / Path(value["file"]).name).read_bytes()
    return Found(content=Content(data=data, mode=Mode(value["mode"])), rights=int(value["rights"]))


def _write(file: Path, data: bytes) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
