"""What a connection is told of reviews by itself, for as long as it lasts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp_server.review.uris import BASE, PROPOSAL, proposal_uri
from lsp_server.wire.errors import ClientGone, ClientRefused

if TYPE_CHECKING:
    from agent.journal.records import Record
    from agent.task import RunId
    from lsp_server.documents import Change, OpenDocument
    from lsp_server.review.plain import PlainReview
    from lsp_server.server import GreenloopServer


class Follower:
    """What one client is shown of reviews; nothing before it is ready."""

    def __init__(self) -> None:
        self.review: PlainReview | None = None


def register_following(server: "GreenloopServer") -> Follower:
    """Begin once the client is ready; register what it can ask for besides our own requests."""
    follower = Follower()
    server.at_ready(lambda: _follow(server, follower))

    @server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)
    async def text_content(
        params: types.TextDocumentContentParams,
    ) -> types.TextDocumentContentResult:
        from lsp_server.review.texts import text_at

        found = await text_at((await server.opened()).reviews, params.uri)
        return types.TextDocumentContentResult(text=found.text)

    return follower


async def _follow(server: "GreenloopServer", follower: Follower) -> None:
    """Tell the client of every change of a proposal, and show it what it does not draw itself."""
    from agent.events import RunFinished
    from lsp_server.review.actions import actions_at
    from lsp_server.review.outcome import tell_outcome
    from lsp_server.review.plain import PlainReview
    from lsp_server.runs.guarded import guarded

    core = await server.opened()
    follower.review = review = PlainReview(server)
    session = server.session
    shows_texts = await _offer_texts(server)

    def changed(run: "RunId", revision: int) -> None:
        server.tell("greenloop/proposal/changed", {"run": run, "revision": revision})
        review.changed(run)
        if shows_texts:
            server.tasks.start_soon(guarded, "showing texts", run, _refresh_texts, server, run)

    def happened(run: "RunId", record: "Record") -> None:
        if isinstance(record.event, RunFinished):
            server.tasks.start_soon(
                guarded, "telling the end", run, tell_outcome, server, review, run
            )

    def typed(document: "OpenDocument", _: "Sequence[Change]") -> None:
        review.typed(document.path)

    def actions(uri: str, range_: types.Range) -> list[types.CodeAction]:
        return actions_at(server, review, uri, range_)

    ends = [core.reviews.listen(changed)]
    if not (session.client.runs and session.client.review):
        ends.append(core.runs.listen(happened))
    if not session.client.review:
        session.documents.on_change.append(typed)
        session.more_actions.append(actions)
    try:
        await review.keep_shown()
    finally:
        for end in ends:
            end()


async def _offer_texts(server: "GreenloopServer") -> bool:
    """Offer the two texts of a file as documents, where the client has no way of its own."""
    workspace = server.session.capabilities.workspace
    can = workspace.text_document_content if workspace else None
    if server.session.client.review or can is None or not can.dynamic_registration:
        return False
    registration = {
        "id": "greenloop-texts",
        "method": types.WORKSPACE_TEXT_DOCUMENT_CONTENT,
        "registerOptions": {"schemes": [BASE, PROPOSAL]},
    }
    try:
        await server.ask(types.CLIENT_REGISTER_CAPABILITY, {"registrations": [registration]})
    except (ClientGone, ClientRefused):
        return False
    return True


async def _refresh_texts(server: "GreenloopServer", run: str) -> None:
    """Have the client ask for the proposed texts of a run again."""
    opened = await server.core.reviews.open(run)
    for file in opened.review.files:
        params: dict[str, Any] = {"uri": proposal_uri(run, file.path)}
        try:
            await server.ask(types.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH, params)
        except (ClientGone, ClientRefused):
            return
