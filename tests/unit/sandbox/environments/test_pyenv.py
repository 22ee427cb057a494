from pathlib import Path

import pytest

from sandbox.environments.pyenv import Choice, global_choice, project_choice, pyenv_root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for version in ("3.8.18", "3.11.7", "3.11.10", "3.12.1", "myproject"):
        (tmp_path / "pyenv/versions" / version / "bin").mkdir(parents=True)
    (tmp_path / "pyenv/versions/3.11.99").mkdir()
    (tmp_path / "work/repo").mkdir(parents=True)
    return tmp_path / "pyenv"


def chosen(root: Path, tmp_path: Path, text: str) -> tuple[str, ...]:
    (tmp_path / "work/repo/.python-version").write_text(text)
    choice = project_choice(root, tmp_path / "work/repo", {})
    return tuple(prefix.name for prefix in choice.prefixes) if choice else ("no choice",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.12.1\n", ("3.12.1",)),
        ("3.11\n", ("3.11.10",)),
        ("python-3.12.1\n", ("3.12.1",)),
        ("myproject\n", ("myproject",)),
        ("# for tests\n3.12.1 3.8\n3.11.7\n", ("3.12.1", "3.8.18", "3.11.7")),
        ("system\n", ()),
        ("3.13\n", ()),
        ("../../etc\n", ()),
        ("\n\n", ("no choice",)),
    ],
)
def test_version_file_of_the_repository_is_read_as_pyenv_does(root, tmp_path, text, expected):
    assert chosen(root, tmp_path, text) == expected


def test_version_file_of_a_folder_above_counts(root, tmp_path):
    (tmp_path / "work/.python-version").write_text("3.12.1")

    assert project_choice(root, tmp_path / "work/repo", {}) == Choice(
        prefixes=(root / "versions/3.12.1",),
        said_by=str(tmp_path / "work/.python-version"),
        asked="3.12.1",
    )


def test_variable_comes_before_the_file(root, tmp_path):
    (tmp_path / "work/repo/.python-version").write_text("3.12.1")
    choice = project_choice(root, tmp_path / "work/repo", {"PYENV_VERSION": "3.8.18:3.11.7"})

    assert choice is not None
    assert [prefix.name for prefix in choice.prefixes] == ["3.8.18", "3.11.7"]
    assert choice.said_by == "PYENV_VERSION"


def test_system_is_told_from_a_missing_version(root, tmp_path):
    system = project_choice(root, tmp_path / "work/repo", {"PYENV_VERSION": "system"})
    missing = project_choice(root, tmp_path / "work/repo", {"PYENV_VERSION": "3.99"})

    assert system is not None
    assert system.is_system
    assert missing is not None
    assert not missing.is_system


def test_global_version_is_the_users(root):
    assert global_choice(root) is None
    (root / "version").write_text("3.12.1\n")
    choice = global_choice(root)

    assert choice is not None
    assert choice.prefixes == (root / "versions/3.12.1",)


def test_pyenv_is_found_by_its_variable_or_in_the_home_folder(root, tmp_path):
    (tmp_path / ".pyenv/versions").mkdir(parents=True)

    assert pyenv_root({"PYENV_ROOT": str(root)}, tmp_path) == root
    assert pyenv_root({}, tmp_path) == tmp_path / ".pyenv"
    assert pyenv_root({}, tmp_path / "work") is None
