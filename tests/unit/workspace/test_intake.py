"""Files that change, vanish or resist while they are read."""

import os

import pytest

from agent.errors import WorkspaceError
from agent.workspace.intake import Intake, survey
from agent.workspace.manifest import mode_in, oid_in
from agent.workspace.trees import object_id
from tests.support.repos import files_in, write


@pytest.fixture
def intake(tmp_path):
    (tmp_path / "top").mkdir()
    (tmp_path / "target").mkdir()
    top, target = os.fsencode(tmp_path / "top"), os.fsencode(tmp_path / "target")
    return Intake(top=top, target=target, held={}, algorithm="sha1")


def changing(monkeypatch, original, change, times):
    """Let the user's program write at the worst moment: between reading and looking again."""
    left = [times]

    def read(fd, size):
        data = original(fd, size)
        if left[0]:
            left[0] -= 1
            change()
        return data

    monkeypatch.setattr(os, "read", read)


@pytest.mark.parametrize("piece_bytes", [4, 4000])
def test_a_file_that_changes_while_it_is_read_is_read_again(
    intake, tmp_path, monkeypatch, piece_bytes
):
    monkeypatch.setattr("agent.workspace.intake.PIECE_BYTES", piece_bytes)
    write(tmp_path / "top", {"a": b"old text"})
    changing(monkeypatch, os.read, lambda: write(tmp_path / "top", {"a": b"a new text"}), 1)
    taken = intake.take_all([b"a"])
    assert files_in(tmp_path / "target") == {"a": b"a new text"}
    assert oid_in(taken[b"a"]) == object_id(b"blob", b"a new text", "sha1")


@pytest.mark.parametrize("piece_bytes", [4, 4000])
def test_a_file_that_never_stands_still_is_said(intake, tmp_path, monkeypatch, piece_bytes):
    monkeypatch.setattr("agent.workspace.intake.PIECE_BYTES", piece_bytes)
    write(tmp_path / "top", {"a": b"text"})

    def grow():
        with (tmp_path / "top/a").open("ab") as file:
            file.write(b"more and more")

    changing(monkeypatch, os.read, grow, 1000)
    with pytest.raises(WorkspaceError, match="a changes faster than it can be read"):
        intake.take_all([b"a"])
    assert files_in(tmp_path / "target") == {}


def test_what_vanished_is_not_taken(intake, tmp_path):
    write(tmp_path / "top", {"here": b"", "file": b""})
    assert set(intake.take_all([b"here", b"gone", b"file/below"])) == {b"here"}


def test_many_files_are_taken_by_several_threads(intake, tmp_path):
    files = {f"d{n % 7}/f{n}": b"%d" % n for n in range(900)}
    write(tmp_path / "top", files)
    taken = intake.take_all([name.encode() for name in files])
    assert files_in(tmp_path / "target") == files
    assert all(mode_in(record) == 0o100644 for record in taken.values())


def test_looking_alone_writes_nothing(intake, tmp_path, monkeypatch):
    monkeypatch.setattr("agent.workspace.intake.PIECE_BYTES", 3)
    write(tmp_path / "top", {"a": b"large enough", "d/b": b"b"})
    looking = Intake(top=intake.top, target=None, held={}, algorithm="sha1")
    assert looking.take_all([b"a", b"d/b"]).keys() == {b"a", b"d/b"}
    looking.put(b"c", b"", looking.take_all([b"d/b"])[b"d/b"])
    assert files_in(tmp_path / "target") == {}
    assert set(files_in(tmp_path / "top")) == {"a", "d/b"}


def test_our_own_folder_that_cannot_be_written_is_not_taken_for_the_users(intake, tmp_path):
    write(tmp_path / "top", {"a": b"a"})
    write(tmp_path / "target", {"a": b"in the way"})
    with pytest.raises(FileExistsError):
        intake.take_all([b"a"])


def test_a_survey_knows_what_is_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr("agent.workspace.intake.SETTLING_NS", 0)
    top = os.fsencode(tmp_path)
    write(tmp_path, {"same": b"1", "edited": b"2", "d/gone": b"3"})
    (tmp_path / "link").symlink_to("same")
    paths = [b"same", b"edited", b"d/gone", b"link", b"link/below", b"d", b"never/there"]
    seen = Intake(top=top, target=None, held={}, algorithm="sha1").take_all(paths)
    (tmp_path / "edited").write_bytes(b"longer")
    (tmp_path / "d/gone").unlink()
    found = survey(top, paths, seen)
    assert set(found.unchanged) <= {b"same", b"link"}
    assert b"edited" in found.changed
    assert set(found.unchanged) | set(found.changed) == {b"same", b"link", b"edited"}
