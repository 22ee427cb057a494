"""Syntax trees over bytes: parse, walk, compare. Positions are byte offsets; rows count from 0.

Knows the shape of trees, nothing of what the nodes of a language mean.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from tree_sitter import Node, Tree

from agent.repo.languages import Language, parser_for

SyntaxNode: TypeAlias = Node
SyntaxTree: TypeAlias = Tree


def parse(language: Language, data: bytes) -> Tree:
    """Return the tree of any bytes; what does not parse is inside as error nodes."""
    return parser_for(language).parse(data)


def text_of(node: Node) -> str:
    """Return the node's source text; bytes that are not UTF-8 are kept as surrogates."""
    return (node.text or b"").decode("utf-8", "surrogateescape")


def walk(node: Node, *, into: Callable[[Node], bool] = lambda _node: True) -> Iterator[Node]:
    """Yield the node and what is below it, in source order, below a node only if `into` says so."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if current.child_count and into(current):
            stack.extend(reversed(current.children))


def ancestors(node: Node) -> Iterator[Node]:
    """Yield the nodes around this one, innermost first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def first_error(tree: Tree) -> int | None:
    """Return the row of the first syntax error; None for a clean tree."""
    if not tree.root_node.has_error:
        return None
    for node in walk(tree.root_node, into=lambda inner: inner.has_error):
        if node.is_error or node.is_missing:
            return node.start_point.row
    return tree.root_node.start_point.row


def tokens(language: Language, data: bytes) -> tuple[bytes, ...]:
    """Return the leaves without comments and layout: equal for texts that parse alike.

    A block is bracketed, so a line moved out of it is not taken for the same.
    """
    found: list[bytes] = []
    stack: list[Node | None] = [parse(language, data).root_node]
    while stack:
        node = stack.pop()
        if node is None:
            found.append(b"}")
        elif node.child_count == 0:
            if node.type != "comment":
                found.append(node.text or b"")
        else:
            if node.type == "block":
                found.append(b"{")
                stack.append(None)
            stack.extend(reversed(node.children))
    return tuple(found)
