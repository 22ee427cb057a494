import pytest

from parcel import format_size, parse_size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (5 * 1024**2 + 512 * 1024, "5.5 MiB"),
        (3 * 1024**5, "3072.0 TiB"),
        (-2048 - 512, "-2.5 KiB"),
    ],
)
def test_format(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_exactly_one_of_a_unit_is_written_in_that_unit(power):
    assert format_size(1024**power) == "1.0 %siB" % " KMGT"[power]


@pytest.mark.parametrize("size", [0, 17, 1536, 5 * 1024**2])
def test_round_trip(size):
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize("text", ["", "12", "1.5 KB", "five MiB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)
