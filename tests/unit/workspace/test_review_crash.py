"""SIGKILL at every moment of an apply or undo: the next one finishes or takes back."""

from pathlib import Path

import pytest

from agent.edits.changes import Content, Mode
from agent.edits.patch import make_patch
from agent.errors import TaskError
from agent.task import RepoPath
from agent.workspace.review import Applied, Undone, apply_patch, undo
from tests.support.kills import is_killed_at
from tests.support.repos import snapshot

pytestmark = pytest.mark.slow

OLD = {"a.py": b"a\n1\n", "gone.txt": b"gone"}
PATCH = make_patch(
    lambda path: Content(data=OLD[path]) if path in OLD else None,
    {
        RepoPath("a.py"): Content(data=b"a\n2\n", mode=Mode.EXECUTABLE),
        RepoPath("gone.txt"): None,
        RepoPath("made/here/b.py"): Content(data=b"b\n"),
        RepoPath("link"): Content(data=b"a.py", mode=Mode.LINK),
    },
)


def make_repo(top: Path) -> None:
    top.mkdir()
    for name, data in OLD.items():
        (top / name).write_bytes(data)
        (top / name).chmod(0o640)


def every_kill(tmp_path: Path, prepare, action, check) -> int:
    """Kill the action at its first, second … call in fresh repositories; count the calls."""
    call = 0
    while True:
        call += 1
        repo, undo_dir = tmp_path / f"repo{call}", tmp_path / f"undo{call}"
        make_repo(repo)
        prepare(repo, undo_dir)
        if not is_killed_at(call, lambda r=repo, u=undo_dir: action(r, u)):
            return call
        check(repo, undo_dir)


def apply_all(repo, undo_dir):
    return apply_patch(repo, PATCH, None, undo_dir=undo_dir)


@pytest.fixture
def before(tmp_path):
    make_repo(tmp_path / "before")
    return snapshot(tmp_path / "before")


@pytest.fixture
def after(tmp_path):
    make_repo(tmp_path / "after")
    apply_all(tmp_path / "after", tmp_path / "undo-of-after")
    return snapshot(tmp_path / "after")


def test_after_a_killed_apply_every_file_is_whole_and_undo_restores_all(tmp_path, before, after):
    def check(repo, undo_dir):
        whole = {*before.items(), *after.items()}
        ours = {item for item in snapshot(repo).items() if not item[0].startswith(("made", ".gr"))}
        assert ours <= whole
        try:
            assert isinstance(undo(repo, undo_dir), Undone)
        except TaskError:
            assert not any(undo_dir.glob("????/plan.json"))
        assert snapshot(repo) == before

    assert every_kill(tmp_path, lambda *_: None, apply_all, check) > 30


def test_after_a_killed_apply_a_second_apply_finishes(tmp_path, after):
    def check(repo, undo_dir):
        assert isinstance(apply_all(repo, undo_dir), Applied)
        assert snapshot(repo) == after

    every_kill(tmp_path, lambda *_: None, apply_all, check)


def test_after_a_killed_undo_a_second_undo_finishes(tmp_path, before):
    def check(repo, undo_dir):
        try:
            undo(repo, undo_dir)
        except TaskError:
            assert not any(undo_dir.glob("????/plan.json"))
        assert snapshot(repo) == before

    assert every_kill(tmp_path, apply_all, undo, check) > 20


def test_a_file_that_the_user_changed_after_a_killed_apply_stays(tmp_path):
    def check(repo, undo_dir):
        if snapshot(repo).get("a.py", (0, b""))[1] != b"a\n2\n":
            return
        (repo / "a.py").write_bytes(b"a\n2\nmine\n")
        try:
            done = undo(repo, undo_dir)
        except TaskError:
            return
        if isinstance(done, Undone):
            assert done.notes == ("a.py was changed after a broken-off apply; it stays as it is",)
        assert (repo / "a.py").read_bytes() == b"a\n2\nmine\n"

    every_kill(tmp_path, lambda *_: None, apply_all, check)
