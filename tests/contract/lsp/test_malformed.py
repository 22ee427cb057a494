"""What is no message, or none for now: the right error or a clean end, and nobody else notices."""

import json
from typing import Any

import pytest

from tests.contract.lsp.conftest import Connect
from tests.support.lsp import Answered, Ended, Peer, framed

PARSE_ERROR, INVALID, UNKNOWN, BAD_PARAMS, NOT_YET = -32700, -32600, -32601, -32602, -32002


def message(**fields: Any) -> bytes:
    return framed(json.dumps({"jsonrpc": "2.0", **fields}).encode())


NEXT = message(id="next", method="greenloop/runs", params={})


async def is_alive(peer: Peer) -> None:
    """The same connection still answers."""
    await peer.send_bytes(NEXT)
    assert await peer.answer("next") == {"runs": []}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(framed(b""), PARSE_ERROR, id="empty"),
        pytest.param(framed(b"{"), PARSE_ERROR, id="cut-json"),
        pytest.param(framed(b"nonsense"), PARSE_ERROR, id="no-json"),
        pytest.param(framed(b'{"a": "\xff"}'), PARSE_ERROR, id="no-utf8"),
        pytest.param(framed(b"[" * 100_000), PARSE_ERROR, id="too-deep"),
        pytest.param(framed(b'{"id":' + b"9" * 5000 + b"}"), PARSE_ERROR, id="endless-number"),
        pytest.param(framed(b"[]"), INVALID, id="batch"),
        pytest.param(framed(b"5"), INVALID, id="number"),
        pytest.param(framed(b"null"), INVALID, id="null"),
        pytest.param(framed(b'{"id":1,"method":"shutdown"}'), INVALID, id="no-version"),
        pytest.param(framed(b'{"jsonrpc":"1.0","id":1,"method":"x"}'), INVALID, id="version-1"),
        pytest.param(message(id=1), INVALID, id="no-method"),
        pytest.param(message(id=1, method=5), INVALID, id="method-number"),
        pytest.param(message(id=1, method="greenloop/runs", params=5), INVALID, id="params-number"),
        pytest.param(message(id=None, method="greenloop/runs"), INVALID, id="id-null"),
        pytest.param(message(id={}, method="greenloop/runs"), INVALID, id="id-object"),
        pytest.param(message(id=True, method="greenloop/runs"), INVALID, id="id-true"),
        pytest.param(message(id=1.5, method="greenloop/runs"), INVALID, id="id-fraction"),
        pytest.param(message(id=1, method="no/such"), UNKNOWN, id="unknown"),
        pytest.param(message(id=1, method=""), UNKNOWN, id="unnamed"),
        pytest.param(message(id=1, method="exit"), UNKNOWN, id="exit-as-request"),
        pytest.param(message(id=1, method="initialized"), UNKNOWN, id="initialized-as-request"),
        pytest.param(message(id=1, method="greenloop/trust"), UNKNOWN, id="trust-as-request"),
        pytest.param(message(id=1, method="initialize", params={}), INVALID, id="again"),
        pytest.param(message(id=1, method="greenloop/run", params={}), BAD_PARAMS, id="field"),
    ],
)
async def test_each_is_answered_with_its_code_and_the_connection_goes_on(
    connect: Connect, data: bytes, code: int
) -> None:
    async with connect() as peer:
        await peer.initialize()
        before = len(peer.seen)
        await peer.send_bytes(data)
        answer = await peer.wait_for(lambda one: "error" in one and peer.seen.index(one) >= before)
        assert answer["error"]["code"] == code
        assert "Traceback" not in json.dumps(answer)
        await is_alive(peer)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(message(), id="nothing"),
        pytest.param(message(method=5), id="method-number"),
        pytest.param(message(method="shutdown"), id="shutdown-as-notification"),
        pytest.param(message(method="initialize", params={}), id="initialize-as-notification"),
        pytest.param(message(method="greenloop/test", params={}), id="test-as-notification"),
        pytest.param(message(method="greenloop/trust", params={"trusted": "?"}), id="trust"),
        pytest.param(message(method="textDocument/didOpen"), id="open-nothing"),
        pytest.param(message(method="textDocument/didOpen", params={}), id="open-without-document"),
        pytest.param(
            message(
                method="textDocument/didChange",
                params={
                    "textDocument": {"uri": "file:///never-opened.py", "version": 3},
                    "contentChanges": [
                        {
                            "range": {
                                "start": {"line": 99, "character": 99},
                                "end": {"line": 1, "character": 0},
                            },
                            "text": "x",
                        }
                    ],
                },
            ),
            id="change-of-a-closed-file",
        ),
        pytest.param(
            message(method="textDocument/didClose", params={"textDocument": {"uri": "file:///no"}}),
            id="close-of-a-closed-file",
        ),
        pytest.param(
            message(method="window/workDoneProgress/cancel", params={"token": "?"}), id="token"
        ),
        pytest.param(message(method="$/cancelRequest", params={"id": 4711}), id="cancel-nothing"),
        pytest.param(message(method="$/setTrace", params={"value": "loud"}), id="trace"),
        pytest.param(message(method="workspace/didChangeConfiguration", params=None), id="config"),
        pytest.param(message(id="never-asked", result=1), id="answer-to-nothing"),
        pytest.param(message(id=None, error={"code": 1, "message": "x"}), id="error-to-nothing"),
        pytest.param(message(id=[], result=1), id="answer-with-a-list-as-id"),
    ],
)
async def test_what_wants_no_answer_gets_none_and_the_connection_goes_on(
    connect: Connect, data: bytes
) -> None:
    async with connect() as peer:
        await peer.initialize()
        await is_alive(peer)
        before = len([one for one in peer.seen if "error" in one])
        await peer.send_bytes(data)
        peer.seen.clear()
        await is_alive(peer)
        assert before == 0
        assert not [one for one in peer.seen if "error" in one]
        assert not [one for one in peer.seen if one.get("method") == "window/showMessage"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="a-browser"),
        pytest.param(b'{"jsonrpc":"2.0","id":1,"method":"shutdown"}\n\n', id="json-lines"),
        pytest.param(b"Content-Type: x\r\n\r\n{}", id="no-length"),
        pytest.param(b"Content-Length: x\r\n\r\n{}", id="length-no-number"),
        pytest.param(b"Content-Length: -5\r\n\r\n{}", id="length-negative"),
        pytest.param(b"Content-Length: 99999999999999\r\n\r\n{}", id="length-of-terabytes"),
        pytest.param(b"y" * 100_000, id="no-header-at-all"),
    ],
)
async def test_a_stream_that_cannot_be_followed_ends_with_an_error(
    connect: Connect, data: bytes
) -> None:
    async with connect() as peer:
        await peer.send_bytes(data)
        await peer.ended.wait()
        (last,) = peer.seen
        assert last["error"]["code"] == PARSE_ERROR
    async with connect() as other:
        await other.initialize()
        await is_alive(other)


async def test_a_message_above_the_limit_is_passed_over(connect: Connect) -> None:
    async with connect() as peer:
        await peer.initialize()
        size = 65 * 1024 * 1024
        await peer.send_bytes(b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(65):
            await peer.send_bytes(b"x" * 1024 * 1024)
        with pytest.raises(Answered) as caught:
            await peer.answer(None)
        assert caught.value.code == INVALID
        assert "65 MiB" in caught.value.message
        await is_alive(peer)


@pytest.mark.parametrize(
    ("methods", "code"),
    [
        (["shutdown"], NOT_YET),
        (["textDocument/codeAction"], NOT_YET),
        (["workspace/executeCommand"], NOT_YET),
        (["greenloop/start"], NOT_YET),
        (["initialize", "initialize"], INVALID),
        (["initialize", "shutdown", "greenloop/runs"], INVALID),
        (["initialize", "shutdown", "shutdown"], INVALID),
        (["initialize", "shutdown", "initialize"], INVALID),
    ],
)
async def test_out_of_turn_is_refused(connect: Connect, methods: list[str], code: int) -> None:
    async with connect() as peer:
        *before, last = methods
        for method in before:
            await peer.request(method, {"capabilities": {}} if method == "initialize" else None)
        with pytest.raises(Answered) as caught:
            await peer.request(last, {"capabilities": {}})
        assert caught.value.code == code


@pytest.mark.parametrize("params", [None, {}, []])
async def test_shutdown_takes_any_params(connect: Connect, params: object) -> None:
    async with connect() as peer:
        await peer.initialize()
        assert await peer.request("shutdown", params) is None


@pytest.mark.parametrize(
    "cut", [0, 1, 15, 20, 40, len(NEXT) - 1], ids=lambda cut: f"after-{cut}-bytes"
)
async def test_an_early_end_at_any_place_disturbs_nobody(connect: Connect, cut: int) -> None:
    async with connect() as peer:
        await peer.initialize()
        await peer.send_bytes(NEXT[:cut])
    async with connect() as other:
        await other.initialize()
        await is_alive(other)


async def test_after_exit_the_connection_is_closed(connect: Connect) -> None:
    async with connect() as peer:
        await peer.initialize()
        await peer.leave()
        await peer.ended.wait()
        with pytest.raises(Ended):
            await peer.wait_for(lambda one: one.get("id") == "never", patience_s=5)
