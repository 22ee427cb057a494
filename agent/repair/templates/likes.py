"""The same edit at other places of a file that look the same, one by one or all at once.

A place looks the same where the expression or statement around the edit is written in the same
way. What the places mean is not compared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import Kind, Region
from agent.repair.proposal import Sketch
from agent.repair.source import Source
from agent.repo.syntax import SyntaxNode, ancestors

MOST_PLACES: Final = 8
"""More like places are a habit of the file, not the same slip again."""
SHARE: Final = 0.6
"""Prior of the edit at all places, as a share of the one at its own."""
WORTH_REPEATING: Final = 0.2
"""Edits of a lower prior are not drawn for all places."""
WORTH_REPEATING_FAR: Final = 0.25
"""The same for all places of a function."""


def like_places(source: Source, sketch: Sketch) -> tuple[Sketch, ...]:
    """Return the same edit at each other place of the file that looks the same, in order.

    Nothing for edits of several spans, and for lines that are put in.
    """
    node = _edited(source, sketch)
    if node is None:
        return ()
    start, end = _context(source, node)
    wanted = source.data[start:end]
    found: list[Sketch] = []
    at = source.data.find(wanted)
    while at >= 0 and len(found) <= MOST_PLACES:
        offset = at - start
        if offset and _is_like(source, node, offset) and not _goes_on(source.data, at, wanted):
            found.append(_moved(sketch, offset))
        at = source.data.find(wanted, at + 1)
    return tuple(found)


def everywhere(source: Source, region: Region, sketch: Sketch) -> Iterator[Sketch]:
    """Draw the edit at all like places at once: those of the statement, those of the file."""
    if sketch.prior < WORTH_REPEATING or sketch.tier > 2 or sketch.flags:
        return
    near = _in_statement(source, region, sketch)
    far = _in_function(source, sketch) if sketch.prior >= WORTH_REPEATING_FAR else ()
    drawn: set[tuple[ByteEdit, ...]] = set()
    for others in (near, like_places(source, sketch), far):
        edits = tuple(sorted(edit for one in (sketch, *others) for edit in one.edits))
        if 0 < len(others) <= MOST_PLACES and edits not in drawn:
            drawn.add(edits)
            prior = SHARE * sketch.prior
            yield Sketch(edits, f"{sketch.template}, at all like places", prior, 2)


def _edited(source: Source, sketch: Sketch) -> SyntaxNode | None:
    """The node that a sketch replaces, in whole."""
    if len(sketch.edits) != 1:
        return None
    edit = sketch.edits[0]
    if edit.start == edit.end:
        return None
    return _node_at(source, edit.start, edit.end)


def _node_at(source: Source, start: int, end: int) -> SyntaxNode | None:
    node = source.tree.root_node.descendant_for_byte_range(start, end)
    return node if node is not None and (node.start_byte, node.end_byte) == (start, end) else None


def _context(source: Source, node: SyntaxNode) -> tuple[int, int]:
    """The span that has to look the same: the expression around, at most the lines of the node."""
    around = node.parent
    while around is not None and _adds_nothing(source, around, node):
        around = around.parent
    if around is None or source.grammar.is_block(around):
        return _span(node)
    first = source.line_starts[node.start_point.row]
    first += len(source.indent_at(node.start_point.row))
    last = source.line_starts[min(node.end_point.row + 1, len(source.line_starts) - 1)]
    rest = source.data[node.end_byte : last].rstrip()
    return max(around.start_byte, first), min(around.end_byte, node.end_byte + len(rest))


def _adds_nothing(source: Source, around: SyntaxNode, node: SyntaxNode) -> bool:
    """Tell whether only brackets and commas stand around the node."""
    before = source.data[around.start_byte : node.start_byte]
    after = source.data[node.end_byte : around.end_byte]
    return not (before + after).strip(b"()[]{}, \t\n")


def _span(node: SyntaxNode) -> tuple[int, int]:
    return node.start_byte, node.end_byte


def _is_like(source: Source, node: SyntaxNode, offset: int) -> bool:
    other = _node_at(source, node.start_byte + offset, node.end_byte + offset)
    return other is not None and other.type == node.type


def _goes_on(data: bytes, at: int, wanted: bytes) -> bool:
    """Tell whether a word begins before the place or ends after it."""
    before, after = data[max(at - 1, 0) : at], data[at + len(wanted) : at + len(wanted) + 1]
    return (_is_word(before) and _is_word(wanted[:1])) or (
        _is_word(after) and _is_word(wanted[-1:])
    )


def _is_word(text: bytes) -> bool:
    return text.isalnum() or text in (b"_", b".")


def _moved(sketch: Sketch, offset: int) -> Sketch:
    edits = tuple(
        ByteEdit(edit.start + offset, edit.end + offset, edit.text) for edit in sketch.edits
    )
    return replace(sketch, edits=edits)


def _in_statement(source: Source, region: Region, sketch: Sketch) -> tuple[Sketch, ...]:
    """The edit of a name or a member at every other reading of it in the statement."""
    node = _named(source, sketch)
    return () if node is None else _at_others(source, sketch, node, region.nodes)


def _in_function(source: Source, sketch: Sketch) -> tuple[Sketch, ...]:
    """The same in the whole function."""
    node = _named(source, sketch)
    if node is None:
        return ()
    function = next((each for each in ancestors(node) if source.grammar.is_function(each)), None)
    if function is None:
        return ()
    return _at_others(source, sketch, node, source.nodes_like(function, node))


def _named(source: Source, sketch: Sketch) -> SyntaxNode | None:
    node = _edited(source, sketch)
    is_name = node is not None and source.grammar.kind(node) in {Kind.NAME, Kind.ATTRIBUTE}
    return node if is_name else None


def _at_others(
    source: Source, sketch: Sketch, node: SyntaxNode, nodes: Iterable[SyntaxNode]
) -> tuple[Sketch, ...]:
    text, parent = source.text(node), node.parent
    is_tight = all(_is_word(bytes([sign])) for sign in sketch.edits[0].text)
    return tuple(
        _moved(sketch, other.start_byte - node.start_byte)
        for other in nodes
        if other.type == node.type
        and other.start_byte != node.start_byte
        and source.grammar.is_read(other)
        and source.text(other) == text
        and (is_tight or _type_of(other.parent) == _type_of(parent))
    )


def _type_of(node: SyntaxNode | None) -> str:
    return "" if node is None else node.type
