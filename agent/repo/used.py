"""Uses of names as they are kept: the file's text with all else blanked, packed.

Quick to make for every file of a repository, and quick enough to count lines in when somebody asks
for those of one file. Pure; what is a use is said by `agent.repo.reading.uses`.
"""

import re
import zlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

_KEPT: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$#.(\n")
WORDS_ONLY: Final = bytes(
    byte if byte in _KEPT or byte >= 0x80 else ord(" ") for byte in range(256)
)
"""Table that blanks what is in no word, but for dots, opening parentheses and line breaks."""
LAYOUT_ONLY: Final = bytes(byte if byte == ord("\n") else ord(" ") for byte in range(256))
"""Table that blanks all but line breaks."""
_WITHOUT_MARKS: Final = bytes.maketrans(b".(", b"  ")
_WORD: Final = rb"[#$\w\x80-\xff]+"
_USES: Final = re.compile(rb"(\.*)(" + _WORD + rb")(\(?)")
_MEMBERS: Final = re.compile(rb"(?<!\.)\.(" + _WORD + rb")")
_DIGITS: Final = b"0123456789"
_END: Final = b"\0"
_QUICKLY: Final = 1
"""Level of packing: the highest takes five times as long for a tenth less."""
_KEPT_FILES: Final = 256


_Lines = dict[bytes, list[int]]


class Used(NamedTuple):
    """Names that a file uses."""

    packed: bytes
    """See `references_in`."""
    names: str
    """Each once, parted by blanks."""


class Reference(NamedTuple):
    """All uses of one name in a file; where it is defined and its parameters are none."""

    name: str
    lines: tuple[int, ...]
    """Every line with a use, ascending, each once."""
    call_lines: tuple[int, ...]
    """Those with a call of it, or a decorator that is it."""


def pack_words(text: bytes, keywords: frozenset[bytes], ignored: frozenset[bytes]) -> Used:
    """Return all words of a text, which `WORDS_ONLY` was put on, as uses.

    Without `ignored`, and without `keywords` unless right behind a dot: `promise.catch(…)`.
    """
    words = set(text.translate(_WITHOUT_MARKS).split())
    reserved, left_out = words & keywords, words & ignored
    names = {word for word in words - reserved - left_out if word[0] not in _DIGITS}
    names |= reserved.intersection(_MEMBERS.findall(text))
    head = b"%b\n%b\n" % (b" ".join(sorted(reserved)), b" ".join(sorted(left_out)))
    return Used(b"w" + zlib.compress(head + text, _QUICKLY), _joined(names))


def pack_captured(
    data: bytes, spans: Mapping[int, int], calls: Collection[int], ignored: frozenset[bytes]
) -> Used:
    """Return what lies between starts and ends in a file as uses, without `ignored`."""
    text: list[bytes] = []
    names: set[bytes] = set()
    at = 0
    for start, end in sorted(spans.items()):
        name = data[start:end]
        if not name or name in ignored:
            continue
        names.add(name)
        is_call = start in calls or data[end : end + 1] == b"("
        breaks = b"\n" * data.count(b"\n", at, start)
        text += (breaks, name.replace(b"\n", b" "), b"(" if is_call else b"", _END)
        at = start
    return Used(b"c" + zlib.compress(b"".join(text), _QUICKLY), _joined(names))


def _joined(names: Collection[bytes]) -> str:
    return b" ".join(sorted(names)).decode("utf-8", "surrogateescape")


@lru_cache(maxsize=_KEPT_FILES)
def references_in(packed: bytes) -> tuple[Reference, ...]:
    """Return the names that are used, by first use, each with its lines. Raises: zlib.error."""
    if not packed:
        return ()
    text = zlib.decompress(packed[1:])
    used, called = _lines_of_words(text) if packed[:1] == b"w" else _lines_of_captured(text)
    return tuple(
        [
            Reference(
                name.decode("utf-8", "surrogateescape"), tuple(lines), tuple(called.get(name, ()))
            )
            for name, lines in used.items()
        ]
    )


def _lines_of_words(text: bytes) -> tuple[_Lines, _Lines]:
    """Return the lines with uses, and those with calls, by name."""
    reserved, left_out, *lines = text.split(b"\n")
    keywords = set(reserved.split())
    used: _Lines = {}
    called: _Lines = {}
    for line, content in enumerate(lines, start=1):
        for dots, name, opening in _USES.findall(content):
            if name in keywords and dots != b".":
                continue
            _note(used, name, line)
            if opening:
                _note(called, name, line)
    for name in [name for name in used if name[0] in _DIGITS] + left_out.split():
        used.pop(name, None)
    return used, called


def _lines_of_captured(text: bytes) -> tuple[_Lines, _Lines]:
    """Return the lines with uses, and those with calls, by name."""
    used: _Lines = {}
    called: _Lines = {}
    for line, content in enumerate(text.split(b"\n"), start=1):
        for token in content.split(_END):
            if token:
                name = token.removesuffix(b"(")
                _note(used, name, line)
                if len(name) < len(token):
                    _note(called, name, line)
    return used, called


def _note(noted: _Lines, name: bytes, line: int) -> None:
    lines = noted.get(name)
    if lines is None:
        noted[name] = [line]
    elif lines[-1] != line:
        lines.append(line)
