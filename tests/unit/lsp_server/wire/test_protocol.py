"""Who may ask what when, and what comes back: one connection in this process."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from lsprotocol import types

from agent.errors import TaskError
from lsp_server.server import GreenloopServer
from lsp_server.wire.errors import Refused
from tests.support.lsp import Answered, Peer, in_process, quiet_keeper

SECRET = "the user's source code"


class Rooms:
    """A server with handlers of every sort."""

    def __init__(self, server: GreenloopServer) -> None:
        self.server = server
        self.order: list[str] = []
        self.began = anyio.Event()
        self.cancelled = anyio.Event()
        self.release = anyio.Event()
        for name in ("status", "run", "runs", "start", "cancel", "check"):
            server.verb(name, getattr(self, name))

        @server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
        async def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
            command = types.Command(title="Fix", command="fix", arguments=[{"uri": "x"}])
            return [types.CodeAction(title=params.text_document.uri, command=command)]

        @server.feature(types.TEXT_DOCUMENT_HOVER)
        async def hover(params: types.HoverParams) -> None:
            raise ValueError(f"{SECRET} {params.position.line}")

        @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
        def did_save(params: types.DidSaveTextDocumentParams) -> None:
            self.order.append(f"saved {params.text_document.uri}")
            raise ValueError(SECRET)

        @server.command("test.plain")
        async def plain(arguments: list[Any]) -> object:
            return {"got": arguments, "token": server.request_token}

    async def status(self, params: Mapping[str, Any]) -> object:
        self.order.append("status")
        return {"folder": params.get("folder"), "token": self.server.request_token}

    async def run(self, params: Mapping[str, Any]) -> object:
        raise Refused("not_found", f"there is no run {params['run']}.", "See greenloop/runs.")

    async def runs(self, params: Mapping[str, Any]) -> object:
        raise TaskError("there is no repository.\nReally.", remedy="Make one.")

    async def start(self, params: Mapping[str, Any]) -> object:
        raise RuntimeError(SECRET)

    async def cancel(self, params: Mapping[str, Any]) -> object:
        return {1, 2}

    async def check(self, params: Mapping[str, Any]) -> object:
        self.began.set()
        try:
            await self.release.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled.set()
            raise
        return "released"


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[Peer, Rooms]]:
    async with quiet_keeper() as keeper:
        server = GreenloopServer(keeper)
        rooms = Rooms(server)
        async with in_process(server) as peer:
            yield peer, rooms


async def refused(peer: Peer, method: str, params: object = None) -> Answered:
    with pytest.raises(Answered) as caught:
        await peer.request(method, params)
    return caught.value


async def test_nothing_is_answered_before_initialize() -> None:
    async with connected() as (peer, rooms):
        assert (await refused(peer, "greenloop/status", {})).code == -32002
        assert (await refused(peer, "shutdown")).code == -32002
        await peer.notify("textDocument/didSave", {"textDocument": {"uri": "file:///x"}})
        await peer.initialize()
        assert rooms.order == []


async def test_initialize_tells_the_version_of_the_protocol_and_the_commands() -> None:
    async with connected() as (peer, _):
        capabilities = (await peer.initialize())["capabilities"]
    assert capabilities["experimental"] == {"greenloop": {"protocol": 1}}
    commands = capabilities["executeCommandProvider"]["commands"]
    assert {"greenloop.server.status", "greenloop.server.run", "test.plain"} <= set(commands)


async def test_a_second_initialize_is_refused_and_a_wrong_first_one_may_be_repeated() -> None:
    async with connected() as (peer, _):
        wrong = await refused(peer, "initialize", {"capabilities": {"general": 5}})
        assert wrong.code == -32602
        assert wrong.message.startswith("capabilities.general")
        await peer.initialize()
        assert (await refused(peer, "initialize", {"capabilities": {}})).code == -32600


async def test_after_shutdown_only_exit_is_heard() -> None:
    async with connected() as (peer, rooms):
        await peer.initialize()
        await peer.request("shutdown")
        assert (await refused(peer, "greenloop/status", {})).code == -32600
        await peer.notify("textDocument/didSave", {"textDocument": {"uri": "file:///x"}})
        await peer.notify("exit")
        await peer.ended.wait()
        assert rooms.order == []
        assert peer.left_in_order


async def test_exit_without_shutdown_is_out_of_order() -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        await peer.notify("exit")
        await peer.ended.wait()
        assert peer.left_in_order is False


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("greenloop/status", {"folder": 5}, "folder: must be of type string"),
        ("greenloop/status", [], "params: must be an object"),
        ("greenloop/run", {}, "run: is missing"),
        ("greenloop/run", {"run": None}, "run: is missing"),
        ("greenloop/start", {"kind": "mend"}, "kind: must be one of fix, implement"),
        ("greenloop/start", {"kind": "fix", "targets": [1]}, "targets.0: must be of type string"),
        ("textDocument/codeAction", {}, "textDocument: is missing"),
        ("textDocument/codeAction", None, "params: is missing"),
        ("textDocument/codeAction", [], "textDocument: must be of type TextDocumentIdentifier"),
        (
            "textDocument/codeAction",
            {
                "textDocument": {"uri": "file:///x"},
                "range": {"start": {"line": "a", "character": 0}},
                "context": {"diagnostics": []},
            },
            "range.start.line: must be of type int",
        ),
        ("workspace/executeCommand", {"command": "nope"}, "command: there is no command nope"),
    ],
)
async def test_params_that_do_not_fit_are_answered_with_the_field(
    method: str, params: object, message: str
) -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        error = await refused(peer, method, params)
    assert (error.code, error.message) == (-32602, message)


async def test_an_unknown_method_is_answered() -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        assert (await refused(peer, "greenloop/nope", {})).code == -32601
        assert (await refused(peer, "$/nope", {})).code == -32601


async def test_a_refusal_carries_its_kind_and_what_to_do() -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        error = await refused(peer, "greenloop/run", {"run": "r1"})
        assert error.code == -32803
        assert error.message == "there is no run r1."
        assert error.data == {"kind": "not_found", "remedy": "See greenloop/runs."}
        error = await refused(peer, "greenloop/runs", {})
        assert error.message == "there is no repository. Really."
        assert error.data == {"kind": "failed", "remedy": "Make one."}


async def test_an_error_of_ours_shows_neither_traceback_nor_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        error = await refused(peer, "greenloop/start", {"kind": "fix"})
        position = {"textDocument": {"uri": "x"}, "position": {"line": 1, "character": 0}}
        other = await refused(peer, "textDocument/hover", position)
    assert (error.code, error.data, other.code) == (-32603, None, -32603)
    assert "RuntimeError" in error.message
    assert SECRET not in error.message + other.message
    assert "Traceback" not in str(peer.seen)
    assert "greenloop/start failed" in caplog.text


async def test_a_result_that_is_no_json_is_an_error_and_not_a_silence() -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        assert (await refused(peer, "greenloop/cancel", {"run": "x"})).code == -32603


async def test_a_verb_is_a_command_too_with_the_token_of_its_request() -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        params = {
            "command": "greenloop.server.status",
            "arguments": [{"folder": "file:///x"}],
            "workDoneToken": "t1",
        }
        answer = {"folder": "file:///x", "token": "t1"}
        assert await peer.request("workspace/executeCommand", params) == answer
        assert await peer.command("greenloop.server.status") == {"folder": None, "token": None}
        with pytest.raises(Answered, match="at most one"):
            await peer.command("greenloop.server.status", {}, {})
        assert await peer.command("test.plain", 1, "two") == {"got": [1, "two"], "token": None}


async def test_results_of_lsprotocol_go_out_as_the_protocol_has_them() -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        place = {"line": 0, "character": 0}
        params = {
            "textDocument": {"uri": "file:///🐍.py"},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": []},
        }
        actions = await peer.request("textDocument/codeAction", params)
    command = {"title": "Fix", "command": "fix", "arguments": [{"uri": "x"}]}
    assert actions == [{"title": "file:///🐍.py", "command": command}]


@pytest.mark.parametrize("as_command", [False, True])
async def test_cancelling_a_request_ends_its_handler(*, as_command: bool) -> None:
    async with connected() as (peer, rooms):
        await peer.initialize()
        method, params = "greenloop/check", {"run": "r"}
        if as_command:
            params = {"command": "greenloop.server.check", "arguments": [params]}
            method = "workspace/executeCommand"
        request = await peer.begin(method, params)
        await rooms.began.wait()
        await peer.notify("$/cancelRequest", {"id": request})
        with pytest.raises(Answered) as caught:
            await peer.answer(request)
        assert caught.value.code == -32800
        await rooms.cancelled.wait()
        await peer.notify("$/cancelRequest", {"id": request})
        assert await peer.request("greenloop/status", {})


async def test_a_request_cancelled_before_it_began_is_answered_once() -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        request = await peer.begin("greenloop/check", {"run": "r"})
        await peer.notify("$/cancelRequest", {"id": request})
        with pytest.raises(Answered):
            await peer.answer(request)
        assert await peer.request("greenloop/status", {})
        assert len([one for one in peer.seen if one.get("id") == request]) == 1


@pytest.mark.parametrize("params", [None, [], {}, {"id": None}, {"id": {}}, {"id": "?"}])
async def test_cancelling_what_is_not_there_changes_nothing(params: object) -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        await peer.notify("$/cancelRequest", params)
        assert await peer.request("greenloop/status", {})


async def test_shutdown_ends_what_is_under_way() -> None:
    async with connected() as (peer, rooms):
        await peer.initialize()
        request = await peer.begin("greenloop/check", {"run": "r"})
        await rooms.began.wait()
        await peer.request("shutdown")
        with pytest.raises(Answered):
            await peer.answer(request)


async def test_the_end_of_a_connection_ends_its_handlers_and_tells_the_core() -> None:
    async with quiet_keeper() as keeper:
        server = GreenloopServer(keeper)
        rooms = Rooms(server)
        async with in_process(server) as peer:
            await peer.initialize()
            await peer.begin("greenloop/check", {"run": "r"})
            await rooms.began.wait()
        core: Any = keeper.core
        assert core.clients == [server]
        server.leave()
        assert core.clients == []
        assert rooms.cancelled.is_set()


async def test_an_id_that_is_in_use_is_refused_and_the_first_request_goes_on() -> None:
    async with connected() as (peer, rooms):
        await peer.initialize()
        first = await peer.begin("greenloop/check", {"run": "r"})
        await rooms.began.wait()
        again = {"jsonrpc": "2.0", "id": first, "method": "greenloop/status", "params": {}}
        await peer.send(again)
        with pytest.raises(Answered) as caught:
            await peer.answer(first)
        assert caught.value.code == -32600
        peer.seen.clear()
        rooms.release.set()
        assert await peer.answer(first) == "released"


async def test_a_failing_notification_is_logged_once_and_shown_to_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    async with connected() as (peer, rooms):
        await peer.initialize()
        for _ in range(7):
            await peer.notify("textDocument/didSave", {"textDocument": {"uri": "file:///x"}})
        await peer.notify("textDocument/didSave", {"textDocument": 5})
        await peer.request("greenloop/status", {})
        assert len(rooms.order) == 8
        assert not [one for one in peer.seen if one.get("method") == "window/showMessage"]
    failures = [one for one in caplog.messages if "didSave failed" in one]
    assert failures == [
        "textDocument/didSave failed",
        "textDocument/didSave failed (2 times)",
        "textDocument/didSave failed (4 times)",
    ]
    assert any("didSave was dropped: BadParams: textDocument" in one for one in caplog.messages)


async def test_what_does_not_wait_is_done_in_the_order_it_came() -> None:
    async with connected() as (peer, rooms):
        await peer.initialize()
        for number in range(5):
            await peer.notify("textDocument/didSave", {"textDocument": {"uri": str(number)}})
        await peer.request("greenloop/status", {})
        assert rooms.order == [*(f"saved {number}" for number in range(5)), "status"]


async def test_unknown_notifications_and_answers_are_taken_in_silence() -> None:
    async with connected() as (peer, _):
        await peer.initialize()
        await peer.notify("$/setTrace", {"value": "verbose"})
        await peer.notify("$/unknown", {"value": 1})
        await peer.notify("unknown/thing", [1])
        await peer.send({"jsonrpc": "2.0", "id": "never asked", "result": None})
        await peer.send({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": "?"}})
        before = len(peer.seen)
        await peer.request("greenloop/status", {})
        assert len(peer.seen) == before + 1


async def test_the_server_asks_and_the_client_may_be_slow_or_refuse() -> None:
    async with connected() as (peer, rooms):
        await peer.initialize()
        peer.handlers["workspace/configuration"] = lambda params: [{"asked": params}]
        answer = await rooms.server.ask(
            "workspace/configuration",
            types.ConfigurationParams(items=[types.ConfigurationItem(section="greenloop")]),
        )
        assert answer == [{"asked": {"items": [{"section": "greenloop"}]}}]
        shown = await rooms.server.window_show_message_request_async(
            types.ShowMessageRequestParams(type=types.MessageType.Info, message="?")
        )
        assert shown is None


async def test_telling_what_is_no_json_raises_nothing() -> None:
    async with connected() as (peer, rooms):
        await peer.initialize()
        rooms.server.tell("greenloop/run/changed", {"run": {1, 2}})
        rooms.server.tell("greenloop/run/changed", {"run": "r1"})
        assert await peer.told("greenloop/run/changed") == {"run": "r1"}
