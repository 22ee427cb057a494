"""What tests came to, shown in the editor: diagnostics, outcomes by file, tests of a document.

Runs no test; it listens to those that the registry runs.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import anyio
from lsprotocol import types

from lsp_server.convert import path_of, uri_of
from lsp_server.tested.publisher import Publisher
from lsp_server.tested.showing import Showing
from lsp_server.where import check_trust, top_for
from lsp_server.wire.errors import Refused

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer
    from lsp_server.units import Unit


def register(server: "GreenloopServer") -> None:
    """Give a connection what this room answers."""

    def start_soon(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        server.start_soon(function)

    server.publisher = publisher = Publisher(
        server.session, tell=server.tell, ask=server.ask, start_soon=start_soon
    )
    server.showing = Showing(server)

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(
            identifier="greenloop", inter_file_dependencies=True, workspace_diagnostics=False
        ),
    )
    def diagnose(params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        return publisher.report(params)

    async def tests(params: Mapping[str, Any]) -> object:
        return {"items": [_to_json(one) for one in await _units(server, params["uri"])]}

    async def test_files(params: Mapping[str, Any]) -> object:
        check_trust(server.session)
        top = top_for(server.session, params)
        found = await server.core.host.test_files(top)
        return {"files": [{"uri": uri_of(top / path), "path": path} for path in found]}

    async def join() -> None:
        core = await server.opened()
        end = server.showing.join(core.results)
        try:
            await anyio.sleep_forever()  # as long as the connection lasts
        finally:
            end()

    server.verb("tests", tests)
    server.verb("testFiles", test_files)
    server.at_ready(join)


async def _units(server: "GreenloopServer", uri: str) -> "tuple[Unit, ...]":
    """Return the units of a document, or of a file that is not open. Raises: Refused."""
    session = server.session
    document = session.documents.named(uri)
    if document is not None:
        return await session.outlines.fresh(document)
    path = path_of(uri)
    if path is None:
        raise Refused("bad_request", f"{uri} is no file of this machine.", "Name one that is.")
    return await session.outlines.of_file(path)


def _to_json(unit: "Unit") -> dict[str, Any]:
    return {
        "kind": unit.kind,
        "id": unit.id,
        "name": unit.name,
        "range": unit.span.json,
        "selectionRange": unit.name_span.json,
        "parent": unit.parent,
    }
