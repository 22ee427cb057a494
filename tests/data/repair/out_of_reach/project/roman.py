"""Roman numerals."""

DIGITS = {"I": 1, "V": 5, "X": 10}


def to_roman(number):
    text = ""
    for digit in DIGITS:
        text += digit
    return text
