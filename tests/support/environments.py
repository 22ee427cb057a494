"""Real virtualenvs with real packages, and a way to look around inside their sandbox.

Packages are copied from the environment that runs the tests, so that nothing is downloaded.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from sandbox.base import Command, CommandLimits, Completed, Environment, SandboxSpec
from sandbox.docker import DockerEngine

PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
HATCHLING = ("hatchling", "editables", "packaging", "pathspec", "pluggy", "trove-classifiers")

CALC = "def add(a, b):\n    return a - b\n"
TEST_CALC = "from calc import add\n\ndef test_add():\n    assert add(2, 2) == 4\n"


def make_project(repo: Path) -> Path:
    """Make a small project with one failing test, code in `src`."""
    (repo / "src").mkdir(parents=True)
    (repo / "src" / "calc.py").write_text(CALC)
    (repo / "tests").mkdir()
    (repo / "tests" / "test_calc.py").write_text(TEST_CALC)
    (repo / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "calc"\nversion = "1.0"\n'
        '[tool.hatch.build.targets.wheel]\nonly-include = ["src/calc.py"]\nsources = ["src"]\n'
    )
    return repo


def make_real_virtualenv(
    folder: Path, *, python: str = sys.executable, more: Sequence[str] = ()
) -> Path:
    """Make a virtualenv without pip; return its site folder."""
    subprocess.run([python, "-m", "venv", "--without-pip", *more, folder], check=True)
    return next((folder / "lib").glob("python3.*/site-packages"))


def copy_distributions(names: Sequence[str], site: Path) -> None:
    """Install distributions of the running environment into another site folder."""
    for name in names:
        for file in metadata.files(name) or []:
            source = Path(str(metadata.distribution(name).locate_file(file)))
            if ".." not in file.parts and file.suffix != ".pyc" and source.is_file():
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def install_editable_for_real(project: Path, python: Path) -> None:
    """Let pip and the project's build backend install it in editable mode, without a network."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
    offline = ["--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*pip, *offline, "-e", project], check=True)


def copy_of_tree(repo: Path, target: Path, *, without: Sequence[str] = (".venv", ".git")) -> Path:
    """Copy what a base snapshot of the repository would hold."""
    shutil.copytree(repo, target, ignore=shutil.ignore_patterns(*without), symlinks=True)
    return target


async def look_inside(
    environment: Environment,
    repo: Path,
    tree: Path,
    *argv: str,
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Run one command in a fresh Docker sandbox of this environment."""
    spec = SandboxSpec(environment=environment, workdir=str(repo), tree=tree)
    command = Command(argv=argv, env=env or {}, limits=CommandLimits(wall_s=60))
    async with DockerEngine(variables=dict(os.environ)).open(spec) as sandbox:
        return await sandbox.run(command)
