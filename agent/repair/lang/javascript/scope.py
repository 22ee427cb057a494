"""Which names may stand at a place in a file of JavaScript."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from agent.repair.lang.base import Scope
from agent.repair.lang.javascript.parts import FUNCTIONS, bound_names
from agent.repair.lang.javascript.tables import BUILTINS
from agent.repo.syntax import SyntaxNode, SyntaxTree, ancestors, text_of, walk

_NAMED: Final = frozenset(
    {
        *("function_declaration", "generator_function_declaration", "class_declaration"),
        *("abstract_class_declaration", "enum_declaration"),
    }
)
_CALLED: Final = frozenset({"arrow_function", "function_expression", "generator_function", "class"})

_TARGETS: Final = {
    "variable_declarator": "name",
    "for_in_statement": "left",
    "catch_clause": "parameter",
}
"""What binds names, and which part of it does."""


def scope_at(tree: SyntaxTree, node: SyntaxNode) -> Scope:
    """Return the names visible at the node; those bound by the statement itself are among them."""
    values: list[str] = []
    for around in ancestors(node):
        if around.type in FUNCTIONS:
            values.extend(_function_names(tree, around.id, around))
    variables, callables, attributes = _file_names(tree)
    return Scope(
        values=_unique(values), globals=variables, callables=callables, attributes=attributes
    )


@lru_cache(maxsize=512)
def _function_names(_tree: SyntaxTree, _id: int, function: SyntaxNode) -> tuple[str, ...]:
    parameters = function.child_by_field_name("parameters")
    single = function.child_by_field_name("parameter")
    names = [*bound_names(parameters), *bound_names(single)]
    return _unique([*names, *(name for name, _callable in _bound(function))])


@lru_cache(maxsize=64)
def _file_names(
    tree: SyntaxTree,
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, tuple[str, ...]]]:
    variables: list[str] = []
    callables: list[str] = []
    for name, is_callable in _bound(tree.root_node):
        (callables if is_callable else variables).append(name)
    attributes: dict[str, list[str]] = {}
    for node in walk(tree.root_node):
        if node.type == "member_expression":
            owner, inner = (node.child_by_field_name(part) for part in ("object", "property"))
            if owner is not None and inner is not None:
                attributes.setdefault(text_of(owner), []).append(text_of(inner))
        elif node.type == "class_body":
            attributes.setdefault("this", []).extend(_members(node))
    return (
        _unique(variables),
        _unique([*callables, *BUILTINS]),
        {owner: _unique(members) for owner, members in attributes.items()},
    )


def _members(body: SyntaxNode) -> Iterator[str]:
    for child in body.named_children:
        name = child.child_by_field_name("name") or child.child_by_field_name("property")
        if name is not None and text_of(name) != "constructor":
            yield text_of(name)


def _bound(scope: SyntaxNode) -> Iterator[tuple[str, bool]]:
    """Yield names bound directly in a scope, and whether each is one to be called."""
    for node in walk(scope, into=lambda inner: inner == scope or inner.type not in FUNCTIONS):
        if node == scope:
            continue
        if node.type in _NAMED:
            name = node.child_by_field_name("name")
            if name is not None:
                yield text_of(name), True
        elif node.type == "import_clause":
            yield from ((text, True) for text in _imported(node))
        else:
            is_callable = _is_callable(node.child_by_field_name("value"))
            target = node.child_by_field_name(_TARGETS.get(node.type, "-"))
            yield from ((text, is_callable) for text in bound_names(target))


def _is_callable(value: SyntaxNode | None) -> bool:
    """Tell whether a value is a function or a class, or what `require` gives."""
    return value is not None and (value.type in _CALLED or text_of(value).startswith("require("))


def _imported(clause: SyntaxNode) -> Iterator[str]:
    for node in walk(clause):
        if node.type == "import_specifier":
            name = node.child_by_field_name("alias") or node.child_by_field_name("name")
            if name is not None:
                yield text_of(name)
        elif node.type == "identifier" and _is_whole_import(node):
            yield text_of(node)


def _is_whole_import(node: SyntaxNode) -> bool:
    return node.parent is not None and node.parent.type in {"import_clause", "namespace_import"}


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name != "_"))
