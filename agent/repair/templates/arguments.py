"""Tier 2: arguments given by name, passed on, or left to a default."""

from collections.abc import Iterator
from typing import Final

from agent.repair.donors import nearest
from agent.repair.lang.base import Kind
from agent.repair.lang.statements import Parameter, Statements
from agent.repair.proposal import Sketch
from agent.repair.source import Site
from agent.repo.syntax import ancestors

MOST_KEYWORDS: Final = 6
MOST_PASSED: Final = 4


def keyword_added(site: Site) -> Iterator[Sketch]:
    """`f(x)` → `f(x, key=key)`, as other calls have it, as the callee takes it, or passed on."""
    statements, callee = site.grammar.statements, site.grammar.callee(site.node)
    if statements is None or callee is None or site.grammar.argument_list(site.node) is None:
        return
    given = _given(site)
    drawn: set[str] = set()
    for text, prior in _wanted(site, statements, site.called_name):
        name = text.partition("=")[0]
        if name not in given and text not in given and text not in drawn:
            drawn.add(text)
            yield more(site, text, "keyword given", prior)


def more(site: Site, text: str, template: str, prior: float, *, tier: int = 2) -> Sketch:
    """Draw one more argument behind the others."""
    arguments = site.grammar.arguments(site.node)
    if arguments:
        return site.insert_after(arguments[-1], f", {text}", template, prior, tier=tier)
    node = site.grammar.argument_list(site.node)
    return site.replace(f"({text})", template, prior, node=node, tier=tier)


def _given(site: Site) -> set[str]:
    """Names of the keywords that the call has, and its other arguments as written."""
    found = set()
    for argument in site.grammar.arguments(site.node):
        parts = site.grammar.keyword(argument)
        found.add(site.source.text(argument if parts is None else parts[0]))
    return found


def _wanted(site: Site, statements: Statements, called: str) -> Iterator[tuple[str, float]]:
    words, scope, donors = statements.words, site.scope, site.source.donors
    near = frozenset(site.read_names)
    for parameter in site.source.parameters.get(called, ()):
        yield from _for_parameter(site, statements, parameter)
    same = donors.keywords.get(called, ())
    for rank, donor in enumerate(nearest(same, site.row, scope.known, MOST_KEYWORDS, near=near)):
        yield donor.text, 0.2 / (1 + 0.1 * rank)
    for text in words.usual_keywords.get(called, ()):
        yield text, 0.1
    function = next((n for n in ancestors(site.node) if site.grammar.is_function(n)), None)
    own = statements.parameters(function) if function is not None else ()
    passed = [one for one in own if one.name not in site.grammar.receivers]
    for parameter in passed[-MOST_PASSED:]:
        text = site.source.text(parameter.node)
        if parameter.may_have_default:
            yield words.given.format(name=parameter.name, value=parameter.name), 0.1
        elif text.startswith("*"):
            yield text, 0.12
    others = nearest(donors.all_keywords, site.row, scope.known, MOST_KEYWORDS, near=near)
    for rank, donor in enumerate(others):
        yield donor.text, 0.05 / (1 + 0.1 * rank)
    this = site.grammar.words.own
    if this in scope.values:
        used = {donor.text.partition("=")[0].strip() for donor in donors.all_keywords}
        members = [name for name in scope.attributes.get(this, ()) if name in used]
        for rank, name in enumerate(members[:MOST_KEYWORDS]):
            yield words.given.format(name=name, value=f"{this}.{name}"), 0.06 / (1 + 0.1 * rank)


def _for_parameter(
    site: Site, statements: Statements, parameter: Parameter
) -> Iterator[tuple[str, float]]:
    """What a parameter of the callee may be given."""
    if not parameter.may_have_default:
        return
    words, scope, own = site.grammar.words, site.scope, site.grammar.words.own
    name, given = parameter.name, statements.words.given
    if name in scope.values:
        yield given.format(name=name, value=name), 0.3
    if name in scope.attributes.get(own, ()) and own in scope.values:
        yield given.format(name=name, value=f"{own}.{name}"), 0.2
    default = site.grammar.kind(parameter.default) if parameter.default is not None else None
    if default is Kind.TRUE:
        yield given.format(name=name, value=words.false), 0.15
    elif default is Kind.FALSE:
        yield given.format(name=name, value=words.true), 0.15


def default_given(site: Site) -> Iterator[Sketch]:
    """`next(x)` → `next(x, None)`, `d.get(k)` → `d.get(k, [])`."""
    callee, arguments = site.grammar.callee(site.node), site.grammar.arguments(site.node)
    count, form = site.grammar.with_default.get(site.called_name, (0, ""))
    if callee is None or not count or len(arguments) != count or site.failure is not None:
        return
    given = ", ".join(site.source.text(argument) for argument in arguments)
    for rank, empty in enumerate(site.grammar.words.empties[:6]):
        text = form.format(callee=site.source.text(callee), arguments=given, value=empty)
        yield site.replace(text, "a default", 0.12 / (1 + 0.15 * rank))


def parameter_default(site: Site) -> Iterator[Sketch]:
    """`def f(a, b)` → `def f(a, b=None)`, for the last one without a default."""
    statements = site.grammar.statements
    if statements is None or not site.grammar.is_function(site.node):
        return
    plain = [one for one in statements.parameters(site.node) if one.may_have_default]
    bare = [one for one in plain if one.default is None]
    if not bare or plain.index(bare[-1]) != len(bare) - 1:
        return
    for rank, empty in enumerate(site.grammar.words.empties[:6]):
        text = statements.words.given.format(name=site.source.text(bare[-1].node), value=empty)
        prior = 0.12 / (1 + 0.2 * rank)
        yield site.replace(text, "a default", prior, node=bare[-1].node, tier=2)
