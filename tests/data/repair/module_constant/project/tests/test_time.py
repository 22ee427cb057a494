from clock import split


def test_a_day_has_24_hours():
    assert split(86_400) == (1, 0, 0, 0)
    assert split(23 * 3600) == (0, 23, 0, 0)


def test_an_hour_and_a_half():
    assert split(5400) == (0, 1, 30, 0)


def test_seconds():
    assert split(59) == (0, 0, 0, 59)
