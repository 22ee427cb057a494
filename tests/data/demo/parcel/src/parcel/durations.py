"""Durations in seconds, written as days, hours, minutes and seconds."""

import re

SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def format_duration(seconds):
    """Return a duration with every unit that is not zero, largest first."""
    if seconds == 0:
        return "0s"
    parts = []
    for unit, length in SECONDS.items():
        count, seconds = divmod(seconds, length)
        if count:
            parts.append("%d%s" % (count, unit))
    return " ".join(parts)


def parse_duration(text):
    """Return the seconds that a text such as "1h 30m" stands for."""
    parts = re.findall(r"(\d+)\s*([dhms])", text)
    if not parts:
        raise ValueError("not a duration: %r" % text)
    return sum(int(count) * SECONDS[unit] for count, unit in parts)
