"""Attacks on what the machine has: processes, memory, disk, output. They stay in their bounds."""

import time

import pytest

from sandbox.base import Command, Reason
from tests.support.attacks import LIMITS, Scene, living
from tests.support.sandboxes import MIB


async def test_a_fork_bomb_is_stopped_by_its_deadline(scene: Scene) -> None:
    if not scene.sandbox.promises.processes_limited:
        pytest.skip("this backend does not bound processes on this machine, and says so")
    end = await scene.attack(
        """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
        wall_s=2,
    )
    assert end.reason in (Reason.TIMEOUT, Reason.OOM, Reason.ENGINE_LOST)


async def test_processes_and_threads_together_stay_under_the_limit(scene: Scene) -> None:
    if not scene.sandbox.promises.processes_limited:
        pytest.skip("this backend does not bound processes on this machine, and says so")
    end = await scene.attack(
        f"""
import os, time
children = 0
try:
    while children < {4 * LIMITS.processes}:
        if os.fork() == 0:
            time.sleep(60)
        children += 1
except OSError as error:
    print(error.strerror)
print(children, flush=True)
"""
    )
    assert end.reason is Reason.EXITED
    said = end.output.split()
    assert b"unavailable" in end.output
    assert 0 < int(said[-1]) < LIMITS.processes


async def test_a_memory_bomb_ends_itself_and_nothing_else(scene: Scene) -> None:
    end = await scene.attack(
        f"""
hoard = []
for _ in range({4 * LIMITS.memory_bytes // MIB}):
    hoard.append(b"x" * {MIB})
print("got it all")
"""
    )
    assert b"got it all" not in end.output
    if scene.sandbox.promises.memory_limited:
        assert end.reason is Reason.OOM
    else:
        assert (end.reason, end.exit_code) == (Reason.EXITED, 1)
        assert b"MemoryError" in end.output


async def test_a_memory_bomb_of_many_processes_ends_too(scene: Scene) -> None:
    if not scene.sandbox.promises.memory_limited:
        pytest.skip("this backend bounds the memory of each process only, and says so")
    end = await scene.attack(
        f"""
import os, time
for _ in range(16):
    if os.fork() == 0:
        hoard = b"x" * {LIMITS.memory_bytes // 8}
        time.sleep(60)
time.sleep(60)
""",
        wall_s=3,
    )
    assert end.reason is Reason.OOM


async def test_a_full_disk_is_an_error_inside_and_nothing_on_the_host(scene: Scene) -> None:
    end = await scene.attack(
        f"""
for folder in (REPO, "/tmp"):
    written, why = 0, "no limit"
    try:
        for number in range(100):
            with open(folder + "/fill%d" % number, "wb") as file:
                for _ in range(8):
                    written += file.write(b"x" * {MIB})
    except OSError as error:
        why = error.strerror
    print(written // {MIB}, why)
"""
    )
    assert (end.reason, end.exit_code) == (Reason.EXITED, 0)
    for line, limit in zip(
        end.output.splitlines(), (LIMITS.tree_bytes, LIMITS.tmp_bytes), strict=True
    ):
        written, why = line.split(b" ", 1)
        assert int(written) <= limit // MIB
        assert b"left" in why or b"large" in why, "neither full nor too large"
    cleaned = await scene.shell("rm -f fill* /tmp/fill*")
    assert cleaned.exit_code == 0


async def test_no_other_folder_takes_more_than_its_share(scene: Scene) -> None:
    end = await scene.attack(
        f"""
import os
for folder in ("/", "/dev", "/dev/shm", "/run", "/run/greenloop", "/var/tmp", "/etc", "/root",
               "/home", "/mnt", "/sys", "/proc", os.path.dirname(REPO)):
    written, path = 0, os.path.join(folder, "fill")
    try:
        with open(path, "wb", buffering=0) as file:
            while written < {LIMITS.memory_bytes}:
                written += file.write(b"x" * {MIB})
    except OSError:
        pass
    print(written // {MIB})
    if os.path.exists(path):
        os.remove(path)
"""
    )
    assert end.reason is Reason.EXITED
    assert len(end.output.split()) == 13
    assert max(map(int, end.output.split())) <= LIMITS.tmp_bytes // MIB


async def test_a_sparse_file_of_50_gb_costs_nothing_and_does_not_come_back(scene: Scene) -> None:
    await scene.attack(
        """
try:
    with open("huge", "wb") as file:
        file.truncate(50 * 1024**3)
except OSError as error:
    print(error.strerror)
"""
    )
    harvest = await scene.sandbox.harvest()
    assert [change.path for change in harvest.changes] in ([], ["huge"])
    assert all(len(getattr(change, "data", b"")) == 0 for change in harvest.changes)
    assert await scene.sandbox.read_file("huge", limit_bytes=MIB) in (None, b"")


async def test_a_flood_of_empty_files_ends_inside(scene: Scene) -> None:
    """They cost no bytes of the tree, but memory of the kernel."""
    end = await scene.attack(
        """
import os
os.mkdir("/tmp/flood")
for number in range(2_000_000):
    os.close(os.open("/tmp/flood/%d" % number, os.O_CREAT))
""",
        wall_s=3,
    )
    assert end.reason is not Reason.EXITED or end.exit_code != 0
    cleaned = await scene.shell("rm -rf /tmp/flood; echo gone")
    # Where the flood left no memory this one dies of it, and the sandbox is replaced.
    assert cleaned.output == b"gone\n" or cleaned.reason in (Reason.OOM, Reason.ENGINE_LOST)


async def test_1_gb_of_output_is_cut_at_the_cap(scene: Scene) -> None:
    began = time.monotonic()
    end = await scene.attack(
        f"""
import os
for _ in range(1024):
    os.write(1, b"x" * {MIB})
""",
        output_bytes=4 * MIB,
    )
    assert end.reason is Reason.OUTPUT_CAP
    assert 4 * MIB <= end.output_bytes <= 6 * MIB
    assert len(end.head) + len(end.tail) <= 320 * 1024
    assert time.monotonic() - began < 15


async def test_input_that_nobody_reads_does_not_hold_the_sandbox_up(scene: Scene) -> None:
    end = await scene.sandbox.run(
        Command(argv=("/bin/sh", "-c", "sleep 0.2; echo done"), stdin=b"x" * 4 * MIB)
    )
    assert (end.reason, end.output) == (Reason.EXITED, b"done\n")


async def test_daemons_that_trap_signals_and_leave_their_session_are_gone(scene: Scene) -> None:
    end = await scene.attack(
        """
import os, signal, time
for number in range(12):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
                signal.signal(each, signal.SIG_IGN)
            os.close(0), os.close(1), os.close(2)
            while True:
                time.sleep(1)
        os._exit(0)
print("started", flush=True)
"""
    )
    assert (end.reason, end.exit_code, end.output) == (Reason.EXITED, 0, b"started\n")
    assert living(scene.token) == []


async def test_a_daemon_that_keeps_stdout_open_holds_nobody_up(scene: Scene) -> None:
    end = await scene.shell("(setsid sleep 1000 &) ; echo done")
    assert (end.reason, end.exit_code, end.output) == (Reason.EXITED, 0, b"done\n")
    assert end.wall_s < 5


async def test_a_command_that_ignores_everything_ends_at_its_deadline(scene: Scene) -> None:
    end = await scene.attack(
        """
import signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
print("here I stay", flush=True)
while True:
    time.sleep(1)
""",
        wall_s=1,
    )
    assert (end.reason, end.output) == (Reason.TIMEOUT, b"here I stay\n")


async def test_a_command_that_stops_itself_ends_at_its_deadline(scene: Scene) -> None:
    end = await scene.shell("kill -STOP $$", wall_s=1)
    assert end.reason is Reason.TIMEOUT
