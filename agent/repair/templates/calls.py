"""Calls, indices, slices and what is returned: the right parts in the wrong place."""

from collections.abc import Iterator

from agent.repair.lang.base import Kind
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site
from agent.repo.syntax import SyntaxNode


def swapped_arguments(site: Site) -> Iterator[Sketch]:
    """`f(a, b)` → `f(b, a)`, any two arguments."""
    arguments = site.grammar.arguments(site.node)
    for index, one in enumerate(arguments):
        for distance, other in enumerate(arguments[index + 1 :]):
            texts = site.source.text(one), site.source.text(other)
            is_same = site.grammar.is_single(one) == site.grammar.is_single(other)
            if texts[0] != texts[1] and is_same:
                yield _exchange(site, one, other, 0.55 if distance == 0 else 0.25)


def _exchange(site: Site, one: SyntaxNode, other: SyntaxNode, prior: float) -> Sketch:
    first = site.replace(site.source.text(other), "arguments swapped", prior, node=one)
    second = site.replace(site.source.text(one), "arguments swapped", prior, node=other)
    return Sketch((*first.edits, *second.edits), "arguments swapped", prior)


def dropped_argument(site: Site) -> Iterator[Sketch]:
    """`f(a, b)` → `f(a)`."""
    arguments = site.grammar.arguments(site.node)
    if len(arguments) < 2:
        return
    for dropped in arguments:
        kept = ", ".join(site.source.text(node) for node in arguments if node != dropped)
        yield from _with_arguments(site, kept, "one argument less", 0.25, frozenset({Flag.DELETES}))


def added_argument(site: Site) -> Iterator[Sketch]:
    """`f(a)` → `f(a, b)`, with `b` a variable of the scope or a plain constant."""
    arguments = site.grammar.arguments(site.node)
    texts = [site.source.text(node) for node in arguments]
    if len(arguments) > 4 or site.grammar.argument_list(site.node) is None:
        return
    words, receivers = site.grammar.words, site.grammar.receivers
    names = [name for name in site.scope.values if name not in receivers]
    has_place = bool(arguments) and site.grammar.is_single(arguments[-1])
    for extra in (*names[:8], words.none, "1", words.true, words.false):
        if extra in texts:
            continue
        if not arguments:
            yield from _with_arguments(site, extra, "one argument more", 0.14)
            continue
        if has_place:
            yield site.insert_after(arguments[-1], f", {extra}", "one argument more", 0.14, tier=1)
        yield site.put_before(arguments[0], f"{extra}, ", "one argument more", 0.1)


def _with_arguments(
    site: Site, text: str, template: str, prior: float, flags: frozenset[Flag] = frozenset()
) -> Iterator[Sketch]:
    node = site.grammar.argument_list(site.node)
    if node is not None:
        yield site.replace(f"({text})", template, prior, node=node, flags=flags)


def unwrapped(site: Site) -> Iterator[Sketch]:
    """`f(x)` → `x`, `x.m()` → `x`, `x()` → `x`."""
    flags = frozenset({Flag.DELETES})
    for argument in site.grammar.arguments(site.node)[:2]:
        if site.grammar.is_single(argument):
            yield site.replace(site.source.text(argument), "without the call", 0.25, flags=flags)
    callee = site.grammar.callee(site.node)
    if callee is None:
        return
    if not site.grammar.arguments(site.node):
        yield site.replace(site.source.text(callee), "not called", 0.25)
    parts = site.grammar.member(callee) if site.grammar.kind(callee) is Kind.ATTRIBUTE else None
    if parts is not None:
        yield site.replace(site.source.text(parts[0]), "without the call", 0.22, flags=flags)


def called(site: Site) -> Iterator[Sketch]:
    """`x.m` → `x.m()`, where the value itself is used."""
    if site.is_value:
        yield site.replace(f"{site.text}()", "called", 0.3)


def wrapped(site: Site) -> Iterator[Sketch]:
    """`x` → `list(x)`, `str(x)`, `len(x)` ..."""
    if not site.is_value:
        return
    parent = site.node.parent
    if parent is None or site.grammar.kind(parent) in {Kind.ATTRIBUTE, Kind.EXPRESSION}:
        return
    for place, function in enumerate(site.grammar.wrappers):
        if not site.text.startswith(f"{function}("):
            yield site.replace(f"{function}({site.text})", "wrapped", 0.16 / (1 + 0.15 * place))


def method_added(site: Site) -> Iterator[Sketch]:
    """`x` → `x.strip()`, `x.lower()`, `x.copy()`, `x.items()` and the like."""
    if not site.is_value:
        return
    parent = site.node.parent
    if parent is None or site.grammar.kind(parent) is Kind.ATTRIBUTE:
        return
    is_gone_through = site.grammar.kind(parent) is Kind.LOOP
    for method in site.grammar.methods:
        prior = 0.15 if is_gone_through else 0.1
        yield site.replace(f"{site.text}.{method}()", "method called", prior)


def other_index(site: Site) -> Iterator[Sketch]:
    """`x[i]` → `x[0]`, `x[-1]`, `x[-i]`; `x[k]` → `x.get(k)`."""
    parts = site.grammar.member(site.node)
    if parts is None or not site.grammar.is_read(site.node):
        return
    index = parts[1]
    if site.grammar.kind(index) is Kind.SLICE:
        return
    owner, text = site.source.text(parts[0]), site.source.text(index)
    last = site.grammar.words.last_index.format(owner=owner)
    tried = (("0", 0.25), (last, 0.3), ("1", 0.2), (f"-{text}", 0.15))
    if site.grammar.kind(index) is not Kind.STRING:
        for other, prior in tried:
            if other != text:
                yield site.replace(other, "another index", prior, node=index)
    text = site.grammar.words.lookup.format(owner=owner, key=text)
    if text:
        yield site.replace(text, "get", 0.12)


def other_slice(site: Site) -> Iterator[Sketch]:
    """`[a:b]` → `[a:]`, `[:b]`, `[b:a]`, `[a:b - 1]`, `[1:b]`, `[::-1]`."""
    parts = site.grammar.slice_parts(site.node)
    if parts is None:
        return
    start, end = parts
    words = site.grammar.words
    shapes = [(start, ""), ("", end), (end, start), ("1", end), ("0", end), (start, "-1")]
    if end:
        shapes += [(start, f"{end} - 1"), (start, f"{end} + 1"), (start, f"-{end}")]
    if start:
        shapes += [(f"{start} + 1", end), (f"{start} - 1", end), (f"-{start}", end)]
    for low, high in dict.fromkeys(shapes):
        if (low, high) != (start, end):
            text = words.slice.format(low=low, high=high)
            yield site.replace(text, "another slice", 0.35)
    yield site.replace(words.reversed_slice, "another slice", 0.08)


def unindexed(site: Site) -> Iterator[Sketch]:
    """`x[i]` → `x`, `x[a:b]` → `x`."""
    parts = site.grammar.member(site.node)
    if parts is not None and site.grammar.is_read(site.node):
        text = site.source.text(parts[0])
        yield site.replace(text, "without the index", 0.2, flags=frozenset({Flag.DELETES}))


def indexed(site: Site) -> Iterator[Sketch]:
    """`x` → `x[0]`, `x[-1]`, `x[1:]`, `x[:-1]`."""
    parent = site.node.parent
    if parent is None or not site.is_value:
        return
    if site.grammar.kind(parent) in {Kind.ATTRIBUTE, Kind.EXPRESSION}:
        return
    words = site.grammar.words
    last = words.last_index.format(owner=site.text)
    rest = (words.slice.format(low="1", high=""), words.slice.format(low="", high="-1"))
    for index in ("0", last, *rest, words.reversed_slice):
        if index:
            yield site.replace(f"{site.text}[{index}]", "indexed", 0.1)


def other_return(site: Site) -> Iterator[Sketch]:
    """`return x` → `return y`, with `y` a variable of the scope, a constant, or negated."""
    value = site.grammar.returned(site.node)
    words = site.grammar.words
    names = [name for name in site.scope.values if name not in site.grammar.receivers]
    if value is None:
        for name in names[:12]:
            text = words.returning.format(value=name)
            yield site.replace(text, "something returned", 0.4)
        return
    text = site.source.text(value)
    flags = frozenset() if site.grammar.kind(value) is Kind.NAME else frozenset({Flag.DELETES})
    for name in names[:12]:
        if name != text and site.grammar.kind(value) is not Kind.NAME:
            yield site.replace(name, "another value returned", 0.25, node=value, flags=flags)
    constant = frozenset({Flag.CONSTANT})
    for weight, empty in enumerate(words.empties):
        if empty != text:
            yield site.replace(
                empty, "a constant returned", 0.12 / (1 + 0.3 * weight), node=value, flags=constant
            )
    if site.grammar.kind(value) not in {Kind.TRUE, Kind.FALSE, Kind.NONE, Kind.NEGATION}:
        yield site.replace(site.grammar.negated(value), "negated", 0.15, node=value)


def container_parts(site: Site) -> Iterator[Sketch]:
    """`(a, b)` → `(b, a)`, for pairs."""
    parts = site.grammar.elements(site.node)
    if len(parts) == 2 and site.grammar.kind(parts[0]) is not Kind.PAIR:
        yield _exchange(site, parts[0], parts[1], 0.25)


def idiom(site: Site) -> Iterator[Sketch]:
    """What only this language has: `yield x` ↔ `yield from x`."""
    for other in site.grammar.idioms(site.node):
        yield site.replace(other.text, other.template, other.prior, tier=other.tier)
