"""What the host does with a runner that dies, lies, or says nothing."""

import json
import struct

import anyio
import pytest

from sandbox import framed
from sandbox import session as session_module
from sandbox.base import Command, CommandLimits, Completed, HarvestLimits, Reason
from sandbox.errors import SandboxError, SandboxLost
from sandbox.frames import FRAME_BYTES
from sandbox.session import FramedSession, runner_argv
from tests.support.runners import Liar, frame

READY = json.dumps({"sealed": True, "python": "3.12.1", "pid": 7}).encode()


def a_session(*answers: tuple[bytes, bytes], end: bool = False) -> tuple[FramedSession, Liar]:
    liar = Liar(end=end)
    session = FramedSession(liar)
    liar.answers = [frame(session, kind, payload) for kind, payload in answers]
    return session, liar


async def greet(session: FramedSession, within_s: float = 5) -> None:
    await session.greet(
        roots={"tree": "/t", "tools": "/x"}, folders=["/h"], alone=True, within_s=within_s
    )


async def run(session: FramedSession, **limits: float) -> Completed:
    command = Command(argv=("x",), limits=CommandLimits(**limits))  # type: ignore[arg-type]
    async with session.process(command, cwd="/", env={}, interactive=False) as process:
        while True:
            got = await process.receive()
            if isinstance(got, Completed):
                return got


def done(**changes: object) -> bytes:
    answer = {"code": 0, "reason": "exited", "output_bytes": 0, "wall_s": 0.5, **changes}
    return json.dumps(answer).encode()


async def test_an_honest_runner_is_believed() -> None:
    session, liar = a_session((b"h", READY), (b"o", b"out"), (b"p", b"null"), (b"r", done(code=3)))
    await greet(session)
    assert await run(session) == Completed(
        exit_code=3, head=b"out", tail=b"", output_bytes=3, wall_s=0.5, reason=Reason.EXITED
    )
    assert session.python == "3.12.1"
    assert not session.lost
    assert liar.told.startswith(session.frames.token)


async def test_an_exit_code_counts_only_for_a_command_that_exited() -> None:
    session, _ = a_session((b"r", done(reason="oom")))
    end = await run(session)
    assert (end.exit_code, end.reason) == (None, Reason.OOM)


LIES = [
    (b"h", READY),
    (b"d", b"data"),
    (b"r", b"not json"),
    (b"r", b'{"code": 0}'),
    (b"r", b'{"code": 0, "reason": "splendid", "wall_s": 1}'),
    (b"r", b'{"error": "no"}'),
    (b"r", b"[]"),
    (b"\xff", b""),
]


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_while_a_command_runs_is_a_lost_sandbox(lie: tuple[bytes, bytes]) -> None:
    session, liar = a_session(lie)
    with pytest.raises(SandboxLost, match="its last words"):
        await run(session)
    assert session.lost
    assert liar.is_closed


@pytest.mark.parametrize("lie", [*LIES[1:4], (b"o", b"x")])
async def test_a_lie_as_the_first_answer_is_a_lost_sandbox(lie: tuple[bytes, bytes]) -> None:
    session, _ = a_session(lie)
    with pytest.raises(SandboxLost):
        await greet(session)


async def test_a_runner_that_cannot_hide_itself_is_refused() -> None:
    session, _ = a_session((b"h", READY.replace(b"true", b"false")))
    with pytest.raises(SandboxLost, match="could not hide itself"):
        await greet(session)


async def test_a_frame_with_another_token_or_without_bounds_is_refused() -> None:
    for header in (
        struct.pack(">16scI", b"guess".ljust(16), b"r", 2),
        None,
    ):
        session, liar = a_session()
        liar.answers = [
            header or struct.pack(">16scI", session.frames.token, b"r", FRAME_BYTES + 1)
        ]
        with pytest.raises(SandboxLost, match="not an answer"):
            await run(session)


async def test_more_output_than_the_limit_is_not_taken() -> None:
    session, _ = a_session(*[(b"o", b"x" * FRAME_BYTES)] * 3)
    with pytest.raises(SandboxLost, match="output limit"):
        await run(session, output_bytes=10)


async def test_the_end_of_the_stream_is_a_lost_sandbox_for_every_order() -> None:
    for order in (
        greet,
        run,
        lambda session: session.read_file("x", 10),
        lambda session: session.harvest(HarvestLimits()),
        lambda session: session.change("tree", delete=["a"], tar=None),
    ):
        session, _ = a_session(end=True)
        with pytest.raises(SandboxLost, match="the runner ended"):
            await order(session)
        with pytest.raises(SandboxLost, match="is gone"):
            await order(session)


async def test_silence_is_a_lost_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framed, "PING_S", 0.01)
    monkeypatch.setattr(framed, "PATIENCE_S", 0.03)
    monkeypatch.setattr(session_module, "ORDER_S", 0.02)
    session, liar = a_session()
    with pytest.raises(SandboxLost, match="was silent"):
        await run(session)
    assert b"P" in liar.told
    session, _ = a_session()
    with pytest.raises(SandboxLost, match="did not answer"):
        await greet(session, within_s=0.01)
    session, _ = a_session()
    with pytest.raises(SandboxLost, match="does not answer"):
        await session.read_file("x", 10)


async def test_answered_pings_do_not_extend_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framed, "PING_S", 0.01)
    monkeypatch.setattr(framed, "GRACE_S", 0.05)
    session, liar = a_session()

    class Polite(Liar):
        async def receive(self) -> bytes:
            await anyio.sleep(0.02)
            return frame(session, b"p", b"null")

    polite = Polite()
    session.frames._stream = polite
    with pytest.raises(SandboxLost, match="deadline"), anyio.fail_after(5):
        await run(session, wall_s=0.01)
    assert not liar.is_closed


async def test_a_kill_without_an_answer_closes_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framed, "KILL_S", 0.02)
    session, liar = a_session()
    command = Command(argv=("x",))
    async with session.process(command, cwd="/", env={}, interactive=True) as process:
        pass
    assert process.end is not None
    assert process.end.reason is Reason.KILLED
    assert await process.receive() == process.end
    await process.send(b"late")
    await process.close_stdin()
    assert b"late" not in liar.told
    assert liar.is_closed


async def test_a_runner_that_sends_too_much_of_a_file_is_lost() -> None:
    session, _ = a_session((b"d", b"x" * 20))
    with pytest.raises(SandboxLost, match="more than was asked for"):
        await session.read_file("x", 10)
    session, _ = a_session((b"d", b"x"), (b"o", b"y"))
    with pytest.raises(SandboxLost, match="more than was asked for"):
        await session.read_file("x", 10)
    session, _ = a_session((b"r", b"{"))
    with pytest.raises(SandboxLost, match="not JSON"):
        await session.read_file("x", 10)


async def test_errors_of_the_runner_are_told() -> None:
    session, _ = a_session((b"r", b'{"error": "a: No space left on device"}'))
    with pytest.raises(SandboxError, match="No space left"):
        await session.change("tree", delete=(), tar=iter([b"x" * (FRAME_BYTES + 1)]))
    assert not session.lost
    session, _ = a_session((b"r", b'{"error": "deep"}'))
    with pytest.raises(SandboxLost, match="cannot be listed"):
        await session.harvest(HarvestLimits())


async def test_a_cancelled_order_leaves_no_half_answer_behind() -> None:
    session, liar = a_session()
    with anyio.move_on_after(0.01) as scope:
        await session.read_file("x", 10)
    assert scope.cancelled_caught
    assert session.lost
    assert liar.is_closed


async def test_a_broken_stream_is_a_lost_sandbox() -> None:
    class Broken(Liar):
        async def send_some(self, data: bytes | memoryview) -> int:
            raise BrokenPipeError("pipe")

    session = FramedSession(Broken())
    with pytest.raises(SandboxLost, match="takes no orders"):
        await run(session)

    class Reset(Liar):
        async def receive(self) -> bytes:
            raise ConnectionResetError("reset")

    session = FramedSession(Reset())
    with pytest.raises(SandboxLost, match="stream broke"):
        await run(session)


def test_the_runner_fits_into_the_arguments_of_a_program() -> None:
    argv = runner_argv("/usr/bin/python3")
    assert argv[0] == "/usr/bin/python3"
    assert max(len(word) for word in argv) < 128 * 1024
    assert argv is runner_argv("/usr/bin/python3")
