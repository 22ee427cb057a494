"""What can go wrong between us and a client, and how it is answered.

    Exception
    ├── Refused        we will not do that; nothing was changed      → -32803 with its kind
    ├── BadParams      params that do not fit; names the field       → -32602
    ├── ClientGone     the connection ended while we waited for an answer
    └── ClientRefused  the client answered a request of ours with an error

An `AgentError` that a handler lets through is answered as a refusal of kind `failed`; anything else
as -32603, with the traceback in the log and never in the answer.
"""

import logging
from typing import Any, Final, Literal, get_args

from pygls.exceptions import JsonRpcException

from agent.errors import AgentError

logger = logging.getLogger(__name__)

Kind = Literal[
    "bad_request",
    "not_found",
    "untrusted",
    "no_repository",
    "no_engine",
    "no_model",
    "not_ready",
    "stale",
    "failed",
]
KINDS: Final = get_args(Kind)

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
NOT_INITIALIZED: Final = -32002
CANCELLED: Final = -32800
REQUEST_FAILED: Final = -32803

LINE_LIMIT: Final = 500
"""Characters of a message for a person; what is longer is a file that somebody put into it."""


class Refused(Exception):
    """What was asked is not done, and nothing was changed."""

    def __init__(self, kind: Kind, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message
        self.remedy = remedy


class BadParams(Exception):
    """Params of a request do not fit; the message names the field."""


class ClientGone(Exception):
    """The connection ended, so that no answer will come."""


class ClientRefused(Exception):
    """The client answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message


def error_answer(code: int, message: str, data: object = None) -> dict[str, Any]:
    """Return the `error` member of a response."""
    answer: dict[str, Any] = {"code": code, "message": _one_line(message)}
    if data is not None:
        answer["data"] = data
    return answer


def answer_for(exc: Exception, method: str) -> dict[str, Any]:
    """Return the `error` member for what a handler raised; what it hides is in the log."""
    match exc:
        case Refused():
            return _refusal(exc.kind, exc.message, exc.remedy)
        case AgentError():
            return _refusal("failed", exc.message, exc.remedy)
        case BadParams():
            return error_answer(INVALID_PARAMS, str(exc))
        case JsonRpcException():
            return error_answer(exc.code, exc.message)
        case ExceptionGroup(exceptions=(only,)):
            return answer_for(only, method)
        case _:
            logger.error("%s failed", method, exc_info=exc)
            message = f"{method} failed: an error of the server ({type(exc).__name__})."
            return error_answer(INTERNAL_ERROR, f"{message} Its log has the details.")


def _refusal(kind: Kind, message: str, remedy: str) -> dict[str, Any]:
    return error_answer(REQUEST_FAILED, message, {"kind": kind, "remedy": _one_line(remedy)})


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LINE_LIMIT else line[: LINE_LIMIT - 1] + "…"
