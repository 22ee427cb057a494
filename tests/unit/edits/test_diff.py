import itertools
import time

from hypothesis import given
from hypothesis import strategies as st

from agent.edits.diff import Block, diff_lines, split_lines
from tests.support.contents import texts


def rebuilt(old: list[bytes], new: list[bytes]) -> list[bytes]:
    """Old with every block replaced by what the new has there."""
    result, at = [], 0
    for block in diff_lines(old, new):
        result += old[at : block.old_start] + new[block.new_start : block.new_end]
        at = block.old_end
    return result + old[at:]


@given(
    st.lists(st.sampled_from(b"abcd"), max_size=40),
    st.lists(st.sampled_from(b"abcde"), max_size=40),
)
def test_blocks_lead_from_old_to_new(old, new):
    a, b = [bytes([c]) for c in old], [bytes([c]) for c in new]
    assert rebuilt(a, b) == b


@given(
    st.lists(st.sampled_from(b"abcd"), max_size=40), st.lists(st.sampled_from(b"abcd"), max_size=40)
)
def test_an_equal_line_lies_between_two_blocks(old, new):
    blocks = diff_lines([bytes([c]) for c in old], [bytes([c]) for c in new])
    for first, second in itertools.pairwise(blocks):
        assert second.old_start > first.old_end
        assert second.new_start > first.new_end


@given(texts)
def test_equal_texts_have_no_block(text):
    assert diff_lines(split_lines(text), split_lines(text)) == []


@given(st.binary())
def test_lines_joined_are_the_data_again(data):
    assert b"".join(split_lines(data)) == data


def test_only_a_line_feed_ends_a_line():
    assert split_lines(b"a\rb\x0bc\x85d\n\ne") == [b"a\rb\x0bc\x85d\n", b"\n", b"e"]


def test_one_changed_line_among_repeated_ones_is_one_block():
    old = [b"    }\n", b"\n"] * 50
    new = [*old]
    new[51] = b"x\n"
    assert diff_lines(old, new) == [Block(51, 52, 51, 52)]


def test_moved_function_keeps_the_unique_lines_around_it_in_place():
    old = [b"def a\n", b"}\n", b"def b\n", b"}\n", b"def c\n", b"}\n"]
    new = [b"def a\n", b"}\n", b"new\n", b"}\n", b"def b\n", b"}\n", b"def c\n", b"}\n"]
    assert diff_lines(old, new) == [Block(2, 2, 2, 4)]


def test_two_rewritten_giants_take_bounded_time():
    old = [b"%d\n" % (n % 7) for n in range(20_000)]
    new = [b"%d\n" % (n % 5) for n in range(20_000)]
    began = time.process_time()
    blocks = diff_lines(old, new)
    assert time.process_time() - began < 5
    assert blocks
    assert rebuilt(old, new) == new


def test_a_small_edit_in_a_giant_is_found_as_such():
    old = [b"line %d\n" % (n % 1000) for n in range(100_000)]
    new = [*old[:50_000], b"changed\n", *old[50_001:]]
    assert diff_lines(old, new) == [Block(50_000, 50_001, 50_000, 50_001)]
