"""Constants, names and members: something of the right kind, but the wrong one."""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from itertools import islice

from agent.repair.lang.base import Kind
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site

MOST_NAMES = 24
"""Names tried in one place, nearest first; larger scopes are searched by likeness only."""


def other_integer(site: Site) -> Iterator[Sketch]:
    """`n` → `n + 1`, `n - 1`, 0, 1, -1."""
    try:
        value = int(site.text.replace("_", ""), 0)
    except ValueError:
        return
    near = {value + 1: 0.55, value - 1: 0.5, 0: 0.3, 1: 0.3, -1: 0.2, 2: 0.12, value * 10: 0.08}
    for other, prior in near.items():
        if other != value and (other >= 0 or value == 0 or other == -1):
            yield site.replace(str(other), "another number", prior)


def other_number(site: Site) -> Iterator[Sketch]:
    """`0.5` → `1.0`, `0.0`; sign changes are drawn elsewhere."""
    for other in ("0.0", "1.0", "0.5", "100.0"):
        if other != site.text:
            yield site.replace(other, "another number", 0.12)


def flipped_constant(site: Site) -> Iterator[Sketch]:
    """`True` ↔ `False`, `None` → an empty value."""
    words = site.grammar.words
    if site.kind is Kind.TRUE:
        yield site.replace(words.false, "the other truth value", 0.6)
        yield site.replace(words.none, "another empty value", 0.15)
    elif site.kind is Kind.FALSE:
        yield site.replace(words.true, "the other truth value", 0.6)
        yield site.replace(words.none, "another empty value", 0.2)
    else:
        for weight, value in enumerate(words.empties):
            if value != words.none:
                yield site.replace(value, "another empty value", 0.3 / (1 + weight))


def other_string(site: Site) -> Iterator[Sketch]:
    """Another literal of the same file, likest first; a space more or less; upper or lower."""
    quoted, text = site.grammar.quoted(site.node), site.text
    if quoted is None or len(quoted.body) > 80 or not site.grammar.is_read(site.node):
        return
    value = quoted.body
    variants = (value.strip(), value.lower(), value.upper(), value + " ", " " + value, "")
    for variant in dict.fromkeys(variants):
        if variant != value and not quoted.is_filled:
            yield site.replace(f"{quoted.start}{variant}{quoted.end}", "another text", 0.12)
    donors = [donor for donor in site.source.strings if donor != text]
    for alike, donor in islice(_by_likeness(text, donors), 12):
        yield site.replace(donor, "another text", 0.12 + 0.2 * alike)


def other_name(site: Site) -> Iterator[Sketch]:
    """Another name of the scope: variables for a value, functions for what is called."""
    if not site.grammar.is_read(site.node):
        return
    scope, text, own = site.scope, site.text, site.grammar.words.own
    for member in scope.attributes.get(own, ()):
        if member == text or (text in member and not site.is_callee):
            yield site.replace(f"{own}.{member}", "the object's own", 0.3)
    if site.is_callee:
        near = (*site.grammar.call_swaps.get(text, ()),)
        yield from _names(site, near, 0.55)
        yield from _likest(site, scope.callables, base=0.15)
        yield from _likest(site, scope.values, base=0.1)
        return
    yield from _names(site, [name for name in scope.values if name != text][:MOST_NAMES], 0.4)
    yield from _likest(site, scope.globals, base=0.15)
    yield from _likest(site, [n for n in scope.callables if n not in scope.values], base=0.05)


def _names(site: Site, names: Iterable[str], prior: float) -> Iterator[Sketch]:
    """Likest first: a mistyped or a neighbouring name looks like the one that was meant."""
    text = site.text
    for name in names:
        if name != text:
            weight = 0.7 + 0.3 * likeness(text, name)
            yield site.replace(name, "another name", prior * weight)


def _likest(site: Site, names: Iterable[str], *, base: float) -> Iterator[Sketch]:
    text = site.text
    others = [name for name in names if name != text]
    for alike, name in islice(_by_likeness(text, others), MOST_NAMES // 2):
        yield site.replace(name, "another name", base + 0.4 * alike**2)


def _by_likeness(text: str, others: Iterable[str]) -> Iterator[tuple[float, str]]:
    scored = [(likeness(text, other), other) for other in others]
    return iter(sorted(scored, key=lambda pair: -pair[0]))


@lru_cache(maxsize=16_384)
def likeness(text: str, other: str) -> float:
    """Return how alike two names look, from 0 to 1."""
    return SequenceMatcher(None, text, other).ratio()


def other_member(site: Site) -> Iterator[Sketch]:
    """`a.b` → `a.c`, with `c` among what is used on `a` in this file, or a usual mix-up."""
    parts = site.grammar.member(site.node)
    if parts is None:
        return
    owner, member = parts
    text = site.source.text(member)
    for name in site.grammar.call_swaps.get(text, ()):
        yield site.replace(name, "another member", 0.45, node=member)
    known = site.grammar.module_members(site.source.text(owner))
    for name in get_close_matches(text, [one for one in known if one != text], n=4, cutoff=0.6):
        prior = 0.25 * likeness(text, name)
        yield site.replace(name, "another member", prior, node=member)
    attributes = site.scope.attributes
    own = [name for name in attributes.get(site.source.text(owner), ()) if name != text]
    for alike, name in islice(_by_likeness(text, own), MOST_NAMES):
        yield site.replace(name, "another member", 0.25 + 0.3 * alike, node=member)
    others = {name for names in attributes.values() for name in names} - {text, *own}
    for alike, name in islice(_by_likeness(text, sorted(others)), 4):
        if alike > 0.6:
            yield site.replace(name, "another member", 0.35 * alike, node=member)


def owner_only(site: Site) -> Iterator[Sketch]:
    """`a.b` → `a`, and `self.x` → `x` where such a name is in scope."""
    parts = site.grammar.member(site.node)
    if parts is None or not site.is_value:
        return
    owner, member = parts
    yield site.replace(
        site.source.text(owner), "without the member", 0.15, flags=frozenset({Flag.DELETES})
    )
    name = site.source.text(member)
    if name in site.scope.values:
        yield site.replace(name, "the local name", 0.35)


def other_owner(site: Site) -> Iterator[Sketch]:
    """`a.b` → `c.b` is drawn at the name `a`; here `self.a.b` → `self.b`."""
    parts = site.grammar.member(site.node)
    if parts is None:
        return
    inner = site.grammar.member(parts[0]) if site.grammar.kind(parts[0]) is Kind.ATTRIBUTE else None
    if inner is not None:
        text = f"{site.source.text(inner[0])}.{site.source.text(parts[1])}"
        yield site.replace(text, "another owner", 0.15)
