import pytest

from parcel import page_count, page_of


def test_count():
    assert [page_count(n, 10) for n in (0, 1, 10, 11)] == [0, 1, 1, 2]


def test_page_of_entry():
    assert [page_of(n, 3) for n in (1, 3, 4, 7)] == [1, 1, 2, 3]


def test_impossible_pages_are_refused():
    with pytest.raises(ValueError):
        page_count(3, 0)
    with pytest.raises(ValueError):
        page_of(0, 3)
