import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.edits.spans import ByteEdit, apply_edits


@given(st.binary(max_size=30), st.data())
def test_one_edit_replaces_exactly_its_span(data, draw):
    start = draw.draw(st.integers(0, len(data)))
    end = draw.draw(st.integers(start, len(data)))
    new = draw.draw(st.binary(max_size=5))
    assert apply_edits(data, [ByteEdit(start, end, new)]) == data[:start] + new + data[end:]


def test_edits_come_in_any_order_and_keep_the_offsets_of_the_original():
    edits = [ByteEdit(4, 5, b"E!"), ByteEdit(0, 1, b""), ByteEdit(2, 2, b"+")]
    assert apply_edits(b"abcde", edits) == b"b+cdE!"


def test_touching_edits_do_not_overlap():
    assert apply_edits(b"abcd", [ByteEdit(0, 2, b"1"), ByteEdit(2, 4, b"2")]) == b"12"


@pytest.mark.parametrize(
    "edits",
    [
        [ByteEdit(0, 2, b""), ByteEdit(1, 3, b"")],
        [ByteEdit(2, 1, b"")],
        [ByteEdit(0, 9, b"")],
        [ByteEdit(-1, 1, b"")],
    ],
)
def test_overlapping_or_outside_edits_are_refused(edits):
    with pytest.raises(ValueError, match="overlaps"):
        apply_edits(b"abcd", edits)
