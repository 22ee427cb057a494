"""How a client reads a file, and what it would write."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.disk_text import DiskText, disk_text_of, guess_disk_text

TEXTS = st.text(st.sampled_from("ab\u00e9\u4e2d\U0001f600\n "), max_size=30)


@pytest.mark.parametrize(
    ("data", "text", "typed", "saved"),
    [
        (b"a\n", "a\n", "b\n", b"b\n"),
        (b"a\r\nb\r\n", "a\r\nb\r\n", "a\r\nc\r\n", b"a\r\nc\r\n"),
        (b"a\r\nb\r\n", "a\nb\n", "a\nc\n", b"a\r\nc\r\n"),  # a client that hides the CR
        (b"a\r\nb\n", "a\r\nb\r\n", "c\r\nb\r\n", b"c\r\nb\r\n"),  # one that makes them alike
        (b"\xef\xbb\xbfa\n", "a\n", "b\n", b"\xef\xbb\xbfb\n"),
        (b"\xef\xbb\xbfa\n", "\ufeffa\n", "\ufeffb\n", b"\xef\xbb\xbfb\n"),
        (b"caf\xe9\n", "caf\u00e9\n", "caf\u00e9 \u00e8\n", b"caf\xe9 \xe8\n"),
        (b"# coding: koi8-r\n\xc1\n", "# coding: koi8-r\n\u0430\n", "\u0430\u0431", b"\xc1\xc2"),
        (
            codecs.BOM_UTF16_LE + "a\n".encode("utf-16-le"),
            "a\n",
            "\u4e2d\n",
            codecs.BOM_UTF16_LE + "\u4e2d\n".encode("utf-16-le"),
        ),
        (b"", "", "a", b"a"),
    ],
)
def test_bytes_of_newer_text_are_in_the_form_of_the_file(
    data: bytes, text: str, typed: str, saved: bytes
) -> None:
    form = disk_text_of(data, text)
    assert form is not None
    assert form.encode(typed) == saved


def test_another_text_is_read_in_no_way() -> None:
    assert disk_text_of(b"a\n", "b\n") is None
    assert disk_text_of(b"a\n", "a") is None


def test_line_ends_that_the_user_changed_are_a_difference() -> None:
    like = disk_text_of(b"a\r\nb\r\n", "a\r\nb\r\n")
    assert disk_text_of(b"a\r\nb\r\n", "a\nb\n", like) is None
    assert disk_text_of(b"a\nb\n", "a\r\nb\r\n") is None


def test_replacement_characters_show_the_file_but_cannot_be_saved() -> None:
    form = disk_text_of(b"caf\xe9\n", "caf\ufffd\n")
    assert form == DiskText(encodings=())
    assert form.encode("caf\ufffd!\n") is None


def test_encodings_that_disagree_on_new_text_give_nothing() -> None:
    """The file is read alike by Latin-1 and its successors, which write the euro differently."""
    form = disk_text_of(b"caf\xe9\n", "caf\u00e9\n")
    assert form is not None
    assert form.encode("\u20ac\n") is None


def test_file_that_was_never_seen_is_guessed_only_where_that_is_safe() -> None:
    assert guess_disk_text(None, "a\n") == DiskText(encodings=("utf-8",))
    assert guess_disk_text(b"a\r\n", "b\n") == DiskText(encodings=("utf-8",), adds_returns=True)
    assert guess_disk_text(b"caf\xe9\n", "other\n") is None


@given(TEXTS, TEXTS, st.sampled_from(["utf-8", "utf-8-sig"]), st.booleans(), st.booleans())
def test_file_in_utf8_is_saved_as_it_is_read(
    old: str, new: str, encoding: str, has_returns: bool, hides_returns: bool
) -> None:
    end = "\r\n" if has_returns else "\n"
    data = old.replace("\n", end).encode(encoding)
    shown = old if hides_returns else old.replace("\n", end)
    form = disk_text_of(data, shown)
    assert form is not None
    assert form.encode(shown) == data
    if "\n" in old:
        typed = new if hides_returns else new.replace("\n", end)
        assert form.encode(typed) == new.replace("\n", end).encode(encoding)
