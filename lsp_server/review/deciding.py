"""Carries out what somebody decided about a proposal, from any client."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from agent.edits.changes import Content
from agent.task import HunkId, RepoPath
from lsp_server.review.accepting import accept, undo
from lsp_server.review.proposal import decided_to_json, path_named, proposal_to_json
from lsp_server.review.reviewed import NotEditable
from lsp_server.review.state import (
    HunkState,
    Review,
    measurement,
    rejected,
    reopened,
    retyped,
)
from lsp_server.review.typed_text import bytes_of
from lsp_server.review.uris import shown_path
from lsp_server.wire.errors import Refused

if TYPE_CHECKING:
    from lsp_server.review.reviews import Opened
    from lsp_server.server import GreenloopServer

GREEN = "green"


async def decide(server: "GreenloopServer", params: Mapping[str, Any]) -> dict[str, Any]:
    """Accept, reject or reopen hunks; returns a `Decided`.

    Raises: Refused, AgentError, ClientGone.
    """
    reviews = server.core.reviews
    async with reviews.deciding(params["run"]) as opened:
        settings = await server.session.settings(opened.top)
        match params["decision"]:
            case "accept":
                chosen = _chosen(opened.review, params, HunkState.OPEN)
                refusal = _why_not(
                    opened.review, chosen, even_if_not_green=bool(params.get("evenIfNotGreen"))
                )
                if refusal:
                    return await decided_to_json(server, reviews, opened, refused=refusal)
                account = await accept(server, reviews, opened, chosen)
                if _is_mended(opened.review):
                    server.core.results.mended(opened.review.run)
                saves = settings.save_on_accept
                return await decided_to_json(server, reviews, opened, account, saves=saves)
            case "reject":
                chosen = _chosen(opened.review, params, HunkState.OPEN)
                refusal = _why_not_undecided(opened.review, chosen)
                if not refusal and chosen:
                    await reviews.keep(opened, rejected(opened.review, chosen))
            case _:
                chosen = _chosen(opened.review, params, HunkState.REJECTED)
                refusal = _why_not_undecided(opened.review, chosen)
                if not refusal and chosen:
                    await reviews.keep(opened, reopened(opened.review, chosen))
        _check_again(server, opened, wanted=settings.recheck_on_reject and not refusal)
        return await decided_to_json(server, reviews, opened, refused=refusal)


async def undo_accepted(server: "GreenloopServer", run: str) -> dict[str, Any]:
    """Take back everything that was accepted; returns a `Decided`.

    Raises: Refused, AgentError, ClientGone.
    """
    reviews = server.core.reviews
    async with reviews.deciding(run) as opened:
        if not opened.review.can_undo:
            refusal = "nothing of this run is accepted, so there is nothing to undo"
            return await decided_to_json(server, reviews, opened, refused=refusal)
        settings = await server.session.settings(opened.top)
        account = await undo(server, reviews, opened)
        saves = settings.save_on_accept
        return await decided_to_json(server, reviews, opened, account, saves=saves)


async def check(server: "GreenloopServer", run: str) -> dict[str, Any]:
    """Measure what is left, if that is not known, and return the `Proposal` afterwards.

    Raises: Refused, AgentError.
    """
    if not server.session.trusted:
        raise Refused(
            "untrusted",
            "this workspace is not trusted, so nothing of it is run.",
            "Trust the workspace in your editor, then try again.",
        )
    reviews = server.core.reviews
    return await proposal_to_json(server, reviews, await reviews.checks.measured(run))


async def edit(server: "GreenloopServer", run: str, name: str, text: str) -> dict[str, Any]:
    """Take a proposed text that was edited by hand; returns a `Proposal`.

    Raises: Refused, AgentError.
    """
    reviews = server.core.reviews
    async with reviews.deciding(run) as opened:
        path = _path(opened.review, name)
        # Texts are compared: not on the loop.
        review = await anyio.to_thread.run_sync(_retyped, opened.review, path, text)
        if isinstance(review, NotEditable):
            raise Refused("bad_request", f"{name} was not changed in the proposal: {review.why}.")
        await reviews.keep(opened, review)
        _check_again(server, opened, wanted=False)
        return await proposal_to_json(server, reviews, opened)


def _check_again(server: "GreenloopServer", opened: "Opened", *, wanted: bool) -> None:
    """Measure what is left by now; what was under way is of no more use either way."""
    checks = server.core.reviews.checks
    if wanted and server.session.trusted:
        checks.start(opened)
    else:
        checks.end_outdated(opened)


def _chosen(review: Review, params: Mapping[str, Any], otherwise: HunkState) -> frozenset[HunkId]:
    """Return the hunks that are named, or all in a state, of one file or of all files.

    Raises: Refused.
    """
    path = _path(review, params["path"]) if params.get("path") is not None else None
    named = params.get("hunks")
    if named is None:
        return review.ids(otherwise, path=path)
    known = review.ids(*HunkState, path=path)
    unknown = sorted(set(named) - known)
    if unknown:
        raise Refused(
            "stale",
            f"the proposal has no hunk {', '.join(unknown[:5])} any more.",
            "Ask for greenloop/proposal again: it was edited since.",
        )
    return frozenset(map(HunkId, named))


def _path(review: Review, name: str) -> RepoPath:
    path = path_named(review, name)
    if path is None:
        raise Refused(
            "not_found",
            f"{name} is not part of the proposal of run {review.run}.",
            "Name one of its files, relative to the top of the repository.",
        )
    return path


def _why_not(review: Review, chosen: frozenset[HunkId], *, even_if_not_green: bool) -> str:
    """Say why hunks may not go into the user's files; empty where they may."""
    known = measurement(review)
    if not chosen or even_if_not_green or known is None or known.verdict in ("", GREEN):
        return ""
    return f"what is left is not green: {known.verdict}: {known.message}"


def _is_mended(review: Review) -> bool:
    """Tell whether what was measured green is what the files hold now, to the byte."""
    known = measurement(review)
    if known is None or known.verdict != GREEN or review.ids(HunkState.OPEN):
        return False
    return all(
        path in review.taken and _data(review.taken[path].after) == _data(content)
        for path, content in review.left.items()
    )


def _data(content: Content | None) -> bytes | None:
    return content.data if content is not None else None


def _why_not_undecided(review: Review, chosen: frozenset[HunkId]) -> str:
    """Say why a decision cannot be another one; empty where it can."""
    if chosen & review.ids(HunkState.ACCEPTED):
        return "it is accepted and in your file by now; undo takes back what was accepted"
    return ""


def _retyped(review: Review, path: RepoPath, text: str) -> Review | NotEditable:
    return retyped(review, path, _bytes(review, path, text))


def _bytes(review: Review, path: RepoPath, text: str) -> bytes:
    """Return a typed text in the form of its file. Raises: Refused."""
    file = review.file(path)
    like = None
    if file is not None:
        shown = file.without(review.ids(HunkState.REJECTED, path=path))
        like = shown or file.base or file.new
    data = bytes_of(text, like=like)
    if data is None:
        raise Refused(
            "bad_request",
            f"the file's encoding cannot hold what was typed into {shown_path(path)}.",
            "Leave those characters out, or convert the file to UTF-8 first.",
        )
    return data
