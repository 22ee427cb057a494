"""`Grammar` for JavaScript, TypeScript and TSX, over the nodes of their tree-sitter grammars."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import Complaint, Idiom, Kind, Quoted, Region, Scope, Words
from agent.repair.lang.javascript import messages, parts, tables
from agent.repair.lang.javascript.idioms import idioms
from agent.repair.lang.javascript.probes import probes_of
from agent.repair.lang.javascript.regions import regions_of
from agent.repair.lang.javascript.scope import scope_at
from agent.repair.proposal import Unit
from agent.repo.languages import Language, spec_of
from agent.repo.syntax import SyntaxNode, SyntaxTree, text_of
from agent.task import RepoPath

_SET_UP: Final = re.compile(
    r"(^|/)(__mocks__|__fixtures__|fixtures|cypress|e2e)/"
    r"|(^|/)[^/]*\.(config|setup|conf)\.[cm]?[jt]sx?$"
    r"|(^|/)(jest|vitest|mocha|test|karma)[._-]?(setup|config|helpers?|utils?)[^/]*$"
    r"|\.d\.[cm]?ts$|\.min\.js$|\.(stories|bench)\.[cm]?[jt]sx?$"
)


@dataclass(frozen=True, slots=True)
class JavaScriptGrammar:
    """The tables and node shapes of JavaScript; types are passed over."""

    language: Language

    @property
    def deepest_tier(self) -> int:
        """A try takes a process: what the message says, operators, names and values."""
        return 1

    @property
    def words(self) -> Words:
        """How JavaScript spells what templates write."""
        return tables.WORDS

    @property
    def operator_swaps(self) -> Mapping[str, tuple[tuple[str, float], ...]]:
        """By operator: what may have been meant."""
        return tables.OPERATOR_SWAPS

    @property
    def symmetric(self) -> frozenset[str]:
        """Equality and logic."""
        return tables.SYMMETRIC

    @property
    def differing(self) -> frozenset[str]:
        """`!=` and `!==`."""
        return tables.DIFFERING

    @property
    def dividers(self) -> frozenset[str]:
        """`/` and `%`; of BigInts alone they fail."""
        return tables.DIVIDERS

    @property
    def call_swaps(self) -> Mapping[str, tuple[str, ...]]:
        """By function or method: its usual mix-ups."""
        return tables.CALL_SWAPS

    @property
    def jumps(self) -> Mapping[str, str]:
        """`break` and `continue`."""
        return tables.JUMPS

    @property
    def counters(self) -> frozenset[str]:
        """None: bounds stand in comparisons."""
        return frozenset()

    @property
    def modules(self) -> frozenset[str]:
        """Those of node."""
        return tables.MODULES

    @property
    def wrappers(self) -> Sequence[str]:
        """`Number`, `String`, `Math.floor` and their like."""
        return tables.WRAPPERS

    @property
    def methods(self) -> Sequence[str]:
        """`trim`, `toLowerCase` and their like."""
        return tables.METHODS

    @property
    def conversions(self) -> Sequence[tuple[str, str]]:
        """What makes a value fit, each with the word of a message that asks for it."""
        return tables.CONVERSIONS

    @property
    def with_default(self) -> Mapping[str, tuple[int, str]]:
        """`reduce` with a first value."""
        return tables.WITH_DEFAULT

    @property
    def nothing_types(self) -> frozenset[str]:
        """`undefined` and `null`."""
        return frozenset({"undefined", "null"})

    @property
    def giving_nothing(self) -> frozenset[str]:
        """`find`, `exec` and the like."""
        return tables.GIVING_NOTHING

    @property
    def receivers(self) -> frozenset[str]:
        """None: `this` is no name."""
        return frozenset()

    @property
    def statements(self) -> None:
        """None: only expressions are edited."""
        return

    def complaint(self, error: str, message: str) -> Complaint:
        """By the messages of V8."""
        return messages.complaint(error, message)

    def kind(self, node: SyntaxNode) -> Kind:
        """What the node is; keywords and punctuation are OTHER."""
        if not node.is_named:
            return Kind.OTHER
        match node.type:
            case "binary_expression":
                operator = parts.operator(node)
                if operator in tables.COMPARISONS:
                    return Kind.COMPARISON
                return Kind.LOGIC if operator in tables.LOGIC else Kind.ARITHMETIC
            case "unary_expression":
                operator = parts.operator(node)
                if operator == "!":
                    return Kind.NEGATION
                return Kind.SIGN if operator in tables.SIGNS else Kind.EXPRESSION
            case "number":
                return Kind.INTEGER if parts.is_integer(node) else Kind.NUMBER
            case "parenthesized_expression" if parts.is_syntax_of_condition(node):
                return Kind.OTHER
            case type_:
                return tables.KINDS.get(type_, Kind.OTHER)

    def is_condition(self, node: SyntaxNode) -> bool:
        """Conditions of if, while, do, for and `?:`; operands of `&&`, `||` and `!`."""
        return parts.is_condition(node)

    def is_read(self, node: SyntaxNode) -> bool:
        """False for what is bound, changed or thrown away, for names of members, and for types."""
        return parts.is_read(node)

    def is_waited(self, node: SyntaxNode) -> bool:
        """Tell whether `await` stands before the node, or may not stand there."""
        return parts.is_waited(node)

    def operators(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """Tokens such as `<`, `&&`, `+=`, `++`, and `of` of a loop."""
        return parts.operators(node)

    def operands(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """Both sides, or what a sign stands before."""
        return parts.operands(node)

    def callee(self, call: SyntaxNode) -> SyntaxNode | None:
        """What is called, or made by `new`."""
        return parts.callee(call)

    def arguments(self, call: SyntaxNode) -> Sequence[SyntaxNode]:
        """What stands between the brackets, spread ones whole."""
        return parts.arguments(call)

    def argument_list(self, call: SyntaxNode) -> SyntaxNode | None:
        """The brackets with what is in them; None for a tagged template."""
        return parts.argument_list(call)

    def keyword(self, argument: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """None: there are no arguments by name."""
        del argument
        return None

    def is_single(self, argument: SyntaxNode) -> bool:
        """Not spread by `...`."""
        return argument.type != "spread_element"

    def member(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """`(a, b)` of `a.b`, `a?.b` and of `a[b]`."""
        return parts.member(node)

    def slice_parts(self, node: SyntaxNode) -> tuple[str, str] | None:
        """None: slices are calls."""
        del node
        return None

    def choice(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode, SyntaxNode] | None:
        """Condition, value and other value of `condition ? value : other`."""
        return parts.choice(node)

    def elements(self, container: SyntaxNode) -> Sequence[SyntaxNode]:
        """Values, pairs, methods and what is spread."""
        return parts.children(container)

    def assigned(self, node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode] | None:
        """Target and value of `target = value`; None for a declaration."""
        return parts.assigned(node)

    def returned(self, node: SyntaxNode) -> SyntaxNode | None:
        """What follows `return`."""
        return next(iter(parts.children(node)), None)

    def caught(self, handler: SyntaxNode) -> SyntaxNode | None:
        """None: `catch` takes everything."""
        del handler
        return None

    def quoted(self, node: SyntaxNode) -> Quoted | None:
        """Quotes, text and quotes, of strings and templates."""
        return parts.quoted(node)

    def idioms(self, node: SyntaxNode) -> Iterator[Idiom]:
        """`a?.b` for `a.b`, `await f()` for `f()`, `x => y` for `x => { y; }`."""
        return idioms(node)

    def negated(self, node: SyntaxNode) -> str:
        """`!x`, with brackets where an operator would bind less."""
        return parts.negated(node)

    def is_block(self, node: SyntaxNode) -> bool:
        """Braces around statements or members, a case of a switch, or the whole file."""
        return node.type in parts.BLOCKS

    def body(self, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """The statements between the braces."""
        return parts.body(node)

    def module_members(self, module: str) -> Sequence[str]:
        """Functions of the objects that every runtime has: `Math`, `Object` and the like."""
        return tables.MEMBERS.get(module, ())

    def is_function(self, node: SyntaxNode) -> bool:
        """Functions of all forms and methods."""
        return node.type in parts.FUNCTIONS

    def function_name(self, node: SyntaxNode) -> str:
        """Its own name, or that of the variable, member or key that holds it."""
        return parts.function_name(node)

    def binds(self, statement: SyntaxNode) -> Sequence[str]:
        """Names of declarations, of fields, and of members that are assigned."""
        match statement.type:
            case "lexical_declaration" | "variable_declaration":
                targets = [one.child_by_field_name("name") for one in statement.named_children]
                return [name for target in targets for name in parts.bound_names(target)]
            case "field_definition" | "public_field_definition" | "class_declaration":
                name = statement.child_by_field_name("name")
                name = name or statement.child_by_field_name("property")
                return () if name is None else (text_of(name),)
            case "expression_statement":
                pairs = [parts.assigned(child) for child in statement.named_children]
                left = [pair[0] for pair in pairs if pair is not None]
                members = [one.child_by_field_name("property") or one for one in left]
                return [text_of(one) for one in members]
            case _:
                return ()

    def probes(self, path: RepoPath, tree: SyntaxTree, *, is_test: bool) -> Sequence[ByteEdit]:
        """A call before each statement, and the function that it calls at the end of the file."""
        is_typed = self.language is not Language.JAVASCRIPT
        return probes_of(path, tree, is_test=is_test, is_typed=is_typed)

    def regions(self, tree: SyntaxTree) -> Iterator[Region]:
        """Every statement, clause and member, without the blocks inside."""
        return regions_of(tree)

    def scope(self, tree: SyntaxTree, node: SyntaxNode) -> Scope:
        """Names by function, outward, then the file."""
        return scope_at(tree, node)

    def import_row(self, tree: SyntaxTree) -> int:
        """Before the first import; without one at the top."""
        for node in parts.children(tree.root_node):
            if node.type == "import_statement":
                return node.start_point.row
        return 0

    def unit(self, tree: SyntaxTree, start: int, end: int) -> Unit | None:
        """None: no live process is held in which code could be swapped."""
        del tree, start, end
        return None

    def is_test(self, path: RepoPath) -> bool:
        """By the names that the runners use; set-up, settings and declarations too."""
        spec = spec_of(path)
        is_named = spec is not None and spec.is_test_file(path)
        return is_named or _SET_UP.search(path) is not None
