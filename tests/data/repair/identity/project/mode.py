"""How strictly values are read."""


def read(value, mode="lax"):
    if mode is "strict":
        if not value.isdigit():
            raise ValueError(value)
        return int(value)
    digits = "".join(letter for letter in value if letter.isdigit())
    return int(digits or 0)
