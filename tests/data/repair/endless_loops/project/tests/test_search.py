import pytest

from search import find

ITEMS = [2, 3, 5, 7, 11]


@pytest.mark.parametrize("wanted", [2])
def test_the_first_is_found(wanted):
    assert find(ITEMS, wanted) == 0


def test_every_item_is_found():
    steps = iter(range(200))

    class Counted(list):
        def __getitem__(self, index):
            next(steps)
            return list.__getitem__(self, index)

    assert [find(Counted(ITEMS), wanted) for wanted in ITEMS] == [0, 1, 2, 3, 4]
    assert find(Counted(ITEMS), 12) == -1


def test_nothing_is_in_nothing():
    assert find([], 1) == -1
