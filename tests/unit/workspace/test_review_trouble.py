"""Disks and rights that fail in the middle of an apply or undo."""

import errno
import os
from pathlib import Path

import pytest

from agent.edits.changes import Content
from agent.edits.patch import make_patch
from agent.errors import WorkspaceError
from agent.task import RepoPath
from agent.workspace import review
from agent.workspace.placing import put
from agent.workspace.review import Applied, Stale, Undone, apply_patch, undo
from agent.workspace.steps import read_steps
from tests.support.repos import files_in, write

FILES = {"a.py": b"a\n", "b.py": b"b\n"}
PATCH = make_patch(
    lambda path: Content(data=FILES[path]),
    {RepoPath("a.py"): Content(data=b"A\n"), RepoPath("b.py"): Content(data=b"B\n")},
)
AFTER = {"a.py": b"A\n", "b.py": b"B\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    write(tmp_path / "repo", FILES)
    return tmp_path / "repo"


@pytest.fixture
def undo_dir(tmp_path: Path) -> Path:
    return tmp_path / "undo"


def failing(path: str, error: int, times: int = 1000):
    """Let putting one file fail, as a full disk or a missing right would."""
    left = [times]

    def put_or_fail(root, asked, found, wanted, *, waiting):
        if asked == path and left[0]:
            left[0] -= 1
            raise OSError(error, os.strerror(error))
        put(root, asked, found, wanted, waiting=waiting)

    return put_or_fail


def test_a_full_disk_takes_back_what_was_written(repo, undo_dir, monkeypatch):
    monkeypatch.setattr(review, "put", failing("b.py", errno.ENOSPC))
    done = apply_patch(repo, PATCH, None, undo_dir=undo_dir)
    assert isinstance(done, Stale)
    assert done.conflicts[0].why == "it cannot be written: No space left on device"
    assert files_in(repo) == FILES
    monkeypatch.undo()
    assert apply_patch(repo, PATCH, None, undo_dir=undo_dir) == Applied(files=("a.py", "b.py"))


def test_a_mark_that_cannot_be_written_takes_all_back(repo, undo_dir, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(review, "mark_done", fail)
    assert isinstance(apply_patch(repo, PATCH, None, undo_dir=undo_dir), Stale)
    assert files_in(repo) == FILES


def test_an_undo_that_fails_on_one_file_is_finished_by_the_next(repo, undo_dir, monkeypatch):
    apply_patch(repo, PATCH, None, undo_dir=undo_dir)
    monkeypatch.setattr(review, "put", failing("a.py", errno.EROFS))
    done = undo(repo, undo_dir)
    assert isinstance(done, Stale)
    assert "Read-only file system" in done.conflicts[0].why
    monkeypatch.undo()
    assert undo(repo, undo_dir) == Undone(files=("a.py", "b.py"))
    assert files_in(repo) == FILES


def test_a_broken_off_apply_that_cannot_be_taken_back_is_said(repo, undo_dir, monkeypatch):
    apply_patch(repo, PATCH, None, undo_dir=undo_dir)
    (step,) = read_steps(undo_dir)
    (step.folder / "done").unlink()
    monkeypatch.setattr(review, "put", failing("a.py", errno.EACCES))
    with pytest.raises(WorkspaceError, match=r"cannot be taken back: a\.py: .*Permission denied"):
        apply_patch(repo, PATCH, None, undo_dir=undo_dir)
    monkeypatch.undo()
    undo(repo, undo_dir)
    assert files_in(repo) == FILES


def unreadable(path: str):
    found = review.find

    def find_or_fail(root, asked):
        if asked == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return found(root, asked)

    return find_or_fail


def test_a_file_that_may_not_be_read_is_a_conflict(repo, undo_dir, monkeypatch):
    monkeypatch.setattr(review, "find", unreadable("b.py"))
    done = apply_patch(repo, PATCH, None, undo_dir=undo_dir)
    assert isinstance(done, Stale)
    assert done.conflicts[0].why == "it cannot be read: Permission denied"
    assert files_in(repo) == FILES


def test_undo_of_a_file_that_may_not_be_read_is_a_conflict(repo, undo_dir, monkeypatch):
    apply_patch(repo, PATCH, None, undo_dir=undo_dir)
    monkeypatch.setattr(review, "find", unreadable("b.py"))
    done = undo(repo, undo_dir)
    assert isinstance(done, Stale)
    assert done.paths == ("b.py",)
    assert files_in(repo) == AFTER


def test_a_file_that_is_written_at_the_very_moment_wins(repo, undo_dir, monkeypatch):
    def put_too_late(root, path, found, wanted, *, waiting):
        if path == "b.py":
            write(repo, {"b.py": b"mine\n"})
        put(root, path, found, wanted, waiting=waiting)

    monkeypatch.setattr(review, "put", put_too_late)
    done = apply_patch(repo, PATCH, None, undo_dir=undo_dir)
    assert isinstance(done, Stale)
    assert done.conflicts[0].why == "the file was changed at this very moment"
    assert files_in(repo) == {"a.py": b"a\n", "b.py": b"mine\n"}


def test_an_undo_folder_that_fails_in_the_middle_is_said(repo, undo_dir, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(review, "write_step", fail)
    with pytest.raises(WorkspaceError, match=r"cannot be noted in .*: No space left"):
        apply_patch(repo, PATCH, None, undo_dir=undo_dir)
    assert files_in(repo) == FILES
