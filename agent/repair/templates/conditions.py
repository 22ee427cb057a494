"""Tier 2: conditions that ask one thing too few, too many, or in the wrong grouping."""

from collections.abc import Iterator
from typing import Final

from agent.repair.donors import nearest
from agent.repair.lang.base import Kind
from agent.repair.lang.statements import Statements
from agent.repair.proposal import Sketch
from agent.repair.source import Site

MOST_DONORS: Final = 10
_LOOSE: Final = frozenset({Kind.LOGIC, Kind.CHOICE})


def extended(site: Site) -> Iterator[Sketch]:
    """`a` → `a and b`, `a or b`, with `b` a condition of the file, or one on a variable."""
    statements, parent = site.grammar.statements, site.node.parent
    if statements is None or parent is None or not site.grammar.is_condition(site.node):
        return
    if site.grammar.kind(parent) in {Kind.LOGIC, Kind.NEGATION, Kind.EXPRESSION}:
        return
    both, either = statements.words.both, statements.words.either
    text = f"({site.text})" if site.kind in _LOOSE else site.text
    for rank, donor in enumerate(_donors(site)):
        weight = 1 / (1 + 0.1 * rank)
        yield site.replace(both.format(left=text, right=donor), "also asked", 0.12 * weight, tier=2)
        yield site.replace(
            either.format(left=text, right=donor), "otherwise asked", 0.1 * weight, tier=2
        )
    for rank, test in enumerate(_tests(site, statements)):
        weight = 1 / (1 + 0.1 * rank)
        yield site.replace(both.format(left=test, right=text), "also asked", 0.1 * weight, tier=2)
        yield site.replace(
            either.format(left=test, right=text), "otherwise asked", 0.07 * weight, tier=2
        )


def _donors(site: Site) -> list[str]:
    """Conditions of the file that fit, those on variables of the statement first."""
    near = frozenset(site.read_names)
    conditions = site.source.donors.conditions
    found = nearest(conditions, site.row, site.scope.known, MOST_DONORS, near=near)
    return [donor.text for donor in found if donor.text not in site.text]


def _tests(site: Site, statements: Statements) -> list[str]:
    names = [*site.read_names[:2]]
    names += [name for name in site.scope.values if name not in names][: 3 - len(names)]
    receivers = site.grammar.receivers
    return [
        test.format(name)
        for name in names
        if name not in receivers
        for test in statements.words.tests
        if test.format(name) not in site.text
    ]


def other_condition(site: Site) -> Iterator[Sketch]:
    """`a` → `b`, a condition of the file."""
    statements, parent = site.grammar.statements, site.node.parent
    if statements is None or parent is None or not site.grammar.is_condition(site.node):
        return
    if site.kind is Kind.NEGATION or site.grammar.kind(parent) is Kind.NEGATION:
        return
    for rank, text in enumerate(_donors(site)[:8]):
        yield site.replace(text, "another condition", 0.08 / (1 + 0.1 * rank), tier=2)


def condition_for_constant(site: Site) -> Iterator[Sketch]:
    """`while True` → `while x`, with `x` a variable, a test of one, or a condition of the file."""
    statements = site.grammar.statements
    if statements is None or not site.grammar.is_condition(site.node):
        return
    receivers = site.grammar.receivers
    names = [name for name in site.scope.values if name not in receivers][:8]
    for rank, text in enumerate(dict.fromkeys((*names, *_donors(site), *_tests(site, statements)))):
        yield site.replace(text, "another condition", 0.25 / (1 + 0.1 * rank), tier=2)


def other_bound(site: Site) -> Iterator[Sketch]:
    """`x == 0` → `x <= 1`, `x > 28` → `x >= 27`: operator and number at once."""
    operands, operators = site.grammar.operands(site.node), site.grammar.operators(site.node)
    if site.grammar.statements is None or len(operands) != 2 or len(operators) != 1:
        return
    left, right = (site.source.text(operand) for operand in operands)
    if not right.isdecimal():
        return
    for operator in ("<=", ">=", "<", ">"):
        for number in (int(right) - 1, int(right) + 1):
            if operator != site.source.text(operators[0]) and number >= 0:
                yield site.replace(f"{left} {operator} {number}", "another bound", 0.08, tier=2)


def regrouped(site: Site) -> Iterator[Sketch]:
    """`a * b / c` → `a * (b / c)`, `a or b and c` → `(a or b) and c`."""
    operands, source = site.grammar.operands(site.node), site.source
    if len(operands) != 2 or len(site.grammar.operators(site.node)) != 1:
        return
    inner = [site.grammar.operands(operand) for operand in operands]
    is_same = [site.grammar.kind(operand) is site.kind for operand in operands]
    left, right = operands
    middle = source.data[left.end_byte : right.start_byte].decode("utf-8", "surrogateescape")
    if is_same[0] and len(inner[0]) == 2:
        first, second = inner[0]
        start = source.data[first.start_byte : second.start_byte].decode("utf-8", "surrogateescape")
        text = f"{start}({source.text(second)}{middle}{source.text(right)})"
        yield site.replace(text, "regrouped", 0.2)
    if is_same[1] and len(inner[1]) == 2:
        first, second = inner[1]
        end = source.data[first.end_byte : second.end_byte].decode("utf-8", "surrogateescape")
        yield site.replace(
            f"({source.text(left)}{middle}{source.text(first)}){end}", "regrouped", 0.2
        )


def ungrouped(site: Site) -> Iterator[Sketch]:
    """`(a + b) * c` → `a + b * c`."""
    parent, inner = site.node.parent, site.node.named_children
    if parent is None or len(inner) != 1 or not site.text.startswith("("):
        return
    kinds = {Kind.ARITHMETIC, Kind.LOGIC}
    if site.grammar.kind(parent) in kinds and site.grammar.kind(inner[0]) in kinds:
        yield site.replace(site.source.text(inner[0]), "regrouped", 0.15)


def present_or(site: Site) -> Iterator[Sketch]:
    """`a or b` → `a if a is not None else b`, where the value is wanted."""
    statements, operands = site.grammar.statements, site.grammar.operands(site.node)
    if statements is None or len(operands) != 2 or site.grammar.is_condition(site.node):
        return
    left, right = (site.source.text(operand) for operand in operands)
    joined = statements.words.either.format(left=left, right=right)
    if " ".join(site.text.split()) == joined:
        words = site.grammar.words
        text = words.choice.format(value=left, condition=words.is_present.format(left), other=right)
        yield site.replace(text, "none or empty", 0.3, tier=2)


def _members(site: Site, name: str) -> tuple[str, ...]:
    return site.scope.attributes.get(name, ())[:3]


def filtered(site: Site) -> Iterator[Sketch]:
    """`[x for x in y]` → `[x for x in y if c]`."""
    statements, parts = site.grammar.statements, site.node.named_children
    if statements is None or not statements.is_generated(site.node) or not parts:
        return
    inner = Site(site.source, parts[0], site.grammar.kind(parts[0]), site.failure)
    known = inner.scope.known
    own = [name for name in inner.scope.values if name not in site.scope.values]
    near = nearest(site.source.donors.conditions, site.row, known, MOST_DONORS, near=frozenset(own))
    names = [*own[:3], *(f"{name}.{part}" for name in own for part in _members(site, name))]
    tests = [test.format(name) for name in names for test in statements.words.tests[:3]]
    for rank, text in enumerate((*tests, *(donor.text for donor in near))):
        if text not in site.text:
            added = statements.words.filter.format(condition=text)
            yield site.insert_after(parts[-1], added, "filtered", 0.12 / (1 + 0.1 * rank))
