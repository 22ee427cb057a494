"""A valid session, damaged: the process lives, answers in kind, and no connection hangs."""

import copy
import json
from contextlib import suppress
from typing import Any

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.lsp import PATIENCE_S, Ended, Peer, connected_peer, framed

URI = "file:///nowhere/a.py"
PLACE = {"line": 0, "character": 0}
RANGE = {"start": PLACE, "end": {"line": 1, "character": 3}}
DOCUMENT = {"uri": URI, "languageId": "python", "version": 1, "text": "def test_a():\n    🐍\n"}
SESSION: list[dict[str, Any]] = [
    {"id": 1, "method": "initialize", "params": {"processId": None, "capabilities": {}}},
    {"method": "initialized", "params": {}},
    {"method": "textDocument/didOpen", "params": {"textDocument": DOCUMENT}},
    {
        "method": "textDocument/didChange",
        "params": {
            "textDocument": {"uri": URI, "version": 2},
            "contentChanges": [{"range": RANGE, "text": "x"}, {"text": "y"}],
        },
    },
    {
        "id": 2,
        "method": "textDocument/codeAction",
        "params": {"textDocument": {"uri": URI}, "range": RANGE, "context": {"diagnostics": []}},
    },
    {"id": 3, "method": "textDocument/codeLens", "params": {"textDocument": {"uri": URI}}},
    {"id": 4, "method": "textDocument/diagnostic", "params": {"textDocument": {"uri": URI}}},
    {"id": 5, "method": "greenloop/runs", "params": {"limit": 3}},
    {"id": 6, "method": "greenloop/run", "params": {"run": "r", "logFrom": 0}},
    {"id": 7, "method": "greenloop/tests", "params": {"uri": URI}},
    {"id": 8, "method": "greenloop/decide", "params": {"run": "r", "decision": "accept"}},
    {"id": 9, "method": "greenloop/content", "params": {"uri": "greenloop-base:/a.py?run=r"}},
    {
        "id": 10,
        "method": "workspace/executeCommand",
        "params": {"command": "greenloop.server.runs", "arguments": [{}]},
    },
    {"method": "workspace/didChangeConfiguration", "params": {"settings": {"attempts": 2}}},
    {"method": "greenloop/trust", "params": {"trusted": False}},
    {"method": "$/cancelRequest", "params": {"id": 5}},
    {"method": "textDocument/didClose", "params": {"textDocument": {"uri": URI}}},
    {"id": 11, "method": "shutdown"},
    {"method": "exit"},
]
SESSION = [{"jsonrpc": "2.0", **message} for message in SESSION]

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["\0", "file:///", "file://%", URI, "../..", "\ud800", "greenloop-base:?run="]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
NO_DEADLINE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON value but its top."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, child in inner:
        found.append((*path, key))
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


@st.composite
def damaged_sessions(draw: st.DrawFn) -> bytes:
    """The session with a few values replaced or taken out, messages doubled, lost or moved."""
    session = copy.deepcopy(SESSION if draw(st.booleans()) else SESSION[:-2])
    for _ in range(draw(st.integers(min_value=1, max_value=4))):
        at = draw(st.integers(min_value=0, max_value=len(session) - 1))
        match draw(st.sampled_from(["replace", "take out", "double", "lose", "move"])):
            case "double":
                session.insert(at, copy.deepcopy(session[at]))
            case "lose" if len(session) > 2:
                del session[at]
            case "move":
                session.insert(draw(st.integers(0, len(session) - 1)), session.pop(at))
            case how:
                spots = places(session[at])
                if spots:
                    *way, last = draw(st.sampled_from(spots))
                    target: Any = session[at]
                    for step in way:
                        target = target[step]
                    if how == "replace":
                        target[last] = draw(VALUES)
                    else:
                        del target[last]
    return b"".join(framed(json.dumps(message).encode()) for message in session)


@st.composite
def damaged_bytes(draw: st.DrawFn) -> bytes:
    """The session's bytes with some of them replaced, taken out or put in, and maybe cut short."""
    data = bytearray(b"".join(framed(json.dumps(message).encode()) for message in SESSION))
    for _ in range(draw(st.integers(min_value=1, max_value=5))):
        at = draw(st.integers(min_value=0, max_value=len(data) - 1))
        gone = draw(st.integers(min_value=0, max_value=3))
        data[at : at + gone] = draw(st.binary(max_size=4))
    return bytes(data[: draw(st.integers(min_value=1, max_value=len(data)))])


@NO_DEADLINE
@given(data=damaged_sessions())
async def test_a_session_with_damaged_values(port: int, data: bytes) -> None:
    await survives(port, data, is_framed=True)


@NO_DEADLINE
@given(data=damaged_bytes())
async def test_a_session_with_damaged_bytes(port: int, data: bytes) -> None:
    await survives(port, data)


@NO_DEADLINE
@given(data=st.binary(max_size=2000))
async def test_any_bytes(port: int, data: bytes) -> None:
    await survives(port, data)


async def survives(port: int, data: bytes, *, is_framed: bool = False) -> None:
    """The connection comes to its end once nothing more is sent, and the process serves others."""
    stream = await anyio.connect_tcp("127.0.0.1", port)
    async with stream, connected_peer(stream) as peer:
        await peer.send_bytes(data)
        if is_framed:
            last = {"jsonrpc": "2.0", "id": "last", "method": "greenloop/runs", "params": {}}
            await peer.send(last)
            with suppress(Ended):
                await peer.wait_for(lambda message: message.get("id") == "last")
        with suppress(anyio.BrokenResourceError, OSError):
            await stream.send_eof()
        with anyio.fail_after(PATIENCE_S):
            await peer.ended.wait()
        assert_in_kind(peer)
    other = await anyio.connect_tcp("127.0.0.1", port)
    async with other, connected_peer(other) as peer:
        await peer.initialize()
        assert await peer.request("greenloop/runs", {}) == {"runs": []}


def assert_in_kind(peer: Peer) -> None:
    """What came are messages of JSON-RPC, without an error of ours or a traceback."""
    for message in peer.seen:
        assert message["jsonrpc"] == "2.0"
        if "method" in message:
            continue
        assert ("result" in message) != ("error" in message)
        if "error" in message:
            assert isinstance(message["error"]["message"], str)
            assert message["error"]["code"] != -32603, message
            assert "Traceback" not in json.dumps(message)
