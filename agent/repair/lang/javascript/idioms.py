"""Other ways to put an expression that only JavaScript has."""

from collections.abc import Iterator

from agent.repair.lang.base import Idiom
from agent.repair.lang.javascript import parts
from agent.repo.syntax import SyntaxNode, text_of


def idioms(node: SyntaxNode) -> Iterator[Idiom]:
    """Yield the other ways to write the node."""
    match node.type:
        case "member_expression" | "subscript_expression":
            yield from _asked_for(node)
        case "call_expression":
            yield from _waited_for(node)
        case "arrow_function":
            yield from _returned(node)
        case _:
            return


def _asked_for(node: SyntaxNode) -> Iterator[Idiom]:
    """`a.b` ↔ `a?.b`, where the value is read."""
    found = parts.member(node)
    if found is None or not parts.is_read(node):
        return
    owner, inner = found
    chain = node.child_by_field_name("optional_chain")
    is_index = node.type == "subscript_expression"
    if owner.type in {"super", "import"}:
        return
    middle, end = ("?.[", "]") if is_index else ("?.", "")
    if chain is None:
        text = f"{text_of(owner)}{middle}{text_of(inner)}{end}"
        yield Idiom(text=text, template="asked for", prior=0.3)
    else:
        text = f"{text_of(owner)}{middle.removeprefix('?.') or '.'}{text_of(inner)}{end}"
        yield Idiom(text=text, template="not asked for", prior=0.05)


def _waited_for(node: SyntaxNode) -> Iterator[Idiom]:
    """`f(x)` → `await f(x)`, in an async function."""
    parent = node.parent
    if parent is None or parts.is_waited(node):
        return
    text = f"await {text_of(node)}"
    inner = {"member_expression", "subscript_expression", "call_expression"}
    yield Idiom(
        text=f"({text})" if parent.type in inner else text, template="waited for", prior=0.3
    )


def _returned(node: SyntaxNode) -> Iterator[Idiom]:
    """`x => { y; }` → `x => y`: the braces that make a body of a value."""
    block = node.child_by_field_name("body")
    statements = parts.body(node)
    if block is None or len(statements) != 1 or statements[0].type != "expression_statement":
        return
    value = statements[0].named_child(0)
    if value is not None:
        head = text_of(node)[: block.start_byte - node.start_byte]
        yield Idiom(text=f"{head}{text_of(value)}", template="returned", prior=0.35)
