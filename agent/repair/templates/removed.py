"""Tier 3: code taken away, conditions made constant; decorators too, also put on.

Such edits please tests easily, so all that takes something away is flagged.
"""

from collections.abc import Iterator
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import Kind
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site

_DELETES: Final = frozenset({Flag.DELETES})
MOST_LINES: Final = 12


def statement_removed(site: Site) -> Iterator[Sketch]:
    """The statement taken away, with its body."""
    statements, parent = site.grammar.statements, site.node.parent
    if statements is None or parent is None or not site.grammar.is_block(parent):
        return
    rows = site.node.end_point.row - site.node.start_point.row
    is_known = statements.is_simple(site.node) or site.kind in {Kind.BRANCH, Kind.LOOP}
    if not is_known or rows >= MOST_LINES:
        return
    if len(parent.named_children) == 1:
        nothing = statements.words.nothing
        if site.text != nothing:
            yield site.replace(nothing, "statement removed", 0.1, tier=3, flags=_DELETES)
    elif site.source.starts_mid_line(site.node):
        yield site.replace("", "statement removed", 0.1, tier=3, flags=_DELETES)
    else:
        start, end = site.source.lines_of(site.node)
        yield Sketch((ByteEdit(start, end, b""),), "statement removed", 0.1, 3, _DELETES)


def condition_removed(site: Site) -> Iterator[Sketch]:
    """`if a: b` → `b`."""
    statements, parent = site.grammar.statements, site.node.parent
    if statements is None or parent is None or site.kind is not Kind.BRANCH:
        return
    body = site.grammar.body(site.node)
    if not body or not site.grammar.is_block(parent) or site.source.starts_mid_line(body[0]):
        return
    last = body[-1]
    rows = last.end_point.row - site.node.start_point.row
    if rows >= MOST_LINES or last.end_byte != site.node.end_byte:
        return
    start, end = site.source.lines_of(site.node)
    inner = site.source.line_starts[body[0].start_point.row]
    old, new = (site.source.indent_at(node.start_point.row) for node in (body[0], site.node))
    lines = site.source.data[inner:end].splitlines(keepends=True)
    cut = len(old) - len(new)
    text = b"".join(line[cut:] if line[:cut].isspace() else line for line in lines)
    yield Sketch((ByteEdit(start, end, text),), "condition removed", 0.12, 3, _DELETES)


def constant_condition(site: Site) -> Iterator[Sketch]:
    """`if a` → `if True`, `if False`."""
    statements, parent = site.grammar.statements, site.node.parent
    if statements is None or parent is None or not site.grammar.is_condition(site.node):
        return
    if site.kind in {Kind.TRUE, Kind.FALSE} or statements.condition(parent) != site.node:
        return
    flags = frozenset({Flag.CONSTANT})
    for text in (site.grammar.words.true, site.grammar.words.false):
        yield site.replace(text, "constant condition", 0.06, tier=3, flags=flags)


def decorator_removed(site: Site) -> Iterator[Sketch]:
    """A decorator taken away."""
    statements = site.grammar.statements
    if statements is None or not site.grammar.is_function(site.node):
        return
    for decorator in statements.decorators(site.node):
        start, end = site.source.lines_of(decorator)
        yield Sketch((ByteEdit(start, end, b""),), "decorator removed", 0.1, 3, _DELETES)


def decorator_copied(site: Site) -> Iterator[Sketch]:
    """A decorator of another function of the file, or a usual one, put on this."""
    statements = site.grammar.statements
    if statements is None or not site.grammar.is_function(site.node):
        return
    own = {site.source.text(one) for one in statements.decorators(site.node)}
    texts = [text for text in site.source.decorators if text not in own]
    indent = site.source.indent_at(site.row)
    at = site.source.line_starts[site.row]
    for rank, text in enumerate(dict.fromkeys((*texts[:4], *statements.words.decorators))):
        edit = ByteEdit(at, at, f"{indent}{text}\n".encode())
        yield Sketch((edit,), "decorator copied", 0.06 / (1 + 0.1 * rank), 2)
