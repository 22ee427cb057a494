"""The requests of a review, as docs/protocol.md has them. Works nothing out itself."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsp_server.review.following import Follower
    from lsp_server.server import GreenloopServer

Params = Mapping[str, Any]


def register_verbs(server: "GreenloopServer", follower: "Follower") -> None:
    """Make the requests known to a connection."""

    async def proposal(params: Params) -> object:
        answer = await _proposal(server, params)
        if follower.review is not None:
            await follower.review.take(params["run"])
        return answer

    server.verb("proposal", proposal)
    verbs = {
        "content": content,
        "decide": decide,
        "edit": edit,
        "check": check,
        "undo": take_back,
        "diff": diff,
    }
    for name, handler in verbs.items():
        server.verb(name, partial(handler, server))


async def _proposal(server: "GreenloopServer", params: Params) -> object:
    """Answer with a proposal as it stands. Raises: Refused, AgentError."""
    from lsp_server.review.proposal import proposal_to_json

    reviews = server.core.reviews
    return await proposal_to_json(server, reviews, await reviews.open(params["run"]))


async def content(server: "GreenloopServer", params: Params) -> object:
    """Answer with one of the two texts of a file. Raises: Refused, AgentError."""
    from lsp_server.review.texts import text_at

    found = await text_at(server.core.reviews, params["uri"])
    return {"text": found.text, "exists": found.exists, "binary": found.binary}


async def decide(server: "GreenloopServer", params: Params) -> object:
    """Accept, reject or reopen hunks. Raises: Refused, AgentError, ClientGone."""
    from lsp_server.review.deciding import decide as carry_out
    from lsp_server.review.outcome import tell_decided
    from lsp_server.runs.guarded import guarded

    decided = await carry_out(server, params)
    if params["decision"] == "accept" and not server.session.client.review:
        server.tasks.start_soon(
            guarded, "telling of an accept", params["run"], tell_decided, server, params, decided
        )
    return decided


async def edit(server: "GreenloopServer", params: Params) -> object:
    """Take a proposed text that was edited by hand. Raises: Refused, AgentError."""
    from lsp_server.review.deciding import edit as carry_out

    return await carry_out(server, params["run"], params["path"], params["text"])


async def check(server: "GreenloopServer", params: Params) -> object:
    """Measure what is left and answer afterwards. Raises: Refused, AgentError."""
    from lsp_server.review.deciding import check as carry_out

    return await carry_out(server, params["run"])


async def take_back(server: "GreenloopServer", params: Params) -> object:
    """Take out everything that was accepted. Raises: Refused, AgentError, ClientGone."""
    from lsp_server.review.deciding import undo_accepted
    from lsp_server.review.outcome import tell_undone

    decided = await undo_accepted(server, params["run"])
    if not server.session.client.review:
        tell_undone(server, decided)
    return decided


async def diff(server: "GreenloopServer", params: Params) -> object:
    """Answer with what is not rejected as a unified diff. Raises: Refused, AgentError."""
    from lsp_server.convert import uri_of
    from lsp_server.review.texts import diff_of, write_diff

    opened = await server.core.reviews.open(params["run"])
    uri = uri_of(await write_diff(opened))
    if params.get("show"):
        from lsp_server.review.showing import show

        await show(server, uri)
    return {"text": diff_of(opened), "uri": uri}
