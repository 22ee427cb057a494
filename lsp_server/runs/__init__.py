"""Runs as the editors see them: where each stands, its log, its progress, and the way to end it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsp_server.convert import path_of
from lsp_server.wire.errors import Refused

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer


def register(server: "GreenloopServer") -> None:
    """Make the verbs of this room known to a connection."""
    from lsprotocol import types

    async def cancel(params: Mapping[str, Any]) -> object:
        return {"cancelled": await server.core.runs.cancel(params["run"])}

    async def resume(params: Mapping[str, Any]) -> object:
        if not server.session.trusted:
            raise Refused(
                "untrusted",
                "this workspace is not trusted, so nothing of it is run.",
                "Trust the workspace in your editor, then try again.",
            )
        token = server.request_token
        return {"run": await server.core.runs.resume(server, params["run"], token=token)}

    async def runs(params: Mapping[str, Any]) -> object:
        from lsp_server.runs.as_json import line_to_json
        from lsp_server.runs.registry import LIST_LIMIT

        top = _top(server, params["folder"]) if params.get("folder") else None
        if params.get("folder") and top is None:
            return {"runs": []}  # outside of any repository there was never a run
        limit = int(params.get("limit", LIST_LIMIT))
        found = await server.core.runs.newest(top=top, limit=limit)
        return {"runs": [line_to_json(each) for each in found]}

    async def run(params: Mapping[str, Any]) -> object:
        from lsp_server.runs.as_json import state_to_json

        registry = server.core.runs
        state = await registry.whole(params["run"])
        log = await registry.lines(params["run"], int(params.get("logFrom", 0)))
        return state_to_json(state, log)

    server.verb("cancel", cancel)
    server.verb("resume", resume)
    server.verb("runs", runs)
    server.verb("run", run)

    @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    async def cancel_by_progress(params: types.WorkDoneProgressCancelParams) -> None:
        run = server.core.runs.run_of(server, params.token)
        if run is not None:
            await server.core.runs.cancel(run)


def _top(server: "GreenloopServer", uri: str) -> Path | None:
    path = path_of(uri)
    return server.session.top_of(path) if path else None
