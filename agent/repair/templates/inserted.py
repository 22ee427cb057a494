"""Tier 2: a statement put in: a guard, a value that is set, a copy of one nearby."""

from collections.abc import Iterator
from typing import Final

from agent.repair.donors import Donor, nearest
from agent.repair.lang.base import Kind
from agent.repair.lang.statements import Statements
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site
from agent.repo.syntax import SyntaxNode, ancestors

MOST_COPIES: Final = 10
MOST_GUARDS: Final = 6
MOST_LEAVING: Final = 4


def guard_made(site: Site) -> Iterator[Sketch]:
    """`if x is None: return None`, `if not x: continue`, leaving as the file does it near."""
    statements = whole_statements(site)
    if statements is None or site.failure is not None:
        return
    leaving = _leaving(site, statements)
    for rank, condition in enumerate(_conditions(site, statements)):
        for place, (leave, weight) in enumerate(leaving):
            lines = statements.words.guard.format(
                indent=_indent(site), condition=condition, leave=leave
            )
            prior = weight / (1 + 0.15 * rank + 0.1 * place)
            yield site.insert_before(lines, "guarded", prior)


def whole_statements(site: Site) -> Statements | None:
    """Return the language's statements, where lines can be put before the node."""
    parent = site.node.parent
    is_whole = parent is not None and site.grammar.is_block(parent)
    statements = site.grammar.statements
    if statements is None or not is_whole or site.source.starts_mid_line(site.node):
        return None
    is_run = statements.is_simple(site.node) or bool(site.grammar.body(site.node))
    return statements if is_run else None


def _indent(site: Site) -> str:
    return site.source.indent_at(site.row)


def _conditions(site: Site, statements: Statements) -> list[str]:
    """Tests of the statement's variables, then conditions of the file that read one of them."""
    near = frozenset(site.read_names)
    names = dict.fromkeys((*_just_set(site), *site.read_names[:2]))
    made = [
        test.format(name)
        for name in names
        for test in (statements.words.tests[3], statements.words.tests[2])
    ]
    donors = nearest(site.source.donors.conditions, site.row, site.scope.known, 4, near=near)
    return list(dict.fromkeys((*made, *(one.text for one in donors if one.names & near))))


def _just_set(site: Site) -> list[str]:
    """Variables that the statement before gave a value."""
    before = site.node.prev_named_sibling
    return [] if before is None else list(site.grammar.binds(before))[:1]


def _leaving(site: Site, statements: Statements) -> list[tuple[str, float]]:
    """What may be done instead of going on: as the file does it near, then the usual."""
    is_loop = statements.is_loop_around(site.node)
    function = function_around(site)
    found: dict[str, float] = {}
    if is_loop:
        found[statements.words.skip] = 0.16
    if function is not None:
        leaving = site.source.donors.leaving
        near = nearest(leaving, site.row, site.scope.known, MOST_LEAVING, near=frozenset())
        for donor in near:
            if is_loop or donor.text not in site.grammar.jumps:
                found.setdefault(donor.text, 0.14)
        words = site.grammar.words
        values = (words.none, *site.read_names[:1], *words.empties[1:4], words.false)
        for value in values:
            found.setdefault(words.returning.format(value=value), 0.12)
    return list(found.items())


def function_around(site: Site) -> SyntaxNode | None:
    """Return the innermost function that the node is in."""
    return next((node for node in ancestors(site.node) if site.grammar.is_function(node)), None)


def copied(site: Site) -> Iterator[Sketch]:
    """A statement of the file that fits here, before this one; behind it, where it is the last."""
    statements = whole_statements(site)
    if statements is None:
        return
    donors = site.source.donors.statements
    near = frozenset(site.read_names)
    found = nearest(donors, site.row, site.scope.known, MOST_COPIES, near=near)
    is_loop, is_inside = statements.is_loop_around(site.node), function_around(site) is not None
    for rank, donor in enumerate(found):
        if donor.row == site.row or not (is_inside or _stands_anywhere(donor)):
            continue
        if not is_loop and donor.text in site.grammar.jumps:
            continue
        lines = _indented(donor, _indent(site))
        prior = 0.09 / (1 + 0.1 * rank)
        flags = _unreachable(site, donor)
        yield site.insert_before(lines, "statement copied", prior, flags=flags)
        if site.node.next_named_sibling is None and not statements.leaves(site.node):
            yield site.insert_behind(lines, "statement copied", prior)


def _stands_anywhere(donor: Donor) -> bool:
    """Tell whether a statement may stand outside of functions."""
    return not donor.text.startswith(("return", "if", "raise")) and "self" not in donor.names


def _indented(donor: Donor, indent: str) -> str:
    first, *rest = donor.text.replace("\r\n", "\n").split("\n")
    lines = [
        first,
        *(line[donor.column :] if line[: donor.column].isspace() else line for line in rest),
    ]
    return "".join(f"{indent}{line}\n" for line in lines)


def _unreachable(site: Site, donor: Donor) -> frozenset[Flag]:
    leaves = any(donor.row == one.row for one in site.source.donors.leaving)
    is_guard = "\n" in donor.text
    return frozenset({Flag.UNREACHABLE}) if leaves and not is_guard else frozenset()


def returned(site: Site) -> Iterator[Sketch]:
    """`f(x)` → `return f(x)`; a value that is thrown away."""
    statements = whole_statements(site)
    expression = statements.expression(site.node) if statements is not None else None
    if expression is None or function_around(site) is None:
        return
    text = site.grammar.words.returning.format(value=site.source.text(expression))
    yield site.replace(text, "returned", 0.25, tier=2)


def kept(site: Site) -> Iterator[Sketch]:
    """`x.strip()` → `x = x.strip()`; a value that is thrown away."""
    statements = whole_statements(site)
    expression = statements.expression(site.node) if statements is not None else None
    if statements is None or expression is None:
        return
    names = [name for name in site.read_names if site.source.text(expression).startswith(name)]
    for name in names[:1]:
        text = statements.words.assign.format(name=name, value=site.source.text(expression))
        yield site.replace(text, "value kept", 0.15, tier=2)


def assigned_instead(site: Site) -> Iterator[Sketch]:
    """`x.update(y)` → `x = y`."""
    statements = whole_statements(site)
    call = statements.expression(site.node) if statements is not None else None
    if statements is None or call is None or site.grammar.kind(call) is not Kind.CALL:
        return
    callee, arguments = site.grammar.callee(call), site.grammar.arguments(call)
    if callee is None or site.grammar.kind(callee) is not Kind.ATTRIBUTE or len(arguments) != 1:
        return
    parts = site.grammar.member(callee)
    if parts is not None and site.grammar.is_single(arguments[0]):
        name, value = site.source.text(parts[0]), site.source.text(arguments[0])
        text = statements.words.assign.format(name=name, value=value)
        yield site.replace(text, "assigned instead", 0.12, tier=2)


def left_otherwise(site: Site) -> Iterator[Sketch]:
    """`return None` → `raise ValueError(...)`, `raise` → `continue`, as the file leaves near."""
    statements = whole_statements(site)
    if statements is None or not statements.leaves(site.node):
        return
    is_loop, is_inside = statements.is_loop_around(site.node), function_around(site) is not None
    leaving = site.source.donors.leaving
    near = nearest(leaving, site.row, site.scope.known, MOST_LEAVING, near=frozenset())
    for rank, donor in enumerate(near if is_inside else ()):
        is_other = donor.text != site.text and "\n" not in donor.text
        if is_other and (is_loop or donor.text not in site.grammar.jumps):
            yield site.replace(donor.text, "left otherwise", 0.1 / (1 + 0.1 * rank), tier=2)
    if is_loop and site.text != statements.words.skip:
        yield site.replace(statements.words.skip, "left otherwise", 0.08, tier=2)


def collected(site: Site) -> Iterator[Sketch]:
    """`x = y` → `x.append(y)`, `x.extend(y)`, `x.update(y)`."""
    if site.grammar.statements is None:
        return
    parts = site.grammar.assigned(site.node)
    if parts is None or site.grammar.kind(parts[0]) not in {Kind.NAME, Kind.ATTRIBUTE}:
        return
    name, value = (site.source.text(part) for part in parts)
    for rank, form in enumerate(site.grammar.statements.words.collecting):
        text = form.format(name=name, value=value)
        yield site.replace(text, "collected", 0.1 / (1 + 0.2 * rank), tier=2)
