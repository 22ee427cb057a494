"""Decisions in the run's folder, so that a restarted server, or another editor, goes on with them.

`review.json` holds what cannot be worked out of the patch again: decisions, hunks that were edited
by hand, what user files were before, and what was measured. It is written whole or not at all.
"""

import base64
import fcntl
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Any, Final

import anyio

from agent.accept import patch_of
from agent.edits.changes import Content, Mode
from agent.edits.hunks import Hunk, HunkKind
from agent.errors import JournalError
from agent.journal.files import journal_errors, read_json, write_json
from agent.journal.stored import StoredRun
from agent.task import HunkId, RepoPath
from lsp_server.review.reviewed import ReviewedFile, with_hunks
from lsp_server.review.state import HunkState, Measured, Review, Taken, review_of
from lsp_server.wire.errors import Refused

REVIEW: Final = "review.json"
_LOCK: Final = "review.lock"
_VERSION: Final = 1
_LOCK_WAIT_S: Final = 20.0
_LOCK_STEP_S: Final = 0.05


def load_review(stored: StoredRun) -> Review | None:
    """Return the review of a run as it was left; None where the run has no patch.

    Raises: JournalError.
    """
    patch = patch_of(stored)
    if patch is None:
        return None
    result = stored.result() or {}
    whole = Measured(
        verdict=str(result.get("verdict", "")),
        message=str(result.get("message", "")),
        receipt=str(result.get("receipt", "")),
    )
    fresh = review_of(stored.run, patch, whole)
    kept = read_json(stored.path / REVIEW)
    if kept is None:
        return fresh
    try:
        return _with_kept(fresh, kept)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise JournalError(
            f"the decisions in {stored.path / REVIEW} cannot be read: {exc}.",
            remedy="Remove that file to begin the review anew; your own files are not touched.",
        ) from exc


def save_review(stored: StoredRun, review: Review) -> None:
    """Keep the decisions. Raises: JournalError."""
    write_json(
        stored.path / REVIEW,
        {
            "version": _VERSION,
            "revision": review.revision,
            "decided": {id_: state.value for id_, state in review.decided.items()},
            "edited": [_file_to_json(file) for file in review.files if file.edited],
            "taken": [_taken_to_json(path, taken) for path, taken in review.taken.items()],
            "measured": {key: asdict(measured) for key, measured in review.measured.items()},
        },
    )


def stamp_of(stored: StoredRun) -> tuple[int, int]:
    """Return what tells whether somebody else has written decisions since."""
    try:
        status = (stored.path / REVIEW).stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


@asynccontextmanager
async def only_writer(stored: StoredRun) -> AsyncGenerator[None]:
    """Let one process at a time decide about a run. Raises: Refused, JournalError."""
    path = stored.path / _LOCK
    with journal_errors("open", path):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _lock(lock)
        yield
    finally:
        os.close(lock)


async def _lock(lock: int) -> None:
    """Wait for a lock without blocking anybody else; give up after a while."""
    with anyio.move_on_after(_LOCK_WAIT_S):
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await anyio.sleep(_LOCK_STEP_S)
            else:
                return
    raise Refused(
        "not_ready",
        "another editor is putting changes of this run into files at this moment.",
        "Answer what it asks there, then try again.",
    )


def _with_kept(fresh: Review, kept: Mapping[str, Any]) -> Review:
    if kept["version"] != _VERSION:
        raise ValueError(f"version {kept['version']} is not known here")
    edited = {_path(each): each for each in kept["edited"]}
    files = tuple(
        _with_kept_hunks(file, edited[file.path]) if file.path in edited else file
        for file in fresh.files
    )
    known = {id_ for file in files for id_ in file.ids}
    return replace(
        fresh,
        files=files,
        revision=int(kept["revision"]),
        decided={
            HunkId(id_): HunkState(state) for id_, state in kept["decided"].items() if id_ in known
        },
        taken={_path(each): _taken_from_json(each) for each in kept["taken"]},
        measured={key: Measured(**each) for key, each in kept["measured"].items()},
    )


def _file_to_json(file: ReviewedFile) -> dict[str, Any]:
    return {
        "path": _bytes_to_json(file.path.encode("utf-8", "surrogateescape")),
        "new": _content_to_json(file.new),
        "hunks": [
            {
                "id": hunk.id,
                "kind": hunk.kind.value,
                "old_start_line": hunk.old_start_line,
                "start": hunk.start,
                "old": _bytes_to_json(hunk.old),
                "new": _bytes_to_json(hunk.new),
            }
            for hunk in file.hunks
        ],
    }


def _with_kept_hunks(file: ReviewedFile, kept: Mapping[str, Any]) -> ReviewedFile:
    hunks = [
        Hunk(
            id=HunkId(each["id"]),
            path=file.path,
            kind=HunkKind(each["kind"]),
            old_start_line=int(each["old_start_line"]),
            new_start_line=1,
            start=int(each["start"]),
            old=_bytes(each["old"]),
            new=_bytes(each["new"]),
        )
        for each in kept["hunks"]
    ]
    return with_hunks(replace(file, new=_content(kept["new"])), hunks)


def _taken_to_json(path: RepoPath, taken: Taken) -> dict[str, Any]:
    return {
        "path": _bytes_to_json(path.encode("utf-8", "surrogateescape")),
        "before": _content_to_json(taken.before),
        "after": _content_to_json(taken.after),
        "unbroken": taken.unbroken,
    }


def _taken_from_json(kept: Mapping[str, Any]) -> Taken:
    return Taken(
        before=_content(kept["before"]),
        after=_content(kept["after"]),
        unbroken=bool(kept["unbroken"]),
    )


def _path(kept: Mapping[str, Any]) -> RepoPath:
    return RepoPath(_bytes(kept["path"]).decode("utf-8", "surrogateescape"))


def _content_to_json(content: Content | None) -> dict[str, Any] | None:
    if content is None:
        return None
    return {"mode": content.mode.value, "data": _bytes_to_json(content.data)}


def _content(kept: Mapping[str, Any] | None) -> Content | None:
    if kept is None:
        return None
    return Content(data=_bytes(kept["data"]), mode=Mode(kept["mode"]))


def _bytes_to_json(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(kept: str) -> bytes:
    return base64.b64decode(kept, validate=True)
