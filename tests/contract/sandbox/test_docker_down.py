"""The engine is not there, or goes away in the middle of a run: a clear word, no hang.

What is tried runs in a process of its own: docker-py leaves the sockets of failed connections to
the garbage collector, and here that would be an error of whatever test comes next.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import docker
import pytest

from tests.support.engine_proxy import engine_proxy

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[3]

PRELUDE = """
import anyio, json, os, signal, sys, time
from sandbox import framed
from sandbox.docker import DockerEngine, vessel
from sandbox.errors import EngineUnavailable
from tests.support.sandboxes import a_command, a_spec, sh
vessel.REMOVE_S = 0.5
"""
MISSING = """
async def main(host):
    engine = DockerEngine(variables={"DOCKER_HOST": host})
    (line,) = await engine.probe()
    said = [[line.ok, line.value, line.remedy]]
    for attempt in (engine.open(a_spec()).__aenter__, engine.reap):
        try:
            await attempt()
        except EngineUnavailable as error:
            said.append([error.message, error.remedy])
    print(json.dumps(said))
"""
LOST = """
framed.PING_S, framed.PATIENCE_S = 0.1, 0.5

async def main(host, session, pid, number):
    engine = DockerEngine(variables={"DOCKER_HOST": host})
    said = []
    async with engine.open(a_spec(labels={"test.session": session})) as sandbox:
        async with sandbox.start(a_command("sh", "-c", "echo up; sleep 60")) as process:
            await process.receive()
            os.kill(int(pid), int(number))
            began = time.monotonic()
            end = await process.receive()
        said += [end.reason, end.output.decode(), time.monotonic() - began < 5]
        if int(number) == signal.SIGKILL:
            try:
                await sh(sandbox, "true")
            except EngineUnavailable as error:
                said.append(error.remedy)
    print(json.dumps(said))
    # A call to a silent engine may still wait in a thread.
    sys.stdout.flush()
    os._exit(0)
"""


def tried(script: str, *arguments: str) -> list[object]:
    """Run `main` of the script with the arguments; return what it printed as JSON."""
    program = f"{PRELUDE}{script}\nanyio.run(main, *sys.argv[1:])\n"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: list[object] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize(
    "host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1", "nonsense://x"]
)
def test_an_engine_that_does_not_answer_is_a_clear_error_with_a_remedy(host: str) -> None:
    (ok, value, remedy), *errors = tried(MISSING, host)  # type: ignore[misc]
    assert (ok, bool(value), bool(remedy)) == (False, True, True)
    assert errors == [[value, remedy]] * 2


@pytest.fixture
def session() -> Iterator[str]:
    """A name; what carries it is removed at the end, as the reaper would later."""
    name = uuid4().hex
    yield name
    api = docker.from_env().api
    for left in api.containers(all=True, filters={"label": f"test.session={name}"}):
        api.remove_container(left["Id"], force=True, v=True)
    api.close()


def test_an_engine_killed_in_the_middle_is_engine_lost_and_then_unavailable(
    session: str, tmp_path: Path
) -> None:
    with engine_proxy(tmp_path / "docker.sock") as proxy:
        host = f"unix://{tmp_path}/docker.sock"
        reason, output, quick, remedy = tried(LOST, host, session, str(proxy.pid), "9")
    assert (reason, output, quick) == ("engine_lost", "up\n", True)
    assert remedy


def test_an_engine_that_falls_silent_is_engine_lost(session: str, tmp_path: Path) -> None:
    with engine_proxy(tmp_path / "docker.sock") as proxy:
        host = f"unix://{tmp_path}/docker.sock"
        said = tried(LOST, host, session, str(proxy.pid), "19")
    assert said == ["engine_lost", "up\n", True]
