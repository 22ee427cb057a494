"""Uses of names: every identifier that neither defines something nor names a parameter.

A language with `keywords.txt` in its folder is lexed: its uses are all words outside of comments
and of what `@use.out` captures (strings), but for these. That is much quicker than to capture each
identifier. In the other languages uses are what `@use` captures.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from agent.repo.languages import LanguageSpec
from agent.repo.reading.captures import Captures
from agent.repo.used import LAYOUT_ONLY, WORDS_ONLY, Used, pack_captured, pack_words

KEYWORDS: Final = "keywords.txt"


def read_uses(spec: LanguageSpec, captures: Captures, names: Mapping[int, int]) -> Used:
    """Return the names that are used.

    `names`: where names of definitions begin and end, which are no uses. A name right before `(`
    is called in every language; the other ways to call are in `calls.scm`.
    """
    keywords = _keywords(spec.folder)
    ignored = _as_bytes(spec.ignored)
    if keywords is not None:
        return pack_words(_words_alone(captures, names), keywords, ignored)
    spans = captures.spans("use")
    for start in (*names, *captures.spans("use.not")):
        spans.pop(start, None)
    return pack_captured(captures.data, spans, captures.spans("call"), ignored)


def _words_alone(captures: Captures, names: Mapping[int, int]) -> bytes:
    """Return the text with all blanked that cannot be a use."""
    data = captures.data
    text = bytearray(data)
    outer = captures.spans("use.out")
    if inner := captures.spans("use.in"):
        # What is in a string and is code is put back, and a string in that blanked again.
        spans = [(start, -end, False) for start, end in outer.items()]
        spans += [(start, -end, True) for start, end in inner.items()]
        for start, minus_end, is_code in sorted(spans):
            piece = data[start:-minus_end]
            text[start:-minus_end] = piece if is_code else piece.translate(LAYOUT_ONLY)
    else:
        _blank(text, data, outer)
    for spans_out in (captures.spans("comment"), captures.spans("use.not"), names):
        _blank(text, data, spans_out)
    ends = sorted(end for start, end in captures.spans("call").items() if start not in names)
    for end in reversed(ends):
        if text[end : end + 1] != b"(":
            text[end:end] = b"("
    if text.startswith(BOM_UTF8):
        text[: len(BOM_UTF8)] = b" "
    return bytes(text.translate(WORDS_ONLY))


def _blank(text: bytearray, data: bytes, spans: Mapping[int, int]) -> None:
    for start, end in spans.items():
        text[start:end] = data[start:end].translate(LAYOUT_ONLY)


@cache
def _keywords(folder: Path) -> frozenset[bytes] | None:
    try:
        return frozenset((folder / KEYWORDS).read_bytes().split())
    except FileNotFoundError:
        return None


@cache
def _as_bytes(names: frozenset[str]) -> frozenset[bytes]:
    return frozenset(name.encode() for name in names)
