"""Requests of ours to the client, and their answers.

Whoever waits may be cancelled, the answer may come late, twice, for an id that was never given, or
not at all: none of this reaches anybody else.
"""

import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any

import anyio

from lsp_server.wire.errors import ClientGone, ClientRefused

logger = logging.getLogger(__name__)


class _Question:
    """One request that is under way."""

    def __init__(self) -> None:
        self.answered = anyio.Event()
        self.result: object = None
        self.error: Exception | None = None


class Asking:
    """The requests of one connection."""

    def __init__(self, send: Callable[[Mapping[str, Any]], None]) -> None:
        self._send = send
        self._numbers = itertools.count(1)
        self._open: dict[str, _Question] = {}
        self._is_over = False

    async def ask(self, method: str, params: object) -> Any:
        """Send a request and return its result, as plain JSON; waits as long as the client does.

        Raises:
            ClientGone: The connection ended first.
            ClientRefused: The client answered with an error.
        """
        if self._is_over:
            raise ClientGone(f"nobody is there to answer {method}")
        number = f"greenloop-{next(self._numbers)}"
        question = self._open[number] = _Question()
        message = {"jsonrpc": "2.0", "id": number, "method": method}
        self._send(message if params is None else {**message, "params": params})
        try:
            await question.answered.wait()
        except anyio.get_cancelled_exc_class():
            cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}}
            self._send(cancel)
            raise
        finally:
            self._open.pop(number, None)
        if question.error is not None:
            raise question.error
        return question.result

    def take(self, answer: Mapping[str, Any]) -> None:
        """Hand an answer of the client to whoever waits for it, if anybody does."""
        number = answer.get("id")
        question = self._open.pop(number, None) if isinstance(number, str) else None
        if question is None:
            logger.debug("an answer to no open request: %.40r", number)
            return
        if "error" in answer:
            question.error = _refusal(answer["error"])
        else:
            question.result = answer.get("result")
        question.answered.set()

    def end(self) -> None:
        """Tell everybody who waits that nothing will come."""
        self._is_over = True
        for question in self._open.values():
            question.error = ClientGone("the editor's connection has ended")
            question.answered.set()
        self._open.clear()


def _refusal(error: object) -> ClientRefused:
    fields = error if isinstance(error, dict) else {}
    code, message = fields.get("code"), fields.get("message")
    return ClientRefused(
        code if isinstance(code, int) else 0,
        message if isinstance(message, str) else "the editor refused",
    )
