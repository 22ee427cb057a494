import pytest

from parcel import format_duration, parse_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (5400, "1h 30m"), (90061, "1d 1h 1m 1s")],
)
def test_format_and_parse(seconds, text):
    assert format_duration(seconds) == text
    assert parse_duration(text) == seconds


def test_what_is_no_duration_is_refused():
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration("soon")
