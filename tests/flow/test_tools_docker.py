"""The sandbox tools in real containers: what is killed, hangs, floods, or is cancelled."""

import time
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from agent.tools.bash import Bash
from agent.tools.desk import Desk
from agent.tools.kit import make_tools
from agent.tools.python import Python
from agent.tools.rooms import rooms_of
from agent.tools.run_tests import RunTests
from agent.tools.search_one_edit import SearchOneEdit
from agent.tools.shell_command import SCRATCH
from sandbox.base import SandboxLimits
from tests.support.containers import Containers, labelled
from tests.support.desk import done, failed, put, text_at
from tests.support.tool_desk import (
    ABOVE,
    CALC,
    a_contained_bench,
    a_tool,
    a_tool_desk,
    call,
    measured,
    with_limits,
)
from tests.support.verify import dedent

pytestmark = pytest.mark.docker
REPLACED = f"the sandbox was replaced: {SCRATCH} is empty again, your edits are all there"
FIXED = dedent(CALC["calc.py"]).replace("return low\n", "return high\n")


@pytest.fixture
def containers(tmp_path: Path) -> Containers:
    return labelled(a_contained_bench(tmp_path, CALC))


async def sh(desk: Desk, command: str, **arguments: object) -> str:
    return done(await call(desk, Bash, command=command, **arguments)).text


async def test_a_session_of_work_leaves_no_container(containers: Containers) -> None:
    async with a_tool_desk(containers.bench) as desk:
        assert await containers.names() == []
        assert (await sh(desk, "pwd")).startswith(f"{containers.bench.base.repo}\n[exit 0, ")
        await sh(desk, "sleep 60", background=True)
        done(await call(desk, Python, code="import calc; calc.twice(2)"))
        done(await call(desk, RunTests, tests=[ABOVE]))
        await sh(desk, "echo more > more.txt")
        assert len(await containers.names()) == 4
        assert desk.attempt.delta().keys() == {"more.txt"}
    assert await containers.names() == []


async def test_a_container_that_is_killed_loses_no_edit(containers: Containers) -> None:
    async with a_tool_desk(containers.bench) as desk:
        await sh(desk, f"echo one > one.txt; echo x > {SCRATCH}/x; cd tests")
        put(desk, "two.txt", b"two\n")
        await sh(desk, "true")
        for _ in range(2):
            assert await containers.remove_all() == 1
            text = await sh(desk, f"cat ../one.txt ../two.txt; pwd; ls {SCRATCH}")
            assert text.startswith(f"one\ntwo\n{containers.bench.base.repo}/tests\n[exit 0, ")
            assert text.endswith(REPLACED)
        assert REPLACED not in await sh(desk, "true")


async def test_a_command_that_takes_its_container_with_it_says_what_is_lost(
    containers: Containers,
) -> None:
    async with a_tool_desk(containers.bench) as desk:
        await sh(desk, "echo kept > kept.txt")
        text = await sh(desk, "echo going; echo lost > lost.txt; kill -9 $PPID; sleep 5")
        # What it printed at the last moment may be lost with what passes it on.
        assert text.removeprefix("going\n") == (
            "[the sandbox was lost while it ran]\n"
            "what the command changed is lost with its sandbox; your edits are all there"
        )
        assert (await sh(desk, "cat kept.txt; ls lost.txt")).startswith("kept\nls: ")
        assert desk.attempt.delta().keys() == {"kept.txt"}


async def test_a_container_that_dies_behind_a_background_command_is_said(
    containers: Containers,
) -> None:
    async with a_tool_desk(containers.bench) as desk:
        await sh(desk, "echo up; sleep 60", background=True)
        await containers.remove_all()
        text = done(await call(desk, Bash, handle="bg1")).text
        assert "[the sandbox was lost while it ran]" in text
        assert not rooms_of(desk).background
        assert "[exit 0, " in await sh(desk, "true")


async def test_a_command_without_memory_ends_itself_alone(tmp_path: Path) -> None:
    bench = a_contained_bench(tmp_path, CALC)
    small = SandboxLimits(
        memory_bytes=160 * 1024**2, tree_bytes=32 * 1024**2, tmp_bytes=32 * 1024**2
    )
    async with a_tool_desk(replace(bench, limits=small)) as desk:
        text = await sh(desk, "echo kept > kept.txt; python -c 'x = bytearray(10**9)'; true")
        assert "out of memory]" in text
        assert (await sh(desk, "cat calc.py | head -1")).startswith("def clamp")


async def test_a_megabyte_of_output_keeps_its_ends(containers: Containers) -> None:
    async with a_tool_desk(containers.bench) as desk:
        text = await sh(desk, "echo first; seq 1 400000; echo last >&2; exit 4")
        assert text.startswith("first\n1\n2\n")
        assert "\nlast\n[exit 4, " in text
        assert "bytes left out ...]" in text
        assert len(text) < 2_200_000
        flood = await sh(desk, "yes")
        assert "[killed after " in flood
        assert "of output; write it to a file instead]" in flood


async def test_a_hung_command_is_left_to_itself_and_killed_later(containers: Containers) -> None:
    async with a_tool_desk(containers.bench, limits=with_limits(command_s=0.5)) as desk:
        text = await sh(desk, "trap '' TERM INT HUP; echo stuck; while :; do sleep 1; done")
        assert text.startswith("stuck\n[goes on in the background as bg1 ")
        assert "[exit 0, " in await sh(desk, "echo works")
        ended = done(await call(desk, Bash, handle="bg1", kill=True)).text
        assert ended.startswith("[killed after ")


async def test_a_command_gets_no_more_than_the_most(containers: Containers) -> None:
    async with a_tool_desk(containers.bench, limits=with_limits(command_most_s=0.6)) as desk:
        text = await sh(desk, "echo on; sleep 60", timeout_s=0.2)
        assert text.startswith("on\n[goes on in the background as bg1 ")
        text = done(await call(desk, Bash, handle="bg1")).text
        while text.startswith("[goes on"):
            text = done(await call(desk, Bash, handle="bg1")).text
        assert text.startswith("[killed after ")
        assert text.endswith(" s, the most that a command gets]")


async def test_nothing_a_command_started_is_alive_after_it(containers: Containers) -> None:
    async with a_tool_desk(containers.bench) as desk:
        await sh(desk, "(setsid sleep 77 &) ; nohup sleep 78 >/dev/null 2>&1 &")
        text = await sh(
            desk, "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; done | grep -c '[s]leep 7'"
        )
        assert text.startswith("0\n")


async def test_links_pipes_and_git_folders_stay_behind(containers: Containers) -> None:
    async with a_tool_desk(containers.bench) as desk:
        text = await sh(
            desk, "ln -s /etc/passwd link; mkfifo pipe; mkdir .git; echo x > .git/config"
        )
        assert not desk.attempt.delta()
        assert {line.split(": ")[1] for line in text.splitlines() if "not kept" in line} >= {
            "link",
            "pipe",
            ".git",
        }
        text = await sh(desk, "rm calc.py; ln -s words.py calc.py")
        assert "not kept: calc.py: " in text
        assert (await sh(desk, "head -1 calc.py")).startswith("def clamp")


async def test_the_attempt_is_cancelled_at_any_moment_and_nothing_is_left(
    containers: Containers,
) -> None:
    known = await measured(containers.bench)
    bash, tests, python = [await a_tool(make) for make in (Bash, RunTests, Python)]

    async def work() -> None:
        async with a_tool_desk(containers.bench, baseline=known) as desk:
            await bash.call({"command": "sleep 0.05; echo x >> calc.py"}, desk)
            await bash.call({"command": "sleep 60", "background": True}, desk)
            await tests.call({}, desk)
            await python.call({"code": "import time; time.sleep(60)"}, desk)

    for seconds in (0.05, 0.45, 0.9, 1.6, 2.4):
        with anyio.move_on_after(seconds) as scope:
            await work()
        assert scope.cancelled_caught
        assert await containers.names() == []


async def test_runs_go_on_after_their_containers_are_killed(containers: Containers) -> None:
    known = await measured(containers.bench)
    async with a_tool_desk(containers.bench, baseline=known) as desk:
        put(desk, "calc.py", FIXED.encode())
        for _ in range(2):
            text = done(await call(desk, RunTests)).text
            assert text.startswith(f"targets: 1 of 1 pass\nfixed: {ABOVE}\n")
            assert (await containers.remove_all()) == 1
        first = done(await call(desk, Python, code="x = 1; x")).text
        assert first.startswith("1\n")
        await containers.remove_all()
        lost = failed(await call(desk, Python, code="x")).text
        assert "names of earlier cells are gone" in lost
        assert "NameError" in done(await call(desk, Python, code="x")).text


async def test_the_search_runs_in_containers_over_the_attempt(containers: Containers) -> None:
    known = await measured(containers.bench)
    async with a_tool_desk(containers.bench, baseline=known) as desk:
        await sh(desk, "sed -i '1i # moved' calc.py")
        text = done(await call(desk, SearchOneEdit, seconds=4)).text
        assert "calc.py:4: another name: return low → return high" in text
        assert text_at(desk, "calc.py").startswith("# moved\ndef clamp(value, low, high):\n")


async def test_a_warm_call_costs_little_beyond_its_command(containers: Containers) -> None:
    bash = await a_tool(Bash)
    async with a_tool_desk(containers.bench) as desk:
        for number in range(3):
            put(desk, "calc.py", FIXED.encode() + b"#" * number)
            await bash.call({"command": "true"}, desk)
        costs = []
        for number in range(10):
            put(desk, "calc.py", FIXED.encode() + b"\n#" * number)
            began = time.perf_counter()
            await bash.call({"command": "true"}, desk)
            costs.append(time.perf_counter() - began)
    assert min(costs) < 0.05, costs


async def test_the_kit_is_whole_sorted_and_fits_every_dialect(containers: Containers) -> None:
    known = await measured(containers.bench)
    async with a_tool_desk(containers.bench, baseline=known) as desk:
        tools = await anyio.to_thread.run_sync(make_tools, desk)
        names = [tool.spec.name for tool in tools]
        assert names == sorted(names)
        assert {"bash", "python", "run_tests", "submit", "test_is_wrong", "view"} <= set(names)
