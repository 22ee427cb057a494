"""The difference between a base and an end state: made, cut down to some hunks, shown, stored."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.edits.changes import Content, Delta, Mode
from agent.edits.hunks import FilePatch, Hunk, join_file, split_file
from agent.edits.unified import render_file
from agent.task import HunkId, RepoPath

_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Files by path; only those that really differ."""

    files: tuple[FilePatch, ...]

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """Every hunk, by path and place."""
        return tuple(hunk for file in self.files for hunk in file.hunks)


def make_patch(read: Callable[[RepoPath], Content | None], delta: Delta) -> Patch:
    """Return the patch that leads from the base, which `read` gives, to base plus delta."""
    files = (split_file(path, read(path), delta[path]) for path in sorted(delta))
    return Patch(files=tuple(file for file in files if file.hunks))


def delta_of(patch: Patch, accepted: frozenset[HunkId] | None = None) -> Delta:
    """Return the delta that holds exactly the accepted hunks; all of them for None.

    Raises: ValueError for an id that the patch does not have.
    """
    known = {hunk.id for hunk in patch.hunks}
    chosen = known if accepted is None else accepted
    unknown = sorted(chosen - known)
    if unknown:
        raise ValueError(f"the patch has no hunk {', '.join(unknown)}")
    joined = {file.path: (file.old, join_file(file, chosen)) for file in patch.files}
    return {path: new for path, (old, new) in joined.items() if new != old}


def render_unified(patch: Patch) -> bytes:
    """Return a diff that `git apply` takes; binary files are in it as git's binary patches."""
    return b"".join(render_file(file) for file in patch.files)


def patch_to_json(patch: Patch) -> dict[str, Any]:
    """Return the patch as JSON values, nothing lost; the hunks are for readers."""
    return {
        "version": _VERSION,
        "files": [
            {
                "path": _text(file.path.encode("utf-8", "surrogateescape")),
                "old": _content_to_json(file.old),
                "new": _content_to_json(file.new),
                "hunks": [_hunk_to_json(hunk) for hunk in file.hunks],
            }
            for file in patch.files
        ],
    }


def patch_from_json(value: Mapping[str, Any]) -> Patch:
    """Return the patch that `patch_to_json` wrote. Raises: ValueError for anything else."""
    try:
        if value["version"] != _VERSION:
            raise ValueError(f"version {value['version']} of a patch is not known here")
        files = tuple(
            split_file(
                RepoPath(_bytes(file["path"]).decode("utf-8", "surrogateescape")),
                _content_from_json(file["old"]),
                _content_from_json(file["new"]),
            )
            for file in value["files"]
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"not a stored patch: {exc!r}") from exc
    return Patch(files=files)


def _hunk_to_json(hunk: Hunk) -> dict[str, Any]:
    return {
        "id": hunk.id,
        "kind": hunk.kind.value,
        "old_start_line": hunk.old_start_line,
        "new_start_line": hunk.new_start_line,
        "old": _text(hunk.old),
        "new": _text(hunk.new),
    }


def _content_to_json(content: Content | None) -> dict[str, Any] | None:
    if content is None:
        return None
    return {"mode": content.mode.value, "data": _text(content.data)}


def _content_from_json(value: Mapping[str, Any] | None) -> Content | None:
    if value is None:
        return None
    return Content(data=_bytes(value["data"]), mode=Mode(value["mode"]))


def _text(data: bytes) -> str | dict[str, str]:
    """Return bytes as text where they are UTF-8, else marked as base64."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _bytes(value: str | Mapping[str, str]) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return base64.b64decode(value["base64"], validate=True)
