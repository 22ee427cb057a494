"""Takes the syntax nodes of JavaScript apart: operands, arguments, members, literals, bodies."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from agent.repair.lang.base import Quoted
from agent.repo.syntax import SyntaxNode, ancestors, text_of, walk

FUNCTIONS: Final = frozenset(
    {
        *("function_declaration", "generator_function_declaration", "method_definition"),
        *("function_expression", "generator_function", "arrow_function"),
    }
)
BLOCKS: Final = frozenset(
    {"program", "statement_block", "class_body", "switch_case", "switch_default"}
)
_WITH_CONDITION: Final = frozenset(
    {"if_statement", "while_statement", "do_statement", "switch_statement", "with_statement"}
)
_PATTERNS: Final = frozenset(
    {
        *("object_pattern", "array_pattern", "assignment_pattern", "object_assignment_pattern"),
        *("rest_pattern", "pair_pattern", "required_parameter", "optional_parameter"),
        *("formal_parameters", "catch_clause", "import_clause", "named_imports"),
        *("namespace_import", "import_specifier", "export_specifier", "labeled_statement"),
        *("break_statement", "continue_statement", "jsx_opening_element", "jsx_closing_element"),
        *("jsx_self_closing_element", "jsx_attribute", "decorator", "type_parameter", "enum_body"),
        *("type_annotation", "type_arguments", "type_query", "import_statement"),
        *("expression_statement", "update_expression", "class_declaration", "class"),
        *(
            "type_predicate",
            "type_predicate_annotation",
            "nested_type_identifier",
            "enum_declaration",
        ),
    }
)
"""Whose direct children are bound, thrown away, or no values."""
_BINDING_FIELDS: Final = {
    "variable_declarator": ("name", "type"),
    "assignment_expression": ("left",),
    "augmented_assignment_expression": ("left",),
    "for_in_statement": ("left",),
    "function_declaration": ("name",),
    "generator_function_declaration": ("name",),
    "function_expression": ("name",),
    "generator_function": ("name",),
    "method_definition": ("name",),
    "arrow_function": ("parameter",),
    "member_expression": ("property",),
    "field_definition": ("property",),
    "public_field_definition": ("name",),
    "pair": ("key",),
    "export_statement": ("source",),
    "enum_assignment": ("name",),
    "internal_module": ("name",),
}
_VALUE_FIELDS: Final = {
    "assignment_pattern": "right",
    "object_assignment_pattern": "right",
    "required_parameter": "value",
    "optional_parameter": "value",
}
"""Of patterns: the default."""
_TIGHT: Final = frozenset(
    {
        *("identifier", "member_expression", "subscript_expression", "call_expression", "this"),
        *("parenthesized_expression", "new_expression", "true", "false", "null", "undefined"),
        *("number", "string", "array", "unary_expression"),
    }
)
"""What binds tighter than `!`."""
_INTEGER: Final = re.compile(r"(0[xXoObB][\da-fA-F_]+|[\d_]+)$")


def children(node: SyntaxNode) -> list[SyntaxNode]:
    """Return the named children, without comments."""
    return [child for child in node.named_children if child.type != "comment"]


def operator(node: SyntaxNode) -> str:
    """Return the operator of an expression; empty where it has none."""
    found = node.child_by_field_name("operator")
    return "" if found is None else found.type


def is_integer(node: SyntaxNode) -> bool:
    """Tell a whole number, of any base, from others; BigInts are neither."""
    return _INTEGER.match(text_of(node)) is not None


def is_syntax_of_condition(node: SyntaxNode) -> bool:
    """Tell whether brackets are part of a statement: `if (…)`."""
    parent = node.parent
    return parent is not None and parent.type in _WITH_CONDITION


def is_condition(node: SyntaxNode) -> bool:
    """Conditions of if, while, do, for and `?:`; operands of `&&`, `||` and `!`."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "parenthesized_expression":
        if is_syntax_of_condition(parent):
            return parent.parent is not None and parent.parent.type != "switch_statement"
        return is_condition(parent)
    if parent.type == "binary_expression":
        is_left = parent.child_by_field_name("left") == node
        is_logic = operator(parent) in {"&&", "||"}
        return is_logic and (is_left or is_condition(parent))
    if parent.type == "unary_expression":
        return operator(parent) == "!"
    if parent.type in {"ternary_expression", "for_statement"}:
        return parent.child_by_field_name("condition") == node
    return False


def is_read(node: SyntaxNode) -> bool:
    """False for what is bound, changed or thrown away, for names of members, and for types."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type in _PATTERNS:
        field = _VALUE_FIELDS.get(parent.type)
        return field is not None and parent.child_by_field_name(field) == node
    fields = _BINDING_FIELDS.get(parent.type, ())
    return all(parent.child_by_field_name(field) != node for field in fields)


def is_waited(node: SyntaxNode) -> bool:
    """Tell whether `await` stands before the node, or may not stand there."""
    parent = node.parent
    if parent is None or parent.type == "await_expression":
        return True
    function = next((outer for outer in ancestors(node) if outer.type in FUNCTIONS), None)
    return function is None or all(child.type != "async" for child in function.children)


def operators(node: SyntaxNode) -> Sequence[SyntaxNode]:
    """Return the token of an expression or loop: `<`, `&&`, `++`, `of`."""
    found = node.child_by_field_name("operator")
    if found is None and node.type == "assignment_expression":
        found = next((child for child in node.children if child.type == "="), None)
    return () if found is None else (found,)


def operands(node: SyntaxNode) -> Sequence[SyntaxNode]:
    """Return what the operator works on."""
    fields = ("left", "right", "argument")
    found = (node.child_by_field_name(field) for field in fields)
    return [one for one in found if one is not None]


def callee(call: SyntaxNode) -> SyntaxNode | None:
    """Return what stands before the parenthesis."""
    return call.child_by_field_name("function") or call.child_by_field_name("constructor")


def argument_list(call: SyntaxNode) -> SyntaxNode | None:
    """Return the brackets with what is in them; None for a tagged template and `new X`."""
    node = call.child_by_field_name("arguments")
    return node if node is not None and node.type == "arguments" else None


def arguments(call: SyntaxNode) -> Sequence[SyntaxNode]:
    """Return the arguments, spread ones whole."""
    node = argument_list(call)
    return () if node is None else children(node)


def member(node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
    """Return `(a, b)` of `a.b`, `a?.b` and of `a[b]`."""
    owner = node.child_by_field_name("object")
    inner = node.child_by_field_name("property") or node.child_by_field_name("index")
    return _both(owner, inner)


def choice(node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode, SyntaxNode] | None:
    """Return condition, value and other value of `condition ? value : other`."""
    fields = ("condition", "consequence", "alternative")
    parts = [node.child_by_field_name(field) for field in fields]
    if parts[0] is None or parts[1] is None or parts[2] is None:
        return None
    return parts[0], parts[1], parts[2]


def assigned(node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
    """Return target and value of `target = value`; None for a declaration."""
    if node.type != "assignment_expression":
        return None
    return _both(node.child_by_field_name("left"), node.child_by_field_name("right"))


def quoted(node: SyntaxNode) -> Quoted | None:
    """Return quotes, text and quotes; None for a directive and for text that a tag reads."""
    parent = node.parent
    if parent is None or parent.type in {"expression_statement", "call_expression"}:
        return None
    text = text_of(node)
    if len(text) < 2:
        return None
    is_filled = any(child.type == "template_substitution" for child in node.named_children)
    return Quoted(start=text[0], body=text[1:-1], end=text[-1], is_filled=is_filled)


def body(node: SyntaxNode) -> Sequence[SyntaxNode]:
    """Return the statements of a body in braces."""
    block = node.child_by_field_name("body") or node.child_by_field_name("consequence")
    return () if block is None or block.type not in BLOCKS else children(block)


def negated(node: SyntaxNode) -> str:
    """Return the opposite of an expression; brackets of its own are kept."""
    text = text_of(node)
    return f"!{text}" if node.type in _TIGHT else f"!({text})"


def function_name(node: SyntaxNode) -> str:
    """Return what a function is called, by itself or by what it is assigned to."""
    own = node.child_by_field_name("name")
    if own is not None:
        return text_of(own)
    parent = node.parent
    if parent is None:
        return ""
    fields = {
        "variable_declarator": "name",
        "assignment_expression": "left",
        "pair": "key",
        "field_definition": "property",
        "public_field_definition": "name",
    }
    target = parent.child_by_field_name(fields.get(parent.type, ""))
    if target is not None and target.type == "member_expression":
        target = target.child_by_field_name("property")
    return "" if target is None else text_of(target)


def bound_names(target: SyntaxNode | None) -> Iterator[str]:
    """Yield the names that a pattern or a plain target binds; nothing for a member."""
    if target is None or target.type in {"member_expression", "subscript_expression"}:
        return
    kinds = {"identifier", "shorthand_property_identifier_pattern"}
    for node in walk(target, into=lambda inner: inner.type != "type_annotation"):
        if node.type not in kinds:
            continue
        parent = node.parent
        is_default = parent is not None and parent.child_by_field_name("right") == node
        is_value = parent is not None and parent.child_by_field_name("value") == node
        is_pair = parent is not None and parent.type == "pair_pattern"
        if not is_default and (is_pair or not is_value):
            yield text_of(node)


def _both(one: SyntaxNode | None, other: SyntaxNode | None) -> tuple[SyntaxNode, SyntaxNode] | None:
    return None if one is None or other is None else (one, other)
