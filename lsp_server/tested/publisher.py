"""The one way of diagnostics to a client: asked for where it can be told to ask again, else sent.

A client that pulls asks for open documents only; what is to be said of others is sent to it, and
taken back when it opens them, so that nothing is shown twice. Knows nothing of what is said.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from lsprotocol import types

from lsp_server.convert import path_of
from lsp_server.documents import Change, OpenDocument
from lsp_server.marks import Edit, Span, edit_of
from lsp_server.session import Session
from lsp_server.wire.errors import ClientGone, ClientRefused

Owner = Literal["tests", "review"]

_LOG: Final = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Shown:
    """What is said of one file."""

    uri: str
    by_owner: dict[Owner, list[types.Diagnostic]] = field(default_factory=dict)
    revision: int = 0

    @property
    def diagnostics(self) -> list[types.Diagnostic]:
        return [one for owner in sorted(self.by_owner) for one in self.by_owner[owner]]


class Publisher:
    """Diagnostics of one connection, by owner and file."""

    def __init__(
        self,
        session: Session,
        *,
        tell: Callable[[str, object], None],
        ask: Callable[[str, object], Awaitable[Any]],
        start_soon: Callable[[Callable[[], Coroutine[Any, Any, None]]], None],
    ) -> None:
        self._session: Final = session
        self._tell: Final = tell
        self._ask: Final = ask
        self._start_soon: Final = start_soon
        self._shown: Final[dict[Path | str, _Shown]] = {}
        self._revision = 0
        self._refreshing = False
        self._refresh_again = False
        session.documents.on_change.append(self._changed)
        session.documents.on_close.append(self._closed)

    @property
    def is_asked(self) -> bool:
        """Whether the client asks for diagnostics of open documents, and again when it is told."""
        document = self._session.capabilities.text_document
        workspace = self._session.capabilities.workspace
        again = workspace.diagnostics if workspace else None
        return bool(document and document.diagnostic and again and again.refresh_support)

    def set(self, owner: Owner, uri: str, diagnostics: Sequence[types.Diagnostic]) -> None:
        """Say this of a file, instead of what the owner said of it before."""
        key = _key(uri)
        shown = self._shown.get(key)
        if shown is None:
            if not diagnostics:
                return
            shown = self._shown[key] = _Shown(uri=uri)
        if list(diagnostics) == shown.by_owner.get(owner, []):
            return
        self._revision += 1
        shown.revision = self._revision
        shown.by_owner[owner] = list(diagnostics)
        document = self._session.documents.named(uri)
        if document is not None and self.is_asked:
            self._refresh()
        else:
            self._send(shown, document)
        if not shown.diagnostics:
            del self._shown[key]

    def said_by(self, owner: Owner) -> tuple[str, ...]:
        """Return the files of which an owner has something to say."""
        return tuple(shown.uri for shown in self._shown.values() if shown.by_owner.get(owner))

    def of(self, owner: Owner, uri: str) -> tuple[types.Diagnostic, ...]:
        """Return what an owner says of a file, at its places in the document as it is now."""
        shown = self._shown.get(_key(uri))
        return tuple(shown.by_owner.get(owner, ())) if shown is not None else ()

    def report(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """Answer a client that asks. One that gets them sent has nothing to be told here."""
        shown = self._shown.get(_key(params.text_document.uri)) if self.is_asked else None
        result_id = str(shown.revision if shown is not None else 0)
        if params.previous_result_id == result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
        return types.RelatedFullDocumentDiagnosticReport(
            items=shown.diagnostics if shown is not None else [], result_id=result_id
        )

    def _send(self, shown: _Shown, document: OpenDocument | None, *, nothing: bool = False) -> None:
        params = types.PublishDiagnosticsParams(
            uri=document.uri if document is not None else shown.uri,
            diagnostics=[] if nothing else shown.diagnostics,
            version=document.version if document is not None and self._tells_version else None,
        )
        self._tell(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    @property
    def _tells_version(self) -> bool:
        document = self._session.capabilities.text_document
        published = document.publish_diagnostics if document else None
        return bool(published and published.version_support)

    def _changed(self, document: OpenDocument, changes: Sequence[Change]) -> None:
        shown = self._shown.get(document.path)
        if shown is None:
            return
        if not changes and self.is_asked:
            self._send(shown, document, nothing=True)
            return
        edits = [edit_of(one.start, one.end, one.text, self._session.encoding) for one in changes]
        moved = {owner: _moved(said, edits) for owner, said in shown.by_owner.items()}
        if moved == shown.by_owner:
            return
        before = len(shown.diagnostics)
        self._revision += 1
        shown.revision = self._revision
        shown.by_owner = moved
        if len(shown.diagnostics) < before and not self.is_asked:
            self._send(shown, document)  # what only moved the client has moved itself

    def _closed(self, document: OpenDocument) -> None:
        shown = self._shown.get(document.path)
        if shown is not None and self.is_asked:
            self._send(shown, None)

    def _refresh(self) -> None:
        self._refresh_again = True
        if not self._refreshing:
            self._refreshing = True
            self._start_soon(self._refresh_until_done)

    async def _refresh_until_done(self) -> None:
        try:
            while self._refresh_again:
                self._refresh_again = False
                await self._ask(types.WORKSPACE_DIAGNOSTIC_REFRESH, None)
        except (ClientRefused, ClientGone) as error:
            _LOG.info("the client does not ask again for diagnostics: %s", error)
        finally:
            self._refreshing = False


def _moved(said: Sequence[types.Diagnostic], edits: Sequence[Edit]) -> list[types.Diagnostic]:
    """Return diagnostics where they stand after edits, without those whose place is gone."""
    kept: list[types.Diagnostic] = []
    for one in said:
        span: Span | None = Span.of(one.range)
        for edit in edits:
            is_empty = span is not None and span.start == span.end
            span = edit.span(span) if span is not None and not is_empty else span
        if span is not None:
            kept.append(_at(one, span))
    return kept


def _at(one: types.Diagnostic, span: Span) -> types.Diagnostic:
    if span == Span.of(one.range):
        return one
    return types.Diagnostic(
        range=span.range,
        message=one.message,
        severity=one.severity,
        code=one.code,
        code_description=one.code_description,
        source=one.source,
        tags=one.tags,
        related_information=one.related_information,
        data=one.data,
    )


def _key(uri: str) -> Path | str:
    return path_of(uri) or uri
