"""Tier 2: one part more in a container literal, a class test or a handler."""

from collections.abc import Iterable, Iterator
from typing import Final

from agent.repair.donors import Donor, nearest
from agent.repair.lang.base import Kind
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site

MOST_PARTS: Final = 8
MOST_STRINGS: Final = 5
_CLASSES: Final = frozenset({Kind.NAME, Kind.ATTRIBUTE})


def element_added(site: Site) -> Iterator[Sketch]:
    """`[a, b]` → `[a, b, c]`, with `c` from a like literal of the file, or a string of it."""
    elements = site.grammar.elements(site.node)
    if site.grammar.statements is None or not elements:
        return
    own = {site.source.text(element) for element in elements}
    for rank, text in enumerate(_from_like(site, own)):
        prior = 0.15 / (1 + 0.1 * rank)
        yield site.insert_after(elements[-1], f", {text}", "one part more", prior)


def _from_like(site: Site, own: set[str]) -> list[str]:
    """Parts of literals that share one with this, then of those of the same kind."""
    kind = site.grammar.kind(site.grammar.elements(site.node)[0])
    known = site.scope.known
    like: dict[str, int] = {}
    for parts in site.source.donors.containers:
        if not parts or parts[0].kind is not kind:
            continue
        shared = sum(part.text in own for part in parts)
        for part in parts:
            if part.text not in own and part.names <= known:
                like[part.text] = max(like.get(part.text, 0), shared)
    others = _strings(site, own) if kind is Kind.STRING else _of_same_owner(site, own)
    like.update((text, 0) for text in others if text not in like)
    return sorted(like, key=lambda text: -like[text])[:MOST_PARTS]


def _strings(site: Site, own: set[str]) -> list[str]:
    """Strings of the file, those as long as the ones here first."""
    usual = sum(map(len, own)) / len(own)
    others = [text for text in site.source.strings if text not in own]
    return sorted(others, key=lambda text: abs(len(text) - usual))[:MOST_STRINGS]


def _of_same_owner(site: Site, own: set[str]) -> list[str]:
    """For `(a.b, a.c)`: other members of `a` that the file names."""
    owners = {text.rpartition(".")[0] for text in own}
    owner = owners.pop() if len(owners) == 1 else ""
    members = site.scope.attributes.get(owner, ()) if owner else ()
    return [text for name in members if (text := f"{owner}.{name}") not in own][:MOST_PARTS]


def element_dropped(site: Site) -> Iterator[Sketch]:
    """`[a, b]` → `[a]`."""
    elements = site.grammar.elements(site.node)
    if not 2 <= len(elements) <= MOST_PARTS:
        return
    for place, element in enumerate(elements):
        if place:
            start, end = elements[place - 1].end_byte, element.end_byte
        else:
            start, end = element.start_byte, elements[1].start_byte
        yield site.cut(start, end, "one part less", 0.15, flags=frozenset({Flag.DELETES}))


def class_added(site: Site) -> Iterator[Sketch]:
    """`isinstance(x, A)` → `isinstance(x, (A, B))`, and `A` → `B`, with `B` tested elsewhere."""
    statements, callee = site.grammar.statements, site.grammar.callee(site.node)
    arguments = site.grammar.arguments(site.node)
    if statements is None or callee is None or len(arguments) != 2:
        return
    if site.source.text(callee) not in statements.words.class_tests:
        return
    classes = arguments[1]
    text = site.source.text(classes)
    is_one = site.grammar.kind(classes) in _CLASSES
    for rank, other in enumerate(_classes(site, statements.words.classes)):
        if other in text:
            continue
        prior = 0.2 / (1 + 0.1 * rank)
        if is_one:
            both = site.grammar.words.also_caught.format(caught=text, error=other)
            yield site.replace(both, "one class more", prior, node=classes, tier=2)
            yield site.replace(other, "another class", prior, node=classes, tier=2)
        elif elements := site.grammar.elements(classes):
            yield site.insert_after(elements[-1], f", {other}", "one class more", prior)


def _classes(site: Site, usual: Iterable[str]) -> list[str]:
    """Classes that the file names where it tests for some, its own, then usual ones."""
    scope = site.scope
    own = [name for name in scope.callables if name[:1].isupper() and name not in usual]
    errors = {donor.text for donor in site.source.donors.caught}
    return [*[name for name in own if name not in errors][:10], *usual]


def caught_more(site: Site) -> Iterator[Sketch]:
    """`except A` → `except (A, B)`, with `B` caught elsewhere or usual."""
    statements, value = site.grammar.statements, site.grammar.caught(site.node)
    if statements is None or value is None or site.failure is not None:
        return
    text = site.source.text(value)
    donors: list[Donor] = nearest(
        site.source.donors.caught, site.row, site.scope.known, 4, near=frozenset()
    )
    others = dict.fromkeys((*(donor.text for donor in donors), *statements.words.errors))
    flags = frozenset({Flag.SWALLOWS})
    for rank, other in enumerate(others):
        if other not in text:
            caught = text.strip("()").rstrip(",")
            both = site.grammar.words.also_caught.format(caught=caught, error=other)
            prior = 0.15 / (1 + 0.1 * rank)
            yield site.replace(both, "also caught", prior, node=value, tier=2, flags=flags)


def other_error(site: Site) -> Iterator[Sketch]:
    """`raise A(...)` → `raise B(...)`."""
    statements = site.grammar.statements
    raised = statements.raised(site.node) if statements is not None else None
    if statements is None or raised is None:
        return
    text = site.source.text(raised)
    own = [name for name in site.scope.callables if name.endswith(("Error", "Exception"))]
    for rank, other in enumerate(dict.fromkeys((*own[:6], *statements.words.errors))):
        if other != text:
            yield site.replace(other, "another exception", 0.15 / (1 + 0.1 * rank), node=raised)
