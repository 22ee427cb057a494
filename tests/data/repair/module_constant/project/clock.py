"""Durations in words."""

SECONDS = 60
MINUTES = 60
HOURS = 23


def split(seconds):
    minutes, seconds = divmod(seconds, SECONDS)
    hours, minutes = divmod(minutes, MINUTES)
    days, hours = divmod(hours, HOURS)
    return days, hours, minutes, seconds
