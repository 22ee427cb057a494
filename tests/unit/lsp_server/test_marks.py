"""Places that move along with edits."""

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.convert import Lines, lines_of
from lsp_server.marks import Edit, Span, edit_of

TEXTS = st.text(st.sampled_from("ab\u00e9\U0001f600\r\n"), max_size=30)


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> Edit:
    positions = [types.Position(line=line, character=at) for line, at in (start, end)]
    return edit_of(*positions, text, "utf-16")


def test_line_put_in_above_moves_a_place_down() -> None:
    assert edit((0, 0), (0, 0), "x\ny\n").span(Span((3, 1), (4, 2))) == Span((5, 1), (6, 2))


def test_text_on_the_same_line_moves_a_place_along() -> None:
    assert edit((3, 0), (3, 1), "\U0001f600x").span(Span((3, 4), (3, 6))) == Span((3, 6), (3, 8))


def test_place_before_the_edit_stays() -> None:
    assert edit((9, 0), (12, 0), "").span(Span((3, 4), (3, 6))) == Span((3, 4), (3, 6))


def test_span_around_the_edit_grows_and_shrinks() -> None:
    assert edit((2, 0), (2, 0), "x\n").span(Span((1, 0), (4, 0))) == Span((1, 0), (5, 0))
    assert edit((2, 0), (3, 0), "").span(Span((1, 0), (4, 0))) == Span((1, 0), (3, 0))


def test_span_of_which_nothing_is_left_is_none() -> None:
    assert edit((1, 0), (5, 0), "").span(Span((2, 0), (3, 0))) is None


def test_what_is_typed_at_an_edge_is_no_part_of_it() -> None:
    span = Span((1, 2), (1, 4))
    assert edit((1, 2), (1, 2), "xy").span(span) == Span((1, 4), (1, 6))
    assert edit((1, 4), (1, 4), "xy").span(span) == span


@given(TEXTS, TEXTS, TEXTS, st.sampled_from(["", "\n", "q", "qq\r\nq"]))
def test_text_that_no_edit_touches_is_found_again(
    head: str, between: str, tail: str, put: str
) -> None:
    """A word after the edit is marked; after the edit the mark is on the word."""
    old = f"{head}x{between}x\nWORD\n{tail}"
    start = len(f"{head}x".encode())
    end = start + len(between.encode())
    data = old.encode()
    new = (data[:start] + put.encode() + data[end:]).decode()
    before, after = Lines(lines_of(old), "utf-16"), Lines(lines_of(new), "utf-16")
    word = data.index(b"WORD")
    span = Span.of(before.range(word, word + 4))
    change = before.range(start, end)
    if before.span(change) != (start, end):
        return  # between the two of CR LF there is no position
    moved = edit_of(change.start, change.end, put, "utf-16").span(span)
    at = new.encode().index(b"WORD")
    assert moved == Span.of(after.range(at, at + 4))
