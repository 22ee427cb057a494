"""Work-done progress of runs at one client: begin, report, end, and cancelling from there.

A token that a client sent with a command is good until that command is answered, which is long
before its run ends. So a run's progress has a token that the server makes; the client's own is
taken where the client cannot be asked for one.
"""

import logging
from typing import TYPE_CHECKING, Any, Final

from agent.telling.wording import headline
from lsp_server.runs.guarded import guarded
from lsp_server.runs.state import RunLine
from lsp_server.wire.errors import ClientGone, ClientRefused

if TYPE_CHECKING:
    from lsp_server.runs.news import Client

logger = logging.getLogger(__name__)

Token = str | int
MESSAGE_CHARACTERS: Final = 300


class ProgressBars:
    """The progress of every run that one client is shown; a token is dropped with its end."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._tokens: dict[str, Token | None] = {}
        """By run; None: being made, or it could not be made."""
        self._shown: dict[str, RunLine] = {}
        self._latest: dict[str, RunLine] = {}
        self._is_refused = False

    def own(self, run: str, token: Token) -> None:
        """Show a run under a token of the client's, where it cannot be asked for one."""
        if not self._can_be_asked():
            self._tokens[run] = token

    def show(self, line: RunLine) -> None:
        """Show where a run stands."""
        if line.run not in self._tokens:
            if line.state.is_over or not self._is_wanted():
                return
            self._tokens[line.run] = None
            self._client.tasks.start_soon(
                guarded, "making progress", line.run, self._make, line.run
            )
        self._latest[line.run] = line
        self._draw(line)

    def run_of(self, token: object) -> str | None:
        """Return the run whose progress has that token."""
        found = (run for run, each in self._tokens.items() if each is not None and each == token)
        return next(found, None)

    def _is_wanted(self) -> bool:
        wishes = self._client.session.client.progress
        return wishes and self._can_be_asked() and not self._is_refused

    def _can_be_asked(self) -> bool:
        window = self._client.session.capabilities.window
        return bool(window and window.work_done_progress)

    async def _make(self, run: str) -> None:
        token = f"greenloop/{run}"
        try:
            await self._client.ask("window/workDoneProgress/create", {"token": token})
        except ClientGone:
            return
        except ClientRefused as exc:
            logger.warning("the client makes no progress for a run: %s", exc.message)
            self._is_refused = True
            del self._tokens[run], self._latest[run]
            return
        self._tokens[run] = token
        self._draw(self._latest[run])

    def _draw(self, line: RunLine) -> None:
        token, shown = self._tokens[line.run], self._shown.get(line.run)
        if token is None:
            return
        if shown is None:
            self._send(token, {"kind": "begin", "title": line.title, "cancellable": True})
        if line.state.is_over:
            self._send(token, {"kind": "end", "message": _ending(line)})
            for kept in (self._tokens, self._shown, self._latest):
                kept.pop(line.run, None)
            return
        value = {"kind": "report", "cancellable": line.can_cancel, **_standing(line)}
        if shown is None or value != {
            "kind": "report",
            "cancellable": shown.can_cancel,
            **_standing(shown),
        }:
            self._send(token, value)
        self._shown[line.run] = line

    def _send(self, token: Token, value: dict[str, Any]) -> None:
        self._client.tell("$/progress", {"token": token, "value": value})


def _standing(line: RunLine) -> dict[str, Any]:
    phase = f"{line.phase}: " if line.phase else ""
    standing: dict[str, Any] = {"message": f"{phase}{line.doing}"[:MESSAGE_CHARACTERS]}
    # A percentage must rise steadily; of a whole run it is not known, of a run of tests it is.
    if line.kind == "test" and line.percent is not None:
        standing["percentage"] = int(line.percent)
    return standing


def _ending(line: RunLine) -> str:
    words = headline(line.verdict, line.confidence or None)
    return (f"{words}: {line.message}" if line.message else words)[:MESSAGE_CHARACTERS]
