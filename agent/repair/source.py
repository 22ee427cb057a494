"""One parsed file and what templates ask of it; a site is one node of it to be edited."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import Grammar, Kind, Region, Scope
from agent.repair.proposal import Flag, Sketch, Unit
from agent.repo.syntax import SyntaxNode, SyntaxTree, ancestors, parse, walk
from agent.task import RepoPath


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

    def text(self, node: SyntaxNode) -> str:
        """The node's source text."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "surrogateescape")

    def unit(self, edits: tuple[ByteEdit, ...]) -> Unit | None:
        """The function whose body holds all of the edits."""
        start, end = min(edit.start for edit in edits), max(edit.end for edit in edits)
        return self.grammar.unit(self.tree, start, end)

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
            if self.grammar.kind(node) is not Kind.HANDLER and outer.type in {"block", "module"}:
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

    def insert_before(self, lines: str, template: str, prior: float, *, tier: int = 2) -> Sketch:
        """Draw whole lines put before the statement that holds the node."""
        at = self.source.line_starts[self.statement.start_point.row]
        return Sketch((ByteEdit(at, at, lines.encode("utf-8")),), template, prior, tier)
