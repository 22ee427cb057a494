"""One file put in place: whole or not at all, with rights, owner and attributes."""

import os
import stat

import pytest

from agent.edits.changes import Content, Mode
from agent.task import RepoPath
from agent.workspace.placing import (
    Found,
    Moved,
    find,
    missing_folders,
    put,
    remove_empty_folder,
    remove_waiting,
    rights_for,
)

A = RepoPath("d/a.py")
NEW = Found(content=Content(data=b"new"))


@pytest.fixture
def top(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / A).write_bytes(b"old")
    return tmp_path


def names(top):
    return sorted(str(place.relative_to(top)) for place in top.rglob("*"))


@pytest.mark.parametrize("wanted", [NEW, Found(content=None)])
def test_a_file_that_is_not_as_found_is_left_alone(top, wanted):
    found = find(top, A)
    (top / A).write_bytes(b"mine")
    with pytest.raises(Moved):
        put(top, A, found, wanted, waiting=".w")
    assert (top / A).read_bytes() == b"mine"
    remove_waiting(top, A, ".w")
    assert names(top) == ["d", "d/a.py"]


def test_a_hard_link_elsewhere_keeps_the_old_content(top):
    os.link(top / A, top / "other")
    put(top, A, find(top, A), NEW, waiting=".w")
    assert (top / "other").read_bytes() == b"old"
    assert (top / A).read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_group_stay(top):
    os.chown(top / A, 4242, 4343)
    put(top, A, find(top, A), NEW, waiting=".w")
    status = (top / A).stat()
    assert (status.st_uid, status.st_gid) == (4242, 4343)


def test_extended_attributes_stay(top):
    try:
        os.setxattr(top / A, "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has no user attributes")
    put(top, A, find(top, A), NEW, waiting=".w")
    assert os.getxattr(top / A, "user.note") == b"kept"


@pytest.mark.parametrize(
    ("rights", "mode", "expected"),
    [
        (0o644, Mode.EXECUTABLE, 0o755),
        (0o640, Mode.EXECUTABLE, 0o750),
        (0o755, Mode.FILE, 0o644),
        (0o4751, Mode.EXECUTABLE, 0o4751),
        (0o600, Mode.FILE, 0o600),
    ],
)
def test_rights_change_only_where_the_mode_asks_for_it(rights, mode, expected):
    assert rights_for(rights, mode) == expected


def test_a_link_is_put_as_text(top):
    wanted = Found(content=Content(data=b"../nowhere\xe9", mode=Mode.LINK))
    put(top, A, find(top, A), wanted, waiting=".w")
    assert os.readlink(os.fsencode(top / A)) == b"../nowhere\xe9"  # noqa: PTH115
    assert find(top, A) == wanted


def test_folders_are_made_and_removed_only_when_empty(top):
    path = RepoPath("x/y/z.py")
    assert missing_folders(top, path) == ["x", "x/y"]
    put(top, path, Found(content=None), NEW, waiting=".w")
    remove_empty_folder(top, "x/y")
    assert (top / path).read_bytes() == b"new"
    put(top, path, find(top, path), Found(content=None), waiting=".w")
    for folder in ("x/y", "x", "never"):
        remove_empty_folder(top, folder)
    assert names(top) == ["d", "d/a.py"]


def test_a_read_only_file_is_known_as_such(top):
    assert not find(top, A).is_read_only
    (top / A).chmod(0o555)
    assert find(top, A).is_read_only
    assert stat.S_IMODE((top / A).stat().st_mode) == 0o555
    (top / "link").symlink_to("d")
    assert not find(top, RepoPath("link")).is_read_only
