"""Sizes in bytes, with binary units."""

import re

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def format_size(size):
    """Return a size in the largest unit of which there is at least one."""
    if size < 0:
        return "-" + format_size(-size)
    value = float(size)
    unit = 0
    while value > 1024 and unit < len(UNITS) - 1:
        value /= 1024
        unit += 1
    if unit == 0:
        return "%d B" % size
    return "%.1f %s" % (value, UNITS[unit])


def parse_size(text):
    """Return the bytes that a text such as "1.5 KiB" stands for."""
    match = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*([KMGT]?i?B)\s*", text)
    if match is None or match.group(2) not in UNITS:
        raise ValueError("not a size: %r" % text)
    return int(float(match.group(1)) * 1024 ** UNITS.index(match.group(2)))
