"""One engine per backend; every test of this folder runs against each."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.base import Sandbox, SandboxEngine
from tests.support.sandboxes import WithoutPython, a_spec


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("docker-shell", marks=pytest.mark.docker),
        pytest.param("bubblewrap", marks=pytest.mark.bwrap),
    ],
)
def engine(request: pytest.FixtureRequest) -> SandboxEngine:
    """Every backend in turn."""
    variables = dict(os.environ)
    if request.param == "bubblewrap":
        from sandbox.bubblewrap import BubblewrapEngine

        return BubblewrapEngine(variables=variables)
    from sandbox.docker import DockerEngine

    engine = DockerEngine(variables=variables)
    return WithoutPython(engine) if request.param == "docker-shell" else engine


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree on the host."""
    root = tmp_path / "tree"
    (root / "src").mkdir(parents=True)
    (root / "src" / "app.py").write_text("print('app')\n")
    (root / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("src/app.py")
    return root


@pytest.fixture
async def sandbox(engine: SandboxEngine, tree: Path) -> AsyncIterator[Sandbox]:
    """An open sandbox over the small tree."""
    async with engine.open(a_spec(tree)) as opened:
        yield opened
