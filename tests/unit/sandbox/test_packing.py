"""Tar streams that go into a sandbox, read back by Python's own tarfile and by our reader."""

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.base import FileChange, FileDelete, FileWrite, LinkWrite
from sandbox.errors import SandboxError
from sandbox.inside.tree import header
from sandbox.packing import (
    PIECE_BYTES,
    checked_path,
    deletions,
    pack_changes,
    pack_files,
    pack_folder,
)
from sandbox.tarscan import Member, TarScan


def read(tar: bytes) -> dict[str, tuple[str, bytes, bool]]:
    """What tarfile finds: kind, content or target, and whether it may be executed."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(tar), errors="surrogateescape") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            data = file.read() if file else os.fsencode(member.linkname)
            kind = "link" if member.issym() else "folder" if member.isdir() else "file"
            found[member.name] = (kind, data, bool(member.mode & 0o100) and kind == "file")
    return found


NAMES = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1)
PATHS = (
    st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=20)
    .map("/".join)
    .filter(lambda path: len(path.encode()) < 2000)
)
WRITES = st.builds(FileWrite, path=PATHS, data=st.binary(max_size=2000), executable=st.booleans())
LINKS = st.builds(
    LinkWrite, path=PATHS, target=st.text(st.characters(blacklist_characters="\0"), min_size=1)
)


@given(changes=st.lists(st.one_of(WRITES, LINKS), unique_by=lambda change: change.path))
def test_changes_are_read_back_as_they_were(changes: list[FileChange]) -> None:
    changes = [c for c in changes if not isinstance(c, LinkWrite) or _encodes(c.target)]
    tar = b"".join(pack_changes(changes))
    expected = {}
    for change in changes:
        match change:
            case FileWrite(path=path, data=data, executable=executable):
                expected[path] = ("file", data, executable)
            case LinkWrite(path=path, target=target):
                expected[path] = ("link", os.fsencode(target), False)
    assert read(tar) == {path.rstrip("/"): value for path, value in expected.items()}
    found: dict[str, Member] = {}
    scan = TarScan(lambda name, member, data: found.__setitem__(name, member), keep_bytes=0)
    for start in range(0, len(tar), 700):
        scan.feed(tar[start : start + 700])
    assert scan.is_whole
    assert set(found) == set(expected)


def _encodes(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def test_a_folder_is_packed_with_links_empty_folders_and_execute_bits(tmp_path: Path) -> None:
    (tmp_path / "src" / "empty").mkdir(parents=True)
    (tmp_path / "src" / "a.py").write_bytes(b"a\r\n")
    (tmp_path / "run").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "run").chmod(0o4775)
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "venv" / "lib").mkdir(parents=True)
    (tmp_path / "venv" / "lib" / "x").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    assert read(b"".join(pack_folder(tmp_path, skip=["venv"]))) == {
        "src/a.py": ("file", b"a\r\n", False),
        "src/empty": ("folder", b"", False),
        "run": ("file", b"#!/bin/sh\n", True),
        "loop": ("link", b".", False),
    }


def test_a_large_file_comes_in_pieces(tmp_path: Path) -> None:
    data = os.urandom(3 * PIECE_BYTES + 5)
    (tmp_path / "big").write_bytes(data)
    pieces = list(pack_folder(tmp_path))
    assert max(map(len, pieces)) <= PIECE_BYTES + 2048
    assert read(b"".join(pieces)) == {"big": ("file", data, False)}


def test_an_empty_folder_is_an_empty_tar(tmp_path: Path) -> None:
    assert read(b"".join(pack_folder(tmp_path))) == {}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="no-such-folder") as caught:
        list(pack_folder(tmp_path / "no-such-folder"))
    assert caught.value.remedy


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    class Entry:
        name = path = os.fsencode(tmp_path / "gone")

    from sandbox.packing import _file_member

    with pytest.raises(SandboxError, match="gone"):
        list(_file_member(Entry.path, b"gone"))


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * (3 * PIECE_BYTES))
    pieces = pack_folder(tmp_path)
    next(pieces)
    os.truncate(tmp_path / "log", 10)
    with pytest.raises(SandboxError, match="log changed while it was copied"):
        list(pieces)


def test_sizes_beyond_eight_gigabytes_have_a_header() -> None:
    info = tarfile.TarInfo.frombuf(header(b"huge", 9 * 1024**3, 0o644), "utf-8", "strict")
    assert (info.name, info.size) == ("huge", 9 * 1024**3)


def test_only_writes_are_packed_and_only_deletes_deleted() -> None:
    changes = [FileDelete(path="a"), FileWrite(path="b", data=b"1"), FileDelete(path="c")]
    assert deletions(changes) == ["a", "c"]
    assert list(read(b"".join(pack_changes(changes)))) == ["b"]
    assert read(b"".join(pack_files([("bin/t", b"2")]))) == {"bin/t": ("file", b"2", True)}


@pytest.mark.parametrize(
    "path", ["", "/", "/etc", "..", "a/../b", "a//b", "a/", "./a", "a\0", "\ud800"]
)
def test_paths_that_are_not_inside_the_tree_are_refused(path: str) -> None:
    with pytest.raises(SandboxError, match="not a path inside the tree"):
        checked_path(path)
