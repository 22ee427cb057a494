"""How git is run: with nothing of the caller's environment, and with clear errors."""

import subprocess

import pytest

from agent.errors import TaskError, WorkspaceError
from agent.workspace import trusted_git
from agent.workspace.trusted_git import TrustedGit, find_repository, variables_for
from tests.support.repos import a_repo, git


@pytest.fixture
def repo(tmp_path):
    return a_repo(tmp_path / "repo")


def test_the_facts_of_a_repository_are_found(repo):
    found = find_repository(repo / "src")
    assert (found.top, found.git_dir, found.common_dir) == (repo, repo / ".git", repo / ".git")
    assert found.commit == git(repo, "rev-parse", "HEAD")
    assert found.object_format == "sha1"


@pytest.mark.parametrize("value", ["~/ignores", "relative/ignores", "/absolute/ignores"])
def test_the_excludes_file_is_found_as_git_finds_it(repo, tmp_path, monkeypatch, value):
    monkeypatch.setenv("HOME", str(tmp_path))
    git(repo, "config", "core.excludesFile", value)
    expected = {
        "~/ignores": tmp_path / "ignores",
        "relative/ignores": repo / "relative/ignores",
        "/absolute/ignores": "/absolute/ignores",
    }
    assert find_repository(repo).settings["core.excludesfile"] == str(expected[value])


def test_a_setting_without_a_value_is_true(repo):
    with (repo / ".git/config").open("a") as config:
        config.write("[core]\n\tignorecase\n")
    assert find_repository(repo).settings["core.ignorecase"] == "true"


def test_git_that_is_not_installed_is_said(repo, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    trusted_git._program.cache_clear()
    with pytest.raises(WorkspaceError, match="git is not installed"):
        find_repository(repo)
    trusted_git._program.cache_clear()


def test_git_that_hangs_is_said(repo, monkeypatch):
    def hang(command, **_):
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr("subprocess.run", hang)
    with pytest.raises(WorkspaceError, match="git rev-parse did not end within"):
        find_repository(repo)


def test_a_command_that_fails_is_said_with_its_last_line(repo, tmp_path):
    ours = TrustedGit(git_dir=tmp_path / "nothing", work_tree=repo, settings={})
    with pytest.raises(WorkspaceError, match=r"git status failed for .*not a git repository"):
        ours.run("status")


def test_the_environment_of_the_caller_does_not_reach_git(repo, monkeypatch):
    seen = {}

    def look(command, **options):
        seen.update(options["env"])
        return subprocess.CompletedProcess(command, 1, b"", b"fatal: not a git repository")

    monkeypatch.setattr("subprocess.run", look)
    monkeypatch.setenv("CANARY", "secret")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    with pytest.raises(TaskError):
        find_repository(repo)
    assert {"CANARY", "GIT_DIR"}.isdisjoint(seen)
    assert seen["GIT_OPTIONAL_LOCKS"] == "0"


def test_our_variables_name_no_place_of_the_user(tmp_path):
    variables = variables_for(tmp_path)
    places = {name: value for name, value in variables.items() if "/" in value}
    assert set(places.values()) == {
        str(tmp_path),
        str(tmp_path / "objects"),
        str(tmp_path / "index"),
        "/dev/null",
    }
