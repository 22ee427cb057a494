"""Sizes, durations and pages, written for people and read back."""

from parcel.durations import format_duration, parse_duration
from parcel.pages import page_count, page_of
from parcel.sizes import format_size, parse_size

__all__ = [
    "format_duration",
    "format_size",
    "page_count",
    "page_of",
    "parse_duration",
    "parse_size",
]
