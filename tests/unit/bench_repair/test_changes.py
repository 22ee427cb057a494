"""What counts as a changed line of code."""

import pytest

from tests.bench.repair.changes import changed_lines, code_form, code_lines

OLD = b'''\
"""Shop."""

LIMIT = 3  # of each


def total(rows):
    """Add up."""
    # first the rows
    result = 0
    for row in rows:
        result += row
    return result
'''


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Add up.", b"Add up, slowly."),
        (b"# first the rows", b"# the rows\n    # and no more"),
        (b"  # of each", b""),
        (b"\n\n\ndef", b"\n\ndef"),
        (b'"""Shop."""', b'"""Shop.\n\nWith rows.\n"""'),
    ],
)
def test_comments_docstrings_and_blank_lines_are_no_code(before: bytes, after: bytes) -> None:
    assert changed_lines(OLD, OLD.replace(before, after)) == 0


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (b"LIMIT = 3", b"LIMIT = 4", 1),
        (b"    result = 0\n", b"", 1),
        (b"    result = 0\n", b"    result = 1\n    other = 2\n    third = 3\n", 3),
        (b"    for row in rows:\n        result += row\n", b"    result = sum(rows)\n", 2),
    ],
)
def test_of_each_hunk_the_larger_side_counts(before: bytes, after: bytes, lines: int) -> None:
    assert changed_lines(OLD, OLD.replace(before, after)) == lines


def test_the_syntax_of_python_2_is_not_read() -> None:
    assert code_lines(b"print 'total'\n") is None
    assert changed_lines(b"print 'total'\n", b"print 'sum'\n") is None


def test_bytes_that_are_no_utf_8_are_not_read() -> None:
    assert code_lines(b"name = '\xff'\n") is None


def test_layout_and_docstrings_do_not_make_two_forms() -> None:
    other = OLD.replace(b"result += row", b"result  +=  row").replace(b"Add up.", b"Sum.")
    assert code_form(other) == code_form(OLD)
    assert code_form(OLD.replace(b"+=", b"-=")) != code_form(OLD)
