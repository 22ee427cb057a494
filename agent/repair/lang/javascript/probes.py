"""Puts calls into a file of JavaScript that tell which of its statements run.

Source is edited, not what a runner makes of it: so the same way serves node, jest, vitest and
mocha, with types and without. Nothing is added before a line's first statement but on that line,
so places in stack traces stay what they are.
"""

import json
from collections.abc import Iterator
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import PROBED
from agent.repo.syntax import SyntaxNode, SyntaxTree, ancestors, walk
from agent.task import RepoPath

_BLOCKS: Final = frozenset({"statement_block", "switch_case", "switch_default"})
_UNMARKED: Final = frozenset(
    {
        *("function_declaration", "generator_function_declaration", "empty_statement", "comment"),
        *("statement_block", "import_statement", "export_statement", "interface_declaration"),
        *("type_alias_declaration", "ambient_declaration", "function_signature"),
    }
)
"""What does nothing where it stands, or holds statements of its own."""
_BODIES: Final = {
    "if_statement": "consequence",
    "for_statement": "body",
    "for_in_statement": "body",
    "while_statement": "body",
    "do_statement": "body",
}
"""Statements whose body need not have braces."""
_FUNCTION: Final = "__greenloop_ran"
_TURN: Final = "__greenloop_turn"
"""What holds one object for each line of a test that ran."""


def probes_of(
    path: RepoPath, tree: SyntaxTree, *, is_test: bool, is_typed: bool
) -> tuple[ByteEdit, ...]:
    """Return the edits, none where the file has no function; they do not overlap."""
    found = [edit for node in walk(tree.root_node) for edit in _probes(node)]
    if not found:
        return ()
    end = tree.root_node.end_byte
    body = _turned(path) if is_test else _told_once(path)
    argument = "line: any" if is_typed else "line"
    ignored = "// @ts-ignore\n" if is_typed else ""
    text = f"\n{ignored}function {_FUNCTION}({argument}) {{ {body} }}\n"
    return (*sorted(found, key=lambda edit: edit.start), ByteEdit(end, end, text.encode()))


def _probes(node: SyntaxNode) -> Iterator[ByteEdit]:
    parent = node.parent
    if parent is None:
        return
    if parent.type in _BLOCKS and node.is_named and _is_run(node, parent):
        yield _before(node, f"{_call(node)};")
    elif _is_bare_body(node, parent):
        yield _before(node, f"{{{_call(node)};")
        yield ByteEdit(node.end_byte, node.end_byte, b"}")
    elif _is_value_of_arrow(node, parent):
        yield _before(node, f"({_call(node)},")
        yield ByteEdit(node.end_byte, node.end_byte, b")")


def _is_run(node: SyntaxNode, block: SyntaxNode) -> bool:
    """Tell whether a part of a block is a statement of a function."""
    if node.type in _UNMARKED or block.child_by_field_name("value") == node:
        return False
    first = node.named_child(0) if node.type == "expression_statement" else None
    if first is not None and first.type == "string":
        return False
    return all(outer.type != "ambient_declaration" for outer in ancestors(node))


def _is_bare_body(node: SyntaxNode, parent: SyntaxNode) -> bool:
    if not node.is_named or node.type in {"statement_block", "comment", "empty_statement"}:
        return False
    field = _BODIES.get(parent.type)
    is_else = parent.type == "else_clause"
    return is_else or (field is not None and parent.child_by_field_name(field) == node)


def _is_value_of_arrow(node: SyntaxNode, parent: SyntaxNode) -> bool:
    if parent.type != "arrow_function" or node.type == "statement_block":
        return False
    return parent.child_by_field_name("body") == node


def _before(node: SyntaxNode, text: str) -> ByteEdit:
    return ByteEdit(node.start_byte, node.start_byte, text.encode())


def _call(node: SyntaxNode) -> str:
    return f"{_FUNCTION}({node.start_point.row + 1})"


def _turned(path: RepoPath) -> str:
    """Each line of a test, whenever it runs; what runs after it is told anew."""
    return f"globalThis.{_TURN} = {{}}; {_written(path)}"


def _told_once(path: RepoPath) -> str:
    """Each line the first time after a line of a test."""
    return (
        f"const own = {_FUNCTION}, turn = globalThis.{_TURN}; "
        "if (own.turn !== turn || !own.known) { own.turn = turn; own.known = new Set(); } "
        f"if (own.known.has(line)) return; own.known.add(line); {_written(path)}"
    )


def _written(path: RepoPath) -> str:
    place = f"{json.dumps(PROBED)}, {json.dumps(path)} + ':' + line + '\\n'"
    fs = "globalThis.process.getBuiltinModule?.('fs') ?? require('fs')"
    return f"try {{ ({fs}).appendFileSync({place}); }} catch {{}}"
