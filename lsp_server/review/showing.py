"""Opens something in the client, where a person asked for it and the client can."""

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp_server.wire.errors import ClientRefused

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer


async def show(
    server: "GreenloopServer", uri: str, *, selection: dict[str, Any] | None = None
) -> bool:
    """Open a document in front of the user; False where the client cannot. Raises: ClientGone."""
    window = server.session.capabilities.window
    can = window.show_document if window else None
    if can is None or not can.support:
        return False
    params: dict[str, Any] = {"uri": uri, "takeFocus": True}
    if selection is not None:
        params["selection"] = selection
    try:
        answer = await server.ask(types.WINDOW_SHOW_DOCUMENT, params)
    except ClientRefused:
        return False
    return isinstance(answer, dict) and answer.get("success") is True
