"""From where somebody stands in the code to a run: code actions, lenses, and the requests to start.

Knows nothing of how a run goes on; that is the registry's (`lsp_server.runs`).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp_server.marks import Span
from lsp_server.starting.offers import FIX, REWRITE, Asked, actions, lenses
from lsp_server.wire.errors import ClientGone, ClientRefused

if TYPE_CHECKING:
    from pathlib import Path

    from lsp_server.server import GreenloopServer


def register(server: "GreenloopServer") -> None:
    """Give a connection what this room answers."""
    _register_verbs(server)
    _register_actions(server)
    _register_lenses(server)


def _register_verbs(server: "GreenloopServer") -> None:
    async def start(params: Mapping[str, Any]) -> object:
        from lsp_server.starting import verbs

        return await verbs.start(server, params)

    async def test(params: Mapping[str, Any]) -> object:
        from lsp_server.starting import verbs

        return await verbs.test(server, params)

    async def status(params: Mapping[str, Any]) -> object:
        from lsp_server.starting import verbs

        return await verbs.status(server, params)

    server.verb("start", start)
    server.verb("test", test)
    server.verb("status", status)


def _register_actions(server: "GreenloopServer") -> None:
    session = server.session

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[FIX, REWRITE], resolve_provider=True),
    )
    async def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = session.documents.named(params.text_document.uri)
        if document is None:
            return []
        units = await session.outlines.around(document, Span.of(params.range))
        asked = Asked(
            uri=document.uri,
            range=params.range,
            diagnostics=params.context.diagnostics,
            only=_plain_kinds(params.context.only),
            trusted=session.trusted,
            asks_for_text=session.client.runs,
            shows_disabled=_shows_disabled(session.capabilities),
        )
        if session.top_of(document.path) is None:
            return []
        found = actions(asked, units, _outcome_of(server, document.path))
        others = [one for more in session.more_actions for one in more(document.uri, params.range)]
        return [*found, *(one for one in others if asked.wants(_plain_kind(one.kind)))]

    @server.feature(types.CODE_ACTION_RESOLVE)
    def resolve(action: types.CodeAction) -> types.CodeAction:
        return action


def _register_lenses(server: "GreenloopServer") -> None:
    session = server.session

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=True))
    async def code_lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
        document = session.documents.named(params.text_document.uri)
        if document is None or not session.trusted:
            return []
        if not (await session.settings(document.path)).code_lens:
            return []
        units = await session.outlines.fresh(document)
        return lenses(document.uri, units, _outcome_of(server, document.path))

    @server.feature(types.CODE_LENS_RESOLVE)
    def resolve(lens: types.CodeLens) -> types.CodeLens:
        return lens

    refreshing = False

    async def refresh() -> None:
        nonlocal refreshing
        if refreshing:
            return
        refreshing = True
        try:
            await server.ask(types.WORKSPACE_CODE_LENS_REFRESH)
        except (ClientGone, ClientRefused):
            return
        finally:
            refreshing = False

    def changed(*_: object) -> None:
        if _can_refresh(session.capabilities):
            server.start_soon(refresh)

    session.on_settings.append(changed)
    session.outlines.on_read.append(changed)
    session.on_results.append(changed)


def _plain_kinds(only: object) -> list[str] | None:
    if not isinstance(only, list | tuple):
        return None
    return [_plain_kind(one) for one in only]


def _plain_kind(kind: object) -> str:
    return str(getattr(kind, "value", kind or ""))


def _outcome_of(server: "GreenloopServer", path: "Path") -> Callable[[str], str | None]:
    return lambda unit: server.showing.outcome(path, unit)


def _shows_disabled(capabilities: types.ClientCapabilities) -> bool:
    document = capabilities.text_document
    action = document.code_action if document else None
    return bool(action and action.disabled_support)


def _can_refresh(capabilities: types.ClientCapabilities) -> bool:
    workspace = capabilities.workspace
    lens = workspace.code_lens if workspace else None
    return bool(lens and lens.refresh_support)
