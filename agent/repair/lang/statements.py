"""What a language tells the templates of tiers 2 and 3 about its statements.

A language whose `Grammar.statements` is None gets the edits within expressions only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.repo.syntax import SyntaxNode


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementWords:
    """How the language spells statements and what joins conditions."""

    guard: str
    """Lines that run `{leave}` where `{condition}` holds, `{indent}` before each."""
    skip: str
    """Statement that goes on with the next turn of a loop."""
    nothing: str
    """Statement that does nothing."""
    assign: str
    """Statement that gives the `{name}` the `{value}`."""
    both: str
    """Condition of `{left}` and `{right}`."""
    either: str
    """Condition of `{left}` or `{right}`."""
    given: str
    """Argument `{value}` given as `{name}`, and a parameter with a default."""
    filter: str
    """What keeps the parts for which `{condition}` holds, behind the loop of an expression."""
    copies: tuple[str, ...]
    """Expressions that copy `{}`."""
    initialiser: str
    """Name of the method that sets up a new object."""
    usual_keywords: Mapping[str, tuple[str, ...]]
    """By function: arguments by name that its calls often need."""
    memberships: frozenset[str]
    """Operators that ask if the first is in the second."""
    is_zero: str
    """Condition that the number `{}` is zero."""
    scaled: tuple[str, ...]
    """Expressions that multiply `{}` by a small number, or divide it."""
    bounds: tuple[str, ...]
    """Expressions of the larger and the smaller of two, `{}` for each."""
    collecting: tuple[str, ...]
    """Statements that put the `{value}` to what `{name}` holds."""
    decorators: tuple[str, ...]
    """Usual ones, as written."""
    errors: tuple[str, ...]
    """Exceptions that a handler may lack, likeliest first."""
    class_tests: frozenset[str]
    """Functions of a value and of the class or classes that it may have."""
    classes: tuple[str, ...]
    """The language's own classes that such a test may name."""
    tests: tuple[str, ...]
    """Conditions on one variable `{}`, likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a function."""

    name: str
    node: SyntaxNode
    """All of it."""
    default: SyntaxNode | None
    may_have_default: bool
    """False for the object itself, and for what takes all other arguments."""


class Statements(Protocol):
    """The statements of one language."""

    @property
    def words(self) -> StatementWords:
        """How it spells them."""
        ...

    def is_simple(self, statement: SyntaxNode) -> bool:
        """Tell whether it stands on its own: no body, no import, no declaration."""
        ...

    def is_guard(self, statement: SyntaxNode) -> bool:
        """Tell whether it is a condition with one statement that leaves, and no other case."""
        ...

    def leaves(self, statement: SyntaxNode) -> bool:
        """Tell whether nothing after it in its block is run."""
        ...

    def condition(self, node: SyntaxNode) -> SyntaxNode | None:
        """The condition of a branch, a loop or a filter."""
        ...

    def expression(self, statement: SyntaxNode) -> SyntaxNode | None:
        """The expression that a statement consists of."""
        ...

    def parameters(self, function: SyntaxNode) -> Sequence[Parameter]:
        """The parameters of a function, in order."""
        ...

    def decorators(self, function: SyntaxNode) -> Sequence[SyntaxNode]:
        """What is put on a function from outside, each on a line of its own."""
        ...

    def is_generated(self, node: SyntaxNode) -> bool:
        """Tell whether the node is an expression with a loop in it."""
        ...

    def raised(self, statement: SyntaxNode) -> SyntaxNode | None:
        """The exception's class where a statement raises one."""
        ...

    def is_loop_around(self, node: SyntaxNode) -> bool:
        """Tell whether a loop of the same function is around the node."""
        ...
