import subprocess
from pathlib import Path

import pytest

from sandbox.environments.tracked import tracked_among


def git(repo: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", repo, *arguments], check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "repo"
    for name in ("create-venv", "docs/.venv/pyvenv.cfg", "a/b.txt"):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("x")
    git(tmp_path, "init", "-q", "repo")
    git(repo, "add", ".")
    return repo


@pytest.mark.parametrize("version", ["2", "4"])
def test_names_are_compared_whole(repo, version):
    git(repo, "update-index", "--index-version", version)

    assert tracked_among(repo, ["a/b.txt", "venv", "b"]) == {"a/b.txt"}
    assert tracked_among(repo, []) == set()


def test_same_name_deeper_in_the_repository_is_another_file(repo):
    assert not tracked_among(repo, [".venv/pyvenv.cfg"])
    assert tracked_among(repo, ["docs/.venv/pyvenv.cfg"])


def test_linked_worktree_has_its_own_index(repo, tmp_path):
    git(repo, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"))

    assert tracked_among(tmp_path / "linked", ["a/b.txt"])


def test_folder_without_git_tracks_nothing(tmp_path):
    assert not tracked_among(tmp_path, ["a"])


def test_monstrous_index_counts_as_tracking(repo):
    with (repo / ".git/index").open("r+b") as index:
        index.truncate(300 * 1024**2)

    assert tracked_among(repo, ["anything"])
