"""The stage on which every backend is attacked."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.base import Environment, Mount, SandboxEngine
from sandbox.bubblewrap import BubblewrapEngine
from sandbox.docker import DockerEngine
from tests.support.attacks import Scene, under_attack


@pytest.fixture(
    params=[
        pytest.param(BubblewrapEngine, marks=pytest.mark.bwrap, id="bubblewrap"),
        pytest.param(DockerEngine, marks=pytest.mark.docker, id="docker"),
    ]
)
def engine(request: pytest.FixtureRequest) -> SandboxEngine:
    return request.param(variables=dict(os.environ))


@pytest.fixture
def environment() -> Environment:
    """The machine's system Python and nothing else."""
    names = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
    found = [Path("/") / name for name in names if (Path("/") / name).exists()]
    return Environment(
        kind="host",
        mounts=tuple(
            Mount(source=path, target=str(path))
            for path in (Path("/usr"), *(path for path in found if not path.is_symlink()))
        ),
        links={str(path): str(path.readlink()) for path in found if path.is_symlink()},
        interpreter="/usr/bin/python3",
        why="system Python for attacks",
        identity="attacks",
    )


@pytest.fixture
async def scene(
    engine: SandboxEngine, environment: Environment, tmp_path: Path
) -> AsyncIterator[Scene]:
    """A sandbox under attack; after the test, proof that the host is unharmed."""
    async with under_attack(engine, environment, tmp_path) as scene:
        yield scene
