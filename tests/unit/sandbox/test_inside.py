"""Corners of the runner's own modules that no honest session reaches."""

import os
from pathlib import Path

import pytest

from sandbox.inside import tree as tree_module
from sandbox.inside.runner import Parts, Wire, await_writable
from sandbox.inside.tree import Tree, header, pack, read_regular


def a_wire() -> tuple[Wire, int]:
    """A wire that reads from a pipe, and the pipe's other end."""
    source, sink = os.pipe()
    wire = Wire(source, sink)
    wire.token = b"t" * 16
    return wire, sink


def framed(kind: bytes, payload: bytes, token: bytes = b"t" * 16) -> bytes:
    return token + kind + len(payload).to_bytes(4, "big") + payload


def test_a_tree_with_too_many_files_is_listed_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_module, "MAX_ENTRIES", 2)
    for name in "abcd":
        (tmp_path / name).write_bytes(b"")
    files, deleted, refused = Tree(os.fsencode(tmp_path)).changes()
    assert len(files) == 2
    assert deleted == []
    assert refused == {b"": "too many files: the rest of the tree was not listed"}


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def closed(path: bytes) -> object:
        if path.endswith(b"closed"):
            raise PermissionError(13, "no", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    _, _, refused = Tree(os.fsencode(tmp_path)).changes()
    assert refused == {b"closed": "cannot be listed: Permission denied"}


def test_a_folder_that_was_closed_is_opened_for_what_is_written_below(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    parts = iter([header(b"closed/a", 1, 0o644), b"x", b"\0" * 511, b"\0" * 512, b"\0" * 512])
    Tree(os.fsencode(tmp_path)).unpack(lambda size: next(parts)[:size])
    assert (tmp_path / "closed").stat().st_mode & 0o700 == 0o700
    assert (tmp_path / "closed" / "a").read_bytes() == b"x"


def test_a_file_that_vanished_since_it_was_listed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    found = (tmp_path / "a").stat()
    (tmp_path / "a").unlink()
    refused: dict[bytes, str] = {}
    tar = b"".join(pack(os.fsencode(tmp_path), [(b"a", found)], (9, 9, 9), refused))
    assert refused == {b"a": "cannot be read"}
    assert not tar.strip(b"\0")


def test_more_changed_files_than_allowed_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    refused: dict[bytes, str] = {}
    files = [(b"a", (tmp_path / "a").stat())]
    list(pack(os.fsencode(tmp_path), files, (0, 9, 9), refused))
    assert refused == {b"a": "more than 0 files changed"}


def test_only_absolute_paths_of_regular_files_are_read(tmp_path: Path) -> None:
    assert read_regular(b"relative", 10) is None
    assert read_regular(b"/proc/self/status", 10) is None
    (tmp_path / "a").write_bytes(b"1")
    assert read_regular(os.fsencode(tmp_path / "a"), 1) == b"1"


def test_another_token_ends_the_runner() -> None:
    wire, sink = a_wire()
    os.write(sink, framed(b"R", b"{}", token=b"x" * 16))
    with pytest.raises(EOFError, match="token"):
        wire.receive()
    os.close(sink)
    os.close(wire.source)


def test_the_end_of_the_stream_ends_the_runner() -> None:
    wire, sink = a_wire()
    os.write(sink, b"short")
    os.close(sink)
    with pytest.raises(EOFError, match="gone"):
        wire.take_token()
    os.close(wire.source)


def test_a_tar_that_ends_early_is_an_error_and_the_next_order_is_found() -> None:
    wire, sink = a_wire()
    os.write(sink, framed(b"t", b"abc") + framed(b"t", b"") + framed(b"R", b"{}"))
    parts = Parts(wire)
    assert parts.read(2) == b"ab"
    with pytest.raises(OSError, match="too short"):
        parts.read(2)
    parts.skip()
    assert wire.receive() == (b"R", b"{}")
    os.close(sink)
    os.close(wire.source)


def test_a_folder_that_stays_closed_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    naps: list[float] = []
    monkeypatch.setattr("time.sleep", naps.append)
    await_writable("/no/such/folder")
    assert 1 < sum(naps) < 10
