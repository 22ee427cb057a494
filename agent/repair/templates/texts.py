"""Small edits inside string literals: separators, patterns, what is filled in."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from agent.repair.lang.base import Quoted
from agent.repair.proposal import Sketch
from agent.repair.source import Site

LONGEST: Final = 160
MOST_VARIANTS: Final = 30
"""Variants of one pattern; longer patterns have more places than are worth a try."""
SEPARATORS: Final = (", ", ",", " ", "\\n", "-", "_", ".", "/", ":", ";", "")
_PATTERN: Final = re.compile(r"\\[wdsbWDSB.()\[\]]|[*+?]|\[\^?[^\]]+\]|\(\?|\^|\$")
_FIELD: Final = re.compile(r"%[sdrf]|\{(\w*)(![rs])?\}")


def other_separator(site: Site) -> Iterator[Sketch]:
    """`','` → `', '`, `' '`: for texts of at most two characters."""
    quoted = _quoted(site)
    if quoted is None or len(quoted.body) > 2 or quoted.body.isalnum():
        return
    for rank, other in enumerate(SEPARATORS):
        if other != quoted.body:
            yield _with(site, quoted, other, "another separator", 0.12 / (1 + 0.1 * rank))


def other_pattern(site: Site) -> Iterator[Sketch]:
    """`a*` → `a+`, `a*?`; anchors; `.` → `\\.`; one sign more or less in a class."""
    quoted = _quoted(site)
    if quoted is None or not 1 < len(quoted.body) <= LONGEST:
        return
    body = quoted.body
    if _PATTERN.search(body) is None or not (_is_raw(quoted) or _looks_like_pattern(body)):
        return
    variants = dict.fromkeys(_variants(body))
    for rank, other in enumerate(islice((one for one in variants if one != body), MOST_VARIANTS)):
        yield _with(site, quoted, other, "another pattern", 0.12 / (1 + 0.03 * rank))


def _is_raw(quoted: Quoted) -> bool:
    return "r" in quoted.start.lower()


def _looks_like_pattern(body: str) -> bool:
    return "\\" in body or "[" in body or "(?" in body or body[0] == "^" or body[-1] in "$*+"


def _variants(body: str) -> Iterator[str]:
    yield from _anchored(body)
    yield from _repeated(body)
    for found in re.finditer(r"(?<!\\)\[(\^?)([^\]]+)\]", body):
        yield from _classes(body, found)
    for found in re.finditer(r"(?<!\\)\.(?![*+?])", body):
        yield body[: found.start()] + r"\." + body[found.end() :]
    for found in re.finditer(r"\\([wds])", body):
        for other in "wds":
            if other != found[1]:
                yield body[: found.start(1)] + other + body[found.end() :]


def _anchored(body: str) -> Iterator[str]:
    yield body[1:] if body.startswith("^") else f"^{body}"
    yield body[:-1] if body.endswith("$") else f"{body}$"
    yield rf"\b{body}"
    yield rf"{body}\b"
    yield f"(?i){body}"


def _repeated(body: str) -> Iterator[str]:
    """Greedy or lazy, once or more, any number or not at all."""
    for found in re.finditer(r"(?<!\\)([*+?])\??", body):
        start, end = found.span()
        yield body[: start + 1] + ("" if end - start == 2 else "?") + body[end:]
        for other in "*+?":
            if other != found[1]:
                yield body[:start] + other + body[start + 1 :]
        yield body[:start] + body[end:]
    for found in re.finditer(r"\\[wdsWDS](?![*+?])", body):
        for sign in "+*":
            yield body[: found.end()] + sign + body[found.end() :]


def _classes(body: str, found: re.Match[str]) -> Iterator[str]:
    """One sign more or less between the brackets, and the opposite."""
    start, end = found.span(2)
    for sign in ("-", "_", ".", r"\s", r"\w", "'"):
        if sign not in (found[2][-1] if sign == "-" else found[2]):
            yield body[:end] + sign + body[end:]
    for place in range(start, min(end, start + 12)):
        if "\\" not in body[place - 1 : place + 1]:
            yield body[:place] + body[place + 1 :]
    yield body[: found.start(1)] + ("" if found[1] else "^") + body[start:]


def other_field(site: Site) -> Iterator[Sketch]:
    """`'%s'` → `'%r'`, `'{}'` → `'{!r}'`; a line end more or less."""
    quoted = _quoted(site)
    if quoted is None or len(quoted.body) > LONGEST:
        return
    body = quoted.body
    for found in islice(_FIELD.finditer(body), 3):
        for other in _other_fields(found):
            text = body[: found.start()] + other + body[found.end() :]
            yield _with(site, quoted, text, "another field", 0.15)
    if body.endswith("\\n"):
        yield _with(site, quoted, body[:-2], "another line end", 0.15)
    elif "\\n" in body or body.endswith((" ", ":")) or _FIELD.search(body):
        yield _with(site, quoted, body + "\\n", "another line end", 0.08)


def _other_fields(found: re.Match[str]) -> tuple[str, ...]:
    whole = found[0]
    if whole.startswith("%"):
        return tuple(other for other in ("%s", "%r", "%d") if other != whole)
    name = found[1]
    return (f"{{{name}}}",) if found[2] else (f"{{{name}!r}}", f"{{{name}!s}}")


def _quoted(site: Site) -> Quoted | None:
    """The literal, where its text may be edited."""
    quoted = site.grammar.quoted(site.node)
    if quoted is None or quoted.is_filled or not site.grammar.is_read(site.node):
        return None
    return quoted


def _with(site: Site, quoted: Quoted, body: str, template: str, prior: float) -> Sketch:
    return site.replace(f"{quoted.start}{body}{quoted.end}", template, prior)
