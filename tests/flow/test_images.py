"""A task whose tests run in a container image that the developer named."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import docker
import pytest

from agent.config import Settings
from agent.engine import open_engine
from agent.result import RunResult
from sandbox.errors import EnvironmentMissing
from tests.support.images import SHELL, image_of_programs, image_with_pytest
from tests.support.repos import a_repo
from tests.support.runs import FILES, a_task

pytestmark = [pytest.mark.docker, pytest.mark.slow]

NAME = "greenloop-flow-tests"


@pytest.fixture(scope="module")
def images() -> Iterator[str]:
    client = docker.from_env()
    api = client.api
    api.import_image_from_data(
        image_with_pytest(), repository=NAME, tag="pytest", changes=["ENV PATH=/usr/bin:/bin"]
    )
    api.import_image_from_data(image_of_programs(SHELL), repository=NAME, tag="bare")
    yield NAME
    for tag in ("pytest", "bare"):
        api.remove_image(f"{NAME}:{tag}", force=True)
    client.close()


async def fix(tmp_path: Path, image: str) -> RunResult:
    repo = a_repo(tmp_path / "repo", FILES)
    settings = Settings(state_dir=tmp_path / "state", image=image)
    async with open_engine(settings, variables=os.environ) as engine:
        return await engine.start(a_task(repo)).result()


async def test_a_bug_is_fixed_and_gated_in_the_image(images: str, tmp_path: Path) -> None:
    result = await fix(tmp_path, f"{images}:pytest")
    assert result.verdict == "green", result.message
    assert "+        return high" in result.patch_text


async def test_the_receipt_replays_in_the_image_that_it_names(images: str, tmp_path: Path) -> None:
    result = await fix(tmp_path, f"{images}:pytest")
    command = [sys.executable, "-m", "agent", "verify", result.receipt, "--json"]
    variables = {**os.environ, "GREENLOOP_STATE_DIR": str(tmp_path / "state")}
    done = await anyio.run_process(command, env=variables, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["holds"] is True


async def test_an_image_without_python_is_said_to_be_one(images: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"(?i)python|interpreter") as caught:
        await fix(tmp_path, f"{images}:bare")
    assert getattr(caught.value, "remedy", "")


async def test_an_image_that_is_not_here_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match="nowhere:1") as caught:
        await fix(tmp_path, "nowhere:1")
    assert "docker" in caught.value.remedy
