"""Follows what a client says of itself while it runs: documents, folders, settings, trust.

pygls would keep documents too, but splits them at form feeds and U+2028, where LSP has no line
end, so that positions after one are wrong; its own part is replaced here.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from lsprotocol import types

from lsp_server.documents import OpenDocument
from lsp_server.outlines import Outlines
from lsp_server.wire.errors import ClientGone

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer


def register(server: "GreenloopServer") -> None:
    """Keep a connection's session up to date."""
    _follow_documents(server)
    _follow_wishes(server)


def _follow_documents(server: "GreenloopServer") -> None:
    documents, built_in = server.session.documents, server.protocol.fm.add_builtin_feature

    def start_soon(function: Callable[..., Coroutine[Any, Any, object]], *arguments: Any) -> None:
        server.start_soon(function, *arguments)

    server.session.outlines = Outlines(server.session, start_soon=start_soon)

    async def look(document: OpenDocument) -> None:
        documents.learn(await anyio.to_thread.run_sync(documents.compare, document))

    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        document = documents.open(params.text_document)
        if document is not None:
            start_soon(look, document)

    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        documents.change(params)

    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        documents.close(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        document = documents.named(params.text_document.uri)
        if document is not None:
            start_soon(look, documents.saved(document))

    built_in(types.TEXT_DOCUMENT_DID_OPEN, did_open)
    built_in(types.TEXT_DOCUMENT_DID_CHANGE, did_change)
    built_in(types.TEXT_DOCUMENT_DID_CLOSE, did_close)


def _follow_wishes(server: "GreenloopServer") -> None:
    session = server.session

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        encoding = server.protocol.workspace.position_encoding
        session.begin(params, encoding=str(getattr(encoding, "value", encoding)))

    async def ask() -> None:
        try:
            await session.ready()
        except ClientGone:
            return
        take()

    def take() -> None:
        first = session.folders[0] if session.folders else None
        server.wish = session.settings_now(first).on_exit

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        await session.change_settings(params.settings)
        take()

    def did_change_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        session.change_folders(params.event)

    @server.feature("greenloop/trust")
    def trust(params: Mapping[str, Any]) -> None:
        session.trust(trusted=params.get("trusted") is True)

    server.protocol.fm.add_builtin_feature(
        types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, did_change_folders
    )
    server.at_ready(ask)
