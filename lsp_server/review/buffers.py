"""Changes the text of an open document, and makes sure that it was changed.

An edit is sent with the version that it was made for, and the text that the client tells afterwards
is compared with the one that was meant: some clients say `applied` of an edit that was too old for
them, and Neovim lays it over newer typing where a document was never changed before (its version is
0 then, which is not looked at). Such typing is known from what the client tells of its changes: it
is put back, and the merge made anew. Saves nothing: LSP gives a server no way to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
from lsprotocol import types

from agent.edits.changes import Content
from lsp_server.convert import Encoding, lines_of
from lsp_server.disk_text import disk_text_of, is_empty, read_bytes
from lsp_server.documents import CannotKeep, Change, OpenDocument
from lsp_server.review.laying import Laid
from lsp_server.review.text_edits import (
    is_same_text,
    line_ends,
    text_edits,
    with_edits,
    with_ends_of,
)
from lsp_server.wire.errors import ClientRefused

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer

TOLD_S: Final = 3.0
"""Clients tell of an edit before or right after they answer; Neovim gathers for 0.15 s."""
SETTLED_S: Final = 0.6
"""Without the text that was meant so long after another one, it is not coming."""
_TRIES: Final = 2
_TEXTS: Final = 50
"""States of a document that are looked at, while an edit is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The editor holds what was meant."""

    before: bytes
    after: bytes
    laid: Laid
    was_unsaved: bool
    """What was on disk was another text, whoever made it so."""
    is_exact: bool
    """Nothing was typed in between: `before` is all that was there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChanged:
    """The editor holds what it held, or newer typing."""

    why: str
    laid: Laid | None = None
    """What was tried last; None where it did not come to that."""


Lay = Callable[[bytes], Laid]
"""Works out, from a document's bytes, what it shall be."""


async def change_buffer(
    server: "GreenloopServer", path: Path, lay: Lay, *, label: str
) -> Changed | NotChanged:
    """Bring an open document to what `lay` makes of it. Raises: ClientGone."""
    outcome: Changed | NotChanged = NotChanged(why="the file was closed at this very moment")
    typed: str | None = None
    for attempt in range(_TRIES):
        document = server.session.documents.find(path)
        if document is None:
            return outcome
        meant = document if typed is None else replace(document, lines=tuple(lines_of(typed)))
        held = await _held(meant)
        if isinstance(held, NotChanged):
            return held
        data, was_unsaved = held
        laid = await anyio.to_thread.run_sync(lay, data)
        wanted = await anyio.to_thread.run_sync(_shown_text, meant, data, laid.content)
        if wanted is None:
            return NotChanged(why="its encoding in the editor is not known", laid=laid)
        if wanted == document.text:
            return Changed(
                before=data,
                after=data,
                laid=laid,
                was_unsaved=was_unsaved,
                is_exact=attempt == 0,
            )
        if is_same_text(wanted, document.text):
            why = "only line ends differ, and the editor keeps its own; close the file first"
            return NotChanged(why=why, laid=laid)
        failure = await _edit(server, document, wanted, label)
        if failure is None:
            after = await _after(server, path, laid)
            return Changed(
                before=data,
                after=after,
                laid=laid,
                was_unsaved=was_unsaved,
                is_exact=attempt == 0,
            )
        outcome, typed = NotChanged(why=failure.why, laid=laid), failure.typed
        if failure.is_final:
            return outcome
    return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    why: str
    is_final: bool
    """Trying again with the text as it is now makes no sense."""
    typed: str | None = None
    """The newer text over which the editor laid an edit that was not made for it."""


async def _held(document: OpenDocument) -> tuple[bytes, bool] | NotChanged:
    def look() -> tuple[bytes, bool]:
        data, on_disk = document.data, read_bytes(document.path)
        # A file that somebody else has changed, or removed, since the editor read it: to save the
        # buffer would undo that.
        is_behind = data != on_disk if on_disk is not None else not is_empty(document.text)
        return data, is_behind or document.is_unsaved

    try:
        return await anyio.to_thread.run_sync(look)
    except CannotKeep as exc:
        return NotChanged(why=exc.why)


def _shown_text(document: OpenDocument, data: bytes, wanted: Content | None) -> str | None:
    """Return the wanted bytes as this editor would show them; None where that is not known."""
    if wanted is None:
        return ""
    form = disk_text_of(data, document.text, document.on_disk)
    if form is None or not form.encodings:
        return None
    mark = form.mark if wanted.data.startswith(form.mark) else b""
    for encoding in form.encodings:
        try:
            known = data[len(form.mark) :].decode(encoding)
            text = wanted.data[len(mark) :].decode(encoding)
        except UnicodeDecodeError:
            continue
        is_as_on_disk = line_ends(known) == line_ends(document.text)
        return text if is_as_on_disk else with_ends_of(text, document.text)
    return None


async def _edit(
    server: "GreenloopServer", document: OpenDocument, wanted: str, label: str
) -> _Failure | None:
    """Send the edit and wait for the text that it makes; None where it came."""
    encoding = server.session.encoding
    edits = await anyio.to_thread.run_sync(text_edits, document.text, wanted, encoding)
    seen = _Seen(document, wanted, encoding)
    hooks = server.session.documents.on_change
    hooks.append(seen.take)
    try:
        answer = await _ask(server, _workspace_edit(server, document, edits), label)
        if answer.get("applied") is True or document.version != seen.version:
            await seen.wait()
        if seen.came:
            return None
    finally:
        hooks.remove(seen.take)
    if seen.version != document.version:
        why = "it was typed in at this very moment"
        return _Failure(why=why, is_final=False, typed=seen.typed_before(edits))
    reason = " ".join(str(answer.get("failureReason") or "").split())[:200]
    why = f"the editor did not take the change{f': {reason}' if reason else ''}"
    return _Failure(why=why, is_final=answer.get("applied") is not True)


async def _ask(server: "GreenloopServer", edit: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    """Ask for the edit. The client may ask its user first: there is no time-out."""
    try:
        answer = await server.ask(
            types.WORKSPACE_APPLY_EDIT, {"label": f"Greenloop: {label}", "edit": edit}
        )
    except ClientRefused as exc:
        return {"applied": False, "failureReason": exc.message}
    return answer if isinstance(answer, Mapping) else {}


def _workspace_edit(
    server: "GreenloopServer", document: OpenDocument, edits: list[types.TextEdit]
) -> Mapping[str, Any]:
    """Return the edit with the document's version, where the client may know what that is.

    Neovim does not say so and does know; a client that says what it can and leaves this out is
    taken at its word.
    """
    plain = [
        {
            "range": {
                "start": {"line": each.range.start.line, "character": each.range.start.character},
                "end": {"line": each.range.end.line, "character": each.range.end.character},
            },
            "newText": each.new_text,
        }
        for each in edits
    ]
    workspace = server.session.capabilities.workspace
    can = workspace.workspace_edit if workspace else None
    if can is not None and can.document_changes is False:
        return {"changes": {document.uri: plain}}
    versioned = {"uri": document.uri, "version": document.version}
    return {"documentChanges": [{"textDocument": versioned, "edits": plain}]}


async def _after(server: "GreenloopServer", path: Path, laid: Laid) -> bytes:
    """Return what the file would be if it were saved now."""
    document = server.session.documents.find(path)
    held = await _held(document) if document is not None else None
    if isinstance(held, tuple):
        return held[0]
    return laid.content.data if laid.content else b""


class _Seen:
    """Watches the texts that the client tells of a document, for the one that was meant."""

    def __init__(self, document: OpenDocument, wanted: str, encoding: Encoding) -> None:
        self.version = document.version
        self.came = False
        self._path = document.path
        self._wanted = wanted
        self._encoding = encoding
        self._texts = [document.text]
        self._news = anyio.Event()

    def take(self, document: OpenDocument, changes: Sequence[Change]) -> None:
        """Look at a document that has changed."""
        if document.path != self._path:
            return
        self.version = document.version
        for change in changes:
            self._texts = [*self._texts[-_TEXTS:], self._after(change)]
        self.came = self.came or is_same_text(document.text, self._wanted)
        self._news.set()

    def typed_before(self, edits: Sequence[types.TextEdit]) -> str | None:
        """Return the newer text of which these edits made the last one; None: of no such text."""
        *earlier, last = self._texts
        for text in earlier[1:]:
            if is_same_text(with_edits(text, edits, self._encoding), last):
                return text
        return None

    async def wait(self) -> None:
        """Wait for the text, for as long as it can still be on its way."""
        with anyio.move_on_after(TOLD_S) as limit:
            while not self.came:
                await self._news.wait()
                self._news = anyio.Event()
                limit.deadline = min(limit.deadline, anyio.current_time() + SETTLED_S)

    def _after(self, change: Change) -> str:
        place = types.Range(start=change.start, end=change.end)
        edit = types.TextEdit(range=place, new_text=change.text)
        return with_edits(self._texts[-1], [edit], self._encoding)
