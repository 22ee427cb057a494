"""Parts a file of JavaScript into its statements, each without the blocks inside it."""

from collections.abc import Iterator
from typing import Final

from agent.repair.lang.base import Region
from agent.repair.lang.javascript.parts import FUNCTIONS
from agent.repo.syntax import SyntaxNode, SyntaxTree, walk

_STATEMENTS: Final = frozenset(
    {
        *("expression_statement", "lexical_declaration", "variable_declaration"),
        *("return_statement", "throw_statement", "if_statement", "for_statement"),
        *("for_in_statement", "while_statement", "do_statement", "switch_statement"),
        *("try_statement", "break_statement", "continue_statement", "labeled_statement"),
        *("function_declaration", "generator_function_declaration", "class_declaration"),
        *("abstract_class_declaration", "method_definition", "field_definition"),
        *("public_field_definition", "enum_declaration"),
        *("switch_case", "switch_default", "catch_clause", "finally_clause", "else_clause"),
    }
)
_BODIES: Final = frozenset({"statement_block", "class_body", "switch_body", "enum_body"})
_HEADERS: Final = frozenset({"for_statement", "for_in_statement"})
_TYPES: Final = frozenset(
    {
        *("type_annotation", "type_arguments", "type_parameters", "interface_declaration"),
        *("type_alias_declaration", "type_predicate_annotation", "import_statement"),
    }
)


def regions_of(tree: SyntaxTree) -> Iterator[Region]:
    """Yield a region for each statement, and one for each function that is an expression."""
    for node in walk(tree.root_node, into=lambda inner: inner.type not in _TYPES):
        is_function = node.type in FUNCTIONS and _has_block(node)
        is_exported = node.type == "export_statement" and node.child_by_field_name("value")
        if _is_statement(node) or is_function or is_exported:
            yield _region(node)


def _is_statement(node: SyntaxNode) -> bool:
    """Tell whether a node stands by itself; the start of a `for` belongs to its header."""
    if node.type not in _STATEMENTS:
        return False
    parent = node.parent
    if parent is None or parent.type not in _HEADERS:
        return True
    return parent.child_by_field_name("body") == node


def _has_block(function: SyntaxNode) -> bool:
    body = function.child_by_field_name("body")
    return body is not None and body.type == "statement_block"


def _region(node: SyntaxNode) -> Region:
    nodes: list[SyntaxNode] = []
    last_row = node.start_point.row
    inner_row: int | None = None
    for part in walk(node, into=lambda one: one == node or not _is_inner(one)):
        if part != node and _is_inner(part):
            if inner_row is None:
                inner_row = part.start_point.row
            continue
        nodes.append(part)
        if inner_row is None and part.child_count == 0:
            last_row = max(last_row, part.end_point.row)
    return Region(node=node, first_row=node.start_point.row, last_row=last_row, nodes=tuple(nodes))


def _is_inner(node: SyntaxNode) -> bool:
    """Tell whether a node has a region of its own, holds statements, or is a type."""
    return node.type in _BODIES or node.type in _TYPES or _is_statement(node)
