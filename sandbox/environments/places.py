"""The places where the Python of a repository is looked for, in the order of trust.

What belongs to the repository comes before what is active in the shell, and that before what the
machine offers to everybody. A place only names a file; whether it serves is decided elsewhere.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.environments.folders import follow, is_file, is_folder, is_link
from sandbox.environments.managers import (
    conda_environment,
    pipenv_environment,
    poetry_environments,
    pointed_at,
)
from sandbox.environments.pyenv import Choice, global_choice, project_choice, pyenv_root
from sandbox.environments.pythons import Unusable
from sandbox.environments.tracked import tracked_among

_IN_REPO: Final = (".venv", "venv", ".conda", ".pixi/envs/default")
_TRACKED: Final = Unusable(
    reason="is tracked by git, so it came with the repository and is not this machine's",
    remedy="take it out of git (git rm -r --cached), then make it anew",
)
_VERSIONS: Final = tuple(f"python3.{minor}" for minor in range(15, 7, -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place that was looked at."""

    name: str
    """As a person would say it: `.venv`, `poetry`, `PATH`."""
    executable: Path | None
    """The Python there; None if there is nothing."""
    said: str
    """What was found, or that nothing was."""
    is_general: bool = False
    """It is the machine's, not chosen for this repository or this shell."""
    refused: Unusable | None = None
    """Why it is not even looked into."""


def places(repo: Path, variables: Mapping[str, str], home: Path) -> Iterator[Place]:
    """Yield every place in order; later ones cost nothing if they are not asked for."""
    yield from _in_repo(repo)
    yield _of_variable("VIRTUAL_ENV", variables, repo)
    yield _of_variable("UV_PROJECT_ENVIRONMENT", variables, repo)
    yield from _of_managers(repo, variables, home)
    root = pyenv_root(variables, home)
    if root is not None:
        yield from _of_pyenv("pyenv", project_choice(root, repo, variables))
    yield from _on_path(repo, variables, root)


def _in_repo(repo: Path) -> Iterator[Place]:
    """Yield the environments that lie in the repository."""
    for name in _IN_REPO:
        folder = pointed_at(repo / name) or _behind_link(repo / name)
        marks = (name, f"{name}/pyvenv.cfg", f"{name}/conda-meta/history")
        if not is_folder(folder):
            yield _of_folder(name, None, f"no folder {repo / name}")
        elif tracked_among(repo, marks):
            yield Place(name=name, executable=None, said=str(folder), refused=_TRACKED)
        else:
            yield _of_folder(name, folder, "")


def _behind_link(folder: Path) -> Path:
    """Return a folder; of a link what it leads to, since the tree may hold the link itself."""
    return follow(folder) if is_link(folder) else folder


def _of_variable(name: str, variables: Mapping[str, str], repo: Path) -> Place:
    value = variables.get(name)
    if not value:
        return _of_folder(name, None, "not set")
    folder = repo / value
    inside = follow(folder)
    if inside.is_relative_to(follow(repo)) and not folder.is_relative_to(repo):
        # The shell reached the repository through a link; inside there is only its real name.
        folder = repo / inside.relative_to(follow(repo))
    return _of_folder(name, folder, "")


def _of_managers(repo: Path, variables: Mapping[str, str], home: Path) -> Iterator[Place]:
    """Yield what poetry, pipenv and conda keep for the project."""
    poetry = poetry_environments(repo, variables, home)
    yield from (_of_folder("poetry", folder, "") for folder in poetry)
    if not poetry:
        yield _of_folder("poetry", None, "no virtualenv of poetry for this project")
    pipenv = pipenv_environment(repo, variables, home)
    exists = pipenv is not None and is_folder(pipenv)
    yield _of_folder(
        "pipenv", pipenv if exists else None, f"no {pipenv}" if pipenv else "no Pipfile"
    )
    conda = conda_environment(repo, variables, home)
    yield _of_folder("conda", conda, "no environment named by an environment.yml")
    yield _of_variable("CONDA_PREFIX", variables, repo)


def _of_pyenv(name: str, choice: Choice | None, *, is_general: bool = False) -> Iterator[Place]:
    """Yield the versions that pyenv was told to use."""
    if choice is None:
        yield Place(name=name, executable=None, said="no version chosen")
        return
    if choice.is_system:
        yield Place(name=name, executable=None, said=f"{choice.said_by} asks for the system's own")
    elif not choice.prefixes:
        said = f"{choice.said_by} asks for {choice.asked}, which pyenv has not installed"
        yield Place(name=name, executable=None, said=said)
    for prefix in choice.prefixes:
        yield Place(
            name=name,
            executable=_python_of(prefix),
            said=f"{prefix} ({choice.said_by})",
            is_general=is_general,
        )


def _on_path(repo: Path, variables: Mapping[str, str], root: Path | None) -> Iterator[Place]:
    """Yield `python3` and `python` of every folder on PATH, then the numbered versions."""
    by_real: dict[str, Path] = {}
    for text in variables.get("PATH", "").split(":"):
        if text.startswith("/") and not Path(text).is_relative_to(repo):
            by_real.setdefault(os.path.realpath(text), Path(text))
    folders = list(by_real.values())
    shims = root / "shims" if root else None
    found = False
    for names in (("python3", "python"), _VERSIONS):
        for folder in folders:
            if folder == shims and root is not None:
                yield from _of_pyenv("PATH, pyenv", global_choice(root), is_general=True)
                continue
            for name in names:
                if is_file(folder / name):
                    found = True
                    yield _general(folder / name)
    if not found:
        yield Place(name="PATH", executable=None, said="no python3 on PATH", is_general=True)


def _general(executable: Path) -> Place:
    return Place(name="PATH", executable=executable, said=str(executable), is_general=True)


def _of_folder(name: str, folder: Path | None, otherwise: str) -> Place:
    if folder is None:
        return Place(name=name, executable=None, said=otherwise)
    return Place(name=name, executable=_python_of(folder), said=str(folder))


def _python_of(prefix: Path) -> Path:
    """Return the path of the Python in a folder, whether it is there or not."""
    names = (prefix / "bin" / name for name in ("python", "python3", "pypy3"))
    return next((path for path in names if is_link(path) or is_file(path)), prefix / "bin/python")
