"""Tier 0, names: what a message that names something asks for, where its traceback passed."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import Kind, Trouble
from agent.repair.proposal import Sketch
from agent.repair.source import Site
from agent.repo.syntax import SyntaxNode, ancestors


def undefined_name(site: Site) -> Iterator[Sketch]:
    """A near name of the scope, the object's own member, or a missing import."""
    found = site.complains(Trouble.UNDEFINED_NAME)
    if found is None or site.text != found.name:
        return
    scope, words = site.scope, site.grammar.words
    known = dict.fromkeys((*scope.values, *scope.globals, *scope.callables))
    yield from _near(site, known, "near name", 0.95)
    if found.name in scope.attributes.get(words.own, ()):
        yield site.replace(f"{words.own}.{found.name}", "the object's own", 0.95, tier=0)
    if found.name in site.grammar.modules:
        line = words.import_module.format(name=found.name)
        at = site.source.line_starts[site.grammar.import_row(site.source.tree)]
        yield Sketch((ByteEdit(at, at, line.encode()),), "missing import", 0.95, 0)


def _near(
    site: Site, known: Iterable[str], template: str, prior: float, node: SyntaxNode | None = None
) -> Iterator[Sketch]:
    """Names that look like the one at the place, likest first."""
    text = site.text if node is None else site.source.text(node)
    near = get_close_matches(text, [name for name in known if name != text], n=6, cutoff=0.5)
    for place, name in enumerate(near):
        yield site.replace(name, template, prior / (1 + 0.1 * place), node=node, tier=0)


def missing_member(site: Site) -> Iterator[Sketch]:
    """A near member, anything that the file uses on such an object."""
    found = site.complains(Trouble.MISSING_MEMBER)
    parts = site.grammar.member(site.node)
    if found is None or parts is None or site.source.text(parts[1]) != found.name:
        return
    attributes = site.scope.attributes
    own = attributes.get(site.source.text(parts[0]), ())
    known = {name for names in attributes.values() for name in names} - {found.name}
    for sketch in _near(site, sorted(known), "near member", 0.9, parts[1]):
        is_own = sketch.edits[0].text.decode() in own
        yield sketch if is_own else site.weaker(sketch, 0.9)


def missing_module(site: Site) -> Iterator[Sketch]:
    """A near name of the standard library or of the file."""
    found = site.complains(Trouble.NO_MODULE)
    if found is not None and site.text == found.name:
        yield from _near(site, (*site.grammar.modules, *site.scope.callables), "near name", 0.9)


def wrong_keyword(site: Site) -> Iterator[Sketch]:
    """A near keyword, or the call without it."""
    found = site.complains(Trouble.WRONG_KEYWORD)
    if found is None:
        return
    for argument in site.grammar.arguments(site.node):
        parts = site.grammar.keyword(argument)
        if parts is None or site.source.text(parts[0]) != found.name:
            continue
        attributes = site.scope.attributes.values()
        known = dict.fromkeys(
            (*site.scope.values, *(name for names in attributes for name in names))
        )
        yield from _near(site, known, "near name", 0.8, parts[0])
        yield site.replace(site.source.text(parts[1]), "given by place", 0.4, node=argument, tier=0)


def unbound_local(site: Site) -> Iterator[Sketch]:
    """Give the variable a value before the statement that may or may not give it one."""
    found = site.complains(Trouble.UNBOUND)
    if found is None or site.text != found.name:
        return
    for rank, place in enumerate(_before_first_binding(site, found.name)):
        indent = site.source.indent_at(place.node.start_point.row)
        for weight, empty in enumerate(site.grammar.words.empties):
            line = site.grammar.words.initialise.format(indent=indent, name=found.name, value=empty)
            prior = 0.7 / (1 + 0.1 * weight + 0.3 * rank)
            yield place.insert_before(line, "initialised", prior, tier=0)
    yield from _near(site, site.scope.values, "near name", 0.5)


def _before_first_binding(site: Site, name: str) -> Iterator[Site]:
    """The statements of the function that hold the first binding of the name, innermost first.

    A statement directly in the body comes first, then the body's first.
    """
    function = next((n for n in ancestors(site.node) if site.grammar.is_function(n)), None)
    statements = site.grammar.body(function) if function is not None else ()
    binding = next((one for one in statements if _mentions(site, one, name)), None)
    for node in dict.fromkeys(one for one in (binding, *statements[:1]) if one is not None):
        yield Site(site.source, node, Kind.OTHER, site.failure)


def _mentions(site: Site, statement: SyntaxNode, name: str) -> bool:
    return any(
        site.source.text(node) == name
        for node in site.source.names_in(statement)
        if not site.grammar.is_read(node)
    )
