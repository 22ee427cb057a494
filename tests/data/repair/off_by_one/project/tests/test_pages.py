from pages import count, page

LETTERS = list("abcdefg")


def test_first_page_is_full():
    assert page(LETTERS, 1, 3) == ["a", "b", "c"]


def test_last_page_may_be_partial():
    assert page(LETTERS, 2, 3) == ["d", "e", "f"]
    assert page(LETTERS, 3, 3) == ["g"]


def test_no_items_have_no_page():
    assert page([], 1, 3) == []


def test_pages_are_counted_up():
    assert count(LETTERS, 3) == 3
