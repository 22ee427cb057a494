"""The environment of a repository that node runs the tests of."""

from pathlib import Path

import pytest

from sandbox.environments import NODE, describe_search, is_for_node, resolve_environment
from sandbox.errors import EnvironmentMissing


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "work" / "repo"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    return folder


def variables(tmp_path: Path, programs: Path | None = None) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "PATH": str(programs or tmp_path / "nowhere")}


def make_node(tmp_path: Path) -> Path:
    programs = tmp_path / "home" / ".nvm" / "v22" / "bin"
    programs.mkdir(parents=True)
    (programs / "node").write_text("#!/bin/sh\n")
    return programs


@pytest.mark.parametrize(
    ("names", "is_node"),
    [
        (["package.json", "src", "README.md"], True),
        (["package.json", "pyproject.toml"], False),
        (["package.json", "requirements-dev.txt"], False),
        (["package.json", "manage.py"], False),
        (["setup.py"], False),
        ([], False),
    ],
)
def test_a_manifest_of_node_counts_where_none_of_python_is(names: list[str], is_node: bool) -> None:
    assert is_for_node(names) is is_node


def test_no_python_is_looked_for(repo: Path, tmp_path: Path) -> None:
    programs = make_node(tmp_path)
    (repo / "node_modules").mkdir()
    found = resolve_environment(
        repo, image=None, variables=variables(tmp_path, programs), module=NODE
    )
    assert (found.kind, found.interpreter) == ("host", None)
    assert found.variables["PATH"].split(":")[0] == str(programs)
    assert found.why == f"Node.js from {programs}/node with the repository's node_modules"
    targets = {mount.target for mount in found.mounts}
    assert {str(programs), f"{repo}/node_modules", "/usr"} <= targets


def test_another_node_or_other_packages_are_another_environment(repo: Path, tmp_path: Path) -> None:
    programs = make_node(tmp_path)
    known = variables(tmp_path, programs)

    def identity() -> str:
        return resolve_environment(repo, image=None, variables=known, module=NODE).identity

    (repo / "node_modules").mkdir()
    first = identity()
    assert identity() == first
    (repo / "node_modules" / ".package-lock.json").write_text("{}")
    second = identity()
    assert second != first
    (programs / "node").write_text("#!/bin/sh\n# newer\n")
    assert identity() not in {first, second}


def test_a_machine_without_node_is_told_what_to_do(repo: Path, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing) as caught:
        resolve_environment(repo, image=None, variables=variables(tmp_path), module=NODE)
    assert "no node on PATH" in caught.value.message
    assert "install Node.js" in caught.value.remedy
    lines = describe_search(repo, image=None, variables=variables(tmp_path), module=NODE)
    assert [(line.name, line.ok) for line in lines] == [("environment", False)]


def test_an_image_is_taken_as_it_is(repo: Path, tmp_path: Path) -> None:
    found = resolve_environment(repo, image="node:22", variables=variables(tmp_path), module=NODE)
    assert (found.kind, found.image) == ("image", "node:22")
