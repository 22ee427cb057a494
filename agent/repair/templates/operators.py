"""Operators, boundaries and negations: the edits that one-line fixes consist of most often."""

from collections.abc import Iterator

from agent.repair.lang.base import Kind
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site
from agent.repo.syntax import SyntaxNode


def other_operator(site: Site) -> Iterator[Sketch]:
    """`a < b` → `a <= b`, `a and b` → `a or b`, `n += 1` → `n -= 1`."""
    for operator in site.grammar.operators(site.node):
        text = " ".join(site.source.text(operator).split())
        for other, weight in site.grammar.operator_swaps.get(text, ()):
            yield site.replace(other, "another operator", 0.75 * weight, node=operator)


def swapped_operands(site: Site) -> Iterator[Sketch]:
    """`a - b` → `b - a`; nothing where the order does not matter to the operator."""
    operands = site.grammar.operands(site.node)
    operators = site.grammar.operators(site.node)
    if len(operands) != 2 or len(operators) != 1:
        return
    if " ".join(site.source.text(operators[0]).split()) in site.grammar.symmetric:
        return
    left, right = (site.source.text(node) for node in operands)
    if left != right:
        middle = site.source.data[operands[0].end_byte : operands[1].start_byte].decode()
        yield site.replace(right + middle + left, "operands swapped", 0.35)


def dropped_operand(site: Site) -> Iterator[Sketch]:
    """`a + b` → `a`, `a and b` → `b`."""
    operands = site.grammar.operands(site.node)
    if len(operands) != 2:
        return
    for kept, dropped in (operands, operands[::-1]):
        text = site.source.text(kept)
        if site.grammar.kind(dropped) is Kind.INTEGER:
            yield site.replace(text, "one operand only", 0.55)
        else:
            prior = 0.4 if site.kind is Kind.LOGIC else 0.3
            yield site.replace(text, "one operand only", prior, flags=frozenset({Flag.DELETES}))


def off_by_one(site: Site) -> Iterator[Sketch]:
    """`x` → `x + 1` and `x - 1` where a position or a count is likely."""
    if not site.is_value:
        return
    prior = _counting_prior(site)
    if not prior:
        return
    text = site.text
    if site.kind in {Kind.CHOICE, Kind.COMPARISON, Kind.LOGIC}:
        text = f"({text})"
    yield site.replace(f"{text} + 1", "off by one", prior)
    yield site.replace(f"{text} - 1", "off by one", prior)


def _counting_prior(site: Site) -> float:
    """Positions and bounds first, then arguments and arithmetic; other places never."""
    parent = site.node.parent
    while parent is not None and site.grammar.kind(parent) is Kind.EXPRESSION:
        if len(parent.named_children) != 1:
            return 0.0
        parent = parent.parent
    if parent is None:
        return 0.0
    kind = site.grammar.kind(parent)
    if kind in {Kind.INDEX, Kind.SLICE}:
        member = site.grammar.member(parent) if kind is Kind.INDEX else None
        return 0.0 if member is not None and member[0] == site.node else 0.5
    if kind is Kind.COMPARISON:
        return 0.4
    if kind in {Kind.RETURN, Kind.ASSIGNMENT, Kind.ARITHMETIC, Kind.UPDATE}:
        return 0.22
    if kind is Kind.ATTRIBUTE:
        return 0.0
    callee = _callee_around(site)
    if callee is None:
        return 0.0
    return 0.4 if site.source.text(callee) in site.grammar.counters else 0.12


def _callee_around(site: Site) -> SyntaxNode | None:
    for outer in (site.node.parent, site.node.parent and site.node.parent.parent):
        if outer is not None and site.grammar.kind(outer) is Kind.CALL:
            return site.grammar.callee(outer)
    return None


def negated(site: Site) -> Iterator[Sketch]:
    """`if x` → `if not x`, where only the truth of `x` matters."""
    if not site.grammar.is_condition(site.node) or site.kind is Kind.NEGATION:
        return
    yield site.replace(site.grammar.negated(site.node), "negated", 0.5)


def not_negated(site: Site) -> Iterator[Sketch]:
    """`not x` → `x`."""
    for operand in site.grammar.operands(site.node)[:1]:
        yield site.replace(site.source.text(operand), "not negated", 0.6)


def presence(site: Site) -> Iterator[Sketch]:
    """`x` → `x is not None`, where only the truth of `x` matters."""
    if site.kind not in {Kind.NAME, Kind.ATTRIBUTE, Kind.CALL, Kind.INDEX}:
        return
    if site.grammar.is_condition(site.node):
        if site.kind is Kind.CALL and site.called_name not in site.grammar.giving_nothing:
            yield from _presence_of_call(site)
            return
        words, parent = site.grammar.words, site.node.parent
        if parent is not None and site.grammar.kind(parent) is Kind.NEGATION:
            yield site.replace(words.is_none.format(site.text), "none or empty", 0.5, node=parent)
            return
        yield site.replace(words.is_present.format(site.text), "none or empty", 0.5)
        yield site.replace(words.is_none.format(site.text), "none or empty", 0.2)


def _presence_of_call(site: Site) -> Iterator[Sketch]:
    """The same for a call that may well never give nothing: then the test always holds."""
    flags = frozenset({Flag.CONSTANT})
    text = site.grammar.words.is_present.format(site.text)
    yield site.replace(text, "none or empty", 0.1, flags=flags)


def truth(site: Site) -> Iterator[Sketch]:
    """`x is not None` → `x`, `x is None` → `not x`."""
    operands = site.grammar.operands(site.node)
    operators = site.grammar.operators(site.node)
    if len(operands) != 2 or site.grammar.kind(operands[1]) is not Kind.NONE:
        return
    text = site.source.text(operands[0])
    operator = " ".join(site.source.text(operators[0]).split())
    if operator in site.grammar.differing:
        yield site.replace(text, "none or empty", 0.45)
    elif operator in site.grammar.symmetric:
        yield site.replace(site.grammar.negated(operands[0]), "none or empty", 0.45)


def without_sign(site: Site) -> Iterator[Sketch]:
    """`-x` → `x`."""
    for operand in site.grammar.operands(site.node)[:1]:
        yield site.replace(site.source.text(operand), "another sign", 0.5)


def with_sign(site: Site) -> Iterator[Sketch]:
    """`x` → `-x`, where a number is likely."""
    parent = site.node.parent
    if parent is None or not site.is_value:
        return
    if site.grammar.kind(parent) in {Kind.RETURN, Kind.ARITHMETIC, Kind.INDEX, Kind.SLICE}:
        yield site.replace(f"-{site.text}", "another sign", 0.15)


def flipped_update(site: Site) -> Iterator[Sketch]:
    """`x = e` → `x += e`, for a plain name that has a value already."""
    parts = site.grammar.assigned(site.node)
    if parts is None or site.grammar.kind(parts[0]) not in {Kind.NAME, Kind.ATTRIBUTE}:
        return
    name, value = (site.source.text(part) for part in parts)
    text = site.grammar.words.added.format(name=name, value=value)
    yield site.replace(text, "added to", 0.2)


def other_jump(site: Site) -> Iterator[Sketch]:
    """`break` ↔ `continue`."""
    other = site.grammar.jumps.get(site.text)
    if other is not None:
        yield site.replace(other, "another jump", 0.5)


def chosen_branch(site: Site) -> Iterator[Sketch]:
    """`a if c else b` → `b if c else a`, `a`, `b`."""
    parts = site.grammar.choice(site.node)
    if parts is None:
        return
    condition, value, other = (site.source.text(part) for part in parts)
    text = site.grammar.words.choice.format(condition=condition, value=other, other=value)
    yield site.replace(text, "branches swapped", 0.4)
    for text in (value, other):
        yield site.replace(text, "one branch only", 0.2, flags=frozenset({Flag.DELETES}))
