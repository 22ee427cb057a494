"""What holds for Docker alone: no trace after a kill, an engine that goes away, the recipe."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import anyio
import docker
import pytest

from sandbox.base import TOOLS_DIR, FileWrite, Reason, SandboxLimits
from sandbox.docker import DockerEngine
from sandbox.owner import MARK, PREFIX
from tests.support.sandboxes import MIB, a_command, a_spec, py, sh

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[3]


@pytest.fixture
def api() -> Iterator[docker.APIClient]:
    client = docker.from_env().api
    yield client
    client.close()


@pytest.fixture
def engine() -> DockerEngine:
    return DockerEngine(variables=dict(os.environ))


@pytest.fixture
def session() -> str:
    """A label that only this test has."""
    return uuid4().hex


def names(api: docker.APIClient, session: str) -> list[str]:
    found = api.containers(all=True, filters={"label": f"test.session={session}"})
    return [container["Names"][0].lstrip("/") for container in found]


OPEN_AND_WAIT = """
import anyio, os, sys
from sandbox.docker import DockerEngine
from tests.support.sandboxes import a_spec, sh

async def main():
    engine = DockerEngine(variables=dict(os.environ))
    async with engine.open(a_spec(labels={"test.session": sys.argv[1]})) as sandbox:
        await sh(sandbox, "true")
        print("open", flush=True)
        await sh(sandbox, "sleep 60", wall_s=60)

anyio.run(main)
"""


async def test_what_a_killed_process_left_is_reaped(
    engine: DockerEngine, api: docker.APIClient, session: str
) -> None:
    child = await anyio.open_process(
        [sys.executable, "-c", OPEN_AND_WAIT, session], cwd=ROOT, stderr=None
    )
    assert child.stdout is not None
    assert (await child.stdout.receive()).startswith(b"open")
    (left,) = names(api, session)
    assert left not in await engine.reap()
    child.send_signal(signal.SIGKILL)
    await child.wait()
    assert names(api, session) == [left]
    assert left in await engine.reap()
    assert names(api, session) == []
    await child.aclose()


async def test_an_expired_lease_is_reaped_and_a_foreign_label_is_not(
    engine: DockerEngine, api: docker.APIClient, session: str
) -> None:
    async with engine.open(a_spec()):
        image = next(image for image in api.images() if MARK in (image["Labels"] or {}))
    made = []
    for labels in (
        {MARK: "1", PREFIX + "pid": "1", PREFIX + "expires": "1", PREFIX + "start": "x",
         PREFIX + "place": "another machine"},
        {MARK: "1"},
    ):  # fmt: skip
        config = {"Image": image["Id"], "Cmd": ["x"], "Labels": labels}
        made.append(api.create_container_from_config(config)["Id"])
    try:
        removed = await engine.reap()
        left = {container["Id"] for container in api.containers(all=True)}
        assert made[0] not in left
        assert made[1] in left
        assert len(removed) >= 1
    finally:
        api.remove_container(made[1], force=True)


async def test_closing_removes_the_container(
    engine: DockerEngine, api: docker.APIClient, session: str
) -> None:
    async with engine.open(a_spec(labels={"test.session": session})) as sandbox:
        await sh(sandbox, "true")
        assert len(names(api, session)) == 1
    assert names(api, session) == []


async def test_a_container_removed_by_somebody_is_engine_lost_and_replaced(
    engine: DockerEngine, api: docker.APIClient, session: str
) -> None:
    async with engine.open(a_spec(labels={"test.session": session})) as sandbox:
        (name,) = names(api, session)
        with anyio.fail_after(10):
            async with sandbox.start(a_command("sh", "-c", "echo up; sleep 60")) as process:
                assert await process.receive() == b"up\n"
                await anyio.to_thread.run_sync(lambda: api.remove_container(name, force=True))
                end = await process.receive()
        assert end.reason is Reason.ENGINE_LOST
        assert end.output == b"up\n"
        assert (await sh(sandbox, "echo again")).output == b"again\n"


@pytest.mark.parametrize("first", ["install", "sync"])
async def test_a_container_removed_while_nobody_used_it_is_replaced_unnoticed(
    engine: DockerEngine, api: docker.APIClient, session: str, first: str
) -> None:
    async with engine.open(a_spec(labels={"test.session": session})) as sandbox:
        (name,) = names(api, session)
        await anyio.to_thread.run_sync(lambda: api.remove_container(name, force=True))
        if first == "install":
            await sandbox.install({"note": b"ours\n"})
            end = await sh(sandbox, f"cat {TOOLS_DIR}/note")
        else:
            await sandbox.sync([FileWrite(path="note", data=b"ours\n")])
            end = await sh(sandbox, "cat note")
        assert (end.exit_code, end.output) == (0, b"ours\n")


OOM_AND_KILL = """
import os, signal, time
if os.fork() == 0:
    hoard = b"x" * (1 << 30)
os.wait()
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) not in (1, os.getpid()):
        try:
            os.kill(int(name), signal.SIGKILL)
        except OSError:
            pass
time.sleep(20)
"""


async def test_memory_that_ran_out_is_named_even_when_the_runner_died_of_it(
    engine: DockerEngine,
) -> None:
    async with engine.open(a_spec()) as sandbox:
        assert (await py(sandbox, OOM_AND_KILL)).reason is Reason.OOM
        assert (await sh(sandbox, "echo next")).output == b"next\n"


async def test_the_lease_ends_the_sandbox_by_itself(
    engine: DockerEngine, api: docker.APIClient, session: str
) -> None:
    limits = SandboxLimits(
        memory_bytes=128 * MIB, tree_bytes=16 * MIB, tmp_bytes=16 * MIB, lease_s=1, cpus=1
    )
    async with engine.open(a_spec(labels={"test.session": session}, limits=limits)) as sandbox:
        with anyio.fail_after(10):
            end = await sh(sandbox, "sleep 60")
        assert end.reason is Reason.ENGINE_LOST


async def test_the_recipe_is_what_the_engine_was_told(
    engine: DockerEngine, api: docker.APIClient, session: str
) -> None:
    async with engine.open(a_spec(labels={"test.session": session})) as sandbox:
        (name,) = names(api, session)
        config = api.inspect_container(name)["HostConfig"]
        end = await sh(
            sandbox,
            "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; id -u; nproc;"
            " ls /sys/class/net; touch /x; mount -t tmpfs x /tmp; unshare -U true",
        )
    assert config["NetworkMode"] == "none"
    assert config["CapDrop"] == ["ALL"]
    assert config["ReadonlyRootfs"] is True
    assert config["Memory"] == config["MemorySwap"] == 192 * MIB
    assert config["PidsLimit"] == 64
    assert config["LogConfig"]["Type"] == "none"
    assert all(mount["ReadOnly"] for mount in config["Mounts"])
    status = end.output.decode().split("\n")
    assert status[:6] == [
        "CapBnd:\t0000000000000000" if line.startswith("CapBnd") else line for line in status[:6]
    ]
    text = end.output.decode().replace("\t", " ")
    for line in ("CapEff: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2", "1000\n1\nlo\n"):
        assert line in text
    assert text.count("Read-only file system") == 1
    assert end.exit_code != 0


async def test_nproc_and_worker_counts_tell_the_truth(engine: DockerEngine) -> None:
    async with engine.open(a_spec()) as sandbox:
        end = await py(
            sandbox,
            "import os; print(len(os.sched_getaffinity(0)),"
            " os.environ['PYTEST_XDIST_AUTO_NUM_WORKERS'], os.environ['GOMAXPROCS'])",
        )
    assert end.output == b"1 1 1\n"


async def test_the_user_has_a_name_and_a_home(engine: DockerEngine) -> None:
    async with engine.open(a_spec()) as sandbox:
        end = await py(
            sandbox,
            "import getpass, os, pathlib; print(getpass.getuser(), pathlib.Path.home(),"
            " os.access(pathlib.Path.home(), os.W_OK))",
            env={"USER": "", "LOGNAME": ""},
        )
    assert end.output == b"greenloop /tmp/home True\n"


def test_docker_is_not_imported_before_it_is_needed() -> None:
    script = textwrap.dedent(
        """
        import sys
        from sandbox.docker import DockerEngine
        DockerEngine(variables={})
        assert not {"docker", "requests", "urllib3"} & set(sys.modules)
        """
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
