"""Finds the function whose live code can be exchanged for an edit.

Edits of signatures, decorators, class bodies and module level have none: there the file has to be
imported anew. Decorators on the function do not matter as long as what they made calls the function
itself, which the process that swaps can see; one that compiled it already hides edits from the
search, and no more.
"""

from functools import lru_cache

from agent.repair.proposal import Unit
from agent.repo.syntax import SyntaxNode, SyntaxTree, ancestors, text_of


def unit_around(tree: SyntaxTree, start: int, end: int) -> Unit | None:
    """Return the outermost function around the byte span, if the span lies in its body."""
    node = tree.root_node.descendant_for_byte_range(start, end)
    if node is None:
        return None
    around = [node, *ancestors(node)]
    functions = [outer for outer in around if outer.type == "function_definition"]
    if not functions:
        return None
    function = functions[-1]
    body = function.child_by_field_name("body")
    if body is None or not _in_body(body, start, end):
        return None
    return _unit(tree, function)


def _in_body(body: SyntaxNode, start: int, end: int) -> bool:
    first = body.start_byte
    if body.prev_sibling is None or body.prev_sibling.end_point.row < body.start_point.row:
        first -= body.start_point.column
    return start >= first and end <= body.end_byte + 1


@lru_cache(maxsize=512)
def _unit(tree: SyntaxTree, function: SyntaxNode) -> Unit | None:
    name = function.child_by_field_name("name")
    if name is None:
        return None
    headers: list[str] = []
    classes: list[str] = []
    for outer in ancestors(function):
        if outer.type == "class_definition":
            class_name = outer.child_by_field_name("name")
            classes.append(text_of(class_name) if class_name is not None else "")
            headers.append(f"class {classes[-1]}:")
        elif outer.type == "block" and outer.parent and outer.parent.type != "class_definition":
            headers.append("if 1:")
    decorated = function.parent
    first = (
        decorated
        if decorated is not None and decorated.type == "decorated_definition"
        else function
    )
    data = tree.root_node.text or b""
    offset = tree.root_node.start_byte
    start = data.rfind(b"\n", 0, function.start_byte - offset) + 1 + offset
    return Unit(
        name=text_of(name),
        start=start,
        end=_line_end(data, function.end_byte - offset) + offset,
        first_line=first.start_point.row + 1,
        def_line=function.start_point.row + 1,
        headers=tuple(reversed(headers)),
        classes=tuple(reversed(classes)),
    )


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end + 1
