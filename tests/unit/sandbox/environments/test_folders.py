from pathlib import Path

import pytest

from sandbox.environments import resolve_environment
from sandbox.environments.folders import (
    follow,
    is_file,
    is_folder,
    is_link,
    is_there,
    names_in,
)
from sandbox.errors import EnvironmentMissing

TOO_LONG = Path("/tmp") / ("a" * 300)
"""The kernel refuses to look at it, as at what lies below a folder that is closed to us."""


def test_paths_that_cannot_be_looked_at_are_as_if_they_were_not_there():
    assert names_in(TOO_LONG) == []
    assert not any(look(TOO_LONG) for look in (is_file, is_folder, is_link, is_there))
    assert follow(TOO_LONG) == TOO_LONG


def test_files_folders_and_links_are_told_apart(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "circle").symlink_to("circle")

    assert names_in(tmp_path) == ["circle", "file", "link"]
    assert is_file(tmp_path / "link")
    assert is_link(tmp_path / "link")
    assert is_link(tmp_path / "circle")
    assert not is_there(tmp_path / "circle")
    assert is_folder(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["VIRTUAL_ENV", "CONDA_PREFIX", "PYENV_ROOT", "PATH", "HOME", "WORKON_HOME", "GOMODCACHE",
     "CARGO_HOME", "RUSTUP_HOME", "POETRY_VIRTUALENVS_PATH", "XDG_CONFIG_HOME"],
)  # fmt: skip
def test_variables_that_lead_to_closed_folders_end_in_a_plain_refusal(tmp_path, name):
    for manifest in ("Pipfile", "go.mod", "Cargo.toml", "package.json"):
        (tmp_path / manifest).touch()
    (tmp_path / "pyproject.toml").write_text('[tool.poetry]\nname = "x"\n')
    variables = {"HOME": str(tmp_path / "home"), "PATH": "", name: str(TOO_LONG)}

    with pytest.raises(EnvironmentMissing, match="can import pytest"):
        resolve_environment(tmp_path, image=None, variables=variables)
