"""One connection's messages: who may ask what when, which handler gets it, how it is answered.

pygls keeps its documents, capabilities and registered handlers here; reading, ordering, running
and answering are ours, because pygls leaves wrong params unanswered, serves requests before
`initialize`, answers with tracebacks, and lets a cancelled command run on.
"""

import contextvars
import enum
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio.abc import TaskGroup
from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, lsp_method
from typing_extensions import override

from lsp_server.wire.asking import Asking
from lsp_server.wire.errors import (
    CANCELLED,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NOT_INITIALIZED,
    PARSE_ERROR,
    BadParams,
    answer_for,
    error_answer,
)
from lsp_server.wire.outbox import Outbox
from lsp_server.wire.shapes import params_of
from lsp_server.wire.stepping import begin

if TYPE_CHECKING:
    from cattrs import Converter
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

MessageId = str | int
Json = Mapping[str, Any]


class Phase(enum.Enum):
    """How far a connection has come."""

    NEW = "new"
    INITIALIZING = "initializing"
    READY = "ready"
    SHUT_DOWN = "shut down"


NEVER_WAITS: Final = frozenset({types.EXIT, types.CANCEL_REQUEST})
"""Notifications that are heard in every phase."""


class WireProtocol(LanguageServerProtocol):
    """Takes bodies as they come in, in order, and puts answers into an outbox."""

    PROTOCOL_VERSION: Final = 1
    """Of docs/protocol.md."""

    def __init__(self, server: "LanguageServer", converter: "Converter") -> None:
        super().__init__(server, converter)
        self.phase = Phase.NEW
        self.was_shut_down = False
        self.exited = anyio.Event()
        """Set by `exit`: nothing more will be read."""
        self.own_requests: set[str] = set()
        """Methods of ours that are requests; of the others lsprotocol knows it."""
        self.asking = Asking(self.send)
        self.request_token: contextvars.ContextVar[MessageId | None] = contextvars.ContextVar(
            "request_token", default=None
        )
        self._running: dict[MessageId, anyio.CancelScope] = {}
        self._outbox: Outbox | None = None
        self._tasks: TaskGroup | None = None
        self._complaints = Complaints()

    def connect(self, outbox: Outbox, tasks: TaskGroup) -> None:
        """Say where answers go and in which tasks handlers run."""
        self._outbox = outbox
        self._tasks = tasks

    def tasks(self) -> TaskGroup:
        """Return the tasks that end with the connection; pygls reads properties early."""
        if self._tasks is None:
            raise RuntimeError("there is no connection yet")
        return self._tasks

    # What comes in

    def receive(self, body: bytes) -> None:
        """Act on one body; never raises. A handler that does not wait has been run on return."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            self.send_error(None, PARSE_ERROR, "this is no JSON in UTF-8")
            return
        if not isinstance(message, dict):
            what = "a batch" if isinstance(message, list) else "not an object"
            self.send_error(None, INVALID_REQUEST, f"a message must be one object; this is {what}")
            return
        contextvars.copy_context().run(self._dispatch, message)

    def _dispatch(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method is None and ("result" in message or "error" in message):
            self.asking.take(message)
            return
        message_id = message.get("id")
        is_request = "id" in message
        fault = _fault(message)
        if fault and is_request:
            self.send_error(message_id if _is_id(message_id) else None, INVALID_REQUEST, fault)
        elif fault or not isinstance(method, str):
            self._complaints.add("a notification", fault)
        elif is_request:
            self._request(message_id, method, message.get("params"))
        else:
            self._notification(method, message.get("params"))

    def _request(self, message_id: Any, method: str, raw: Any) -> None:
        refusal = self._out_of_turn(method)
        if refusal:
            self.send_error(message_id, *refusal)
            return
        if message_id in self._running:
            self.send_error(message_id, INVALID_REQUEST, "this id is in use by a running request")
            return
        handler = self.handler_of(method, of_request=True)
        if handler is None:
            self.send_error(message_id, METHOD_NOT_FOUND, f"there is no method {method:.100}")
            return
        scope = self._running[message_id] = anyio.CancelScope()
        if method == types.INITIALIZE:
            self.phase = Phase.INITIALIZING
        try:
            self.request_token.set(_token_of(raw))
            step = begin(handler, (self._structured(method, raw),))
        except Exception as exc:  # noqa: BLE001 - the request handler: every error is an answer
            self._answer(message_id, method, answer_for(exc, method))
            return
        if not inspect.isawaitable(step):
            self._answer_result(message_id, method, step)
        else:
            self.tasks().start_soon(self._finish_request, message_id, method, step, scope)

    async def _finish_request(
        self, message_id: MessageId, method: str, step: Awaitable[object], scope: anyio.CancelScope
    ) -> None:
        cancelled = error_answer(CANCELLED, f"{method} was cancelled")
        with scope:
            try:
                result = await step
            except anyio.get_cancelled_exc_class():
                self._answer(message_id, method, cancelled)
                raise
            except Exception as exc:  # noqa: BLE001 - the request handler: every error is an answer
                self._answer(message_id, method, answer_for(exc, method))
            else:
                self._answer_result(message_id, method, result)

    def _notification(self, method: str, raw: Any) -> None:
        if method == types.CANCEL_REQUEST:
            self._cancel(raw)
            return
        if self.phase is not Phase.READY and method not in NEVER_WAITS:
            logger.debug("a notification out of turn: %.100s", method)
            return
        handler = self.handler_of(method, of_request=False)
        if handler is None:
            logger.debug("a notification that nobody wants: %.100s", method)
            return
        try:
            step = begin(handler, (self._structured(method, raw),))
        except Exception as exc:  # noqa: BLE001 - nobody waits for an answer: the log hears of it
            self._complaints.add(method, exc)
            return
        if inspect.isawaitable(step):
            self.tasks().start_soon(self._finish_notification, method, step)

    async def _finish_notification(self, method: str, step: Awaitable[object]) -> None:
        try:
            await step
        except Exception as exc:  # noqa: BLE001 - nobody waits for an answer: the log hears of it
            self._complaints.add(method, exc)

    def _cancel(self, raw: Any) -> None:
        message_id = raw.get("id") if isinstance(raw, dict) else None
        if isinstance(message_id, str | int) and message_id in self._running:
            self._running[message_id].cancel()

    def _out_of_turn(self, method: str) -> tuple[int, str] | None:
        match self.phase:
            case Phase.SHUT_DOWN:
                return INVALID_REQUEST, "the server was shut down; only exit may follow"
            case Phase.NEW if method != types.INITIALIZE:
                return NOT_INITIALIZED, "initialize must come first"
            case Phase.INITIALIZING if method != types.INITIALIZE:
                return NOT_INITIALIZED, "initialize is not answered yet"
            case Phase.INITIALIZING | Phase.READY if method == types.INITIALIZE:
                return INVALID_REQUEST, "initialize came before"
            case _:
                return None

    def handler_of(self, method: str, *, of_request: bool) -> Callable[..., Any] | None:
        """Return what is registered for a method; pygls' own part calls the registered one.

        A request that comes as a notification has none, and the other way round.
        """
        is_request = method in self.own_requests or self.get_result_type(method) is not None
        if is_request is not of_request:
            return None
        handler: Callable[..., Any] | None = self.fm.builtin_features.get(method)
        return handler if handler is not None else self.fm.features.get(method)

    def _structured(self, method: str, raw: Any) -> Any:
        """Params as lsprotocol has them; of methods of our own plain JSON.

        Raises:
            BadParams: They do not fit; names the field.
        """
        message_type = self.get_message_type(method)
        if message_type is None:
            return raw
        return params_of(self._converter, raw, message_type, method)

    # What goes out

    def _answer_result(self, message_id: MessageId, method: str, result: object) -> None:
        try:
            plain = self.plain(result)
            answer = {"jsonrpc": "2.0", "id": message_id, "result": plain}
            body = _encoded(answer)
        except Exception as exc:  # noqa: BLE001 - a result that is no JSON is an error of ours
            self._answer(message_id, method, answer_for(exc, method))
            return
        self._settle(message_id, method, succeeded=True)
        self._put(body)

    def _answer(self, message_id: MessageId, method: str, error: Json) -> None:
        self._settle(message_id, method, succeeded=False)
        self.send({"jsonrpc": "2.0", "id": message_id, "error": error})

    def _settle(self, message_id: MessageId, method: str, *, succeeded: bool) -> None:
        self._running.pop(message_id, None)
        if method == types.INITIALIZE:
            self.phase = Phase.READY if succeeded else Phase.NEW

    def send_error(self, message_id: MessageId | None, code: int, message: str) -> None:
        """Answer with an error; without an id, to nobody in particular."""
        self.send({"jsonrpc": "2.0", "id": message_id, "error": error_answer(code, message)})

    def send(self, message: Json) -> None:
        """Send a message of plain JSON; dropped when nobody is connected."""
        self._put(_encoded(message))

    def _put(self, body: bytes) -> None:
        if self._outbox is not None:
            self._outbox.put(body)

    def plain(self, value: object) -> Any:
        """Return a value of lsprotocol, or one that holds such, as plain JSON."""
        return self._converter.unstructure(value)

    @override
    def notify(self, method: str, params: Any | None = None) -> None:
        """Send a notification; never raises."""
        try:
            message = {"jsonrpc": "2.0", "method": method}
            body = _encoded(message if params is None else message | {"params": self.plain(params)})
        except Exception as exc:  # noqa: BLE001 - whoever tells must not fail for it
            self._complaints.add(method, exc)
            return
        self._put(body)

    @override
    async def send_request_async(
        self, method: str, params: Any | None = None, msg_id: MessageId | None = None
    ) -> Any:
        """Ask the client; the result is structured where lsprotocol knows its shape."""
        answer = await self.asking.ask(method, self.plain(params))
        result_type = self.get_result_type(method)
        if result_type is None:
            return answer
        whole = {"jsonrpc": "2.0", "id": 0, "result": answer}
        return self._converter.structure(whole, result_type).result

    @override
    def send_request(self, *_: Any, **__: Any) -> Future[Any]:
        """Refuse: its futures break on late answers and cannot be cancelled; use `ask`."""
        raise NotImplementedError("use server.ask")

    # Methods of the protocol itself

    @lsp_method(types.INITIALIZE)
    @override
    def lsp_initialize(self, params: types.InitializeParams) -> Any:
        """Add what is ours to what pygls makes of the registered handlers."""
        result: types.InitializeResult = yield from super().lsp_initialize(params)
        result.capabilities.experimental = {"greenloop": {"protocol": self.PROTOCOL_VERSION}}
        return result

    @lsp_method(types.SHUTDOWN)
    @override
    def lsp_shutdown(self, *_: Any) -> Any:
        """End what is under way for this client; only `exit` is heard after it."""
        for scope in list(self._running.values()):
            scope.cancel()
        self.phase = Phase.SHUT_DOWN
        self.was_shut_down = True
        return None

    @lsp_method(types.EXIT)
    @override
    def lsp_exit(self, *_: Any) -> Any:
        """End the connection; the process decides what that means for it."""
        self.exited.set()

    @lsp_method(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    @override
    def lsp_work_done_progress_cancel(self, params: types.WorkDoneProgressCancelParams) -> Any:
        """Pass it on; tokens belong to whoever reports the progress."""
        if (handler := self.fm.features.get(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)) is not None:
            yield handler, (params,), None

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    @override
    def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Any:
        """Run a command with its arguments as plain JSON."""
        handler = self.fm.commands.get(params.command)
        if handler is None:
            raise BadParams(f"command: there is no command {params.command:.100}")
        result = yield handler, (params.arguments or [],), None
        return result

    # Around it

    def end(self) -> None:
        """Nobody is there any more: release whoever waits for an answer."""
        self.asking.end()


class Complaints:
    """Errors nobody waits for: each cause is written to the log once, then counted.

    An editor would show them as a message each, and a faulty client sends thousands.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}

    def add(self, method: str, cause: Exception | str) -> None:
        """Log it, unless the same was logged before."""
        kind = cause if isinstance(cause, str) else f"{type(cause).__name__}: {cause}"
        key = (method[:100], kind[:200])
        count = self._seen[key] = self._seen.get(key, 0) + 1
        if len(self._seen) > 1000:
            self._seen.clear()
        if count & (count - 1):
            return
        times = f" ({count} times)" if count > 1 else ""
        if isinstance(cause, Exception) and not isinstance(cause, BadParams):
            logger.error("%s failed%s", key[0], times, exc_info=cause)
        else:
            logger.warning("%s was dropped%s: %s", key[0], times, key[1])


def _fault(message: Json) -> str:
    if message.get("jsonrpc") != "2.0":
        return 'jsonrpc: must be "2.0"'
    if not isinstance(message.get("method"), str):
        return "method: must be a string"
    if "id" in message and not _is_id(message["id"]):
        return "id: must be a string or a whole number"
    if "params" in message and not isinstance(message["params"], dict | list | None):
        return "params: must be an object or a list"
    return ""


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _token_of(raw: Any) -> MessageId | None:
    token = raw.get("workDoneToken") if isinstance(raw, dict) else None
    return token if _is_id(token) else None


def _encoded(message: Json) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("ascii")
