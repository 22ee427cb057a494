"""Which names may stand at a place in a Python file."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from agent.repair.lang.base import Scope
from agent.repair.lang.python.tables import BUILTINS
from agent.repo.syntax import SyntaxNode, SyntaxTree, ancestors, text_of, walk

_FUNCTIONS = frozenset({"function_definition", "lambda"})
_COMPREHENSIONS = frozenset(
    {
        "list_comprehension",
        "set_comprehension",
        "dictionary_comprehension",
        "generator_expression",
    }
)


def scope_at(tree: SyntaxTree, node: SyntaxNode) -> Scope:
    """Return the names visible at the node; those bound by the statement itself are among them."""
    values: list[str] = []
    is_inside = False
    for around in ancestors(node):
        if around.type == "class_definition" and not is_inside:
            values.extend(name for name, _ in _bound_names(around))
        if around.type in _FUNCTIONS:
            is_inside = True
            values.extend(_function_names(tree, around.id, around))
        elif around.type in _COMPREHENSIONS:
            values.extend(name for name, _ in _bound_names(around))
    variables, callables, attributes = _file_names(tree)
    return Scope(
        values=_unique(values), globals=variables, callables=callables, attributes=attributes
    )


@lru_cache(maxsize=512)
def _function_names(_tree: SyntaxTree, _id: int, function: SyntaxNode) -> tuple[str, ...]:
    names = [name for name, _ in _bound_names(function)]
    parameters = function.child_by_field_name("parameters")
    if parameters is not None:
        names = [*_parameter_names(parameters), *names]
    return _unique(names)


@lru_cache(maxsize=64)
def _file_names(
    tree: SyntaxTree,
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, tuple[str, ...]]]:
    variables: list[str] = []
    callables: list[str] = []
    for name, kind in _bound_names(tree.root_node):
        (variables if kind == "variable" else callables).append(name)
    attributes: dict[str, list[str]] = {}
    for node in walk(tree.root_node):
        if node.type == "attribute":
            owner, member = (
                node.child_by_field_name("object"),
                node.child_by_field_name("attribute"),
            )
            if owner is not None and member is not None:
                attributes.setdefault(text_of(owner), []).append(text_of(member))
        elif node.type == "class_definition":
            attributes.setdefault("self", []).extend(_class_members(node))
    return (
        _unique(variables),
        _unique([*callables, *BUILTINS]),
        {owner: _unique(members) for owner, members in attributes.items()},
    )


def _class_members(node: SyntaxNode) -> Iterator[str]:
    body = node.child_by_field_name("body")
    if body is not None:
        for name, _kind in _bound_names(body):
            yield name


def _parameter_names(parameters: SyntaxNode) -> Iterator[str]:
    for parameter in parameters.named_children:
        name = parameter.child_by_field_name("name")
        if name is None:
            name = next((part for part in walk(parameter) if part.type == "identifier"), None)
        if name is not None:
            yield text_of(name)


def _bound_names(scope: SyntaxNode) -> Iterator[tuple[str, str]]:
    """Yield `(name, kind)` bound directly in a scope; kind is variable, callable or import."""
    for node in walk(scope, into=lambda inner: inner == scope or not _opens_scope(inner)):
        if node == scope:
            continue
        if node.type in {"function_definition", "class_definition"}:
            name = node.child_by_field_name("name")
            if name is not None:
                yield text_of(name), "callable"
        elif node.type in {"assignment", "for_statement", "for_in_clause", "augmented_assignment"}:
            yield from _targets(node.child_by_field_name("left"))
        elif node.type == "named_expression":
            yield from _targets(node.child_by_field_name("name"))
        elif node.type == "as_pattern_target":
            yield from _targets(node.named_child(0))
        elif node.type in {"import_statement", "import_from_statement"}:
            yield from _imported(node)


def _opens_scope(node: SyntaxNode) -> bool:
    return (
        node.type in _FUNCTIONS or node.type == "class_definition" or node.type in _COMPREHENSIONS
    )


def _targets(node: SyntaxNode | None) -> Iterator[tuple[str, str]]:
    if node is None:
        return
    if node.type == "identifier":
        yield text_of(node), "variable"
    elif node.type in {"pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern"}:
        for child in node.named_children:
            yield from _targets(child)


def _imported(node: SyntaxNode) -> Iterator[tuple[str, str]]:
    for name in node.children_by_field_name("name"):
        alias = name.child_by_field_name("alias")
        text = text_of(alias if alias is not None else name)
        yield text.split(".", 1)[0], "import"


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name != "_"))
