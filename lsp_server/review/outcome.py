"""Says once, in a client that draws no runs itself, what a run came to and what can be done.

Nothing is opened unless the person chose it in that message.
"""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio.to_thread
from lsprotocol import types

from agent.errors import AgentError
from agent.journal.files import write_whole
from agent.telling.wording import counted
from lsp_server.convert import uri_of
from lsp_server.review.deciding import decide
from lsp_server.review.showing import show
from lsp_server.review.texts import write_diff
from lsp_server.runs.state import RunLine
from lsp_server.wire.errors import ClientGone, ClientRefused, Refused

if TYPE_CHECKING:
    from lsp_server.review.plain import PlainReview
    from lsp_server.server import GreenloopServer

logger = logging.getLogger(__name__)

REVIEW: Final = "Review"
ACCEPT_ALL: Final = "Accept all"
LATER: Final = "Later"
ACCEPT_ANYWAY: Final = "Accept anyway"
SHOW_LOG: Final = "Show log"
LOG: Final = "log.txt"


async def tell_outcome(server: "GreenloopServer", review: "PlainReview", run: str) -> None:
    """Show what a run came to, and do what the person chooses."""
    async with _said_aloud(server):
        state = await server.core.runs.picture(run)
        if state is None or state.line.verdict == "interrupted":
            return
        if not await anyio.to_thread.run_sync(_is_of, server, state.line):
            return
        proposal = await review.take(run) if state.line.can_review else None
        if server.session.client.runs:
            return
        if state.line.kind == "test":
            passed = state.line.verdict == "passed"
            level = types.MessageType.Info if passed else types.MessageType.Warning
            _say(server, level, _line(state.line))
        elif proposal is not None:
            await _ask_of_green(server, state.line, proposal)
        else:
            await _ask_of_other(server, state.line)


async def tell_decided(
    server: "GreenloopServer", params: Mapping[str, Any], decided: Mapping[str, Any]
) -> None:
    """Say what came of an accept that a client without a review of its own asked for."""
    async with _said_aloud(server):
        await tell_accepted(server, params, decided)


@asynccontextmanager
async def _said_aloud(server: "GreenloopServer") -> AsyncGenerator[None]:
    """Turn what cannot be done into a message; nobody waits for an answer here."""
    try:
        yield
    except ClientGone:
        pass
    except ClientRefused as exc:
        logger.info("the client does not say what is to be done: %s", exc)
    except (AgentError, Refused) as exc:
        _say(server, types.MessageType.Error, f"{exc.message} {exc.remedy}".strip())


def _is_of(server: "GreenloopServer", line: RunLine) -> bool:
    """Tell whether the client has something of a run's repository open."""
    if line.top is None:
        return False
    top, session = line.top.resolve(), server.session
    open_ = [*session.folders, *(document.path for document in session.documents.all())]
    real = [each.resolve() for each in open_]
    return any(each.is_relative_to(top) or top.is_relative_to(each) for each in real)


async def _ask_of_green(server: "GreenloopServer", line: RunLine, proposal: Any) -> None:
    changes = sum(len(file["hunks"]) for file in proposal["files"])
    files = len(proposal["files"])
    text = f"{_line(line)} ({counted(changes, 'change')} in {counted(files, 'file')})"
    chosen = await _choice(server, types.MessageType.Info, text, (REVIEW, ACCEPT_ALL, LATER))
    if chosen == REVIEW:
        await _show_first(server, line.run, proposal)
    elif chosen == ACCEPT_ALL:
        params = {"run": line.run, "decision": "accept"}
        await tell_accepted(server, params, await decide(server, params))


async def _ask_of_other(server: "GreenloopServer", line: RunLine) -> None:
    if await _choice(server, types.MessageType.Warning, _line(line), (SHOW_LOG, LATER)) == SHOW_LOG:
        lines = await server.core.runs.lines(line.run, 0)
        text = "".join(f"{each.text}\n{each.diff}" for each in lines)
        stored = await anyio.to_thread.run_sync(server.core.store.open, line.run)
        path = stored.path / LOG
        await anyio.to_thread.run_sync(write_whole, path, text.encode("utf-8", "replace"))
        if not await show(server, uri_of(path)):
            _say(server, types.MessageType.Info, f"the log is in {path}")


async def _choice(
    server: "GreenloopServer", level: types.MessageType, text: str, choices: tuple[str, ...]
) -> str:
    """Ask without a time-out; empty where the person chose nothing. Raises: ClientGone."""
    params = {
        "type": level.value,
        "message": f"Greenloop: {text}",
        "actions": [{"title": choice} for choice in choices],
    }
    answer = await server.ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
    return str(answer.get("title", "")) if isinstance(answer, Mapping) else ""


async def _show_first(server: "GreenloopServer", run: str, proposal: Any) -> None:
    """Open the first place that is changed; where there is none yet, the diff."""
    for file in proposal["files"]:
        if file["change"] == "added":
            continue
        hunk = file["hunks"][0]
        line = hunk.get("now", hunk["base"])["line"]
        at = {"line": line, "character": 0}
        await show(server, file["uri"], selection={"start": at, "end": at})
        return
    opened = await server.core.reviews.open(run)
    await show(server, uri_of(await write_diff(opened)))


async def tell_accepted(
    server: "GreenloopServer", params: Mapping[str, Any], decided: Mapping[str, Any]
) -> None:
    """Say what came of an accept; what was refused may be wanted all the same.

    Raises: AgentError, Refused, ClientGone.
    """
    if not decided["refused"]:
        _say(server, *account_of(decided, "accepted"))
        return
    text, level = str(decided["refused"]), types.MessageType.Warning
    if await _choice(server, level, text, (ACCEPT_ANYWAY, LATER)) == ACCEPT_ANYWAY:
        again = await decide(server, {**params, "evenIfNotGreen": True})
        _say(server, *account_of(again, "accepted"))


def tell_undone(server: "GreenloopServer", decided: Mapping[str, Any]) -> None:
    """Say what came of an undo."""
    if decided["refused"]:
        _say(server, types.MessageType.Info, str(decided["refused"]))
    else:
        _say(server, *account_of(decided, "taken back"))


def account_of(decided: Mapping[str, Any], what: str) -> tuple[types.MessageType, str]:
    """Return what was `accepted`, or `taken back`, and what was not, for a person."""
    done, conflicts = decided["done"], decided["conflicts"]
    parts = []
    if done:
        changes = sum(len(each["hunks"]) for each in done)
        parts.append(f"{counted(changes, 'change')} {what} in {_named(done)}")
    unsaved = [each for each in done if not each["saved"]]
    if unsaved:
        parts.append(f"not saved yet: {_named(unsaved)}")
    parts += [
        f"{each['path']}:{each['line'] + 1} was left as it is: {each['why']}" for each in conflicts
    ]
    level = types.MessageType.Warning if conflicts else types.MessageType.Info
    return level, "; ".join(parts) or f"there was nothing left to be {what}"


def _named(files: list[Mapping[str, Any]]) -> str:
    names = [str(each["path"]) for each in files]
    return (
        ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"
    )


def _line(line: RunLine) -> str:
    return f"{line.title}: {line.message}" if line.message else f"{line.title}: {line.verdict}"


def _say(server: "GreenloopServer", level: types.MessageType, text: str) -> None:
    message = f"Greenloop: {text}"
    server.tell(types.WINDOW_SHOW_MESSAGE, {"type": level.value, "message": message})
