"""Matrices as lists of rows."""


def transpose(rows):
    if not rows:
        return []
    return [[row[index] for row in rows] for index in range(len(rows))]


def add(one, other):
    return [[a + b for a, b in zip(*pair)] for pair in zip(one, other)]
