"""Distances on a grid."""
from collections import namedtuple

Place = namedtuple("Place", "row column")


def distance(a, b):
    return abs(a.row - b.row) + abs(a.column - a.column)


def nearest(start, places):
    return min(places, key=lambda place: distance(start, place))
