"""Opening, breaking, replacing and leaving sandboxes, on every backend."""

import time
from pathlib import Path

import anyio
import pytest

from sandbox import framed
from sandbox.base import (
    TOOLS_DIR,
    Environment,
    FileDelete,
    FileWrite,
    Reason,
    Sandbox,
    SandboxEngine,
    SandboxLimits,
)
from sandbox.errors import EnvironmentMissing, SandboxError, SandboxLost
from tests.support.sandboxes import MIB, a_command, a_spec, py, sh

KILL_RUNNER = """
import os, signal
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) not in (1, os.getpid()):
        try:
            os.kill(int(name), signal.{signal})
        except OSError:
            pass
{then}
"""


async def break_it(sandbox: Sandbox, then: str = "import time; time.sleep(20)") -> Reason:
    """Kill whatever else is in the sandbox; its init cannot be hit."""
    end = await py(sandbox, KILL_RUNNER.format(signal="SIGKILL", then=then), wall_s=2)
    return end.reason


async def test_the_spec_and_the_promises_are_told(sandbox: Sandbox, engine: SandboxEngine) -> None:
    assert sandbox.spec.workdir == "/home/dev/project"
    assert sandbox.promises.backend == engine.name
    assert sandbox.promises.no_network


async def test_several_sandboxes_are_apart(engine: SandboxEngine, tree: Path) -> None:
    async with engine.open(a_spec(tree)) as one, engine.open(a_spec(tree)) as two:
        await sh(one, "echo one > mark; echo one > /tmp/mark")
        await sh(two, "echo two > mark")
        assert (await sh(one, "cat mark")).output == b"one\n"
        assert (await sh(two, "cat mark; ls /tmp")).output == b"two\nhome\n"


async def test_a_killed_runner_never_passes_for_a_result_and_is_replaced(
    sandbox: Sandbox,
) -> None:
    await sandbox.sync([FileWrite(path="synced", data=b"kept"), FileDelete(path="run.sh")])
    await sandbox.install({"tool": b"#!/bin/sh\necho tool\n"})
    await sh(sandbox, "echo lost > by-command")
    reason = await break_it(sandbox)
    assert reason in (Reason.ENGINE_LOST, Reason.TIMEOUT)
    if reason is Reason.ENGINE_LOST:
        with pytest.raises(SandboxLost):
            await sandbox.harvest()
        with pytest.raises(SandboxLost):
            await sandbox.read_file("synced", limit_bytes=10)
    end = await sh(sandbox, f"cat synced; ls; {TOOLS_DIR}/tool")
    left = b"by-command\n" if reason is Reason.TIMEOUT else b""
    assert end.output == b"kept" + left + b"link\nsrc\nsynced\ntool\n"


async def test_a_sync_after_a_killed_runner_goes_into_the_new_sandbox(sandbox: Sandbox) -> None:
    await break_it(sandbox)
    await sandbox.sync([FileWrite(path="after", data=b"after")])
    await sandbox.install({"tool": b"x"})
    assert (await sh(sandbox, "cat after src/app.py")).output == b"afterprint('app')\n"


async def test_a_stopped_runner_is_noticed(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framed, "PING_S", 0.2)
    monkeypatch.setattr(framed, "PATIENCE_S", 0.5)
    script = KILL_RUNNER.format(signal="SIGSTOP", then="import time; time.sleep(20)")
    began = time.monotonic()
    end = await py(sandbox, script, wall_s=3)
    assert end.reason in (Reason.ENGINE_LOST, Reason.TIMEOUT)
    assert time.monotonic() - began < 10
    assert (await sh(sandbox, "cat src/app.py")).output == b"print('app')\n"


async def test_a_stray_signal_to_everybody_does_not_hurt(sandbox: Sandbox) -> None:
    for name in ("TERM", "INT", "HUP", "USR1", "ALRM", "PIPE"):
        end = await sh(sandbox, f"trap '' {name}; kill -{name} -1 2>/dev/null; echo {name}")
        assert (end.reason, end.output.decode()) == (Reason.EXITED, f"{name}\n")


async def test_a_command_can_neither_trace_the_runner_nor_write_into_its_stream(
    sandbox: Sandbox,
) -> None:
    end = await py(
        sandbox,
        """
import ctypes, os
opened = []
for name in os.listdir("/proc"):
    if not name.isdigit() or int(name) == os.getpid():
        continue
    for part in ("mem", "environ", "fd/0", "fd/1", "fd/2", "maps"):
        try:
            with open(f"/proc/{name}/{part}", "r+b" if part == "mem" else "rb", buffering=0):
                opened.append(part)
        except OSError:
            pass
    if ctypes.CDLL(None).ptrace(16, int(name), 0, 0) == 0:
        opened.append("ptrace")
print(opened)
""",
    )
    assert end.output == b"[]\n"


CRIPPLE = """
import os, resource
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try:
            resource.prlimit(int(name), resource.RLIMIT_NOFILE, (3, 3))
        except OSError:
            pass
"""


async def test_limits_that_a_command_lowers_for_the_runner_do_not_outlive_it(
    sandbox: Sandbox,
) -> None:
    end = await py(sandbox, CRIPPLE)
    assert end.reason in (Reason.ENGINE_LOST, Reason.EXITED)
    end = await sh(sandbox, "ulimit -n; cat src/app.py")
    assert (end.exit_code, end.output.split(b"\n")[1]) == (0, b"print('app')")
    assert int(end.output.split()[0]) > 100


async def test_leaving_the_sandbox_in_the_middle_of_a_command_is_quick(
    engine: SandboxEngine, tree: Path
) -> None:
    began = time.monotonic()
    with anyio.move_on_after(1.5):
        async with engine.open(a_spec(tree)) as sandbox:
            await sh(sandbox, "trap '' TERM; while :; do sleep 1; done")
    assert time.monotonic() - began < 6
    assert await engine.reap() == ()


async def test_a_closed_sandbox_says_that_it_is_gone(engine: SandboxEngine, tree: Path) -> None:
    async with engine.open(a_spec(tree)) as sandbox:
        await sh(sandbox, "true")
    with pytest.raises(SandboxError, match="closed"):
        await sh(sandbox, "true")
    with pytest.raises(SandboxError, match="closed"):
        await sandbox.harvest()


async def test_file_systems_larger_than_memory_are_refused(engine: SandboxEngine) -> None:
    limits = SandboxLimits(memory_bytes=64 * MIB, tree_bytes=64 * MIB, tmp_bytes=8 * MIB)
    with pytest.raises(SandboxError, match="memory_bytes") as caught:
        async with engine.open(a_spec(limits=limits)):
            pass
    assert "raise memory_bytes" in caught.value.remedy


async def test_an_image_that_is_not_there_is_a_missing_environment(engine: SandboxEngine) -> None:
    environment = Environment(
        kind="image", image="greenloop-no-such-image:1", why="test", identity="test"
    )
    with pytest.raises(EnvironmentMissing) as caught:
        async with engine.open(a_spec(environment=environment)):
            pass
    assert caught.value.remedy


async def test_the_probe_says_what_is_there(engine: SandboxEngine) -> None:
    lines = await engine.probe()
    assert len(lines) >= 3
    assert all(line.name and line.value for line in lines)
    assert all(line.ok or line.remedy for line in lines)


async def test_nothing_of_living_owners_is_reaped(engine: SandboxEngine, tree: Path) -> None:
    async with engine.open(a_spec(tree)) as sandbox:
        await engine.reap()
        assert (await sandbox.run(a_command("true"))).exit_code == 0
