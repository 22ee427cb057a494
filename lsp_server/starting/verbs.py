"""The requests that start something: `start`, `test`; and `status`, which says whether they could.

How a run goes on is for the registry (`lsp_server.runs`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from agent import __version__
from agent.config import host_variables
from agent.host.api import TestsSpec
from agent.task import RepoPath
from lsp_server.convert import uri_of
from lsp_server.documents import CannotKeep, overlay_of
from lsp_server.settings import EditorSettings
from lsp_server.titles import title_of
from lsp_server.where import Place, check_trust, place_in, top_for
from lsp_server.wire.errors import Refused

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer
    from lsp_server.tested.showing import Snapshot
    from lsp_server.units import Unit


async def start(server: "GreenloopServer", params: Mapping[str, Any]) -> dict[str, Any]:
    """Start a run and return its id. Raises: Refused, AgentError."""
    from lsp_server.starting.wishes import Wish, wanted

    session = server.session
    check_trust(session)
    top = top_for(session, params)
    place: Place | None = None
    if params.get("place"):
        place = await anyio.to_thread.run_sync(place_in, session, params["place"], top)
    units = await _units_at(server, place)
    editor = await session.settings(top)
    base = server.showing.snapshot()
    wish = Wish(
        params=params,
        top=top,
        place=place,
        units=units,
        editor=editor,
        variables=host_variables(),
        overlay=await _overlay(base, top),
    )
    what = await anyio.to_thread.run_sync(wanted, wish)
    await _tell_host(server, editor)
    run = await server.core.runs.start(
        server,
        what.task,
        title=what.title,
        folder_uri=uri_of(top),
        flags=what.flags,
        token=server.request_token,
    )
    server.showing.began(run, base)
    return {"run": run}


async def test(server: "GreenloopServer", params: Mapping[str, Any]) -> dict[str, Any]:
    """Run tests and return the id of that. Raises: Refused, AgentError."""
    from lsp_server.starting.wishes import flags_of

    session = server.session
    check_trust(session)
    top = top_for(session, params)
    targets = tuple(params.get("targets") or ())
    editor = await session.settings(top)
    base = server.showing.snapshot()
    spec = TestsSpec(repo=top, targets=targets, overlay=await _overlay(base, top))
    await _tell_host(server, editor)
    run = await server.core.runs.run_tests(
        server,
        spec,
        title=title_of("test", targets, ""),
        folder_uri=uri_of(top),
        flags=flags_of(editor, {}),
        token=server.request_token,
    )
    server.showing.began(run, base)
    return {"run": run}


async def status(server: "GreenloopServer", params: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether a run could be started, and what to do where not. Raises: AgentError."""
    from lsp_server.starting.wishes import flags_of

    session = server.session
    top = _top_if_any(server, params)
    editor = await session.settings(top)
    condition = await server.core.host.condition(top, flags=flags_of(editor, {}))
    states = [str(line.state) for line in server.core.runs.under_way()]
    return {
        "server": __version__,
        "repository": condition.repository,
        "engine": {
            "ok": condition.engine_ok,
            "text": condition.engine_text,
            "remedy": condition.engine_remedy,
        },
        "model": {
            "name": condition.model,
            "endpoint": condition.endpoint,
            "text": condition.model_text,
            "remedy": condition.model_remedy,
        },
        "strategy": editor.strategy,
        "running": states.count("running"),
        "waiting": states.count("waiting"),
    }


async def _tell_host(server: "GreenloopServer", editor: EditorSettings) -> None:
    """Hand over what is the host's to keep: how many runs at once, and what the end of us means."""
    server.wish = editor.on_exit
    await server.core.host.limit(editor.runs_at_once)
    await server.core.host.wish(editor.on_exit)


async def _units_at(server: "GreenloopServer", place: Place | None) -> "tuple[Unit, ...]":
    if place is None:
        return ()
    document = server.session.documents.find(place.path)
    outlines = server.session.outlines
    if document is not None:
        return await outlines.fresh(document)
    return await outlines.of_file(place.path)


async def _overlay(base: "Snapshot", top: Path) -> Mapping[RepoPath, bytes]:
    """Return what is unsaved. Raises: Refused, where it cannot be told in bytes."""
    try:
        return await anyio.to_thread.run_sync(overlay_of, tuple(base.values()), top)
    except CannotKeep as exc:
        raise Refused(
            "bad_request",
            f"the unsaved text of {exc.path} cannot be taken along: {exc.why}.",
            "Save that file, or close it without saving, then try again.",
        ) from exc


def _top_if_any(server: "GreenloopServer", params: Mapping[str, Any]) -> Path | None:
    try:
        return top_for(server.session, params)
    except Refused:
        return None
