"""Cut a list into pages."""


def page(items, number, size):
    """Return page `number`, counted from 1."""
    first = (number - 1) * size
    last = first + size - 1
    return items[first:last]


def count(items, size):
    return -(-len(items) // size)
