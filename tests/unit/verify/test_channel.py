"""Messages that only the holder of the key can write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.verify.inside.greenloop_channel import LINE_BYTES, Forged, Receiver, sender

KEY = b"k" * 32
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def written(*values: object, key: bytes = KEY) -> bytes:
    out = bytearray()
    send = sender(out.extend, key)
    for value in values:
        send(value)
    return bytes(out)


@given(st.lists(VALUES, max_size=5), st.integers(min_value=1, max_value=50))
def test_what_is_sent_arrives_whatever_the_pieces(values: list[object], size: int) -> None:
    receiver = Receiver(KEY)
    data = written(*values)
    got = [
        value
        for start in range(0, len(data), size)
        for value in receiver.feed(data[start : start + size])
    ]
    assert got == values


def swallow(data: bytes) -> list[object]:
    return Receiver(KEY).feed(data)


LINES = written("a", "b", "c").splitlines(keepends=True)


@pytest.mark.parametrize(
    "data",
    [
        b"anything\n",
        b"\n",
        written("a", key=b"x" * 32),
        LINES[1],
        LINES[0] + LINES[2],
        LINES[0] + LINES[0],
        LINES[1] + LINES[0],
        LINES[0].replace(b'"a"', b'"b"'),
        LINES[0] + b"noise\n" + LINES[1],
        b"x" * (LINE_BYTES + 1),
    ],
)
def test_what_was_not_sent_in_this_order_is_noticed(data: bytes) -> None:
    with pytest.raises(Forged):
        swallow(data)


@given(
    st.integers(min_value=0, max_value=len(LINES[0]) - 2), st.integers(min_value=1, max_value=255)
)
def test_no_byte_can_be_changed(place: int, flip: int) -> None:
    data = bytearray(LINES[0])
    data[place] ^= flip
    with pytest.raises(Forged):
        swallow(bytes(data) + b"\n")


def test_noise_is_skipped_only_before_the_first_message() -> None:
    receiver = Receiver(KEY, noise_first=True)
    assert receiver.feed(b"warning: x\n\n" + LINES[0] + LINES[1]) == ["a", "b"]
    with pytest.raises(Forged):
        receiver.feed(b"warning: x\n")
