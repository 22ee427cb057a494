"""Takes Python's syntax nodes apart: operands, arguments, members, literals, bodies."""

import re
from collections.abc import Sequence
from typing import Final

from agent.repair.lang.base import Quoted
from agent.repo.syntax import SyntaxNode, text_of

_LITERAL: Final = re.compile(r"""([A-Za-z]*(?:\"{3}|'{3}|"|'))(.*?)(\"{3}|'{3}|"|')\Z""", re.DOTALL)
_SPREAD: Final = frozenset({"keyword_argument", "list_splat", "dictionary_splat"})


def children(node: SyntaxNode) -> list[SyntaxNode]:
    """Return the named children, without comments."""
    return [child for child in node.named_children if child.type != "comment"]


def operators(node: SyntaxNode) -> Sequence[SyntaxNode]:
    """Return tokens such as `<`, `not in`, `and`, `+`, `+=`."""
    if node.type == "comparison_operator":
        return node.children_by_field_name("operators")
    operator = node.child_by_field_name("operator")
    return () if operator is None else (operator,)


def operands(node: SyntaxNode) -> Sequence[SyntaxNode]:
    """Return the named children that are no operator of two words."""
    tokens = operators(node)
    return [child for child in children(node) if child not in tokens]


def arguments(call: SyntaxNode) -> Sequence[SyntaxNode]:
    """Return positional, keyword and starred arguments; a lone generator is one argument."""
    node = call.child_by_field_name("arguments")
    if node is None:
        return ()
    return children(node) if node.type == "argument_list" else (node,)


def argument_list(call: SyntaxNode) -> SyntaxNode | None:
    """Return the brackets with what is in them; None for a lone generator."""
    node = call.child_by_field_name("arguments")
    return node if node is not None and node.type == "argument_list" else None


def keyword(argument: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
    """Return name and value of `name=value`."""
    if argument.type != "keyword_argument":
        return None
    return _both(argument.child_by_field_name("name"), argument.child_by_field_name("value"))


def is_single(argument: SyntaxNode) -> bool:
    """Tell whether an argument is one value, without `name=`, `*` and `**`."""
    return argument.type not in _SPREAD


def member(node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
    """Return `(a, b)` of `a.b` and of `a[b]`; None for `a[b, c]`."""
    if node.type == "attribute":
        return _both(node.child_by_field_name("object"), node.child_by_field_name("attribute"))
    keys = node.children_by_field_name("subscript")
    return _both(node.child_by_field_name("value"), keys[0] if len(keys) == 1 else None)


def slice_parts(node: SyntaxNode) -> tuple[str, str] | None:
    """Return both bounds of `a:b`; None where there is a second colon."""
    colons = [child for child in node.children if child.type == ":"]
    if len(colons) != 1:
        return None
    start = [child for child in children(node) if child.end_byte <= colons[0].start_byte]
    end = [child for child in children(node) if child.start_byte >= colons[0].end_byte]
    return "".join(map(text_of, start)), "".join(map(text_of, end))


def choice(node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode, SyntaxNode] | None:
    """Return condition, value and other value of `value if condition else other`."""
    parts = children(node)
    return (parts[1], parts[0], parts[2]) if len(parts) == 3 else None


def assigned(node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
    """Return target and value of an assignment without annotation."""
    if node.child_by_field_name("type") is not None:
        return None
    return _both(node.child_by_field_name("left"), node.child_by_field_name("right"))


def caught(handler: SyntaxNode) -> SyntaxNode | None:
    """Return what an except clause catches, without the name that it is given."""
    value = handler.child_by_field_name("value")
    if value is not None and value.type == "as_pattern":
        return value.named_child(0)
    return value


def quoted(node: SyntaxNode) -> Quoted | None:
    """Return a literal's prefix and quotes, text, and quotes; None for documentation."""
    if node.parent is None or node.parent.type == "expression_statement":
        return None
    found = _LITERAL.match(text_of(node))
    if found is None or not found[1].endswith(found[3]):
        return None
    is_filled = any(child.type == "interpolation" for child in node.named_children)
    return Quoted(start=found[1], body=found[2], end=found[3], is_filled=is_filled)


def body(node: SyntaxNode) -> Sequence[SyntaxNode]:
    """Return the statements of a body."""
    block = node.child_by_field_name("body") or node.child_by_field_name("consequence")
    if block is None or block.type != "block":
        block = next((child for child in node.named_children if child.type == "block"), None)
    return () if block is None else children(block)


def _both(one: SyntaxNode | None, other: SyntaxNode | None) -> tuple[SyntaxNode, SyntaxNode] | None:
    return None if one is None or other is None else (one, other)
