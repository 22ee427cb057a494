"""Tier 2: a statement in the wrong place: too late, too early, in or out of a block."""

from collections.abc import Iterator
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.proposal import Sketch
from agent.repair.source import Site, Source
from agent.repo.syntax import SyntaxNode

MOST_LINES: Final = 12


def moved(site: Site) -> Iterator[Sketch]:
    """The statement exchanged with the next, moved out of its block, or into the one before."""
    if site.grammar.statements is None or not _is_movable(site.source, site.node):
        return
    neighbour, before = _next(site.node), site.node.prev_named_sibling
    if neighbour is not None and _is_movable(site.source, neighbour):
        yield _exchanged(site.source, site.node, neighbour)
    yield from _to_the_ends(site)
    outer = _outer(site.source, site.node)
    if outer is not None and _is_movable(site.source, outer, most=10 * MOST_LINES):
        if before is None:
            yield _shifted(site.source, site.node, _start(site.source, outer), outer)
        if neighbour is None:
            yield _shifted(site.source, site.node, site.source.lines_of(outer)[1], outer)
    if before is not None and site.grammar.body(before):
        last = site.grammar.body(before)[-1]
        if _is_movable(site.source, last):
            yield _shifted(site.source, site.node, site.source.lines_of(last)[1], last)
    if neighbour is not None and site.grammar.body(neighbour):
        first = site.grammar.body(neighbour)[0]
        if _is_movable(site.source, first):
            yield _shifted(site.source, site.node, _start(site.source, first), first)


def _to_the_ends(site: Site) -> Iterator[Sketch]:
    """First and last in its own block, where that is further than the next place."""
    block, source = site.node.parent, site.source
    statements = block.named_children if block is not None else []
    ends = (statements[:1], statements[-1:])
    for (end,) in (one for one in ends if one):
        rows = abs(end.start_point.row - site.row)
        is_near = end in {site.node, site.node.prev_named_sibling, _next(site.node)}
        if not is_near and rows <= 3 * MOST_LINES and _is_movable(source, end):
            is_first = end.start_byte < site.node.start_byte
            at = _start(source, end) if is_first else source.lines_of(end)[1]
            yield _shifted(source, site.node, at, end)


def _next(node: SyntaxNode) -> SyntaxNode | None:
    return node.next_named_sibling


def _is_movable(source: Source, node: SyntaxNode, most: int = MOST_LINES) -> bool:
    """Tell whether a node is a statement that has its lines for itself."""
    parent, statements = node.parent, source.grammar.statements
    if parent is None or not source.grammar.is_block(parent) or source.starts_mid_line(node):
        return False
    if statements is None or not (statements.is_simple(node) or source.grammar.body(node)):
        return False
    if source.grammar.is_function(node) or node.end_point.row - node.start_point.row >= most:
        return False
    start, end = source.lines_of(node)
    return source.data[end - 1 : end] == b"\n" and start <= node.start_byte


def _outer(source: Source, node: SyntaxNode) -> SyntaxNode | None:
    """The statement whose block the node stands in."""
    block = node.parent
    outer = block.parent if block is not None else None
    while outer is not None and outer.parent is not None:
        if source.grammar.is_block(outer.parent):
            is_body = bool(source.grammar.body(outer)) and not source.grammar.is_function(outer)
            return outer if is_body else None
        outer = outer.parent
    return None


def _start(source: Source, node: SyntaxNode) -> int:
    return source.lines_of(node)[0]


def _exchanged(source: Source, one: SyntaxNode, other: SyntaxNode) -> Sketch:
    first, second = source.lines_of(one), source.lines_of(other)
    edits = (
        ByteEdit(*first, source.data[slice(*second)]),
        ByteEdit(*second, source.data[slice(*first)]),
    )
    return Sketch(edits, "statements exchanged", 0.12, 2)


def _shifted(source: Source, node: SyntaxNode, at: int, beside: SyntaxNode) -> Sketch:
    """Draw the lines of a node put to another place, indented as what stands there."""
    start, end = source.lines_of(node)
    old = source.indent_at(node.start_point.row).encode()
    new = source.indent_at(beside.start_point.row).encode()
    lines = source.data[start:end].splitlines(keepends=True)
    text = b"".join(new + line[len(old) :] if line.startswith(old) else line for line in lines)
    edits = (ByteEdit(start, end, _left(source, node)), ByteEdit(at, at, text))
    return Sketch(tuple(sorted(edits)), "statement moved", 0.1, 2)


def _left(source: Source, node: SyntaxNode) -> bytes:
    """What stays where the node was: a block must not be empty."""
    block, statements = node.parent, source.grammar.statements
    is_alone = block is not None and len(block.named_children) == 1
    if not is_alone or statements is None:
        return b""
    indent = source.indent_at(node.start_point.row)
    return f"{indent}{statements.words.nothing}\n".encode()
