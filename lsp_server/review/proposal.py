"""A review as docs/protocol.md has it: plain JSON for one client, with lines where they are now."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio.to_thread

from agent.accept import Unreadable
from agent.edits.changes import Content, Mode
from agent.edits.diff import split_lines
from agent.edits.hunks import Hunk, HunkKind, is_binary
from agent.edits.merge import Conflict
from agent.task import HunkId, RepoPath
from lsp_server.convert import uri_of
from lsp_server.review.held import Held, held_files
from lsp_server.review.laying import Place, lay, places
from lsp_server.review.reviewed import ReviewedFile
from lsp_server.review.state import HunkState, Review
from lsp_server.review.typed_text import piece_of
from lsp_server.review.uris import base_uri, proposal_uri, shown_path

if TYPE_CHECKING:
    from lsp_server.review.accepting import Account, Done
    from lsp_server.review.reviews import Opened, Reviews
    from lsp_server.server import GreenloopServer

_KINDS: Final[Mapping[HunkKind, str]] = {
    HunkKind.TEXT: "lines",
    HunkKind.MODE: "mode",
    HunkKind.CREATE: "add",
    HunkKind.DELETE: "delete",
    HunkKind.REPLACE: "replace",
}


async def proposal_to_json(
    server: "GreenloopServer", reviews: "Reviews", opened: "Opened"
) -> dict[str, Any]:
    """Return what `greenloop/proposal` answers with."""
    held = await held_files(server, opened.top, [file.path for file in opened.review.files])
    review = opened.review
    standing = reviews.checks.standing(opened)

    def files() -> list[dict[str, Any]]:
        return [_file_to_json(opened, review, file, held[file.path]) for file in review.files]

    listed = await anyio.to_thread.run_sync(files)  # texts are compared: not on the loop
    return {
        "run": review.run,
        "folder": uri_of(opened.top),
        "title": opened.title,
        "verdict": review.whole.verdict,
        "confidence": opened.confidence,
        "message": review.whole.message,
        "revision": review.revision,
        "check": {
            "state": standing.state,
            "verdict": standing.measured.verdict,
            "message": standing.measured.message,
            "receipt": standing.measured.receipt,
        },
        "files": listed,
        "canUndo": review.can_undo,
    }


async def decided_to_json(
    server: "GreenloopServer",
    reviews: "Reviews",
    opened: "Opened",
    account: "Account | None" = None,
    *,
    refused: str = "",
    saves: bool = False,
) -> dict[str, Any]:
    """Return what `greenloop/decide` and `greenloop/undo` answer with."""
    return {
        "done": [_done_to_json(opened, each, saves=saves) for each in account.done]
        if account
        else [],
        "conflicts": [_conflict_to_json(opened, each) for each in account.conflicts]
        if account
        else [],
        "refused": refused,
        "proposal": await proposal_to_json(server, reviews, opened),
    }


def path_named(review: Review, name: str) -> RepoPath | None:
    """Return the file of a proposal that is shown so."""
    return next((file.path for file in review.files if shown_path(file.path) == name), None)


def _done_to_json(opened: "Opened", done: "Done", *, saves: bool) -> dict[str, Any]:
    in_buffer = done.document is not None
    return {
        "path": shown_path(done.path),
        "uri": done.document.uri if done.document is not None else uri_of(opened.top / done.path),
        "how": "buffer" if in_buffer else "disk",
        "saved": not in_buffer,
        "save": in_buffer and saves and not done.was_unsaved,
        "hunks": list(done.hunks),
    }


def _conflict_to_json(opened: "Opened", conflict: Conflict) -> dict[str, Any]:
    file = opened.review.file(conflict.path)
    base = file.base if file is not None else None
    return {
        "path": shown_path(conflict.path),
        "hunks": list(conflict.hunks),
        "line": max(conflict.line - 1, 0),
        "why": conflict.why,
        "expected": piece_of(conflict.expected, of=base),
        "found": piece_of(conflict.found, of=base),
    }


def _file_to_json(
    opened: "Opened", review: Review, file: ReviewedFile, held: Held
) -> dict[str, Any]:
    run = review.run
    uri = held.document.uri if held.document is not None else uri_of(opened.top / file.path)
    return {
        "path": shown_path(file.path),
        "uri": uri,
        "change": _change_of(file),
        "binary": any(_is_binary(content) for content in (file.base, file.new)),
        "edited": file.edited,
        "baseUri": base_uri(run, file.path),
        "proposedUri": proposal_uri(run, file.path),
        "hunks": _hunks_to_json(opened, review, file, held),
    }


def _change_of(file: ReviewedFile) -> str:
    if file.base is None:
        return "added"
    if file.new is None:
        return "deleted"
    only_mode = file.hunks and all(hunk.kind is HunkKind.MODE for hunk in file.hunks)
    return "mode" if only_mode else "modified"


def _is_binary(content: Content | None) -> bool:
    return content is not None and (content.mode is Mode.LINK or is_binary(content.data))


def _hunks_to_json(
    opened: "Opened", review: Review, file: ReviewedFile, held: Held
) -> list[dict[str, Any]]:
    inside = review.ids(HunkState.ACCEPTED, path=file.path)
    now = held.now
    if isinstance(now, Unreadable):
        found: Mapping[HunkId, Place] = {}
        conflicts = dict.fromkeys(file.ids - inside, now.why)
    else:
        found = places(file, inside=inside, now=now)
        open_ = review.ids(HunkState.OPEN, path=file.path)
        laid = lay(file, inside=inside, chosen=open_, now=now)
        conflicts = {id_: each.why for each in laid.conflicts for id_ in each.hunks}
    listed = []
    shift = 0
    for hunk in file.hunks:
        state = review.state_of(hunk.id)
        in_text = state is not HunkState.REJECTED
        each = _hunk_to_json(opened, file, hunk, shift, in_text=in_text)
        each["state"] = state.value
        place = found.get(hunk.id)
        if place is not None:
            each["now"] = {"line": place.line0, "count": place.count}
        if hunk.id in conflicts:
            each["conflict"] = conflicts[hunk.id]
        listed.append(each)
        if in_text and hunk.kind is HunkKind.TEXT:
            shift += _count(hunk.new) - _count(hunk.old)
    return listed


def _hunk_to_json(
    opened: "Opened", file: ReviewedFile, hunk: Hunk, shift: int, *, in_text: bool
) -> dict[str, Any]:
    old, new = (b"", b"") if hunk.kind is HunkKind.MODE else (hunk.old, hunk.new)
    binary = any(_is_binary(content) for content in (file.base, file.new))
    whole = hunk.kind is HunkKind.REPLACE and binary
    first = hunk.old_start_line - 1
    return {
        "id": hunk.id,
        "kind": _KINDS[hunk.kind],
        "base": {"line": first, "count": _count(old)},
        "proposed": {"line": first + shift, "count": _count(new) if in_text else 0},
        "old": "" if whole or _is_binary(file.base) else _piece(hunk, hunk.old, file.base),
        "new": "" if whole or _is_binary(file.new) else _piece(hunk, hunk.new, file.new),
        "neededFor": opened.needed_for.get(hunk.id, []),
        "ownTest": is_own_test(opened.own_tests, file, hunk),
    }


def _piece(hunk: Hunk, data: bytes, of: Content | None) -> str:
    return data.decode() if hunk.kind is HunkKind.MODE else piece_of(data, of=of)


def is_own_test(own_tests: tuple[str, ...], file: ReviewedFile, hunk: Hunk) -> bool:
    """Tell whether a hunk adds a test: it names one that came with the patch, in that test's file.

    A test that its runner names otherwise than its file does is known by the file alone.
    """
    for test in own_tests:
        where, *names = test.split("::")
        if not names or Path(where) != Path(file.path):
            continue
        name = names[-1].partition("[")[0]
        if hunk.kind is HunkKind.CREATE or name.encode() in hunk.new:
            return True
    return False


def _count(data: bytes) -> int:
    return len(split_lines(data))
