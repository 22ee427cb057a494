import pytest

from median import median


@pytest.mark.parametrize(
    ("values", "expected"), [([3, 1, 2], 2), ([4, 1, 3, 2], 2.5), ([7], 7), ([5, 5], 5)]
)
def test_median(values, expected):
    assert median(values) == expected


def test_nothing_has_no_median():
    assert median([]) is None
