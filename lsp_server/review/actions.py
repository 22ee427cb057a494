"""Code actions at hunks, for a client that has no review of its own. Each carries a command."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from lsp_server.convert import path_of

if TYPE_CHECKING:
    from lsp_server.review.plain import PlainReview
    from lsp_server.server import GreenloopServer

KIND: Final = "quickfix.greenloop.review"
_DECIDE: Final = "greenloop.server.decide"
_UNDO: Final = "greenloop.server.undo"
_DIFF: Final = "greenloop.server.diff"


def actions_at(
    server: "GreenloopServer", review: "PlainReview", uri: str, range_: types.Range
) -> list[types.CodeAction]:
    """Return what can be decided at some place of a document. Asks and reads nothing."""
    every = [(each, _data_of(each)) for each in server.publisher.of("review", uri)]
    here = [(each, data) for each, data in every if _meets(each.range, range_)]
    actions: list[types.CodeAction] = []
    for each, data in here:
        run, hunk, path = (str(data[name]) for name in ("run", "hunk", "path"))
        if data["open"]:
            accept = {"run": run, "decision": "accept", "hunks": [hunk]}
            actions.append(_action("Accept this change", _DECIDE, accept, each, first=True))
        reject = {"run": run, "decision": "reject", "hunks": [hunk]}
        actions.append(_action("Reject this change", _DECIDE, reject, each))
        more = [other for _, other in every if other["path"] == path]
        if len(more) > 1 and each is here[-1][0]:
            whole = {"run": run, "path": path}
            title = f"all {len(more)} changes in {path}"
            accept = {**whole, "decision": "accept"}
            actions.append(_action(f"Accept {title}", _DECIDE, accept))
            actions.append(_action(f"Reject {title}", _DECIDE, {**whole, "decision": "reject"}))
    for run in dict.fromkeys(str(data["run"]) for _, data in here):
        all_ = {"run": run}
        accept = {**all_, "decision": "accept"}
        actions.append(_action("Accept the whole proposal", _DECIDE, accept))
        actions.append(
            _action("Reject the whole proposal", _DECIDE, {**all_, "decision": "reject"})
        )
        actions.append(_action("Show the proposal as a diff", _DIFF, {**all_, "show": True}))
    path_here = path_of(uri)
    undoable = review.undoable(path_here) if path_here is not None else None
    if undoable is not None:
        actions.append(_action("Undo what was accepted", _UNDO, {"run": undoable}))
    return actions


def _data_of(diagnostic: types.Diagnostic) -> Mapping[str, Any]:
    data: Mapping[str, Any] = diagnostic.data or {}
    return data


def _meets(hunk: types.Range, range_: types.Range) -> bool:
    """Tell whether a place lies at a hunk; an insertion is at both lines that it comes between."""
    first, last = hunk.start.line, max(hunk.end.line - 1, hunk.start.line)
    if hunk.start == hunk.end:
        first = max(first - 1, 0)
    return range_.start.line <= last and range_.end.line >= first


def _action(
    title: str,
    command: str,
    params: Mapping[str, Any],
    at: types.Diagnostic | None = None,
    *,
    first: bool = False,
) -> types.CodeAction:
    return types.CodeAction(
        title=f"{title} (Greenloop)",
        kind=KIND,
        diagnostics=[at] if at is not None else None,
        is_preferred=True if first else None,
        command=types.Command(title=title, command=command, arguments=[dict(params)]),
    )
