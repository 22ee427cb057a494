"""What a language tells the templates about itself; the templates know no language.

A second language is a second `Grammar` (node kinds, parts of a node, tables of words, what its
error messages mean), not a second set of templates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, Protocol

from agent.edits.spans import ByteEdit
from agent.repair.lang.statements import Statements
from agent.repair.proposal import Unit
from agent.repo.languages import Language
from agent.repo.syntax import SyntaxNode, SyntaxTree
from agent.task import RepoPath
from sandbox.base import TOOLS_DIR

PROBED: Final = f"{TOOLS_DIR}/probed"
"""Inside a sandbox: `path:line`, a line for each that ran."""


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
    PAIR = "pair"
    """Key and value of a container."""
    KEYWORD = "keyword"
    """An argument that is given by name."""
    EXPRESSION = "expression"
    """Any other expression."""
    OTHER = "other"


class Trouble(StrEnum):
    """What an error message complains of."""

    UNDEFINED_NAME = "undefined name"
    UNBOUND = "unbound"
    """A variable of the function that has no value yet."""
    MISSING_MEMBER = "missing member"
    WRONG_KEYWORD = "wrong keyword"
    WRONG_COUNT = "wrong count"
    """Arguments too many or too few."""
    NO_MODULE = "no module"
    MISSING_KEY = "missing key"
    BAD_INDEX = "bad index"
    ZERO_DIVISOR = "zero divisor"
    NOTHING = "nothing"
    """The language's nothing, used as a value."""
    NOT_CALLABLE = "not callable"
    WRONG_TYPE = "wrong type"
    WRONG_VALUE = "wrong value"
    EMPTY_INPUT = "empty input"
    """The first, the next or the largest of nothing."""
    ENDLESS = "endless"
    """A recursion without a base case."""
    NOT_AWAITED = "not awaited"
    """What another task is still to give, used as if it were there."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """An error message, understood."""

    trouble: Trouble
    name: str = ""
    """What it names: the variable, member, keyword or module; empty where it names none."""
    owner: str = ""
    """The type or module that lacks the member; empty where it says none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How the language spells what templates write.

    A form that the language has not is empty; then nothing is drawn with it. What is put around
    others brings its own brackets where its parts may be of any kind.
    """

    none: str
    true: str
    false: str
    is_none: str
    is_present: str
    truthy_guard: str
    """Statement that returns `{value}` where `{name}` is empty, `{indent}` before each line."""
    none_guard: str
    """The same where `{name}` is absent."""
    choice: str
    """Expression with `{condition}`, `{value}` and `{other}`, without brackets around it."""
    or_else: str
    """Expression with `{value}` and the `{other}` that is taken where the value is empty."""
    lookup: str
    """The value of `{key}` in `{owner}`, or nothing."""
    lookup_or: str
    """The same with the `{other}` that is taken for a missing one."""
    slice: str
    """What stands for the span from `{low}` to `{high}`; either may be empty."""
    reversed_slice: str
    """What stands for all from the last to the first."""
    last_index: str
    """The index of the last part of `{owner}`."""
    returning: str
    """Statement that returns `{value}`."""
    added: str
    """Statement that adds `{value}` to the variable `{name}`."""
    initialise: str
    """Statement that gives `{name}` the `{value}`."""
    import_module: str
    """Statement that makes the module `{name}` known."""
    also_caught: str
    """What catches `{caught}` and `{error}`."""
    waited: str
    """Expression that waits for the `{value}` of another task."""
    grouped: str
    """Expression that makes one value of several, with `{}` for them, parted by commas."""
    own: str
    """How a method names its object: `self`, `this`."""
    empties: tuple[str, ...]
    """Values that an empty input may stand for, likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A string literal as written, taken apart: `r'`, `a\\d`, `'`."""

    start: str
    body: str
    end: str
    is_filled: bool
    """True where values are put into the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idiom:
    """Another way to put a node that is of this language only: `yield x` for `yield from x`."""

    text: str
    template: str
    prior: float
    tier: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A simple statement, or the header of a compound one: what one covered line stands for."""

    node: SyntaxNode
    first_row: int
    last_row: int
    nodes: tuple[SyntaxNode, ...]
    """Everything in it, in source order, without the statements of its body."""


@dataclass(frozen=True, kw_only=True)
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

    @cached_property
    def known(self) -> frozenset[str]:
        """Every name that may stand at the place."""
        return frozenset((*self.values, *self.globals, *self.callables))


class Grammar(Protocol):
    """One language, as the templates see it."""

    @property
    def language(self) -> Language:
        """Which parser reads it."""
        ...

    @property
    def deepest_tier(self) -> int:
        """Tier up to which templates are drawn: where a try is dear, the first ones only."""
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
    def symmetric(self) -> frozenset[str]:
        """Operators to which the order of their operands does not matter, as a rule."""
        ...

    @property
    def differing(self) -> frozenset[str]:
        """Comparisons that hold where both sides are not the same."""
        ...

    @property
    def dividers(self) -> frozenset[str]:
        """Operators that fail over a second operand of zero."""
        ...

    @property
    def call_swaps(self) -> Mapping[str, tuple[str, ...]]:
        """By function or method name: its usual mix-ups."""
        ...

    @property
    def jumps(self) -> Mapping[str, str]:
        """By statement that leaves a loop or a turn of it: the other one."""
        ...

    @property
    def counters(self) -> frozenset[str]:
        """Functions whose arguments are bounds: `range`."""
        ...

    @property
    def modules(self) -> frozenset[str]:
        """Modules that come with the language."""
        ...

    @property
    def wrappers(self) -> Sequence[str]:
        """Functions of one argument that an expression may lack or have too much."""
        ...

    @property
    def methods(self) -> Sequence[str]:
        """Methods without arguments that an expression may lack."""
        ...

    @property
    def conversions(self) -> Sequence[tuple[str, str]]:
        """What makes a value fit, `{}` for it, each with the word of a message that asks for it."""
        ...

    @property
    def with_default(self) -> Mapping[str, tuple[int, str]]:
        """By function: arguments of a call without a default, and how one with it is written.

        With `{callee}`, `{arguments}` and `{value}`.
        """
        ...

    @property
    def nothing_types(self) -> frozenset[str]:
        """Names of the types of the language's nothing, as a failure records them."""
        ...

    @property
    def giving_nothing(self) -> frozenset[str]:
        """Functions and methods that return nothing where there is nothing to be had."""
        ...

    @property
    def receivers(self) -> frozenset[str]:
        """Names that every method has, and that are no value of its own: `self`, `cls`."""
        ...

    @property
    def statements(self) -> Statements | None:
        """Its statements; None where templates are to edit expressions only."""
        ...

    def complaint(self, error: str, message: str) -> Complaint:
        """What an error of that class with that message complains of."""
        ...

    def kind(self, node: SyntaxNode) -> Kind:
        """What the node is."""
        ...

    def is_condition(self, node: SyntaxNode) -> bool:
        """Tell whether only the node's truth matters where it stands."""
        ...

    def negated(self, node: SyntaxNode) -> str:
        """The condition that holds where the node does not, with brackets where it needs them."""
        ...

    def is_read(self, node: SyntaxNode) -> bool:
        """Tell whether the node is a value that is used here, not a name being bound."""
        ...

    def is_waited(self, node: SyntaxNode) -> bool:
        """Tell whether the node is waited for, or stands where nothing can be."""
        ...

    def operators(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """The operator tokens of a comparison, logic, arithmetic, sign or update."""
        ...

    def operands(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """What these operators work on, in source order; the one operand of a negation or sign."""
        ...

    def callee(self, call: SyntaxNode) -> SyntaxNode | None:
        """What a call calls."""
        ...

    def arguments(self, call: SyntaxNode) -> Sequence[SyntaxNode]:
        """A call's arguments, keyword ones whole."""
        ...

    def argument_list(self, call: SyntaxNode) -> SyntaxNode | None:
        """The arguments with their brackets; None where no argument may join them."""
        ...

    def keyword(self, argument: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """Name and value of a keyword argument; None for any other."""
        ...

    def is_single(self, argument: SyntaxNode) -> bool:
        """Tell whether an argument is one value, neither given by name nor spread."""
        ...

    def member(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """The object and the member name of an attribute; container and index of an index."""
        ...

    def slice_parts(self, node: SyntaxNode) -> tuple[str, str] | None:
        """Both bounds of a slice as written; None where it has a step."""
        ...

    def choice(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode, SyntaxNode] | None:
        """Condition, value and other value of a choice."""
        ...

    def elements(self, container: SyntaxNode) -> Sequence[SyntaxNode]:
        """What a container literal holds; pairs whole."""
        ...

    def assigned(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """Target and value of an assignment; None where it has none, or an annotation."""
        ...

    def returned(self, node: SyntaxNode) -> SyntaxNode | None:
        """What a return statement returns."""
        ...

    def caught(self, handler: SyntaxNode) -> SyntaxNode | None:
        """What a handler catches; None where it catches all."""
        ...

    def quoted(self, node: SyntaxNode) -> Quoted | None:
        """A string literal taken apart; None for one that is no value, as documentation."""
        ...

    def idioms(self, node: SyntaxNode) -> Iterator[Idiom]:
        """Other ways to put the node that only this language has."""
        ...

    def is_block(self, node: SyntaxNode) -> bool:
        """Tell whether the node is a list of statements."""
        ...

    def body(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """The statements below a function or a statement with a body; comments left out."""
        ...

    def module_members(self, module: str) -> Sequence[str]:
        """What a module that comes with the language offers; empty for any other."""
        ...

    def is_function(self, node: SyntaxNode) -> bool:
        """Tell whether the node defines a function or method."""
        ...

    def function_name(self, node: SyntaxNode) -> str:
        """What a function is called, by itself or by what it is given to; empty: nothing."""
        ...

    def binds(self, statement: SyntaxNode) -> Sequence[str]:
        """The names that a statement outside of functions gives a value."""
        ...

    def probes(self, path: RepoPath, tree: SyntaxTree, *, is_test: bool) -> Sequence[ByteEdit]:
        """Edits by which the file tells in `PROBED` which of its lines run; no line moves.

        Lines of tests are told each time, others the first time after a line of a test. None at
        all: what runs is learnt in another way.
        """
        ...

    def regions(self, tree: SyntaxTree) -> Iterator[Region]:
        """Every statement of the file."""
        ...

    def scope(self, tree: SyntaxTree, node: SyntaxNode) -> Scope:
        """What may be named at the node."""
        ...

    def import_row(self, tree: SyntaxTree) -> int:
        """The row before which one more import goes, from 0."""
        ...

    def unit(self, tree: SyntaxTree, start: int, end: int) -> Unit | None:
        """The function whose body holds the span, where its code may be swapped."""
        ...

    def is_test(self, path: RepoPath) -> bool:
        """Tell by its name whether a file holds tests or their set-up."""
        ...
