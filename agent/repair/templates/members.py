"""Members read, owners changed, functions put around: what the file does elsewhere with a value."""

from collections.abc import Iterator
from typing import Final

from agent.repair.donors import nearest
from agent.repair.lang.base import Kind
from agent.repair.proposal import Sketch
from agent.repair.source import Site

MOST_MEMBERS: Final = 6
MOST_WRAPPERS: Final = 6


def member_added(site: Site) -> Iterator[Sketch]:
    """`a` → `a.b`, with `b` what is read on `a` in this file."""
    parent = site.node.parent
    if parent is None or not site.is_value:
        return
    members = site.scope.attributes.get(site.text, ())
    if site.text in site.grammar.receivers:
        return
    for rank, name in enumerate(members[:MOST_MEMBERS]):
        yield site.replace(f"{site.text}.{name}", "a member of it", 0.12 / (1 + 0.1 * rank))


def owner_of_member(site: Site) -> Iterator[Sketch]:
    """`a.b` → `a.c.b`, `d.b`: on what `b` is read elsewhere."""
    parts = site.grammar.member(site.node)
    if parts is None or site.grammar.statements is None:
        return
    owners = site.source.donors.owners.get(site.source.text(parts[1]), ())
    near = frozenset(site.read_names)
    found = nearest(owners, site.row, site.scope.known, MOST_MEMBERS, near=near)
    for rank, donor in enumerate(found):
        if donor.kind is not Kind.NAME and donor.text != site.source.text(parts[0]):
            prior = 0.2 / (1 + 0.1 * rank)
            yield site.replace(donor.text, "another owner", prior, node=parts[0], tier=2)


def wrapped_as_elsewhere(site: Site) -> Iterator[Sketch]:
    """`x` → `f(x)`, with `f` what the file calls with one argument."""
    parent = site.node.parent
    if site.grammar.statements is None or parent is None or not site.is_value:
        return
    if site.grammar.kind(parent) in {Kind.ATTRIBUTE, Kind.EXPRESSION}:
        return
    wrappers = site.source.donors.wrappers
    found = nearest(wrappers, site.row, site.scope.known, MOST_WRAPPERS, near=frozenset())
    for rank, donor in enumerate(found):
        if donor.text not in site.grammar.wrappers and not site.text.startswith(donor.text):
            text = f"{donor.text}({site.text})"
            yield site.replace(text, "wrapped as elsewhere", 0.08 / (1 + 0.1 * rank), tier=2)


def called_as_elsewhere(site: Site) -> Iterator[Sketch]:
    """`x` → `x.m()`, with `m` a method that the file calls without an argument."""
    parent = site.node.parent
    if site.grammar.statements is None or parent is None or not site.is_value:
        return
    if site.kind not in {Kind.NAME, Kind.ATTRIBUTE, Kind.CALL, Kind.INDEX}:
        return
    if site.grammar.kind(parent) is Kind.ATTRIBUTE:
        return
    methods = site.source.donors.methods
    for rank, donor in enumerate(nearest(methods, site.row, frozenset(), 4, near=frozenset())):
        if donor.text not in site.grammar.methods and not site.text.endswith(f".{donor.text}()"):
            text = f"{site.text}.{donor.text}()"
            yield site.replace(text, "called as elsewhere", 0.06 / (1 + 0.1 * rank), tier=2)


def other_value(site: Site) -> Iterator[Sketch]:
    """An expression → another one of its kind in the file, which reads a variable of the place."""
    if site.grammar.statements is None or not site.is_value:
        return
    donors = site.source.donors.values.get(site.kind, ())
    near = frozenset(site.read_names)
    found = nearest(donors, site.row, site.scope.known, MOST_MEMBERS, near=near)
    for rank, donor in enumerate(found):
        if donor.names & near and donor.text != site.text:
            prior = 0.07 / (1 + 0.1 * rank)
            yield site.replace(donor.text, "another expression", prior, tier=2)


def member_instead(site: Site) -> Iterator[Sketch]:
    """`x` → `self.y`: a member that the file reads nearby in the place of a variable."""
    if site.grammar.statements is None or not site.is_value:
        return
    donors = site.source.donors.values.get(Kind.ATTRIBUTE, ())
    own = frozenset({site.grammar.words.own})
    near = nearest(donors, site.row, site.scope.known, MOST_MEMBERS, near=own)
    for rank, donor in enumerate(near):
        prior = 0.07 / (1 + 0.15 * rank)
        yield site.replace(donor.text, "a member instead", prior, tier=2)


def or_empty(site: Site) -> Iterator[Sketch]:
    """`x` → `(x or [])`, for what a loop goes through and what a call gets."""
    parent = site.node.parent
    if site.grammar.statements is None or parent is None or not site.is_value:
        return
    around = site.grammar.kind(parent)
    is_argument = around is Kind.OTHER and parent.parent is not None
    if around is Kind.LOOP or (is_argument and _is_call(site)):
        for rank, empty in enumerate(site.grammar.words.empties[1:4]):
            text = site.grammar.words.or_else.format(value=site.text, other=empty)
            yield site.replace(text, "none guarded", 0.08 / (1 + 0.2 * rank), tier=2)


def _is_call(site: Site) -> bool:
    around = site.node.parent.parent if site.node.parent is not None else None
    if around is None or site.grammar.kind(around) is not Kind.CALL:
        return False
    return site.node in site.grammar.arguments(around)
