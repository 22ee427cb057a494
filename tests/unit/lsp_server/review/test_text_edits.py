import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.convert import Encoding, lines_of, span_of
from lsp_server.review.text_edits import is_same_text, line_ends, text_edits, with_ends_of

pieces = st.sampled_from(["a", "b", "", "def f():", "\t", "ä", "😀", "x😀y", "\f"])
ends = st.sampled_from(["\n", "\n", "\r\n", "\r"])
lines = st.lists(st.tuples(pieces, ends), max_size=8).map(
    lambda pairs: "".join(piece + end for piece, end in pairs)
)
texts = st.builds(lambda text, last: text + last, lines, pieces)
encodings = st.sampled_from(["utf-8", "utf-16", "utf-32"])


def applied(text: str, edits: list[types.TextEdit], encoding: Encoding) -> str:
    data = text.encode()
    for edit in reversed(edits):
        start, end = span_of(text, edit.range, encoding)
        data = data[:start] + edit.new_text.encode() + data[end:]
    return data.decode()


@given(texts, texts, encodings)
def test_edits_lead_from_the_one_text_to_the_other(old, new, encoding):
    edits = text_edits(old, new, encoding)
    assert applied(old, edits, encoding) == new
    assert bool(edits) is (old != new)


@given(texts, texts, encodings)
def test_every_position_of_a_text_with_something_in_it_is_in_it(old, new, encoding):
    if not old:
        return
    count = len(lines_of(old))
    for edit in text_edits(old, new, encoding):
        for position in (edit.range.start, edit.range.end):
            assert position.line <= count
            assert position.line < count or old.endswith(("\n", "\r"))


def test_only_what_differs_in_a_line_is_replaced():
    (edit,) = text_edits("a\nreturn x + 1\nb\n", "a\nreturn x - 1\nb\n", "utf-16")
    assert edit.new_text == "-"
    assert (edit.range.start.line, edit.range.start.character) == (1, 9)
    assert (edit.range.end.line, edit.range.end.character) == (1, 10)


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_columns_count_in_the_encoding_of_the_session(encoding, column):
    (edit,) = text_edits("x😀a\n", "x😀b\n", encoding)
    assert edit.range.start.character == column


@given(texts, ends)
def test_line_ends_become_those_that_the_editor_shows(text, end):
    shown = with_ends_of(text, f"a{end}b{end}")
    assert line_ends(shown) <= {end}
    assert is_same_text(shown, text)
