"""What `Sandbox.run` and `Sandbox.start` promise, on every backend."""

import time

import anyio
import pytest

from sandbox.base import Command, CommandLimits, Completed, Reason, Sandbox
from tests.support.sandboxes import a_command, py, sh


async def test_a_command_ends_with_its_exit_code_and_output(sandbox: Sandbox) -> None:
    end = await sh(sandbox, "echo out; echo err >&2; exit 3")
    assert (end.exit_code, end.reason) == (3, Reason.EXITED)
    assert end.output == b"out\nerr\n"
    assert end.output_bytes == 8
    assert 0 <= end.wall_s < 10


async def test_death_by_a_signal_is_128_plus_its_number(sandbox: Sandbox) -> None:
    end = await sh(sandbox, "kill -TERM $$")
    assert (end.exit_code, end.reason) == (143, Reason.EXITED)


async def test_a_program_that_does_not_exist_is_exit_code_127(sandbox: Sandbox) -> None:
    end = await sandbox.run(a_command("no-such-program"))
    assert (end.exit_code, end.reason) == (127, Reason.EXITED)
    assert b"no-such-program" in end.output


async def test_a_program_that_may_not_be_run_is_exit_code_126(sandbox: Sandbox) -> None:
    end = await sandbox.run(a_command("./src/app.py"))
    assert (end.exit_code, end.reason) == (126, Reason.EXITED)


async def test_there_is_no_shell_unless_argv_names_one(sandbox: Sandbox) -> None:
    end = await sandbox.run(a_command("echo", "$HOME", "a b", "'", '"', "\n;", "*", ""))
    assert end.output == b"$HOME a b ' \" \n; * \n"


async def test_commands_start_in_the_tree_or_where_they_ask_to(sandbox: Sandbox) -> None:
    assert (await sh(sandbox, "pwd")).output == b"/home/dev/project\n"
    assert (await sh(sandbox, "pwd", cwd="/home/dev/project/src")).output.endswith(b"/src\n")
    assert (await sh(sandbox, "pwd", cwd="/nowhere")).exit_code == 127


async def test_a_command_sees_its_variables_and_no_others_of_the_host(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "from-the-host")
    end = await sh(sandbox, "env", env={"MINE": "1 = one", "HOME": "/tmp"})
    lines = end.output.decode().splitlines()
    assert "MINE=1 = one" in lines
    assert "HOME=/tmp" in lines
    assert "CANARY" not in end.output.decode()
    assert "MINE" not in (await sh(sandbox, "env")).output.decode()


async def test_nothing_of_a_command_leaks_into_the_next(sandbox: Sandbox) -> None:
    await sh(sandbox, "cd /tmp; export LEAK=1; umask 077; trap '' INT; ulimit -n 99")
    end = await sh(sandbox, 'pwd; echo "[$LEAK]"; umask; ulimit -n')
    where, leak, mask, files = end.output.split()
    assert (where, leak, mask) == (b"/home/dev/project", b"[]", b"0022")
    assert files != b"99"


async def test_signals_have_their_default_meaning(sandbox: Sandbox) -> None:
    end = await py(
        sandbox,
        "import signal\n"
        "ours = {signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ}\n"
        "print([s for s in signal.valid_signals() - ours"
        " if signal.getsignal(s) == signal.SIG_IGN],"
        " signal.pthread_sigmask(signal.SIG_BLOCK, ()))",
    )
    assert end.output == b"[] set()\n"


async def test_a_command_has_its_own_session_and_only_three_descriptors(sandbox: Sandbox) -> None:
    end = await py(
        sandbox,
        "import os; print(os.getsid(0) == os.getpid(), sorted(os.listdir('/proc/self/fd')))",
    )
    assert end.output == b"True ['0', '1', '2', '3']\n"


async def test_stdin_is_what_was_given_and_then_ends(sandbox: Sandbox) -> None:
    assert (await sh(sandbox, "cat", stdin=b"a\0b\xff")).output == b"a\0b\xff"
    assert (await sh(sandbox, "cat")).output == b""


async def test_much_stdin_goes_in_while_as_much_output_comes_out(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 16_384
    limits = CommandLimits(wall_s=30, head_bytes=len(data))
    assert (await sandbox.run(Command(argv=("cat",), stdin=data, limits=limits))).output == data


async def test_stdin_that_nobody_reads_hurts_nobody(sandbox: Sandbox) -> None:
    assert (await sandbox.run(a_command("true", stdin=b"x" * 3_000_000))).exit_code == 0
    assert (await sh(sandbox, "echo next")).output == b"next\n"


async def test_output_is_passed_on_as_it_comes(sandbox: Sandbox) -> None:
    pieces: list[bytes] = []
    end = await sandbox.run(a_command("sh", "-c", "echo a; echo b"), on_output=pieces.append)
    assert b"".join(pieces) == end.output == b"a\nb\n"


async def test_a_long_output_keeps_head_and_tail_and_counts_the_rest(sandbox: Sandbox) -> None:
    limits = CommandLimits(wall_s=20, head_bytes=4, tail_bytes=6)
    end = await sh(sandbox, "seq 1 100000", limits=limits)
    assert (end.head, end.tail, end.output_bytes) == (b"1\n2\n", b"00000\n"[-6:], 588_895)
    assert b"588885 bytes left out" in end.output


async def test_an_output_flood_is_cut_and_the_command_killed(sandbox: Sandbox) -> None:
    limits = CommandLimits(wall_s=20, output_bytes=1_000_000, tail_bytes=10)
    end = await sh(sandbox, "yes", limits=limits)
    assert (end.exit_code, end.reason, end.output_bytes) == (None, Reason.OUTPUT_CAP, 1_000_000)
    assert (await sh(sandbox, "echo next")).output == b"next\n"


async def test_a_command_past_its_wall_time_is_killed_with_its_output_kept(
    sandbox: Sandbox,
) -> None:
    end = await sh(sandbox, "trap '' TERM INT; echo before; sleep 60", wall_s=0.3)
    assert (end.exit_code, end.reason, end.output) == (None, Reason.TIMEOUT, b"before\n")
    assert end.wall_s < 5


async def test_a_silent_command_is_killed_and_a_talking_one_is_not(sandbox: Sandbox) -> None:
    limits = CommandLimits(wall_s=20, no_output_s=0.5)
    silent = await sh(sandbox, "echo a; sleep 60", limits=limits)
    assert (silent.exit_code, silent.reason) == (None, Reason.NO_OUTPUT)
    talks = "for i in 1 2 3 4; do echo $i; sleep 0.2; done"
    assert (await sh(sandbox, talks, limits=limits)).reason is Reason.EXITED


async def test_nothing_that_a_command_started_is_alive_after_it(sandbox: Sandbox) -> None:
    end = await sh(
        sandbox,
        "for i in 1 2 3; do setsid sh -c 'trap \"\" TERM HUP INT; exec sleep 987654' & done;"
        " (setsid sleep 987654 &) ; sleep 987654 & sleep 0.1",
    )
    assert end.exit_code == 0
    assert (await sh(sandbox, LIVING)).output == b"0\n"


async def test_a_daemon_that_keeps_stdout_does_not_hold_up_the_end(sandbox: Sandbox) -> None:
    began = time.monotonic()
    end = await sh(sandbox, "setsid sleep 60 & echo done")
    assert end.output == b"done\n"
    assert time.monotonic() - began < 10


async def test_memory_that_runs_out_is_named_and_the_next_command_works(sandbox: Sandbox) -> None:
    if not sandbox.promises.memory_limited:
        pytest.skip("this backend does not promise it on this machine")
    end = await py(sandbox, "x = b'x' * (1 << 30)")
    assert (end.exit_code, end.reason) == (None, Reason.OOM)
    assert (await sh(sandbox, "echo next; ls")).output == b"next\nlink\nrun.sh\nsrc\n"


async def test_a_cancelled_command_is_dead_within_a_second(sandbox: Sandbox) -> None:
    began = time.monotonic()
    with anyio.move_on_after(0.3) as scope:
        await sh(sandbox, "trap '' TERM; setsid sleep 987654 & sleep 987654")
    assert scope.cancelled_caught
    assert time.monotonic() - began < 1.5
    assert (await sh(sandbox, LIVING)).output == b"0\n"


async def test_a_started_command_is_talked_to_while_it_runs(sandbox: Sandbox) -> None:
    async with sandbox.start(a_command("cat")) as process:
        await process.send(b"one\n")
        assert await process.receive() == b"one\n"
        await process.send(b"two\n")
        assert await process.receive() == b"two\n"
        await process.close_stdin()
        end = await process.receive()
        assert isinstance(end, Completed)
        assert (end.exit_code, end.output) == (0, b"one\ntwo\n")
        assert await process.receive() == end
        await process.send(b"nobody hears this")
        await process.close_stdin()


async def test_leaving_a_started_command_kills_what_is_left(sandbox: Sandbox) -> None:
    async with sandbox.start(a_command("sh", "-c", "sleep 987654 & echo up; cat")) as process:
        assert await process.receive() == b"up\n"
    end = await process.receive()
    assert isinstance(end, Completed)
    assert (end.exit_code, end.reason) == (None, Reason.KILLED)
    assert (await sh(sandbox, LIVING)).output == b"0\n"


async def test_commands_run_one_after_the_other(sandbox: Sandbox) -> None:
    order: list[str] = []

    async def run(name: str, script: str) -> None:
        await sh(sandbox, script)
        order.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, "first", "sleep 0.3")
        await anyio.sleep(0.05)
        tasks.start_soon(run, "second", "true")
    assert order == ["first", "second"]


LIVING = "ps -eo args | grep -c '[9]87654'; true"


async def test_localhost_has_its_name_and_nothing_else_is_reachable(sandbox: Sandbox) -> None:
    end = await py(
        sandbox,
        "import socket\n"
        "server = socket.create_server(('localhost', 0))\n"
        "socket.create_connection(server.getsockname()[:2], 2)\n"
        "print(sorted(name for _, name in socket.if_nameindex()))",
    )
    assert end.output == b"['lo']\n"
