"""Tier 2: a value made of two: `x - y`, `max(x, y)`, `x[y:]`, an argument shaped like the next."""

from collections.abc import Iterator
from typing import Final

from agent.repair.donors import nearest
from agent.repair.lang.base import Kind
from agent.repair.proposal import Sketch
from agent.repair.source import Site
from agent.repo.syntax import SyntaxNode

MOST_NAMES: Final = 6
_PLACES: Final = frozenset({Kind.INDEX, Kind.SLICE, Kind.COMPARISON, Kind.RETURN, Kind.ASSIGNMENT})
_LARGE: Final = frozenset({Kind.CALL, Kind.ARITHMETIC, Kind.INDEX, Kind.ATTRIBUTE, Kind.CHOICE})


def with_other(site: Site) -> Iterator[Sketch]:
    """`x` → `x - y`, `x + y`, for positions, bounds and arguments."""
    parent = site.node.parent
    if site.grammar.statements is None or parent is None or not site.is_value:
        return
    if site.grammar.kind(parent) not in _PLACES and _call_around(site) is None:
        return
    if site.grammar.kind(parent) is Kind.INDEX and _is_container(site, parent):
        return
    for rank, name in enumerate(_names(site)):
        prior = 0.09 / (1 + 0.15 * rank)
        yield site.replace(f"{site.text} - {name}", "another one added", prior, tier=2)
        yield site.replace(f"{site.text} + {name}", "another one added", 0.9 * prior, tier=2)


def _is_container(site: Site, index: SyntaxNode) -> bool:
    parts = site.grammar.member(index)
    return parts is None or parts[0] == site.node


def _call_around(site: Site) -> SyntaxNode | None:
    around = site.node.parent.parent if site.node.parent is not None else None
    if around is None or site.grammar.kind(around) is not Kind.CALL:
        return None
    return around if site.node in site.grammar.arguments(around) else None


def _names(site: Site) -> list[str]:
    """Variables of the scope, those of the statement last: they are in it already."""
    receivers, own = site.grammar.receivers, site.text
    names = [name for name in site.scope.values if name not in receivers and name != own]
    return names[:MOST_NAMES]


def with_constant(site: Site) -> Iterator[Sketch]:
    """`x` → `x ** 2`, `x * 2`, in arithmetic and for arguments."""
    parent, statements = site.node.parent, site.grammar.statements
    if statements is None or parent is None or not site.is_value:
        return
    if site.grammar.kind(parent) is Kind.ARITHMETIC or _call_around(site) is not None:
        for rank, form in enumerate(statements.words.scaled):
            prior = 0.05 / (1 + 0.2 * rank)
            yield site.replace(form.format(site.text), "scaled", prior, tier=2)


def with_element(site: Site) -> Iterator[Sketch]:
    """`[]` → `[x]`, with `x` a variable of the scope."""
    statements, text = site.grammar.statements, site.text
    if statements is None or site.grammar.elements(site.node) or len(text) != 2:
        return
    for rank, name in enumerate(_names(site)[:4]):
        filled = f"{text[0]}{name}{text[1]}"
        yield site.replace(filled, "one part more", 0.1 / (1 + 0.15 * rank), tier=2)


def sliced_by(site: Site) -> Iterator[Sketch]:
    """`x` → `x[y:]`, `x[:y]`, for what a loop goes through, arguments and values."""
    form, parent = site.grammar.words.slice, site.node.parent
    if site.grammar.statements is None or parent is None or not (form and site.is_value):
        return
    if site.grammar.kind(parent) not in {Kind.LOOP, Kind.RETURN, Kind.ASSIGNMENT} and (
        _call_around(site) is None
    ):
        return
    for rank, name in enumerate(_names(site)[:4]):
        for low, high in ((name, ""), ("", name)):
            part = form.format(low=low, high=high)
            prior = 0.06 / (1 + 0.15 * rank)
            yield site.replace(f"{site.text}[{part}]", "another slice", prior, tier=2)


def bounded(site: Site) -> Iterator[Sketch]:
    """`x = e` → `x = max(x, e)`, `min(x, e)`, `max(0, e)`."""
    statements, parts = site.grammar.statements, site.grammar.assigned(site.node)
    if statements is None or parts is None:
        return
    target, value = (site.source.text(part) for part in parts)
    for form in statements.words.bounds:
        for other, prior in ((target, 0.14), ("0", 0.08), ("1", 0.04)):
            text = form.format(other, value)
            yield site.replace(text, "bounded", prior, node=parts[1], tier=2)


def like_the_next(site: Site) -> Iterator[Sketch]:
    """`f(a[1:], b)` → `f(a[1:], b[1:])`: an argument in the shape of another."""
    arguments = site.grammar.arguments(site.node)
    if site.grammar.statements is None or not 2 <= len(arguments) <= 5:
        return
    plain = {Kind.NAME, Kind.ATTRIBUTE}
    for one in arguments:
        if site.grammar.kind(one) is not Kind.NAME:
            continue
        for other in arguments:
            shape, name = site.source.text(other), _first_name(site, other)
            if name and site.grammar.kind(other) not in plain and shape.count(name) == 1:
                text = shape.replace(name, site.source.text(one))
                yield site.replace(text, "like the next argument", 0.15, node=one, tier=2)


def _first_name(site: Site, node: SyntaxNode) -> str:
    if site.grammar.kind(node) not in {Kind.INDEX, Kind.ATTRIBUTE, Kind.CALL}:
        return ""
    inner: SyntaxNode | None = node
    while inner is not None and site.grammar.kind(inner) is not Kind.NAME:
        if site.grammar.kind(inner) is Kind.CALL:
            inner = site.grammar.callee(inner)
        else:
            parts = site.grammar.member(inner)
            inner = parts[0] if parts is not None else None
    return site.source.text(inner) if inner is not None else ""


def joined_value(site: Site) -> Iterator[Sketch]:
    """`return x` → `return y + x`, `y and x`, with `y` a variable of the scope."""
    statements, value = site.grammar.statements, site.grammar.returned(site.node)
    if statements is None or value is None or site.grammar.kind(value) is Kind.NONE:
        return
    text = site.source.text(value)
    for rank, name in enumerate(_names(site)[:4]):
        prior = 0.08 / (1 + 0.15 * rank)
        yield site.replace(f"{name} + {text}", "another one added", prior, node=value, tier=2)


def condition_returned(site: Site) -> Iterator[Sketch]:
    """`return True` → `return x == 0`: a condition of the file, or one on a variable."""
    statements, value = site.grammar.statements, site.grammar.returned(site.node)
    if statements is None or value is None:
        return
    if site.grammar.kind(value) not in {Kind.TRUE, Kind.FALSE}:
        return
    conditions = site.source.donors.conditions
    found = nearest(conditions, site.row, site.scope.known, 8, near=frozenset())
    tests = (*statements.words.tests, statements.words.is_zero)
    made = [test.format(name) for name in _names(site)[:3] for test in tests]
    for rank, text in enumerate(dict.fromkeys((*made, *(donor.text for donor in found)))):
        prior = 0.12 / (1 + 0.05 * rank)
        yield site.replace(text, "a condition returned", prior, node=value, tier=2)


def name_instead(site: Site) -> Iterator[Sketch]:
    """`f(x)` → `y`: a variable of the scope in the place of an expression."""
    parent = site.node.parent
    if site.grammar.statements is None or parent is None or not site.is_value:
        return
    if site.kind not in _LARGE or site.grammar.kind(parent) is Kind.RETURN:
        return
    for rank, name in enumerate(_names(site)):
        prior = 0.07 / (1 + 0.15 * rank)
        yield site.replace(name, "a variable instead", prior, tier=2)


def other_target(site: Site) -> Iterator[Sketch]:
    """`a[u] = f(b[v])` → `b[v] = f(b[v])`: assigned to something else that the statement names."""
    parts = site.grammar.assigned(site.node)
    if site.grammar.statements is None or parts is None:
        return
    target = site.source.text(parts[0])
    seen: set[str] = set()
    for node in site.source.nodes_of(parts[1], {Kind.NAME, Kind.ATTRIBUTE, Kind.INDEX}):
        text = site.source.text(node)
        if text != target and text not in seen and len(seen) < MOST_NAMES:
            seen.add(text)
            yield site.replace(text, "another target", 0.08, node=parts[0], tier=2)
    for name in _names(site)[:4]:
        if name not in seen and name != target:
            yield site.replace(name, "another target", 0.06, node=parts[0], tier=2)
