"""Container images as environments: without Python, with little in them, with nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from sandbox.base import Environment, FileWrite, Reason
from sandbox.docker import DockerEngine
from sandbox.errors import EnvironmentMissing
from tests.support.images import image_of_programs
from tests.support.sandboxes import a_spec, sh

pytestmark = pytest.mark.docker
PROGRAMS = "sh cat chmod cp dd env head ls mkdir mkfifo rm setsid sleep tar true"
NAME = "greenloop-tests"


@pytest.fixture(scope="module")
def images() -> Iterator[str]:
    """Local images: a shell and little more, the same with settings, and no shell at all."""
    api = docker.from_env().api
    api.import_image_from_data(image_of_programs(PROGRAMS.split()), repository=NAME, tag="shell")
    api.import_image_from_data(
        image_of_programs(PROGRAMS.split()),
        repository=NAME,
        tag="settings",
        changes=["ENV PATH=/odd:/bin", "ENV MINE=of-the-image", "VOLUME /odd", "VOLUME /tmp"],
    )
    api.import_image_from_data(image_of_programs(["true"]), repository=NAME, tag="nothing")
    yield NAME
    for tag in ("shell", "settings", "nothing"):
        api.remove_image(f"{NAME}:{tag}", force=True)
    api.close()


def an_image(name: str) -> Environment:
    return Environment(kind="image", image=name, why="a test", identity=name)


@pytest.fixture
def engine() -> DockerEngine:
    return DockerEngine(variables=dict(os.environ))


@pytest.mark.parametrize("workdir", ["/root/project", "/work"])
async def test_an_image_without_python_runs_commands(
    engine: DockerEngine, images: str, tmp_path: Path, workdir: str
) -> None:
    (tmp_path / "a").write_text("from the host\n")
    spec = a_spec(tmp_path, environment=an_image(f"{images}:shell"), workdir=workdir)
    async with engine.open(spec) as sandbox:
        end = await sh(sandbox, "cat a; sleep 100 & setsid sleep 100 & exit 4")
        assert (end.exit_code, end.output) == (4, b"from the host\n")
        late = await sh(sandbox, "sleep 100", wall_s=0.2)
        assert late.reason is Reason.TIMEOUT
        await sandbox.sync([FileWrite(path="b", data=b"2")])
        await sh(sandbox, "cat a b > c; rm a")
        harvest = await sandbox.harvest()
        assert [change.path for change in harvest.changes] == ["a", "c"]


async def test_the_settings_of_an_image_hold_and_its_volumes_cannot_be_written(
    engine: DockerEngine, images: str
) -> None:
    async with engine.open(a_spec(environment=an_image(f"{images}:settings"))) as sandbox:
        end = await sh(sandbox, 'echo "$PATH $MINE"; mkdir /odd/x; mkdir /tmp/x && echo written')
        assert end.output.startswith(b"/odd:/bin of-the-image\n")
        assert b"Read-only file system" in end.output
        assert end.output.endswith(b"written\n")


async def test_an_image_without_a_shell_is_a_missing_environment(
    engine: DockerEngine, images: str
) -> None:
    spec = a_spec(environment=an_image(f"{images}:nothing"))
    with pytest.raises(EnvironmentMissing) as caught:
        async with engine.open(spec):
            pass
    assert "sh" in caught.value.remedy
