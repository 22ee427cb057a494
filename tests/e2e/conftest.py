"""A developer's machine for every test; its activated environment is made once and shared."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.product import Desk
from tests.support.projects import make_environment


@pytest.fixture(scope="session")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    folder.chmod(0o755)
    return make_environment(folder)


@pytest.fixture
def desk(tmp_path: Path, venv: Path) -> Iterator[Desk]:
    home = tmp_path / "home"
    home.mkdir()
    yield Desk(home=home, venv=venv)
    shutil.rmtree(home, ignore_errors=True)
