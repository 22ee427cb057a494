"""The runner itself, on this machine: orders, limits, and what it leaves behind."""

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from sandbox.base import (
    Command,
    CommandLimits,
    Completed,
    FileDelete,
    FileWrite,
    HarvestLimits,
    LinkWrite,
    Reason,
)
from sandbox.errors import SandboxError
from sandbox.framed import FramedProcess
from sandbox.inside import command as inside_command
from sandbox.packing import deletions, pack_changes, pack_folder
from sandbox.session import FramedSession
from tests.support.runners import open_runner

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[FramedSession]:
    async with open_runner(tmp_path) as opened:
        yield opened


async def ended(process: FramedProcess) -> Completed:
    while True:
        got = await process.receive()
        if isinstance(got, Completed):
            return got


async def run(session: FramedSession, *argv: str, cwd: str = "/", **changes: object) -> Completed:
    limits = CommandLimits(**{"wall_s": 20.0, **changes.pop("limits", {})})  # type: ignore[arg-type,dict-item]
    command = Command(argv=argv, limits=limits, **changes)  # type: ignore[arg-type]
    async with session.process(command, cwd=cwd, env=PATH, interactive=False) as process:
        return await ended(process)


async def test_output_exit_codes_and_signals_are_told(session: FramedSession) -> None:
    end = await run(session, "sh", "-c", "echo a; echo b >&2; exit 7")
    assert (end.exit_code, end.output, end.reason) == (7, b"a\nb\n", Reason.EXITED)
    assert (await run(session, "sh", "-c", "kill -KILL $$")).exit_code == 137


@pytest.mark.parametrize(
    ("argv", "cwd", "code"),
    [(("nope",), "/", 127), (("/etc/passwd",), "/", 126), (("true",), "/no/such/folder", 127)],
)
async def test_what_cannot_be_started_is_explained(
    session: FramedSession, argv: tuple[str, ...], cwd: str, code: int
) -> None:
    end = await run(session, *argv, cwd=cwd)
    assert end.exit_code == code
    assert end.output.startswith(b"cannot run ")
    assert end.output_bytes == len(end.output)


async def test_the_limits_are_kept(session: FramedSession) -> None:
    slow = await run(session, "sleep", "60", limits={"wall_s": 0.1})
    silent = await run(session, "sh", "-c", "echo a; sleep 60", limits={"no_output_s": 0.2})
    flood = await run(session, "yes", limits={"output_bytes": 300_000})
    assert (slow.reason, silent.reason, flood.reason) == (
        Reason.TIMEOUT,
        Reason.NO_OUTPUT,
        Reason.OUTPUT_CAP,
    )
    assert (silent.output, flood.output_bytes) == (b"a\n", 300_000)


async def test_what_is_left_is_killed_daemons_too(session: FramedSession, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"for i in 1 2; do setsid sh -c 'trap \"\" TERM; echo $$ >> {pids}; sleep 60' & done"
    await run(session, "sh", "-c", f"{script}; while [ ! -s {pids} ]; do sleep 0.01; done")
    for pid in pids.read_text().split():
        assert not Path(f"/proc/{pid}").exists()


async def test_input_is_passed_on_and_more_than_is_read_is_dropped(
    session: FramedSession,
) -> None:
    data = b"0123456789" * 100_000
    end = await run(session, "cat", stdin=data, limits={"head_bytes": len(data)})
    assert end.output == data
    assert (await run(session, "head", "-c", "3", stdin=data)).output == b"012"
    assert (await run(session, "sh", "-c", "exec <&-; sleep 0.1", stdin=data)).exit_code == 0


async def test_input_that_comes_in_one_piece_with_the_order_is_seen_at_once(
    session: FramedSession,
) -> None:
    pings: list[bytes] = []
    send = session.frames.send

    async def counting(kind: bytes, payload: bytes) -> None:
        if kind == b"P":
            pings.append(payload)
        await send(kind, payload)

    session.frames.send = counting  # type: ignore[method-assign]
    for _ in range(30):
        assert (await run(session, "cat", stdin=b"x")).output == b"x"
    assert pings == []


async def test_a_kill_in_the_middle_is_carried_out_at_once(session: FramedSession) -> None:
    for _ in range(10):
        began = time.monotonic()
        command = Command(argv=("sleep", "60"))
        async with session.process(command, cwd="/", env=PATH, interactive=True) as process:
            pass
        assert process.end is not None
        assert process.end.reason is Reason.KILLED
        assert time.monotonic() - began < 3


async def test_orders_for_an_ended_command_are_ignored(session: FramedSession) -> None:
    await run(session, "true")
    for kind in (b"I", b"E", b"K"):
        await session.frames.send(kind, b"late")
    await session.frames.send(b"P", b"")
    assert (await run(session, "echo", "on")).output == b"on\n"


async def test_a_ping_is_answered_while_a_command_runs(
    session: FramedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.framed.PING_S", 0.05)
    end = await run(session, "sh", "-c", "sleep 0.4; echo done")
    assert (end.reason, end.output) == (Reason.EXITED, b"done\n")


async def test_a_tree_goes_in_is_changed_and_comes_out(
    session: FramedSession, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    source = tmp_path / "source"
    (source / "empty").mkdir(parents=True)
    (source / "a").write_bytes(b"1")
    (source / "l").symlink_to("a")
    await session.change("tree", delete=(), tar=pack_folder(source))
    assert (tree / "empty").is_dir()
    assert (await session.harvest(HarvestLimits())).changes == ()
    (tree / "a").write_bytes(b"12")
    (tree / "sub").mkdir()
    (tree / "sub" / "b").write_bytes(b"3")
    (tree / "sub" / ".git").mkdir()
    (tree / "l").unlink()
    (tree / "hard").hardlink_to(tree / "a")
    harvest = await session.harvest(HarvestLimits())
    assert harvest.changes == (FileDelete(path="l"), FileWrite(path="sub/b", data=b"3"))
    assert {refused.path: refused.why for refused in harvest.refused} == {
        "a": "is a hard link",
        "hard": "is a hard link",
        "sub/.git": "belongs to git",
    }


async def test_the_caps_of_a_harvest_are_kept(session: FramedSession, tmp_path: Path) -> None:
    for name, size in (("a", 10), ("b", 2000), ("c", 900), ("d", 5), ("e", 5)):
        (tmp_path / "tree" / name).write_bytes(bytes(size))
    limits = HarvestLimits(files=2, file_bytes=1000, total_bytes=800)
    harvest = await session.harvest(limits)
    assert [change.path for change in harvest.changes] == ["a", "d"]
    assert [refused.path for refused in harvest.refused] == ["b", "c", "e"]


async def test_what_stands_in_the_way_is_replaced(session: FramedSession, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "folder" / "below").mkdir(parents=True)
    (tree / "folder").chmod(0)
    (tree / "link").symlink_to("/")
    (tree / "file").write_bytes(b"")
    changes = [
        FileWrite(path="folder", data=b"1", executable=True),
        FileWrite(path="link/in", data=b"2"),
        LinkWrite(path="file/l", target="x" * 200),
        FileDelete(path="no/such"),
        FileDelete(path="link/never"),
    ]
    await session.change("tree", delete=deletions(changes), tar=pack_changes(changes))
    assert (tree / "folder").stat().st_mode & 0o777 == 0o755
    assert (tree / "link" / "in").read_bytes() == b"2"
    assert str((tree / "file" / "l").readlink()) == "x" * 200


async def test_an_error_in_the_middle_of_a_tar_leaves_the_session_in_step(
    session: FramedSession,
) -> None:
    too_long = FileWrite(path="n" * 300, data=b"x" * 600_000)
    with pytest.raises(SandboxError, match="File name too long"):
        await session.change("tree", delete=(), tar=pack_changes([too_long]))
    assert (await run(session, "echo", "on")).output == b"on\n"


async def test_a_folder_nested_too_deeply_is_an_error(
    session: FramedSession, tmp_path: Path
) -> None:
    await anyio.run_process(["mkdir", "-p", "/".join(["d"] * 1500)], cwd=tmp_path / "tree")
    with pytest.raises(SandboxError, match="nested too deeply"):
        await session.change("tree", delete=["d"], tar=None)
    await anyio.run_process(["rm", "-rf", str(tmp_path / "tree" / "d")])


async def test_a_file_is_read_and_nothing_else(session: FramedSession, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "f").write_bytes(b"x" * 600_000)
    (tree / "l").symlink_to("f")
    assert await session.read_file("f", 600_000) == b"x" * 600_000
    assert await session.read_file(str(tree / "f"), 599_999) is None
    for path in ("l", "none", ".", "f/x", "l/x"):
        assert await session.read_file(path, 10) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the runner is for Linux sandboxes")
async def test_the_runner_works_on_the_oldest_python_there_is(tmp_path: Path) -> None:
    pythons = sorted(Path.home().glob(".pyenv/versions/3.[89].*/bin/python3"))
    interpreter = str(pythons[0]) if pythons else sys.executable
    async with open_runner(tmp_path, interpreter) as session:
        assert (await run(session, "cat", stdin=b"in")).output == b"in"
        await session.change("tree", delete=(), tar=pack_changes([FileWrite(path="a", data=b"1")]))
        assert await session.read_file("a", 10) == b"1"
        (tmp_path / "tree" / "b").write_bytes(b"2")
        harvest = await session.harvest(HarvestLimits())
        assert harvest.changes == (FileWrite(path="b", data=b"2"),)


def test_kill_everybody_is_only_for_a_namespace_of_our_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inside_command.os, "getuid", lambda: 1000)
    monkeypatch.setattr(inside_command.os, "listdir", lambda path: ["1", "7", "8", "self"])
    assert inside_command.is_alone()
    monkeypatch.setattr(inside_command.os, "listdir", lambda path: [str(n) for n in range(50)])
    assert not inside_command.is_alone()
    monkeypatch.setattr(inside_command.os, "listdir", lambda path: ["1"])
    monkeypatch.setattr(inside_command.os, "getuid", lambda: 0)
    assert not inside_command.is_alone()
