"""Full names from their parts."""


def initials(first, middle, last):
    parts = [first.strip(), middle.strip(), last.strip()]
    return "".join(part[0].upper() for part in parts if part)
