"""Tier 0, values: what a message about a wrong, missing or empty value asks for."""

from collections.abc import Iterator

from agent.repair.lang.base import Kind, Trouble
from agent.repair.proposal import Sketch
from agent.repair.source import Site


def missing_key(site: Site) -> Iterator[Sketch]:
    """`d[k]` → `d.get(k)`, with an empty value or one of the scope."""
    parts, words = site.grammar.member(site.node), site.grammar.words
    if parts is None or not site.complains(Trouble.MISSING_KEY) or not words.lookup:
        return
    if not site.grammar.is_read(site.node):
        return
    owner, key = (site.source.text(part) for part in parts)
    yield site.replace(words.lookup.format(owner=owner, key=key), "get", 0.7, tier=0)
    for place, empty in enumerate(words.empties[1:7]):
        text = words.lookup_or.format(owner=owner, key=key, other=empty)
        yield site.replace(text, "get", 0.65 / (1 + 0.1 * place), tier=0)
    for name in site.scope.values[:8]:
        if name not in {key, owner}:
            text = words.lookup_or.format(owner=owner, key=key, other=name)
            yield site.replace(text, "get", 0.4, tier=0)


def index_too_far(site: Site) -> Iterator[Sketch]:
    """One less, the last one, or nothing where the container is empty."""
    parts, words = site.grammar.member(site.node), site.grammar.words
    if parts is None or not site.complains(Trouble.BAD_INDEX):
        return
    owner, index = (site.source.text(part) for part in parts)
    last = words.last_index.format(owner=owner)
    yield site.replace(f"{index} - 1", "off by one", 0.85, node=parts[1], tier=0)
    yield site.replace(last, "another index", 0.6, node=parts[1], tier=0)
    if site.grammar.is_read(site.node):
        for place, empty in enumerate(words.empties):
            text = words.choice.format(value=site.text, condition=owner, other=empty)
            yield site.replace(f"({text})", "empty guarded", 0.5 / (1 + 0.15 * place), tier=0)


def divided_by_zero(site: Site) -> Iterator[Sketch]:
    """A value for the case that the divisor is zero."""
    operands, operators = site.grammar.operands(site.node), site.grammar.operators(site.node)
    if len(operands) != 2 or not site.complains(Trouble.ZERO_DIVISOR):
        return
    if site.source.text(operators[0]) not in site.grammar.dividers:
        return
    words, divisor = site.grammar.words, site.source.text(operands[1])
    others = ("0", "0.0", words.none, "1", site.source.text(operands[0]))
    for place, other in enumerate(others):
        text = words.choice.format(value=site.text, condition=divisor, other=other)
        yield site.replace(f"({text})", "zero guarded", 0.7 / (1 + 0.1 * place), tier=0)


def absent_owner(site: Site) -> Iterator[Sketch]:
    """A member of nothing: `x.m()` → `(x.m() if x is not None else [])`."""
    found = site.complains(Trouble.NOTHING)
    parts = site.grammar.member(site.node)
    if found is None or parts is None or site.source.text(parts[1]) != found.name:
        return
    for other in site.grammar.idioms(site.node):
        if other.template == "asked for":
            yield site.replace(other.text, other.template, 0.9, tier=0)
    words, owner = site.grammar.words, site.source.text(parts[0])
    whole = site.node.parent if site.is_callee and site.node.parent is not None else site.node
    for place, empty in enumerate(words.empties[:5]):
        text = words.choice.format(
            value=site.source.text(whole), condition=words.is_present.format(owner), other=empty
        )
        prior = 0.5 / (1 + 0.2 * place)
        yield site.replace(f"({text})", "none guarded", prior, node=whole, tier=0)


def absent_operand(site: Site) -> Iterator[Sketch]:
    """Nothing as an operand: `x` → `(x or [])`."""
    if not site.complains(Trouble.NOTHING) or not site.is_value or site.failure is None:
        return
    type_ = site.failure.local_types.get(site.text, "")
    if type_ and type_ not in site.grammar.nothing_types:
        return
    prior = 0.8 if type_ else 0.4
    for place, empty in enumerate(site.grammar.words.empties[1:7]):
        text = site.grammar.words.or_else.format(value=site.text, other=empty)
        yield site.replace(text, "none guarded", prior / (1 + 0.1 * place), tier=0)


def converted(site: Site) -> Iterator[Sketch]:
    """A value of the wrong type: `x` → `str(x)`, `int(x)`, `x.encode()`."""
    if site.complains(Trouble.WRONG_TYPE, Trouble.WRONG_VALUE) is None or not site.is_value:
        return
    message = site.failure.message if site.failure is not None else ""
    is_type = site.complains(Trouble.WRONG_TYPE) is not None
    for form, word in site.grammar.conversions:
        if is_type or word in message:
            prior = 0.6 if word in message else 0.3
            yield site.replace(form.format(site.text), "converted", prior, tier=0)


def other_prefix(site: Site) -> Iterator[Sketch]:
    """Text where bytes are wanted, or the other way round: `'x'` → `b'x'`."""
    if site.complains(Trouble.WRONG_TYPE):
        for other in site.grammar.idioms(site.node):
            if other.template == "another prefix":
                yield site.replace(other.text, other.template, 0.7, tier=0)


def missing_default(site: Site) -> Iterator[Sketch]:
    """The first or largest of nothing: `next(x)` → `next(x, None)`."""
    if not site.complains(Trouble.EMPTY_INPUT, Trouble.MISSING_KEY, Trouble.MISSING_MEMBER):
        return
    callee, arguments = site.grammar.callee(site.node), site.grammar.arguments(site.node)
    if callee is None:
        return
    parts = site.grammar.member(callee) if site.grammar.kind(callee) is Kind.ATTRIBUTE else None
    name = site.source.text(callee if parts is None else parts[1])
    count, form = site.grammar.with_default.get(name, (0, ""))
    if not count or len(arguments) != count:
        return
    given = ", ".join(site.source.text(argument) for argument in arguments)
    for place, empty in enumerate(site.grammar.words.empties):
        text = form.format(callee=site.source.text(callee), arguments=given, value=empty)
        yield site.replace(text, "a default", 0.9 / (1 + 0.15 * place), tier=0)


def missing_wait(site: Site) -> Iterator[Sketch]:
    """`f(x)` → `await f(x)`, where what was got is still to come."""
    if not site.complains(Trouble.NOT_AWAITED) or site.grammar.is_waited(site.node):
        return
    if site.is_value:
        text = site.grammar.words.waited.format(value=site.text)
        parent = site.node.parent
        is_inner = parent is not None and site.grammar.kind(parent) in {Kind.ATTRIBUTE, Kind.INDEX}
        yield site.replace(f"({text})" if is_inner else text, "waited for", 0.9, tier=0)


def wrong_count(site: Site) -> Iterator[Sketch]:
    """Arguments too many or too few: one less, the one that the message names, one of the scope."""
    found = site.complains(Trouble.WRONG_COUNT)
    callee, node = site.grammar.callee(site.node), site.grammar.argument_list(site.node)
    if found is None or callee is None or node is None:
        return
    if found.owner and not site.source.text(callee).endswith(found.owner):
        return
    arguments = [site.source.text(argument) for argument in site.grammar.arguments(site.node)]
    if found.name:
        yield from _one_more(site, arguments, found.name)
        return
    for dropped in range(len(arguments)):
        kept = ", ".join(text for place, text in enumerate(arguments) if place != dropped)
        yield site.replace(f"({kept})", "one argument less", 0.6, node=node, tier=0)
    if len(arguments) > 1:
        text = site.grammar.words.grouped.format(", ".join(arguments))
        yield site.replace(f"({text})", "given as one", 0.4, node=node, tier=0)


def _one_more(site: Site, arguments: list[str], name: str) -> Iterator[Sketch]:
    node, scope, own = site.grammar.argument_list(site.node), site.scope, site.grammar.words.own
    known = [text for text in (name,) if text in scope.values or text in scope.globals]
    if name in scope.attributes.get(own, ()):
        known.append(f"{own}.{name}")
    others = [text for text in scope.values[:8] if text not in {name, *arguments}]
    for text, prior in [*((one, 0.9) for one in known), *((one, 0.4) for one in others)]:
        for more in ([*arguments, text], [text, *arguments] if arguments else []):
            if more:
                joined = ", ".join(more)
                yield site.replace(f"({joined})", "one argument more", prior, node=node, tier=0)
