import pytest
from hypothesis import given

from agent.edits.changes import Content
from lsp_server.review.typed_text import bytes_of, piece_of, text_of
from tests.support.contents import files


@given(files)
def test_a_text_that_nobody_changed_is_the_same_bytes(file):
    if b"\0" not in file.data:
        assert bytes_of(text_of(file), like=file) == file.data


@given(files)
def test_an_editor_that_shows_other_line_ends_changes_no_bytes(file):
    if b"\0" not in file.data:
        assert bytes_of(text_of(file).replace("\r\n", "\n"), like=file) == file.data


@pytest.mark.parametrize(
    ("known", "text", "expected"),
    [
        (b"\xef\xbb\xbfa\n", "a\nb\n", b"\xef\xbb\xbfa\nb\n"),
        (b"a\r\nb\r\n", "a\nx\nb\n", b"a\r\nx\r\nb\r\n"),
        (b"a\r\nb\n", "a\nx\nb\n", b"a\r\nx\nb\n"),
        (b"a", "a\n", b"a\n"),
        (b"a\n", "a", b"a"),
        (b"# coding: latin-1\ncaf\xe9\n", "# coding: latin-1\ncafé é\n", None),
        (b"caf\xe9\n", "café\né\n", b"caf\xe9\n\xe9\n"),
        (b"caf\xe9\n", "café\n😀\n", None),
        (b"", "ä\n", "ä\n".encode()),
    ],
)
def test_a_typed_text_keeps_the_form_of_the_file(known, text, expected):
    if expected is None and "😀" not in text:
        expected = text.encode("latin-1")
    assert bytes_of(text, like=Content(data=known)) == expected


def test_a_new_file_is_utf_8():
    assert bytes_of("ä\n", like=None) == "ä\n".encode()


def test_a_piece_is_read_as_its_file_is():
    assert piece_of(b"\xe9\n", of=Content(data=b"caf\xe9\n\xe9\n")) == "é\n"
