from roman import DIGITS, to_roman


def test_numbers_become_numerals():
    numbers = {1: "I", 4: "IV", 9: "IX", 14: "XIV", 19: "XIX", 27: "XXVII"}
    assert {number: to_roman(number) for number in numbers} == numbers


def test_digits():
    assert DIGITS["X"] == 10
