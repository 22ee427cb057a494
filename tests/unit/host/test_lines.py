"""Messages as lines: whatever is in them, and however the bytes come."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.host.lines import LineReader, line_of

TEXTS = st.text(st.characters(exclude_categories=())) | st.just("caf\udce9\n\r\u2028")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.lists(st.dictionaries(TEXTS, VALUES, max_size=5), max_size=5)


def read(data: bytes, cuts: list[int]) -> list[dict[str, Any]]:
    reader, found = LineReader(), []
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    for start, end in itertools.pairwise(places):
        found += reader.feed(data[start:end])
    return found


@given(MESSAGES, st.lists(st.integers(min_value=0), max_size=8))
def test_messages_come_back_as_they_were_however_the_bytes_are_cut(
    messages: list[dict[str, Any]], cuts: list[int]
) -> None:
    data = b"".join(map(line_of, messages))
    assert read(data, cuts) == messages
    assert data.count(b"\n") == len(messages)


def test_a_line_that_is_not_whole_waits_for_its_end() -> None:
    reader = LineReader()
    line = line_of({"id": 1})
    assert list(reader.feed(line[:-1])) == []
    assert list(reader.feed(b"")) == []
    assert list(reader.feed(b"\n")) == [{"id": 1}]


def test_a_line_of_many_megabytes_is_read_in_linear_time() -> None:
    line = line_of({"text": "x" * 20_000_000})
    reader = LineReader()
    pieces = (line[at : at + 65_536] for at in range(0, len(line), 65_536))
    found = [each for piece in pieces for each in reader.feed(piece)]
    assert len(found[0]["text"]) == 20_000_000
