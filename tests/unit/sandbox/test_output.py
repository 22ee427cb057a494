"""The head and the tail of an output of any length."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.output import OutputRing


@given(
    pieces=st.lists(st.binary(max_size=50)),
    head_bytes=st.integers(0, 40),
    tail_bytes=st.integers(0, 40),
)
def test_head_and_tail_are_the_ends_of_what_came(
    pieces: list[bytes], head_bytes: int, tail_bytes: int
) -> None:
    ring = OutputRing(head_bytes=head_bytes, tail_bytes=tail_bytes)
    for piece in pieces:
        ring.add(piece)
    whole = b"".join(pieces)
    rest = whole[head_bytes:]
    assert ring.total_bytes == len(whole)
    assert ring.head == whole[:head_bytes]
    assert ring.tail == (rest[-tail_bytes:] if tail_bytes else b"")


def test_a_flood_in_small_pieces_keeps_memory_small() -> None:
    ring = OutputRing(head_bytes=10, tail_bytes=100)
    for _ in range(10_000):
        ring.add(b"1234567")
    assert ring.total_bytes == 70_000
    assert sum(map(len, ring._tail)) < 200
