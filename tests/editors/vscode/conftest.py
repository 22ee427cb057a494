"""One code-server and one browser for all tests of a process; a fresh window for each test."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.code_server import CodeServer, package_extension, running_code_server
from tests.support.product import Desk
from tests.support.projects import make_environment, make_repository
from tests.support.served import PROFILE, Served, served
from tests.support.workbench import Driver, Window, open_window, running_driver

EVIDENCE = Path(__file__).parents[3] / "build" / "vscode"
"""Where a failed test leaves its screen, the trace of the extension and the console."""


@pytest.fixture(scope="session")
def code_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[CodeServer, None, None]:
    home = tmp_path_factory.mktemp("vscode")
    with running_code_server(home, extension=package_extension()) as server:
        yield server


@pytest.fixture(scope="session")
def driver(code_server: CodeServer) -> Generator[Driver, None, None]:
    with running_driver(code_server) as driver:
        yield driver


@pytest.fixture
def window_on(code_server: CodeServer, driver: Driver, request: pytest.FixtureRequest):
    """Return what opens a window on a folder: `with window_on(folder, **settings) as window`."""
    evidence = EVIDENCE / re.sub(r"\W+", "_", request.node.name)

    @contextmanager
    def opened(folder: Path | None, **settings: object) -> Generator[Window, None, None]:
        with open_window(driver, code_server, folder, evidence=evidence, **settings) as window:
            yield window

    return opened


@pytest.fixture
def project(tmp_path: Path):
    """Return what makes a repository with an environment of its own: `project(files)`."""

    def made(files: Mapping[str, str], name: str = "shop") -> Path:
        folder = tmp_path / name
        for path, text in {**files, ".gitignore": ".venv/\n__pycache__/\n"}.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        make_environment(folder)
        make_repository(folder)
        return folder

    return made


@pytest.fixture
def model(code_server: CodeServer, tmp_path: Path):
    """Return what serves a script as the user's model: `with model(script, "steps = 3")`."""

    @contextmanager
    def serving(script: Mapping[str, object], settings: str = "") -> Generator[Served, None, None]:
        desk = Desk(home=tmp_path, venv=tmp_path)
        with served(desk, tmp_path, script) as fake:
            text = PROFILE.format(
                dialect="openai-chat", address=fake.address, window=262_144, more=""
            )
            code_server.config.parent.mkdir(parents=True, exist_ok=True)
            code_server.config.write_text(f"{settings}\n{text}")
            try:
                yield fake
            finally:
                code_server.config.unlink()

    return serving
