"""`Grammar` for Python, over the nodes of tree-sitter-python."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import Complaint, Idiom, Kind, Quoted, Region, Scope, Words
from agent.repair.lang.python import messages, parts, tables
from agent.repair.lang.python.idioms import idioms
from agent.repair.lang.python.library import module_members
from agent.repair.lang.python.scope import scope_at
from agent.repair.lang.python.statements import PythonStatements
from agent.repair.lang.python.units import unit_around
from agent.repair.lang.statements import Statements
from agent.repair.proposal import Unit
from agent.repo.languages import Language
from agent.repo.syntax import SyntaxNode, SyntaxTree, ancestors, text_of, walk
from agent.task import RepoPath

_FUNCTIONS: Final = frozenset({"function_definition", "lambda"})
_BLOCKS: Final = frozenset({"block", "module"})
_CLAUSES: Final = frozenset(
    {
        "elif_clause",
        "else_clause",
        "except_clause",
        "except_group_clause",
        "finally_clause",
        "case_clause",
    }
)
_BINDING_PARENTS: Final = {
    "function_definition": ("name",),
    "class_definition": ("name",),
    "assignment": ("left", "type"),
    "augmented_assignment": ("left",),
    "for_statement": ("left",),
    "for_in_clause": ("left",),
    "keyword_argument": ("name",),
    "attribute": ("attribute",),
    "default_parameter": ("name",),
    "typed_default_parameter": ("name", "type"),
    "named_expression": ("name",),
}
_BINDING_CONTEXTS: Final = frozenset(
    {
        "parameters",
        "lambda_parameters",
        "typed_parameter",
        "pattern_list",
        "tuple_pattern",
        "list_pattern",
        "list_splat_pattern",
        "dictionary_splat_pattern",
        "as_pattern_target",
        "import_statement",
        "import_from_statement",
        "aliased_import",
        "dotted_name",
        "global_statement",
        "nonlocal_statement",
        "type",
        "decorator",
        "expression_statement",
        "delete_statement",
    }
)
_TEST_PATH: Final = re.compile(
    r"(^|/)(tests?|testing|testsuite)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$"
)


class PythonGrammar:
    """Python's tables and node shapes; stateless."""

    language: Final = Language.PYTHON
    deepest_tier: Final = 4
    words: Final[Words] = tables.WORDS
    operator_swaps: Final[Mapping[str, tuple[tuple[str, float], ...]]] = tables.OPERATOR_SWAPS
    symmetric: Final[frozenset[str]] = tables.SYMMETRIC
    differing: Final[frozenset[str]] = tables.DIFFERING
    dividers: Final[frozenset[str]] = tables.DIVIDERS
    call_swaps: Final[Mapping[str, tuple[str, ...]]] = tables.CALL_SWAPS
    jumps: Final[Mapping[str, str]] = tables.JUMPS
    counters: Final[frozenset[str]] = tables.COUNTERS
    modules: Final[frozenset[str]] = tables.STANDARD_MODULES
    wrappers: Final[Sequence[str]] = tables.WRAPPERS
    methods: Final[Sequence[str]] = tables.METHODS
    conversions: Final[Sequence[tuple[str, str]]] = tables.CONVERSIONS
    with_default: Final[Mapping[str, tuple[int, str]]] = tables.WITH_DEFAULT
    nothing_types: Final[frozenset[str]] = frozenset({"NoneType"})
    giving_nothing: Final[frozenset[str]] = tables.GIVING_NOTHING
    receivers: Final[frozenset[str]] = frozenset({"self", "cls"})

    statements: Final[Statements | None] = PythonStatements()

    def complaint(self, error: str, message: str) -> Complaint:
        """By the messages of CPython 3.8 and later."""
        return messages.complaint(error, message)

    def kind(self, node: SyntaxNode) -> Kind:
        """What the node is; keywords and punctuation are OTHER."""
        return tables.KINDS.get(node.type, Kind.OTHER) if node.is_named else Kind.OTHER

    def is_condition(self, node: SyntaxNode) -> bool:
        """Conditions of if, while, assert, comprehensions; operands of and, or, not."""
        parent = node.parent
        if parent is None:
            return False
        if parent.type == "parenthesized_expression":
            return self.is_condition(parent)
        if parent.type == "conditional_expression":
            return parent.named_child(1) == node
        if parent.type in {"if_clause", "not_operator", "boolean_operator"}:
            return True
        if parent.type == "assert_statement":
            return parent.named_child(0) == node
        return parent.child_by_field_name("condition") == node

    def negated(self, node: SyntaxNode) -> str:
        """`not` before it; what binds looser, in brackets."""
        text = text_of(node)
        is_loose = self.kind(node) in {Kind.LOGIC, Kind.CHOICE} or node.type == "lambda"
        return f"not ({text})" if is_loose else f"not {text}"

    def is_read(self, node: SyntaxNode) -> bool:
        """False for what is bound or thrown away, keyword and member names, annotations."""
        parent = node.parent
        if parent is None or parent.type in _BINDING_CONTEXTS:
            return False
        fields = _BINDING_PARENTS.get(parent.type, ())
        return all(parent.child_by_field_name(field) != node for field in fields)

    def is_waited(self, node: SyntaxNode) -> bool:
        """Tell whether `await` stands before the node, or may not stand there."""
        parent = node.parent
        if parent is None or parent.type == "await":
            return True
        around = (outer for outer in ancestors(node) if outer.type in _FUNCTIONS)
        function = next(around, None)
        return function is None or function.children[0].type != "async"

    def operators(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """Tokens such as `<`, `not in`, `and`, `+`, `+=`."""
        return parts.operators(node)

    def operands(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """The named children, without comments and without operators of two words."""
        return parts.operands(node)

    def callee(self, call: SyntaxNode) -> SyntaxNode | None:
        """What stands before the parenthesis."""
        return call.child_by_field_name("function")

    def arguments(self, call: SyntaxNode) -> Sequence[SyntaxNode]:
        """Positional, keyword and starred arguments; a lone generator is one argument."""
        return parts.arguments(call)

    def argument_list(self, call: SyntaxNode) -> SyntaxNode | None:
        """The brackets with what is in them; None for a lone generator."""
        return parts.argument_list(call)

    def keyword(self, argument: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """Name and value of `name=value`."""
        return parts.keyword(argument)

    def is_single(self, argument: SyntaxNode) -> bool:
        """Without `name=`, `*` and `**`."""
        return parts.is_single(argument)

    def member(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """`(a, b)` of `a.b` and of `a[b]`; None for `a[b, c]`."""
        return parts.member(node)

    def slice_parts(self, node: SyntaxNode) -> tuple[str, str] | None:
        """Both bounds of `a:b`."""
        return parts.slice_parts(node)

    def choice(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode, SyntaxNode] | None:
        """Condition, value and other value of `value if condition else other`."""
        return parts.choice(node)

    def elements(self, container: SyntaxNode) -> Sequence[SyntaxNode]:
        """Values, pairs and what is spread."""
        return parts.children(container)

    def assigned(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """Target and value of `target = value`."""
        return parts.assigned(node)

    def returned(self, node: SyntaxNode) -> SyntaxNode | None:
        """What follows `return`; several values are one tuple."""
        return next(iter(parts.children(node)), None)

    def caught(self, handler: SyntaxNode) -> SyntaxNode | None:
        """A class or a tuple of them."""
        return parts.caught(handler)

    def quoted(self, node: SyntaxNode) -> Quoted | None:
        """Prefix and quotes, text, and quotes; None for a docstring."""
        return parts.quoted(node)

    def idioms(self, node: SyntaxNode) -> Iterator[Idiom]:
        """`yield x` for `yield from x` and the like."""
        return idioms(node)

    def is_block(self, node: SyntaxNode) -> bool:
        """An indented block, or the whole file."""
        return node.type in _BLOCKS

    def body(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """The statements below the colon."""
        return parts.body(node)

    def module_members(self, module: str) -> Sequence[str]:
        """Public names of common modules of the standard library, of the Python that runs this."""
        return module_members(module)

    def is_function(self, node: SyntaxNode) -> bool:
        """`def`, also async; lambdas are expressions."""
        return node.type == "function_definition"

    def function_name(self, node: SyntaxNode) -> str:
        """What follows `def`."""
        name = node.child_by_field_name("name")
        return "" if name is None else text_of(name)

    def binds(self, statement: SyntaxNode) -> Sequence[str]:
        """Targets of assignments; bases of a class count for its name."""
        if statement.type == "class_definition":
            name = statement.child_by_field_name("name")
            return () if name is None else (text_of(name),)
        if statement.type != "expression_statement":
            return ()
        targets = (child.child_by_field_name("left") for child in statement.named_children)
        return [
            text_of(node)
            for target in targets
            if target is not None
            for node in walk(target)
            if node.type == "identifier"
        ]

    def probes(self, path: RepoPath, tree: SyntaxTree, *, is_test: bool) -> Sequence[ByteEdit]:
        """None: the interpreter tells what runs."""
        del path, tree, is_test
        return ()

    def regions(self, tree: SyntaxTree) -> Iterator[Region]:
        """Every statement and clause, without the blocks inside."""
        for node in walk(tree.root_node, into=_may_hold_statements):
            parent = node.parent
            is_statement = parent is not None and parent.type in _BLOCKS and node.is_named
            if node.type == "function_definition" or node.type == "class_definition":
                is_statement = True
            if (is_statement and node.type != "comment") or node.type in _CLAUSES:
                yield _region(node)

    def scope(self, tree: SyntaxTree, node: SyntaxNode) -> Scope:
        """Names by Python's scoping, functions outward, then the file."""
        return scope_at(tree, node)

    def import_row(self, tree: SyntaxTree) -> int:
        """Before the first import; without one after the docstring and future imports."""
        row = 0
        for node in parts.children(tree.root_node):
            if node.type in {"import_statement", "import_from_statement"}:
                return node.start_point.row
            is_text = node.type == "expression_statement" and node.named_child(0) is not None
            if node.type != "future_import_statement" and not (
                is_text and node.named_children[0].type == "string"
            ):
                break
            row = node.end_point.row + 1
        return row

    def unit(self, tree: SyntaxTree, start: int, end: int) -> Unit | None:
        """The outermost function around the span, if the span lies in its body."""
        return unit_around(tree, start, end)

    def is_test(self, path: RepoPath) -> bool:
        """By the names pytest and unittest use."""
        return _TEST_PATH.search(path) is not None


def _may_hold_statements(node: SyntaxNode) -> bool:
    return (
        node.type in _BLOCKS
        or node.type in _CLAUSES
        or node.type == "decorated_definition"
        or node.type.endswith("_statement")
        or node.type.endswith("_definition")
    )


def _region(node: SyntaxNode) -> Region:
    last_row = node.start_point.row
    nodes = []
    for part in walk(node, into=lambda inner: inner == node or not _is_body(inner)):
        if part != node and _is_body(part):
            continue
        nodes.append(part)
        if part != node:
            last_row = max(last_row, part.end_point.row)
    if not any(_is_body(child) for child in node.children):
        last_row = node.end_point.row
    return Region(node=node, first_row=node.start_point.row, last_row=last_row, nodes=tuple(nodes))


def _is_body(node: SyntaxNode) -> bool:
    return (
        node.type == "block"
        or node.type in _CLAUSES
        or node.type in {"function_definition", "class_definition"}
    )
