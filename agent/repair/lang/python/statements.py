"""`Statements` for Python."""

from collections.abc import Sequence
from typing import Final

from agent.repair.lang.python import parts
from agent.repair.lang.statements import Parameter, StatementWords
from agent.repo.syntax import SyntaxNode, ancestors, text_of, walk

_SIMPLE: Final = frozenset(
    {
        "expression_statement",
        "return_statement",
        "raise_statement",
        "break_statement",
        "continue_statement",
        "assert_statement",
        "delete_statement",
    }
)
_LEAVING: Final = frozenset(
    {"return_statement", "raise_statement", "break_statement", "continue_statement"}
)
_GENERATED: Final = frozenset(
    {
        "list_comprehension",
        "set_comprehension",
        "dictionary_comprehension",
        "generator_expression",
    }
)
_SPREADING: Final = frozenset({"list_splat_pattern", "dictionary_splat_pattern"})
_LOOPS: Final = frozenset({"for_statement", "while_statement"})

WORDS: Final = StatementWords(
    guard="{indent}if {condition}:\n{indent}    {leave}\n",
    skip="continue",
    nothing="pass",
    assign="{name} = {value}",
    both="{left} and {right}",
    either="{left} or {right}",
    given="{name}={value}",
    filter=" if {condition}",
    copies=("list({})", "{}.copy()", "dict({})", "{}[:]", "set({})"),
    initialiser="__init__",
    usual_keywords={
        "max": ("key=len", "default=0", "default=None"),
        "min": ("key=len", "default=0", "default=None"),
        "sorted": ("reverse=True", "key=len", "key=str"),
        "sort": ("reverse=True", "key=len", "key=str"),
        "open": ('encoding="utf-8"', 'newline=""'),
        "zip": ("strict=True",),
        "dumps": ("sort_keys=True", "ensure_ascii=False", "default=str"),
        "dump": ("sort_keys=True", "ensure_ascii=False"),
        "split": ("maxsplit=1",),
        "rsplit": ("maxsplit=1",),
        "compile": ("flags=re.IGNORECASE",),
        "run": ("check=True", "text=True"),
        "makedirs": ("exist_ok=True",),
        "mkdir": ("parents=True", "exist_ok=True"),
        "warn": ("stacklevel=2",),
    },
    memberships=frozenset({"in", "not in"}),
    is_zero="{} == 0",
    scaled=("{} ** 2", "{} * 2", "{} // 2"),
    bounds=("max({}, {})", "min({}, {})"),
    collecting=(
        "{name}.append({value})",
        "{name}.extend({value})",
        "{name}.update({value})",
        "{name}.add({value})",
    ),
    decorators=("@property", "@staticmethod", "@classmethod"),
    errors=(
        "TypeError",
        "ValueError",
        "AttributeError",
        "KeyError",
        "IndexError",
        "OverflowError",
        "OSError",
        "ImportError",
    ),
    class_tests=frozenset({"isinstance", "issubclass"}),
    classes=("list", "tuple", "str", "dict", "set", "int", "float", "bytes", "type"),
    tests=("{} is not None", "{}", "not {}", "{} is None"),
)


class PythonStatements:
    """Python's statements; stateless."""

    words: Final[StatementWords] = WORDS

    def is_simple(self, statement: SyntaxNode) -> bool:
        """Expressions, assignments, return, raise, jumps; no docstring, no bare annotation."""
        if statement.type != "expression_statement":
            return statement.type in _SIMPLE
        inner = next(iter(statement.named_children), None)
        if inner is None or inner.type == "string":
            return False
        return inner.type != "assignment" or inner.child_by_field_name("right") is not None

    def is_guard(self, statement: SyntaxNode) -> bool:
        """`if` without `elif` and `else`, with one statement that leaves."""
        if statement.type != "if_statement":
            return False
        if statement.child_by_field_name("alternative") is not None:
            return False
        body = parts.body(statement)
        return len(body) == 1 and self.leaves(body[0])

    def leaves(self, statement: SyntaxNode) -> bool:
        """`return`, `raise`, `break`, `continue`."""
        return statement.type in _LEAVING

    def condition(self, node: SyntaxNode) -> SyntaxNode | None:
        """Of `if`, `elif`, `while`, also within expressions."""
        if node.type == "if_clause":
            return next(iter(parts.children(node)), None)
        return node.child_by_field_name("condition")

    def expression(self, statement: SyntaxNode) -> SyntaxNode | None:
        """No assignment, no docstring."""
        if statement.type != "expression_statement" or len(statement.named_children) != 1:
            return None
        inner = statement.named_children[0]
        return None if inner.type in {"assignment", "augmented_assignment", "string"} else inner

    def parameters(self, function: SyntaxNode) -> Sequence[Parameter]:
        """The first one of a method is the object."""
        node = function.child_by_field_name("parameters")
        if node is None:
            return ()
        found = []
        for place, child in enumerate(parts.children(node)):
            name = next((part for part in walk(child) if part.type == "identifier"), None)
            if name is not None:
                inner = child.named_children[0] if child.type == "typed_parameter" else child
                is_spread = inner.type in _SPREADING
                is_object = place == 0 and text_of(name) in {"self", "cls"}
                parameter = Parameter(
                    name=text_of(name),
                    node=child,
                    default=child.child_by_field_name("value"),
                    may_have_default=not is_spread and not is_object,
                )
                found.append(parameter)
        return found

    def decorators(self, function: SyntaxNode) -> Sequence[SyntaxNode]:
        """The lines with `@`."""
        around = function.parent
        if around is None or around.type != "decorated_definition":
            return ()
        return [child for child in around.named_children if child.type == "decorator"]

    def is_generated(self, node: SyntaxNode) -> bool:
        """Comprehensions and generators."""
        return node.type in _GENERATED

    def raised(self, statement: SyntaxNode) -> SyntaxNode | None:
        """`A` of `raise A` and `raise A(b)`."""
        if statement.type != "raise_statement":
            return None
        value = next(iter(parts.children(statement)), None)
        if value is not None and value.type == "call":
            return value.child_by_field_name("function")
        return value

    def is_loop_around(self, node: SyntaxNode) -> bool:
        """`for` or `while`, not beyond the next `def`."""
        for outer in ancestors(node):
            if outer.type in _LOOPS:
                return True
            if outer.type in {"function_definition", "class_definition"}:
                return False
        return False
