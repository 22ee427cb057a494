"""Tier 0, statements: leave early where the crash would come, or catch it."""

from collections.abc import Iterator
from typing import Final

from agent.repair.lang.base import Kind, Trouble
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site
from agent.repo.syntax import SyntaxNode, ancestors, walk

_GUARDED: Final = (
    Trouble.MISSING_MEMBER,
    Trouble.MISSING_KEY,
    Trouble.BAD_INDEX,
    Trouble.ZERO_DIVISOR,
    Trouble.NOTHING,
    Trouble.NOT_CALLABLE,
    Trouble.WRONG_TYPE,
    Trouble.WRONG_VALUE,
    Trouble.EMPTY_INPUT,
    Trouble.ENDLESS,
)
"""What a value that is empty or absent may have led to."""
_CONSTANTS: Final = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.STRING, Kind.NONE})
OTHER_ANSWERS: Final = 1 / 3
"""Share of its prior for a value that the function, which returns constants, returns nowhere."""


def guard(site: Site) -> Iterator[Sketch]:
    """Return early for an empty or absent variable that the crashing statement uses."""
    failure = site.failure
    if failure is None or not failure.is_crash or not site.complains(*_GUARDED):
        return
    words, nothing = site.grammar.words, site.grammar.nothing_types
    indent, answers = site.source.indent_at(site.node.start_point.row), _answers(site)
    for rank, name in enumerate(_used_names(site)[:4]):
        is_none = failure.local_types.get(name) in nothing
        statement = words.none_guard if is_none else words.truthy_guard
        others = words.empties if is_none else (name, *words.empties)
        for place, value in enumerate(dict.fromkeys((*answers, *others))):
            lines = statement.format(indent=indent, name=name, value=value)
            share = OTHER_ANSWERS if answers and value not in answers else 1.0
            prior = share * 0.45 / (1 + 0.12 * place + 0.3 * rank)
            yield site.insert_before(lines, "guarded", prior, tier=0)


def _answers(site: Site) -> tuple[str, ...]:
    """Constants that the function around returns elsewhere; with a truth value also the other."""
    words, kind = site.grammar.words, site.grammar.kind
    function = next((one for one in ancestors(site.node) if site.grammar.is_function(one)), None)
    found: dict[str, None] = {}
    for node in walk(function) if function is not None else ():
        value = site.grammar.returned(node) if kind(node) is Kind.RETURN else None
        if value is None:
            continue
        if kind(value) in {Kind.TRUE, Kind.FALSE}:
            found |= dict.fromkeys((words.false, words.true))
        elif _is_constant(site, value) or site.source.text(value) in words.empties:
            found.setdefault(site.source.text(value))
    return tuple(found)


def _is_constant(site: Site, value: SyntaxNode) -> bool:
    """Tell whether it is a literal, or a number with its sign."""
    kind = site.grammar.kind
    signed = site.grammar.operands(value) if kind(value) is Kind.SIGN else (value,)
    return all(kind(one) in _CONSTANTS for one in signed)


def _used_names(site: Site) -> list[str]:
    """Variables that the statement reads, absent ones first."""
    visible = set(site.scope.values) - site.grammar.receivers
    used = [site.source.text(node) for node in site.source.names_in(site.node, deep=False)]
    names = [name for name in dict.fromkeys(used) if name in visible]
    types = site.failure.local_types if site.failure is not None else {}
    return sorted(names, key=lambda name: types.get(name) not in site.grammar.nothing_types)


def wider_handler(site: Site) -> Iterator[Sketch]:
    """`except KeyError` → also the exception that got through, at the handler itself."""
    if site.failure is not None and site.failure.error:
        yield from _wider(site, site.node)


def wider_handler_around(site: Site) -> Iterator[Sketch]:
    """The same for the handlers of the block in which a statement crashed."""
    if site.failure is None or not site.failure.error or not site.failure.is_crash:
        return
    inner = site.node
    for outer in ancestors(site.node):
        if site.grammar.is_function(outer) or site.grammar.kind(inner) is Kind.HANDLER:
            return
        for handler in outer.named_children:
            if site.grammar.kind(handler) is Kind.HANDLER and handler != inner:
                yield from _wider(site, handler)
        inner = outer


def _wider(site: Site, handler: SyntaxNode) -> Iterator[Sketch]:
    value, error = site.grammar.caught(handler), site.failure.error if site.failure else ""
    if value is None or error in site.source.text(value):
        return
    caught = site.source.text(value).strip("()").rstrip(",")
    both = site.grammar.words.also_caught.format(caught=caught, error=error)
    flags = frozenset({Flag.SWALLOWS})
    yield site.replace(both, "also caught", 0.5, node=value, tier=0, flags=flags)
