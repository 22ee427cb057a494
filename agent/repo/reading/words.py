"""Words of a file for full-text search: each once, identifiers split by case and underscores."""

import re
from typing import Final

_DIGITS: Final = b"0123456789"
_IN_WORDS: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_" + _DIGITS + bytes(range(0x80, 0x100))
)
_WORDS_ALONE: Final = bytes(byte if byte in _IN_WORDS else ord(" ") for byte in range(256))
_LONGEST: Final = 100
"""Bytes; of what is longer the rest is left out: keys, hashes, encoded data."""
_SEAM: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")


def words_of(data: bytes) -> str:
    """Return the words in lower case, parted by blanks, by first use, then their parts."""
    runs = dict.fromkeys(data.translate(_WORDS_ALONE).split())
    words = [word[:_LONGEST] for run in runs if len(word := run.lstrip(_DIGITS)) > 1]
    made_up = [word for word in words if b"_" in word or not word.islower()]
    whole = b" ".join(words).decode("utf-8", "ignore")
    parts = _SEAM.sub(" ", b" ".join(made_up).decode("utf-8", "ignore"))
    return " ".join(dict.fromkeys(f"{whole} {parts}".lower().split()))
