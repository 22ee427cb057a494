"""What a language tells the templates about itself; the templates know no language.

A second language is a second `Grammar` (node kinds, parts of a node, tables of words), not a second
set of templates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from agent.repair.proposal import Unit
from agent.repo.languages import Language
from agent.repo.syntax import SyntaxNode, SyntaxTree
from agent.task import RepoPath


class Kind(StrEnum):
    """What a syntax node is to a template."""

    NAME = "name"
    ATTRIBUTE = "attribute"
    CALL = "call"
    COMPARISON = "comparison"
    LOGIC = "logic"
    NEGATION = "negation"
    ARITHMETIC = "arithmetic"
    SIGN = "sign"
    ASSIGNMENT = "assignment"
    UPDATE = "update"
    """Assignment with an operator."""
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    TRUE = "true"
    FALSE = "false"
    NONE = "none"
    INDEX = "index"
    SLICE = "slice"
    CHOICE = "choice"
    """The expression form of if and else."""
    CONTAINER = "container"
    RETURN = "return"
    BRANCH = "branch"
    """A statement or clause with a condition."""
    LOOP = "loop"
    JUMP = "jump"
    """break and continue."""
    HANDLER = "handler"
    """The clause that catches exceptions."""
    EXPRESSION = "expression"
    """Any other expression."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How the language spells what templates write."""

    none: str
    true: str
    false: str
    negate: str
    """With `{}` for the operand."""
    is_none: str
    is_present: str
    truthy_guard: str
    """Statement that returns `{value}` where `{name}` is empty, `{indent}` before each line."""
    none_guard: str
    """The same where `{name}` is absent."""
    choice: str
    """Expression with `{condition}`, `{value}` and `{other}`."""
    initialise: str
    """Statement that gives `{name}` the `{value}`."""
    import_module: str
    """Statement that makes the module `{name}` known."""
    empties: tuple[str, ...]
    """Values that an empty input may stand for, likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A simple statement, or the header of a compound one: what one covered line stands for."""

    node: SyntaxNode
    first_row: int
    last_row: int
    nodes: tuple[SyntaxNode, ...]
    """Everything in it, in source order, without the statements of its body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Names that may stand at a place, nearest first, without the ones of the place itself."""

    values: tuple[str, ...]
    """Variables and parameters of the enclosing functions."""
    globals: tuple[str, ...]
    """Assigned or imported at the top of the file."""
    callables: tuple[str, ...]
    """Functions and classes of the file, and what it imports."""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the text of the object: what is read or called on it anywhere in the file."""


class Grammar(Protocol):
    """One language, as the templates see it."""

    @property
    def language(self) -> Language:
        """Which parser reads it."""
        ...

    @property
    def words(self) -> Words:
        """How it spells what templates write."""
        ...

    @property
    def operator_swaps(self) -> Mapping[str, tuple[tuple[str, float], ...]]:
        """By operator: what may have been meant, each with its prior."""
        ...

    @property
    def call_swaps(self) -> Mapping[str, tuple[str, ...]]:
        """By function or method name: its usual mix-ups."""
        ...

    @property
    def modules(self) -> frozenset[str]:
        """Modules that come with the language."""
        ...

    @property
    def wrappers(self) -> Sequence[str]:
        """Functions of one argument that an expression may lack or have too much."""
        ...

    def kind(self, node: SyntaxNode) -> Kind:
        """What the node is."""
        ...

    def is_condition(self, node: SyntaxNode) -> bool:
        """Tell whether only the node's truth matters where it stands."""
        ...

    def is_read(self, node: SyntaxNode) -> bool:
        """Tell whether the node is a value that is used here, not a name being bound."""
        ...

    def operators(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """The operator tokens of a comparison, logic, arithmetic, sign or update."""
        ...

    def operands(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """What these operators work on, in source order."""
        ...

    def callee(self, call: SyntaxNode) -> SyntaxNode | None:
        """What a call calls."""
        ...

    def arguments(self, call: SyntaxNode) -> Sequence[SyntaxNode]:
        """A call's arguments, keyword ones whole."""
        ...

    def member(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """The object and the member name of an attribute; container and index of an index."""
        ...

    def is_function(self, node: SyntaxNode) -> bool:
        """Tell whether the node defines a function or method."""
        ...

    def binds(self, statement: SyntaxNode) -> Sequence[str]:
        """The names that a statement outside of functions gives a value."""
        ...

    def regions(self, tree: SyntaxTree) -> Iterator[Region]:
        """Every statement of the file."""
        ...

    def scope(self, tree: SyntaxTree, node: SyntaxNode) -> Scope:
        """What may be named at the node."""
        ...

    def unit(self, tree: SyntaxTree, start: int, end: int) -> Unit | None:
        """The function whose body holds the span, where its code may be swapped."""
        ...

    def is_test(self, path: RepoPath) -> bool:
        """Tell by its name whether a file holds tests or their set-up."""
        ...
