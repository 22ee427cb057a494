"""Lengths."""
from itertool import accumulate


def running_total(feet):
    return [round(total * 0.3048, 4) for total in accumulate(feet)]
