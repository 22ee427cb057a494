"""One parsed file and what templates ask of it; a site is one node of it to be edited."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.donors import Donors, gather
from agent.repair.lang.base import Complaint, Grammar, Kind, Region, Scope, Trouble
from agent.repair.lang.statements import Parameter
from agent.repair.proposal import Flag, Sketch, Unit
from agent.repo.syntax import SyntaxNode, SyntaxTree, ancestors, parse, walk
from agent.task import RepoPath

USUAL_STEP: Final = "    "
"""How templates indent; the file's own step takes its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The exception that ended a failing test, as seen from one line that it passed."""

    error: str
    """Class name: `IndexError`."""
    message: str
    is_crash: bool
    """True on the innermost line of the repository's own code, False on its callers' lines."""
    local_types: Mapping[str, str] = field(default_factory=dict)
    """Variables there and the names of their types; empty where not recorded."""


@dataclass(frozen=True)
class Source:
    """One file, read once."""

    path: RepoPath
    data: bytes
    grammar: Grammar
    _by_text: dict[tuple[int, str], dict[str, list[SyntaxNode]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _variables: dict[int, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def tree(self) -> SyntaxTree:
        """The syntax tree."""
        return parse(self.grammar.language, self.data)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """Every statement, in source order."""
        return tuple(self.grammar.regions(self.tree))

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of each line's first byte."""
        starts = [0]
        for line in self.data.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return tuple(starts)

    @cached_property
    def strings(self) -> tuple[str, ...]:
        """The string literals of the file, as written, in source order, each once."""
        found = (
            self.text(node)
            for node in walk(self.tree.root_node)
            if self.grammar.kind(node) is Kind.STRING
        )
        return tuple(dict.fromkeys(text for text in found if len(text) < 40))

    @cached_property
    def donors(self) -> Donors:
        """What the file already says and edits may take over."""
        return gather(self.grammar, self.regions)

    @cached_property
    def parameters(self) -> Mapping[str, Sequence[Parameter]]:
        """What the functions of the file take, by their names; the last of a name counts."""
        statements = self.grammar.statements
        if statements is None:
            return {}
        functions = (one.node for one in self.regions if self.grammar.is_function(one.node))
        return {self.grammar.function_name(one): statements.parameters(one) for one in functions}

    def text(self, node: SyntaxNode) -> str:
        """The node's source text."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "surrogateescape")

    @cached_property
    def _regions(self) -> Mapping[int, Region]:
        return {region.node.id: region for region in self.regions}

    def names_in(self, statement: SyntaxNode, *, deep: bool = True) -> Iterator[SyntaxNode]:
        """The names in a statement and its body; not deep: only those read above the body."""
        region = None if deep else self._regions.get(statement.id)
        for node in walk(statement) if region is None else region.nodes:
            if self.grammar.kind(node) is Kind.NAME and (deep or self.grammar.is_read(node)):
                yield node

    def nodes_of(self, outer: SyntaxNode, kinds: Set[Kind]) -> Iterator[SyntaxNode]:
        """The nodes of some kinds inside of another that are read, but for what is called."""
        for node in walk(outer):
            parent = node.parent
            is_callee = (
                parent is not None
                and self.grammar.kind(parent) is Kind.CALL
                and self.grammar.callee(parent) == node
            )
            if self.grammar.kind(node) in kinds and not is_callee and self.grammar.is_read(node):
                yield node

    def nodes_like(self, outer: SyntaxNode, node: SyntaxNode) -> Sequence[SyntaxNode]:
        """Nodes of the same type and text inside of another."""
        key = (outer.id, node.type)
        if key not in self._by_text:
            found: dict[str, list[SyntaxNode]] = {}
            for inner in walk(outer):
                if inner.type == node.type:
                    found.setdefault(self.text(inner), []).append(inner)
            self._by_text[key] = found
        return self._by_text[key].get(self.text(node), ())

    def variables(self, statement: SyntaxNode) -> tuple[str, ...]:
        """Variables that a statement reads above its body, each once, without the object itself."""
        if statement.id not in self._variables:
            visible = set(self.grammar.scope(self.tree, statement).values) - self.grammar.receivers
            names = dict.fromkeys(map(self.text, self.names_in(statement, deep=False)))
            self._variables[statement.id] = tuple(name for name in names if name in visible)
        return self._variables[statement.id]

    @cached_property
    def newline(self) -> str:
        """How the file ends its lines, by the first one."""
        first = self.data[: self.data.find(b"\n") + 1]
        return "\r\n" if first.endswith(b"\r\n") else "\n"

    @cached_property
    def step(self) -> str:
        """By what the file indents, by the first statement that is."""
        found = (self.indent_at(one.first_row) for one in self.regions)
        return next((indent for indent in found if indent), USUAL_STEP)

    def laid_out(self, lines: str, indent: str) -> bytes:
        """Return lines as the file ends and indents its own; at most one step below the indent."""
        if self.step != USUAL_STEP:
            deeper = f"{indent}{USUAL_STEP}"
            rows = lines.splitlines(keepends=True)
            lines = "".join(
                f"{indent}{self.step}{row[len(deeper) :]}" if row.startswith(deeper) else row
                for row in rows
            )
        return lines.replace("\n", self.newline).encode("utf-8", "surrogateescape")

    def unit(self, edits: tuple[ByteEdit, ...]) -> Unit | None:
        """The function whose body holds all of the edits."""
        start, end = min(edit.start for edit in edits), max(edit.end for edit in edits)
        return self.grammar.unit(self.tree, start, end)

    def lines_of(self, node: SyntaxNode) -> tuple[int, int]:
        """The span of the whole lines that the node is on."""
        last = min(node.end_point.row + 1, len(self.line_starts) - 1)
        if node.end_point.column == 0 and node.end_point.row > node.start_point.row:
            last = node.end_point.row
        return self.line_starts[node.start_point.row], self.line_starts[last]

    @cached_property
    def decorators(self) -> tuple[str, ...]:
        """What functions of the file are decorated with, each once."""
        statements = self.grammar.statements
        functions = [one.node for one in self.regions if self.grammar.is_function(one.node)]
        if statements is None:
            return ()
        found = (self.text(one) for node in functions for one in statements.decorators(node))
        return tuple(dict.fromkeys(found))

    def starts_mid_line(self, node: SyntaxNode) -> bool:
        """Tell whether something else stands before the node on its line."""
        start = self.line_starts[node.start_point.row]
        return not self.data[start : node.start_byte].isspace() and node.start_byte > start

    def indent_at(self, row: int) -> str:
        """The white space before a line's first character."""
        line = self.data[self.line_starts[row] : self.line_starts[row + 1]]
        return line[: len(line) - len(line.lstrip(b" \t"))].decode("ascii")


@dataclass(frozen=True, slots=True)
class Site:
    """A node where templates may draw, and what is known of the place."""

    source: Source
    node: SyntaxNode
    kind: Kind
    failure: Failure | None

    @property
    def grammar(self) -> Grammar:
        """The language of the file."""
        return self.source.grammar

    @property
    def text(self) -> str:
        """The node's source text."""
        return self.source.text(self.node)

    @property
    def scope(self) -> Scope:
        """What may be named here."""
        return self.grammar.scope(self.source.tree, self.node)

    @property
    def row(self) -> int:
        """The row of the node, from 0."""
        return self.node.start_point.row

    @property
    def read_names(self) -> tuple[str, ...]:
        """Variables that the statement around reads, each once, without the object itself."""
        return self.source.variables(self.statement)

    @property
    def complaint(self) -> Complaint | None:
        """What the failing test's error complains of; None on lines without one."""
        if self.failure is None:
            return None
        return self.grammar.complaint(self.failure.error, self.failure.message)

    def complains(self, *troubles: Trouble) -> Complaint | None:
        """Return the complaint if it is one of these."""
        complaint = self.complaint
        return complaint if complaint is not None and complaint.trouble in troubles else None

    @property
    def is_value(self) -> bool:
        """Tell whether the node's value is used here, for more than to be called."""
        return not self.is_callee and self.grammar.is_read(self.node)

    @property
    def called_name(self) -> str:
        """Of a call the function's or method's name; empty where what is called has none."""
        callee = self.grammar.callee(self.node) if self.kind is Kind.CALL else None
        if callee is None:
            return ""
        is_member = self.grammar.kind(callee) is Kind.ATTRIBUTE
        parts = self.grammar.member(callee) if is_member else None
        return self.source.text(callee if parts is None else parts[1])

    @property
    def is_callee(self) -> bool:
        """Tell whether the node is what a call calls."""
        parent = self.node.parent
        if parent is None or self.grammar.kind(parent) is not Kind.CALL:
            return False
        return self.grammar.callee(parent) == self.node

    @property
    def statement(self) -> SyntaxNode:
        """The statement around the node (the node itself, where it is one)."""
        node = self.node
        for outer in ancestors(node):
            if self.grammar.kind(node) is not Kind.HANDLER and self.grammar.is_block(outer):
                return node
            node = outer
        return node

    def replace(
        self,
        text: str,
        template: str,
        prior: float,
        *,
        node: SyntaxNode | None = None,
        tier: int = 1,
        flags: frozenset[Flag] = frozenset(),
    ) -> Sketch:
        """Draw the node (or the given one) replaced by a text."""
        at = self.node if node is None else node
        edit = ByteEdit(at.start_byte, at.end_byte, text.encode("utf-8", "surrogateescape"))
        return Sketch((edit,), template, prior, tier, flags)

    def cut(
        self, start: int, end: int, template: str, prior: float, *, flags: frozenset[Flag]
    ) -> Sketch:
        """Draw a span taken out."""
        return Sketch((ByteEdit(start, end, b""),), template, prior, 1, flags)

    def weaker(self, sketch: Sketch, share: float) -> Sketch:
        """Draw the same with a share of its prior."""
        return replace(sketch, prior=share * sketch.prior)

    def insert_after(
        self, node: SyntaxNode, text: str, template: str, prior: float, *, tier: int = 2
    ) -> Sketch:
        """Draw a text put right behind a node."""
        edit = ByteEdit(node.end_byte, node.end_byte, text.encode("utf-8", "surrogateescape"))
        return Sketch((edit,), template, prior, tier)

    def put_before(self, node: SyntaxNode, text: str, template: str, prior: float) -> Sketch:
        """Draw a text put right before a node."""
        edit = ByteEdit(node.start_byte, node.start_byte, text.encode("utf-8", "surrogateescape"))
        return Sketch((edit,), template, prior)

    def insert_before(
        self,
        lines: str,
        template: str,
        prior: float,
        *,
        tier: int = 2,
        flags: frozenset[Flag] = frozenset(),
    ) -> Sketch:
        """Draw whole lines put before the statement that holds the node."""
        row = self.statement.start_point.row
        at = self.source.line_starts[row]
        edit = ByteEdit(at, at, self.source.laid_out(lines, self.source.indent_at(row)))
        return Sketch((edit,), template, prior, tier, flags)

    def insert_behind(self, lines: str, template: str, prior: float) -> Sketch:
        """Draw whole lines put behind the node, which is a statement."""
        at = self.source.lines_of(self.node)[1]
        is_ended = self.source.data[at - 1 : at] == b"\n"
        text = lines if is_ended else "\n" + lines
        edit = ByteEdit(at, at, self.source.laid_out(text, self.source.indent_at(self.row)))
        return Sketch((edit,), template, prior, 2)
