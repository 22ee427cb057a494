"""Calls, indices, slices and what is returned: the right parts in the wrong place."""

from collections.abc import Iterator

from agent.repair.lang.base import Kind
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site
from agent.repo.syntax import SyntaxNode, walk


def swapped_arguments(site: Site) -> Iterator[Sketch]:
    """`f(a, b)` → `f(b, a)`, any two arguments."""
    arguments = site.grammar.arguments(site.node)
    for index, one in enumerate(arguments):
        for distance, other in enumerate(arguments[index + 1 :]):
            texts = site.source.text(one), site.source.text(other)
            if texts[0] != texts[1]:
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
        yield _with_arguments(site, kept, "one argument less", 0.25, frozenset({Flag.DELETES}))


def added_argument(site: Site) -> Iterator[Sketch]:
    """`f(a)` → `f(a, b)`, with `b` a variable of the scope or a plain constant."""
    arguments = [site.source.text(node) for node in site.grammar.arguments(site.node)]
    if len(arguments) > 4 or any("for" in text.split() for text in arguments):
        return
    words = site.grammar.words
    extras = [*[name for name in site.scope.values if name != "self"][:8], words.none]
    for extra in (*extras, "1", words.true, words.false):
        if extra not in arguments:
            yield _with_arguments(site, ", ".join([*arguments, extra]), "one argument more", 0.14)
            if arguments:
                more = ", ".join([extra, *arguments])
                yield _with_arguments(site, more, "one argument more", 0.1)


def _with_arguments(
    site: Site, text: str, template: str, prior: float, flags: frozenset[Flag] = frozenset()
) -> Sketch:
    node = site.node.child_by_field_name("arguments")
    return site.replace(f"({text})", template, prior, node=node, flags=flags)


def unwrapped(site: Site) -> Iterator[Sketch]:
    """`f(x)` → `x`, `x.m()` → `x`, `x()` → `x`."""
    flags = frozenset({Flag.DELETES})
    for argument in site.grammar.arguments(site.node)[:2]:
        if argument.type not in {"keyword_argument", "list_splat", "dictionary_splat"}:
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
    if not site.is_callee and site.grammar.is_read(site.node):
        yield site.replace(f"{site.text}()", "called", 0.3)


def wrapped(site: Site) -> Iterator[Sketch]:
    """`x` → `list(x)`, `str(x)`, `len(x)` ..."""
    if site.is_callee or not site.grammar.is_read(site.node):
        return
    parent = site.node.parent
    if parent is None or site.grammar.kind(parent) in {Kind.ATTRIBUTE, Kind.EXPRESSION}:
        return
    for place, function in enumerate(site.grammar.wrappers):
        if not site.text.startswith(f"{function}("):
            yield site.replace(f"{function}({site.text})", "wrapped", 0.16 / (1 + 0.15 * place))


def method_added(site: Site) -> Iterator[Sketch]:
    """`x` → `x.strip()`, `x.lower()`, `x.copy()`, `x.items()` and the like."""
    if site.is_callee or not site.grammar.is_read(site.node):
        return
    parent = site.node.parent
    if parent is None or site.grammar.kind(parent) is Kind.ATTRIBUTE:
        return
    for method in ("strip", "lower", "items", "values", "keys", "copy", "upper"):
        yield site.replace(f"{site.text}.{method}()", "method called", 0.1)


def other_index(site: Site) -> Iterator[Sketch]:
    """`x[i]` → `x[0]`, `x[-1]`, `x[-i]`; `x[k]` → `x.get(k)`."""
    parts = site.grammar.member(site.node)
    if parts is None or not site.grammar.is_read(site.node):
        return
    index = parts[1]
    if site.grammar.kind(index) is Kind.SLICE:
        return
    text = site.source.text(index)
    for other, prior in (("0", 0.25), ("-1", 0.3), ("1", 0.2), (f"-{text}", 0.15)):
        if other != text and not text.startswith(("'", '"')):
            yield site.replace(other, "another index", prior, node=index)
    yield site.replace(f"{site.source.text(parts[0])}.get({text})", "get", 0.12)


def other_slice(site: Site) -> Iterator[Sketch]:
    """`[a:b]` → `[a:]`, `[:b]`, `[b:a]`, `[a:b - 1]`, `[1:b]`, `[::-1]`."""
    start, _, end = site.text.partition(":")
    if ":" in end:
        return
    start, end = start.strip(), end.strip()
    shapes = [(start, ""), ("", end), (end, start), ("1", end), ("0", end), (start, "-1")]
    if end:
        shapes += [(start, f"{end} - 1"), (start, f"{end} + 1"), (start, f"-{end}")]
    if start:
        shapes += [(f"{start} + 1", end), (f"{start} - 1", end), (f"-{start}", end)]
    for low, high in dict.fromkeys(shapes):
        if (low, high) != (start, end):
            yield site.replace(f"{low}:{high}", "another slice", 0.35)
    yield site.replace("::-1", "another slice", 0.08)


def unindexed(site: Site) -> Iterator[Sketch]:
    """`x[i]` → `x`, `x[a:b]` → `x`."""
    parts = site.grammar.member(site.node)
    if parts is not None and site.grammar.is_read(site.node):
        text = site.source.text(parts[0])
        yield site.replace(text, "without the index", 0.2, flags=frozenset({Flag.DELETES}))


def indexed(site: Site) -> Iterator[Sketch]:
    """`x` → `x[0]`, `x[-1]`, `x[1:]`, `x[:-1]`."""
    parent = site.node.parent
    if parent is None or site.is_callee or not site.grammar.is_read(site.node):
        return
    if site.grammar.kind(parent) in {Kind.ATTRIBUTE, Kind.EXPRESSION}:
        return
    for index in ("0", "-1", "1:", ":-1"):
        yield site.replace(f"{site.text}[{index}]", "indexed", 0.1)


def other_return(site: Site) -> Iterator[Sketch]:
    """`return x` → `return y`, with `y` a variable of the scope, a constant, or negated."""
    value = next(iter(site.node.named_children), None)
    words = site.grammar.words
    names = [name for name in site.scope.values if name not in {"self", "cls"}]
    if value is None:
        for name in names[:12]:
            yield site.replace(f"return {name}", "something returned", 0.4)
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
        yield site.replace(words.negate.format(f"({text})"), "negated", 0.15, node=value)


def yielded_or_returned(site: Site) -> Iterator[Sketch]:
    """`yield x` ↔ `yield from x`, for generators that call themselves or flatten."""
    for node in walk(site.node):
        if node.type == "yield":
            text = site.source.text(node)
            other = (
                text.replace("yield from ", "yield ", 1)
                if text.startswith("yield from ")
                else text.replace("yield ", "yield from ", 1)
            )
            if other != text:
                yield site.replace(other, "another yield", 0.4, node=node)


def container_parts(site: Site) -> Iterator[Sketch]:
    """`(a, b)` → `(b, a)`, for pairs; `[a, b]` → `[a]`, `[b]`."""
    parts = [node for node in site.node.named_children if node.type != "comment"]
    if len(parts) == 2 and site.node.type != "dictionary":
        yield _exchange(site, parts[0], parts[1], 0.25)
