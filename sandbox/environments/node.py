"""The environment of a repository that is written for Node.js: no Python is looked for.

What runs the tests lies in the repository's own `node_modules`, or comes with node.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from sandbox.base import Environment
from sandbox.environments.exposure import Exposure
from sandbox.environments.folders import follow, is_folder
from sandbox.environments.host import SYSTEM_PATH, show_operating_system
from sandbox.environments.identity import node_identity
from sandbox.environments.toolchains import show_toolchains
from sandbox.errors import EnvironmentMissing

MANIFEST: Final = "package.json"
_OF_PYTHON: Final = frozenset(
    {
        *("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini", "conftest.py"),
        *("noxfile.py", "Pipfile", "poetry.lock", "uv.lock", "manage.py", "environment.yml"),
    }
)


def is_for_node(names: Iterable[str]) -> bool:
    """Tell by the names at a repository's top whether Node.js runs its tests, and not Python."""
    known = frozenset(names)
    is_python = not _OF_PYTHON.isdisjoint(known) or any(
        name.startswith("requirements") and name.endswith(".txt") for name in known
    )
    return MANIFEST in known and not is_python


def node_environment(repo: Path, *, variables: Mapping[str, str], home: Path) -> Environment:
    """Return the environment around the node that PATH finds. Raises: EnvironmentMissing."""
    exposure = Exposure(repo=repo, home=home)
    show_operating_system(exposure)
    toolchains = show_toolchains(exposure, repo=repo, variables=variables, home=home)
    programs = [one.program_folder for one in toolchains if one.program_folder]
    node = next((folder / "node" for folder in programs if (folder / "node").is_file()), None)
    if node is None:
        raise EnvironmentMissing(
            f"there is no node on PATH to run the tests of {repo}",
            remedy="install Node.js 20 or newer, or set `image` to a container image that has it",
        )
    system = SYSTEM_PATH.split(":")
    folders = [str(folder) for folder in dict.fromkeys(programs) if str(folder) not in system]
    settings = {
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108 (the sandbox's own)
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": ":".join([*folders, *system]),
    }
    for toolchain in toolchains:
        settings.update(toolchain.variables)
    has_modules = is_folder(repo / "node_modules")
    with_modules = " with the repository's node_modules" if has_modules else ""
    notes = [note for toolchain in toolchains for note in toolchain.notes]
    return Environment(
        kind="host",
        mounts=exposure.mounts,
        links=exposure.links,
        variables=settings,
        why="; ".join([f"Node.js from {node}{with_modules}", *notes]),
        identity=node_identity(
            follow(node),
            repo / "node_modules",
            mounts=exposure.mounts,
            links=exposure.links,
            variables=settings,
        ),
    )
