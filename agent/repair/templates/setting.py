"""Tier 2: a variable or a member given a value by a statement put in."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Final

from agent.repair.donors import Donor, nearest
from agent.repair.lang.statements import Statements
from agent.repair.proposal import Sketch
from agent.repair.source import Site
from agent.repair.templates.inserted import function_around, whole_statements

MOST_TARGETS: Final = 4
MOST_VALUES: Final = 5
MOST_RECORDED: Final = 2


def rebound(site: Site) -> Iterator[Sketch]:
    """`x = list(x)`, `x = f(x)`, before the first statement that reads the parameter `x`."""
    statements, function = whole_statements(site), function_around(site)
    if statements is None or function is None:
        return
    if site.grammar.body(function)[:1] != [site.node] and not site.read_names:
        return
    parameters = {one.name for one in statements.parameters(function)}
    names = [name for name in site.read_names if name in parameters][:2]
    wrappers = nearest(site.source.donors.wrappers, site.row, site.scope.known, 4, near=frozenset())
    for name in names:
        made = [form.format(name) for form in statements.words.copies]
        made += [f"{donor.text}({name})" for donor in wrappers]
        for rank, value in enumerate(dict.fromkeys(made)):
            yield _set(site, statements, name, value, 0.08 / (1 + 0.15 * rank))


def _set(site: Site, statements: Statements, name: str, value: str, prior: float) -> Sketch:
    line = (
        site.source.indent_at(site.row)
        + statements.words.assign.format(name=name, value=value)
        + "\n"
    )
    return site.insert_before(line, "value set", prior)


def taken_over(site: Site) -> Iterator[Sketch]:
    """`x = new_x`, and `self.x = x` for a parameter: before the statement or at the block's end."""
    statements, function = whole_statements(site), function_around(site)
    if statements is None or function is None:
        return
    own, values = site.grammar.words.own, site.scope.values[:16]
    pairs = [
        (one, other)
        for one in values
        for other in values
        if one != other and len(one) > 1 and other.endswith((f"_{one}", one.lstrip("_")))
    ]
    for one, other in pairs[:3]:
        for name, value in ((one, other), (other, one)):
            yield from _set_around(site, statements, name, value, 0.08)
    if site.grammar.function_name(function) == statements.words.initialiser:
        body = site.source.text(function)
        for parameter in statements.parameters(function):
            member = f"{own}.{parameter.name}"
            if parameter.name not in site.grammar.receivers and member not in body:
                yield _set(site, statements, member, parameter.name, 0.1)


def assigned(site: Site) -> Iterator[Sketch]:
    """`x = y`, with `x` a variable that the function gives values to and `y` any."""
    statements, function = whole_statements(site), function_around(site)
    if statements is None or function is None:
        return
    receivers = site.grammar.receivers
    values = [name for name in site.scope.values if name not in receivers]
    parameters = {one.name for one in statements.parameters(function)}
    targets = [name for name in values if name not in parameters][:MOST_TARGETS]
    for rank, (name, value) in enumerate(product(targets, values[:MOST_VALUES])):
        if name != value:
            yield from _set_around(site, statements, name, value, 0.05 / (1 + 0.03 * rank))


def copied_for_another(site: Site) -> Iterator[Sketch]:
    """A call that stands alone nearby, put in with another of its names: `x.append(z)`."""
    statements, function = whole_statements(site), function_around(site)
    if statements is None or function is None:
        return
    donors = [one for one in site.source.donors.statements if _is_call(one)]
    names = [name for name in site.scope.values if name not in site.grammar.receivers]
    known = site.scope.known
    for donor in nearest(donors, site.row, known, 4, near=frozenset(site.read_names)):
        for name in names[:MOST_VALUES]:
            for old in sorted(donor.names & set(names)):
                text = _renamed(donor.text, old, name)
                if name not in donor.names and text != donor.text:
                    yield from _lines_around(site, statements, text, 0.04)


def recorded(site: Site) -> Iterator[Sketch]:
    """`c.add(x)` in a function that asks for `x in c`."""
    statements, function = whole_statements(site), function_around(site)
    if statements is None or function is None:
        return
    rows, known = range(function.start_point.row, function.end_point.row + 1), site.scope.values
    asked = [one for one in site.source.donors.memberships if one[0] in rows]
    for rank, (_row, what, container) in enumerate(asked[:MOST_RECORDED]):
        if container in known:
            for form in statements.words.collecting:
                text = form.format(name=container, value=what)
                yield from _lines_around(
                    site, statements, text, 0.06 / (1 + 0.2 * rank), "collected"
                )


def _is_call(donor: Donor) -> bool:
    return donor.text.endswith(")") and "\n" not in donor.text and "=" not in donor.text


def _renamed(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new, text)


def _set_around(
    site: Site, statements: Statements, name: str, value: str, prior: float
) -> Iterator[Sketch]:
    text = statements.words.assign.format(name=name, value=value)
    yield from _lines_around(site, statements, text, prior, "value set")


def _lines_around(
    site: Site, statements: Statements, text: str, prior: float, template: str = "statement copied"
) -> Iterator[Sketch]:
    """The line before the statement, and behind the last one of a block."""
    line = f"{site.source.indent_at(site.row)}{text}\n"
    yield site.insert_before(line, template, prior)
    if site.node.next_named_sibling is None and not statements.leaves(site.node):
        yield site.insert_behind(line, template, prior)
