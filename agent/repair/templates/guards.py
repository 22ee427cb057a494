"""Tier 0, statements: leave early where the crash would come, or catch it."""

from collections.abc import Iterator
from typing import Final

from agent.repair.lang.base import Kind, Trouble
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site
from agent.repo.syntax import SyntaxNode, ancestors

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


def guard(site: Site) -> Iterator[Sketch]:
    """Return early for an empty or absent variable that the crashing statement uses."""
    failure = site.failure
    if failure is None or not failure.is_crash or not site.complains(*_GUARDED):
        return
    words, nothing = site.grammar.words, site.grammar.nothing_types
    indent = site.source.indent_at(site.node.start_point.row)
    for rank, name in enumerate(_used_names(site)[:4]):
        is_none = failure.local_types.get(name) in nothing
        statement = words.none_guard if is_none else words.truthy_guard
        values = dict.fromkeys((name, *words.empties) if not is_none else words.empties)
        for place, value in enumerate(values):
            lines = statement.format(indent=indent, name=name, value=value)
            prior = 0.45 / (1 + 0.12 * place + 0.3 * rank)
            yield site.insert_before(lines, "guarded", prior, tier=0)


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
