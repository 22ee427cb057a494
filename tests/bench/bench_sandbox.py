"""Sandbox speed against what the engine itself costs, in the same run."""

import os
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable

import anyio

from sandbox.base import Command, FileWrite, Sandbox
from sandbox.docker import DockerEngine
from tests.support.sandboxes import WithoutPython, a_spec

ROUNDS = 60
STARTS = 5
TRUE = Command(argv=("true",))


def run() -> list[tuple[str, float, float, str, str]]:
    """Return the rows of this module."""
    return anyio.run(measure)


async def measure() -> list[tuple[str, float, float, str, str]]:
    engine = DockerEngine(variables=dict(os.environ))
    start = await _start_ms(engine)
    async with engine.open(a_spec(labels={"bench": "yes"})) as sandbox:
        name = await anyio.to_thread.run_sync(_container_name)
        bare_shell = await anyio.to_thread.run_sync(_held_shell_ms, name)
        bare_exec = await anyio.to_thread.run_sync(_exec_ms, name)
        command = await _median_ms(lambda: sandbox.run(TRUE))
        sync = await _median_ms(lambda: _edit(sandbox))
    async with WithoutPython(engine).open(a_spec()) as sandbox:
        shell = await _median_ms(lambda: sandbox.run(TRUE))
    bare_start = await anyio.to_thread.run_sync(_bare_start_ms)
    return [
        ("warm command, against a bare held shell", command, bare_shell, "ms", "<= 10"),
        ("warm command, shell runner, against a bare held shell", shell, bare_shell, "ms", "<= 10"),
        ("open a sandbox, against bare create + start + exec", start, bare_start, "ms", "<= 1.5 x"),
        ("sync one edited file, against one warm exec", sync, bare_exec, "ms", "<= 1 x"),
    ]


async def _edit(sandbox: Sandbox) -> None:
    await sandbox.sync([FileWrite(path="src/edited.py", data=b"x = 1\n" * 500)])


async def _median_ms(work: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


async def _start_ms(engine: DockerEngine) -> float:
    """Until the first command has run; the first start, which makes the image, does not count."""
    times = []
    for _ in range(STARTS + 1):
        began = time.perf_counter()
        async with engine.open(a_spec()) as sandbox:
            await sandbox.run(TRUE)
            times.append(time.perf_counter() - began)
    return statistics.median(times[1:]) * 1000


def _container_name() -> str:
    lines = _docker("ps", "--filter", "label=bench=yes", "--format", "{{.Names}}").split()
    return lines[0]


def _held_shell_ms(name: str) -> float:
    """`true` and an echo through one `docker exec -i sh`: nothing is killed, nothing bounded."""
    shell = subprocess.Popen(
        ["docker", "exec", "-i", name, "sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert shell.stdin is not None
    assert shell.stdout is not None
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        shell.stdin.write(b"/bin/true; echo $?\n")
        shell.stdin.flush()
        shell.stdout.readline()
        times.append(time.perf_counter() - began)
    shell.stdin.close()
    shell.wait()
    shell.stdout.close()
    return statistics.median(times) * 1000


def _exec_ms(name: str) -> float:
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        _docker("exec", name, "true")
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _bare_start_ms() -> float:
    """Create, start and exec through the API, with the mounts and nothing of the recipe."""
    import docker

    api = docker.from_env().api
    spec = a_spec()
    image = next(image for image in api.images("greenloop-host") if image["RepoTags"])["Id"]
    binds = [f"{mount.source}:{mount.target}:ro" for mount in spec.environment.mounts]
    config = api.create_host_config(binds=binds, network_mode="none")
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        made = api.create_container(image, ["sleep", "60"], host_config=config)["Id"]
        api.start(made)
        api.exec_start(api.exec_create(made, ["true"])["Id"])
        times.append(time.perf_counter() - began)
        api.remove_container(made, force=True, v=True)
    api.close()
    return statistics.median(times) * 1000


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, check=True, text=True)
    return done.stdout
