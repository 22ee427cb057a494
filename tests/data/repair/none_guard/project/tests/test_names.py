from names import initials


def test_three_initials():
    assert initials("ada", "king", "lovelace") == "AKL"


def test_an_empty_middle_name_is_left_out():
    assert initials("ada", "", "lovelace") == "AL"


def test_a_missing_middle_name_is_left_out():
    assert initials("ada", None, "lovelace") == "AL"
