"""Looks through the places for the Python that can run a repository's tests."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.environments.exposure import unreadable_by
from sandbox.environments.folders import follow, is_file, names_in
from sandbox.environments.managers import read_toml
from sandbox.environments.places import Place, places
from sandbox.environments.pythons import (
    Python,
    Unusable,
    inspect_executable,
    read_pyvenv,
    version_pair,
)
from sandbox.environments.sites import Libraries, read_libraries

ORDINARY_UID: Final = 1000
"""Commands run under this id when greenloop itself runs as root; else under the caller's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """A Python that can import the module."""

    python: Python
    libraries: Libraries
    note: str = ""
    """What a person should know although it serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found in one place."""

    place: Place
    outcome: Usable | Unusable | None
    """None: there is nothing."""


def search(
    repo: Path, *, variables: Mapping[str, str], home: Path, module: str
) -> Iterator[Finding]:
    """Yield a finding for every place, in order of trust; the first `Usable` is the one to take."""
    needed = _required_version(repo)
    uid = os.getuid() or ORDINARY_UID
    seen: set[Path] = set()
    for place in places(repo, variables, home):
        if place.executable is None:
            yield Finding(place=place, outcome=place.refused)
        elif (program := _program_of(place.executable)) not in seen:
            seen.add(program)
            outcome = _examine(place, home=home, module=module, needed=needed, uid=uid)
            yield Finding(place=place, outcome=outcome)


def _program_of(executable: Path) -> Path:
    """Return what tells one Python from another: a virtualenv is its own, links are not."""
    if is_file(executable.parent.parent / "pyvenv.cfg"):
        return executable
    return follow(executable)


def _examine(
    place: Place, *, home: Path, module: str, needed: tuple[int, int], uid: int
) -> Usable | Unusable:
    """Decide statically whether the Python of a place can import the module."""
    if place.executable is None or not os.path.lexists(place.executable):
        return Unusable(reason=f"{place.said} has no bin/python")
    python = inspect_executable(place.executable)
    if isinstance(python, Unusable):
        return python
    if place.is_general and version_pair(python.tag) < needed:
        wanted = "{}.{}".format(*needed)
        return Unusable(
            reason=f"is Python {python.version}; the project requires {wanted} or newer"
        )
    libraries = read_libraries(python, home=home)
    if locked := _locked(python, libraries, uid):
        return locked
    located = libraries.locate(module)
    if located is None:
        return Unusable(
            reason=f"Python {python.version} cannot import {module}",
            remedy=_install_command(python, module),
        )
    closed = unreadable_by(uid, [located, *_entries(libraries)])
    if closed and (located in closed or python.is_virtual):
        return _closed(closed[0], closed[0].parent, uid)
    note = f"{closed[0]} is not readable by user {uid}" if closed else ""
    return Usable(python=python, libraries=libraries, note=note)


def _locked(python: Python, libraries: Libraries, uid: int) -> Unusable | None:
    """Return the trouble if a folder that every import needs is closed to ordinary users."""
    programs = (python.executable.parent, python.real.parent, python.real)
    needed = (python.prefix, *programs, python.library, *libraries.sites)
    closed = unreadable_by(uid, needed)
    return _closed(closed[0], python.prefix, uid) if closed else None


def _closed(path: Path, folder: Path, uid: int) -> Unusable:
    return Unusable(
        reason=f"{path} cannot be read by user {uid}, under whom tests run (made with umask 077?)",
        remedy=f"chmod -R a+rX {folder}",
        must_be_mended=True,
    )


def _entries(libraries: Libraries) -> list[Path]:
    """Return the packages at the top of the site folders that do not belong to the system."""
    own = (site for site in libraries.sites if not site.is_relative_to("/usr"))
    return [site / name for site in own for name in names_in(site)]


def _install_command(python: Python, module: str) -> str:
    """Return the command that installs the module where it is missing."""
    if "uv" in read_pyvenv(python.prefix):
        return f"uv pip install --python {python.prefix} {module}"
    if python.is_virtual or not python.base.is_relative_to("/usr"):
        return f"{python.executable} -m pip install {module}"
    return f"apt-get install python3-{module}"


def _required_version(repo: Path) -> tuple[int, int]:
    """Return the lower bound of `requires-python`; 3.0 if the project names none."""
    project = read_toml(repo / "pyproject.toml").get("project")
    wanted = str(project.get("requires-python", "")) if isinstance(project, dict) else ""
    found = re.search(r"(?:>=|~=|==)\s*3\.(\d+)", wanted)
    return (3, int(found[1])) if found else (3, 0)
