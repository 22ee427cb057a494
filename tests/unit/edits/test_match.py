import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.edits.match import MOST_PLACES, Ambiguous, Applied, NoMatch, replace_text
from agent.edits.spans import ByteEdit
from tests.support.contents import texts

FILE = b"""\
def area(w, h):
    return w + h


def edge(w, h):
\tif w:
        return 2 * (w + h)
    return None
"""


@given(texts, st.data())
def test_a_unique_piece_is_found_where_it_is_and_nothing_else_changes(data, draw):
    assume(data)
    start = draw.draw(st.integers(0, len(data) - 1))
    end = draw.draw(st.integers(start + 1, len(data)))
    old = data[start:end]
    match replace_text(data, old, b"new"):
        case Applied(edit=edit, data=result):
            assert (edit.start, edit.end) == (start, end)
            assert result == data[:start] + b"new" + data[end:]
        case Ambiguous(spans=spans):
            assert len(spans) > 1
            assert all(data[a:b] == old for a, b in spans)
        case NoMatch():
            pytest.fail("a piece of the file was not found in it")


@given(texts, texts)
def test_whatever_is_looked_for_the_answer_has_words(data, old):
    match replace_text(data, old, b""):
        case Applied(line=line):
            assert 1 <= line <= data.count(b"\n") + 1
        case NoMatch() | Ambiguous() as failed:
            assert failed.message.endswith((".", "again."))


def test_an_exact_match_names_its_line():
    done = replace_text(FILE, b"return w + h", b"return w * h")
    assert isinstance(done, Applied)
    assert (done.line, done.note) == (2, "")
    assert done.edit == ByteEdit(20, 32, b"return w * h")


def test_the_line_ends_of_the_file_win():
    done = replace_text(b"a\r\nb\r\nc\r\n", b"a\nb\n", b"a\nx\ny\n")
    assert isinstance(done, Applied)
    assert (done.data, done.note) == (b"a\r\nx\r\ny\r\nc\r\n", "line ends of the file kept")
    back = replace_text(b"a\nb\n", b"a\r\nb", b"c\r\nd")
    assert isinstance(back, Applied)
    assert back.data == b"c\nd\n"


def test_mixed_line_ends_are_not_guessed():
    assert isinstance(replace_text(b"a\r\nb\nc\r\n", b"a\nb\r\nc", b""), NoMatch)


def test_a_second_place_makes_it_ambiguous_and_all_are_named():
    done = replace_text(b"x = 1\ny\nx = 1\n", b"x = 1", b"")
    assert done == Ambiguous(spans=((0, 5), (8, 13)), lines=(1, 3))
    assert done.message == (
        "The old text is in the file 2 times, at lines 1, 3. "
        "Add lines before or after it until it names one place."
    )


def test_overlapping_places_are_two():
    assert isinstance(replace_text(b"aaa", b"aa", b""), Ambiguous)


def test_places_without_end_are_cut_off():
    done = replace_text(b"a\n" * 1000, b"a", b"")
    assert isinstance(done, Ambiguous)
    assert len(done.spans) == MOST_PLACES
    assert "20 times and more" in done.message


def test_an_empty_old_text_matches_nothing():
    assert replace_text(FILE, b"", b"x") == NoMatch(why="The old text is empty.")


def test_a_miss_names_the_nearest_place_and_the_first_line_that_differs():
    done = replace_text(FILE, b"def edge(w, h):\n    if w:\n        return 2 * (w + h)\n", b"")
    assert isinstance(done, NoMatch)
    assert done.message == (
        "The old text is not in the file. The nearest place is line 5: 2 of 3 lines agree. "
        "The first difference is in line 2 of the old text, line 6 of the file "
        "(indentation: 4 spaces in the old text, 1 tab in the file):\n"
        "  old text: '    if w:'\n"
        "  the file: '\\tif w:'\n"
        "Copy that line as the file has it and try again."
    )


@pytest.mark.parametrize(
    ("old", "how"),
    [
        (b"    return w + h  \n\n\n", "blanks at its end"),
        (
            b"      return w + h\n\n\n",
            "indentation: 6 spaces in the old text, 4 spaces in the file",
        ),
        (b"    return w  +  h\n\n\n", "blanks inside"),
        (b"    Return w + h\n\n\n", "upper and lower case"),
        (b"    return w * h\n\n\ndef edge(w, h):\n", "text"),
        (b"    return None\nmore\n", "missing"),
        (b"def area(w, h):\r\n    return w - h\n", "text"),
    ],
)
def test_a_miss_says_how_the_line_differs(old, how):
    done = replace_text(FILE, old, b"")
    assert isinstance(done, NoMatch)
    assert done.difference is not None
    assert done.difference.how == how


def test_a_line_that_only_resembles_one_is_found_too():
    done = replace_text(FILE, b"    return width + h\n", b"")
    assert isinstance(done, NoMatch)
    assert done.nearest_line == 2


@pytest.mark.parametrize("old", [b"nothing of the kind anywhere\n", b"\n\n\n\n\n"])
def test_a_text_like_nothing_in_the_file_says_to_read_it_again(old):
    done = replace_text(FILE, old, b"")
    assert isinstance(done, NoMatch)
    assert done.message == (
        "The old text is not in the file. Read the file again and copy the text from there."
    )


def test_long_and_odd_lines_are_shown_short_and_escaped():
    done = replace_text(b"a\nb" + b"\xff" * 500 + b"\nc\n", b"a\nb\nc\n", b"")
    assert isinstance(done, NoMatch)
    assert done.difference is not None
    assert done.difference.file.startswith("'b\\\\xff")
    assert len(done.difference.file) < 170
