from route import Place, distance, nearest


def test_both_ends_count():
    assert distance(Place(0, 0), Place(0, 4)) == 4
    assert distance(Place(1, 7), Place(3, 2)) == 7


def test_same_column():
    assert distance(Place(0, 3), Place(5, 3)) == 5


def test_nearest_in_a_column():
    assert nearest(Place(0, 0), [Place(9, 0), Place(2, 0)]) == Place(2, 0)
