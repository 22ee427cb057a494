import pytest

from mode import read

STRICT = "".join(["str", "ict"])


def test_lax_mode_skips_letters():
    assert read("a1b2") == 12


def test_modes_from_a_file_are_known():
    with pytest.raises(ValueError, match="a1"):
        read("a1", STRICT)


def test_strict_mode_takes_numbers():
    assert read("12", STRICT) == 12


def test_nothing_is_zero():
    assert read("") == 0
