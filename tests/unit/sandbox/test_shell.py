"""The shell runner's other end: quoting, answers in the stream, and the book of the tree."""

import io
import subprocess
import tarfile
from collections.abc import Iterator

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import shell as shell_module
from sandbox import shell_process
from sandbox.base import Command, CommandLimits, Completed, HarvestLimits, Reason
from sandbox.errors import SandboxError, SandboxLost
from sandbox.inside.tree import header
from sandbox.packing import pack_files
from sandbox.shell import ShellSession, quoted, shell_argv, steps
from sandbox.tarscan import TreeBook
from tests.support.runners import Liar

WORDS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


@given(words=st.lists(WORDS, min_size=1, max_size=5))
def test_any_word_survives_the_shell_on_one_line(words: list[str]) -> None:
    line = " ".join(quoted(word) for word in words)
    assert "\n" not in line
    script = "nl='\n'; eval \"printf '%s\\0' $1\""
    done = subprocess.run(["sh", "-c", script, "sh", line], capture_output=True, check=True)
    assert done.stdout == b"".join(word.encode() + b"\0" for word in words)


def test_the_steps_to_a_path_are_its_ancestors_and_itself() -> None:
    assert steps("a/b c/d") == "'./a' './a/b c' './a/b c/d'"
    assert steps("/a/b") == "'/a' '/a/b'"


def a_session(*answers: str | bytes, end: bool = False) -> tuple[ShellSession, Liar]:
    """Answers are text; bytes are output."""
    liar = Liar(end=end)
    session = ShellSession(liar, tree_bytes=10_000)
    liar.answers = [
        answer if isinstance(answer, bytes) else session._mark + b" " + answer.encode() + b"\n"
        for answer in answers
    ]
    return session, liar


async def run(session: ShellSession, argv: tuple[str, ...] = ("x",), **limits: float) -> Completed:
    command = Command(argv=argv, limits=CommandLimits(**limits))  # type: ignore[arg-type]
    async with session.process(command, cwd="/", env={"A": "1"}, interactive=False) as process:
        while True:
            got = await process.receive()
            if isinstance(got, Completed):
                return got


async def greet(session: ShellSession) -> None:
    await session.greet(tree="/t", home="/h", awaited=["/t/a"], mounted=["a/v"], within_s=1)


async def test_an_honest_runner_is_believed() -> None:
    session, liar = a_session("ready", "over 4", b"out", "end 3", b"late", "over 4")
    await greet(session)
    end = await run(session)
    assert (end.exit_code, end.output, end.reason) == (3, b"outlate", Reason.EXITED)
    assert liar.told.startswith(session._mark + b"\nhello '/t' '/h' '/t/a'\nreap\nrun none '/' ")


async def test_memory_that_ran_out_since_the_last_command_is_told() -> None:
    session, _ = a_session("ready", "over 4", "end 137", "over 5", "end 0", "over 5")
    await greet(session)
    assert (await run(session)).reason is Reason.OOM
    assert (await run(session)).reason is Reason.EXITED


async def test_a_program_with_an_equals_sign_is_not_a_variable() -> None:
    session, liar = a_session("end 0", "over 0")
    await run(session, ("a=b", "c"))
    assert b"""-i 'A=1' 'sh' '-c' 'exec "$@"' 'sh' 'a=b' 'c'""" in liar.told


async def test_an_answer_may_come_in_any_pieces() -> None:
    session, liar = a_session()
    wire = b"a\x1eb" + session._mark + b" end 0\n" + session._mark + b" over 0\n"
    liar.answers = [wire[at : at + 1] for at in range(len(wire))]
    assert (await run(session)).output == b"a\x1eb"


@pytest.mark.parametrize("lie", ["end x", "over 1", "none", "end -1"])
async def test_a_lie_is_a_lost_sandbox(lie: str) -> None:
    session, liar = a_session(lie)
    with pytest.raises(SandboxLost, match="its last words"):
        await run(session)
    assert liar.is_closed


async def test_an_endless_answer_is_a_lost_sandbox() -> None:
    session, liar = a_session()
    liar.answers = [session._mark + b"x" * 5000]
    with pytest.raises(SandboxLost, match="no end"):
        await run(session)


async def test_limits_are_watched_from_outside() -> None:
    for limits, reason in (
        ({"wall_s": 0.02}, Reason.TIMEOUT),
        ({"wall_s": 9, "no_output_s": 0.02}, Reason.NO_OUTPUT),
    ):
        session, _ = a_session()
        killed = anyio.Event()

        class Slow(Liar):
            async def send_some(
                self, data: bytes | memoryview, killed: anyio.Event = killed
            ) -> int:
                if bytes(data).endswith(b"reap\n"):
                    killed.set()
                return len(data)

            async def receive(
                self, killed: anyio.Event = killed, session: ShellSession = session
            ) -> bytes:
                await killed.wait()
                return session._mark + b" over 0\n"

        session._stream = Slow()
        assert (await run(session, **limits)).reason is reason


async def test_output_beyond_the_limit_is_cut() -> None:
    session, _ = a_session(b"x" * 30, b"y" * 10, "over 0")
    end = await run(session, output_bytes=20)
    assert (end.reason, end.output) == (Reason.OUTPUT_CAP, b"x" * 20)


async def test_a_command_that_cannot_be_killed_loses_the_sandbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shell_process, "GRACE_S", 0.02)
    monkeypatch.setattr(shell_process, "KILL_S", 0.02)
    session, _ = a_session()
    with pytest.raises(SandboxLost, match="could not be killed"):
        await run(session, wall_s=0.01)
    session, liar = a_session()
    async with session.process(Command(argv=("x",)), cwd="/", env={}, interactive=True) as process:
        await process.send(b"in")
        await process.close_stdin()
    assert process.end is not None
    assert process.end.reason is Reason.KILLED
    assert liar.is_closed
    await process.send(b"late")
    await process.close_stdin()
    assert b"late" not in liar.told


async def test_a_killed_command_that_answers_leaves_the_session_alive() -> None:
    session, liar = a_session("over 0")
    command = Command(argv=("x",), stdin=b"first")
    async with session.process(command, cwd="/", env={}, interactive=True) as process:
        pass
    assert process.end is not None
    assert process.end.reason is Reason.KILLED
    assert not session.lost
    assert b"feed 5\nfirst" in liar.told


async def test_the_end_of_the_stream_is_a_lost_sandbox_for_every_order() -> None:
    for order in (
        greet,
        run,
        lambda session: session.read_file("x", 10),
        lambda session: session.harvest(HarvestLimits()),
        lambda session: session.change("tree", delete=["a"], tar=iter([b""])),
    ):
        session, _ = a_session(end=True)
        with pytest.raises(SandboxLost, match="the runner ended"):
            await order(session)
        with pytest.raises(SandboxLost, match="is gone"):
            await order(session)


async def test_a_runner_that_is_not_ready_or_sends_too_much_is_lost() -> None:
    session, _ = a_session("never")
    with pytest.raises(SandboxLost, match="not ready"):
        await greet(session)
    session, _ = a_session(b"x" * 20, "some")
    with pytest.raises(SandboxLost, match="more than was asked for"):
        await session.read_file("x", 3)
    session, _ = a_session("what 1")
    with pytest.raises(SandboxLost, match="not an answer"):
        await session.change("tools", delete=(), tar=iter([b"x"]))


async def test_silence_and_broken_streams_are_lost_sandboxes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shell_module, "ORDER_S", 0.02)
    session, _ = a_session()
    with pytest.raises(SandboxLost, match="did not answer"):
        await session.read_file("x", 3)

    class Broken(Liar):
        async def send_some(self, data: bytes | memoryview) -> int:
            raise BrokenPipeError("pipe")

        async def receive(self) -> bytes:
            raise ConnectionResetError("reset")

    session = ShellSession(Broken(), tree_bytes=1)
    with pytest.raises(SandboxLost, match="takes no orders"):
        await session.order_reap()
    session = ShellSession(Broken(), tree_bytes=1)
    with pytest.raises(SandboxLost, match="stream broke"):
        await session.next_piece()


async def test_files_are_read_up_to_the_limit() -> None:
    session, _ = a_session(b"abc", "some", "none", b"abcd", "some")
    assert await session.read_file("x", 3) == b"abc"
    assert await session.read_file("x", 3) is None
    assert await session.read_file("x", 3) is None


async def test_the_problem_of_tar_is_told() -> None:
    session, liar = a_session("done 2 tar: a: No space left on device", "done 1 ")
    with pytest.raises(SandboxError, match="No space left"):
        await session.change("tree", delete=(), tar=iter([bytes(512)]), over=["a/b"])
    assert b"fit './a' './a/b'\nunpack .\n512\n" in liar.told
    with pytest.raises(SandboxError, match="cannot write"):
        await session.change("tools", delete=(), tar=iter([b"x"]), over=["t"])


async def test_a_tree_whose_tar_was_cut_cannot_be_harvested() -> None:
    session, _ = a_session(b"".join(pack_files([("a", b"x" * 2000)]))[:1500], "some")
    with pytest.raises(SandboxLost, match="cannot be listed"):
        await session.harvest(HarvestLimits())


@pytest.mark.parametrize(
    "tar",
    [b"x" * 512, header(b"n", 1 << 20, 0o644, b"L")],
)
async def test_a_tar_that_makes_no_sense_is_a_lost_sandbox(tar: bytes) -> None:
    session, liar = a_session(tar, "some")
    with pytest.raises(SandboxLost, match="makes no sense"):
        await session.harvest(HarvestLimits())
    assert liar.is_closed


def a_tar(build: list[tuple[str, bytes, bytes]]) -> bytes:
    """A tar as GNU tar writes it: name, type, content or target."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, kind, data in build:
            info = tarfile.TarInfo(f"./{name}")
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(data)
            else:
                info.linkname = data.decode()
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def watched(book: TreeBook, tar: Iterator[bytes]) -> None:
    for _ in book.watch(tar):
        pass


async def test_a_harvest_is_what_differs_from_what_went_in() -> None:
    now = a_tar(
        [
            ("same", tarfile.REGTYPE, b"same"),
            ("changed", tarfile.REGTYPE, b"new"),
            ("n" * 150, tarfile.REGTYPE, b"long name"),
            ("link", tarfile.SYMTYPE, b"/etc/passwd"),
            ("hard", tarfile.LNKTYPE, b"./same"),
            ("pipe", tarfile.FIFOTYPE, b""),
            ("folder", tarfile.DIRTYPE, b""),
        ]
    )
    session, _ = a_session(now, "some", now, "some")
    before = [("same", b"same"), ("changed", b"old"), ("deleted", b"1"), ("dir/x", b"2")]
    watched(session._book, pack_files(before))
    session._book.delete("dir")
    harvest = await session.harvest(HarvestLimits())
    got = {change.path: getattr(change, "data", None) for change in harvest.changes}
    # `same` was put in executable and is not any more.
    assert got == {"same": b"same", "changed": b"new", "n" * 150: b"long name", "deleted": None}
    assert {refused.path: refused.why for refused in harvest.refused} == {
        "link": "is a symlink",
        "hard": "is a hard link",
        "pipe": "is not a regular file",
    }
    assert (await session.harvest(HarvestLimits())).changes == ()


async def test_the_caps_of_a_harvest_are_kept() -> None:
    names = [("a", 10), ("b", 2000), ("c", 900), ("d", 5), ("e", 5)]
    now = a_tar([(name, tarfile.REGTYPE, bytes(size)) for name, size in names])
    session, _ = a_session(now, "some")
    limits = HarvestLimits(files=2, file_bytes=1000, total_bytes=800)
    harvest = await session.harvest(limits)
    assert [change.path for change in harvest.changes] == ["a", "d"]
    assert [refused.path for refused in harvest.refused] == ["b", "c", "e"]


def test_the_shell_runner_is_valid_shell_and_small() -> None:
    script = shell_argv()[-1]
    subprocess.run(["sh", "-n", "-c", script], check=True)
    assert len(script) < 100_000
