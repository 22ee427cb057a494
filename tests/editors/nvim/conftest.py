"""Two Neovims for each test, a developer's machine, and projects to be mended."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import neovim
from tests.support.neovim import Neovim
from tests.support.product import Desk, make_project
from tests.support.projects import make_environment
from tests.support.served import Served, configure, served


@pytest.fixture(params=neovim.VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    folder.chmod(0o755)
    return make_environment(folder)


@pytest.fixture
def desk(tmp_path: Path, venv: Path) -> Desk:
    home = tmp_path / "home"
    home.mkdir()
    return Desk(home=home, venv=venv)


@pytest.fixture
def project(tmp_path: Path):
    """Return what makes a repository: `project(files)`."""

    def made(files: Mapping[str, str], name: str = "shop") -> Path:
        return make_project(tmp_path / name, files)

    return made


@pytest.fixture
def editor_on(version: str, desk: Desk, tmp_path: Path):
    """Return what starts an editor in a repository: `with editor_on(repo) as editor`."""
    started = 0

    @contextmanager
    def opened(repo: Path, **options: object) -> Generator[Neovim, None, None]:
        nonlocal started
        started += 1
        folder = tmp_path / f"editor-{started}"
        with neovim.running(version, folder, desk=desk, cwd=repo, **options) as editor:  # type: ignore[arg-type]
            yield editor

    return opened


@pytest.fixture
def model(desk: Desk, tmp_path: Path):
    """Return what serves a script as the user's model: `with model(script)`.

    No time is spent on leaving out what green does not need, so that there is something to reject.
    """

    @contextmanager
    def serving(script: Mapping[str, object]) -> Generator[Served, None, None]:
        with served(desk, tmp_path, script) as fake:
            configure(desk, fake.address)
            file = desk.home / ".config" / "greenloop" / "config.toml"
            file.write_text(f"minimise_s = 0.001\n{file.read_text()}")
            yield fake

    return serving
