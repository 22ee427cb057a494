from shapes import Rectangle


def test_area():
    assert Rectangle(2, 3).area() == 6
    assert Rectangle(5, 1).area() == 5


def test_area_of_a_square():
    assert Rectangle(2, 2).area() == 4


def test_scaled():
    assert Rectangle(2, 3).scaled(2).area() == 24


def test_sides():
    assert Rectangle(2, 3).height == 3
