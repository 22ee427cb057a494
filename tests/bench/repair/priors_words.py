"""The words of some lines of Python, and how many of them a change concerns."""

import re
from difflib import SequenceMatcher
from typing import Final

_TOKEN: Final = re.compile(
    r"[rbfuRBFU]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|\d[\w.]*|\w+|\*\*=?|//=?|<<|>>|[<>=!+\-*/%&|^]=|->|:=|\S",
    re.DOTALL,
)
_COMMENT: Final = re.compile(r"#[^\n\"']*$", re.MULTILINE)


def words(data: bytes) -> list[str]:
    """Return the words of some lines without comments."""
    return _TOKEN.findall(_COMMENT.sub("", data.decode("utf-8", "replace")))


def changed_words(old: bytes, new: bytes) -> int:
    """Return how many words were taken out and put in."""
    before, after = words(old), words(new)
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    return sum(
        (a_end - a_start) + (b_end - b_start)
        for what, a_start, a_end, b_start, b_end in matcher.get_opcodes()
        if what != "equal"
    )
