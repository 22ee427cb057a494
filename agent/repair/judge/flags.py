"""Finds in an edit itself the shapes that please tests and nobody else.

Compares the trees before and after, so it does not matter which template drew the edit or what it
said. Knows statements and values by what the language's `Grammar` says of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from agent.edits.spans import ByteEdit, apply_edits
from agent.repair.lang import grammar_for
from agent.repair.lang.base import Grammar, Kind
from agent.repair.proposal import Flag, Proposal
from agent.repo.languages import language_of
from agent.repo.syntax import SyntaxNode, parse, text_of, walk
from agent.task import RepoPath

LARGEST_BYTES: Final = 200_000
"""Larger files are not compared where the edit lies outside of a function."""
_CONSTANTS: Final = frozenset(
    {Kind.TRUE, Kind.FALSE, Kind.NONE, Kind.INTEGER, Kind.NUMBER, Kind.STRING}
)
_THROWING: Final = frozenset({"raise", "throw"})


def flagged(
    patch: tuple[Proposal, ...], read: Callable[[RepoPath], bytes | None]
) -> tuple[Proposal, ...]:
    """Return the patch with the flags that its edits earn, joined to what templates said."""
    return tuple(_flagged(proposal, read(proposal.path)) for proposal in patch)


def _flagged(proposal: Proposal, data: bytes | None) -> Proposal:
    language = language_of(proposal.path)
    if data is None or language is None:
        return proposal
    edits = proposal.sketch.edits
    start, end = 0, len(data)
    if proposal.unit is not None:
        start, end = proposal.unit.start, proposal.unit.end
    if end - start > LARGEST_BYTES or any(edit.start < start or edit.end > end for edit in edits):
        return proposal
    moved = [ByteEdit(edit.start - start, edit.end - start, edit.text) for edit in edits]
    before = data[start:end]
    found = flags_of(grammar_for(language), before, apply_edits(before, moved))
    if found <= proposal.sketch.flags:
        return proposal
    return replace(proposal, sketch=replace(proposal.sketch, flags=proposal.sketch.flags | found))


def flags_of(grammar: Grammar, before: bytes, after: bytes) -> frozenset[Flag]:
    """Return what an edit of some source text looks like."""
    old, new = _Facts(grammar, before), _Facts(grammar, after)
    found = set()
    if _deletes(old, new):
        found.add(Flag.DELETES)
    if _is_constant_now(old, new):
        found.add(Flag.CONSTANT)
    if _swallows(old, new):
        found.add(Flag.SWALLOWS)
    if new.unreached > old.unreached:
        found.add(Flag.UNREACHABLE)
    return frozenset(found)


class _Facts:
    """What one text holds, as far as the flags ask."""

    def __init__(self, grammar: Grammar, data: bytes) -> None:
        self._grammar = grammar
        self.leaves: list[str] = []
        self.statements = 0
        self.operands = 0
        """Parts of conditions that are joined by logic."""
        self.handlers = 0
        self.catch_alls = 0
        self.rethrows = 0
        """Handlers that throw."""
        self.unreached = 0
        self.constants: Counter[str] = Counter()
        """Returns and assignments of a constant, by what they give it to."""
        self.computed: Counter[str] = Counter()
        """The same of anything else."""
        for node in walk(parse(grammar.language, data).root_node):
            self._note(node)

    def _note(self, node: SyntaxNode) -> None:
        grammar = self._grammar
        kind = grammar.kind(node)
        if node.child_count == 0 and node.type != "comment":
            self.leaves.append(text_of(node))
        if grammar.is_block(node) or node.parent is None:
            statements = [child for child in node.named_children if child.type != "comment"]
            self.statements += len(statements)
            self.unreached += sum(map(self._leaves_block, statements[:-1]))
        if kind is Kind.LOGIC:
            self.operands += 1
        if kind in _CONSTANTS and grammar.is_condition(node):
            self.unreached += 1
        if kind is Kind.HANDLER:
            self.handlers += 1
            self.catch_alls += grammar.caught(node) is None
            self.rethrows += any(text_of(leaf) in _THROWING for leaf in _leaves(node))
        for name, value in self._given(node, kind):
            is_empty = grammar.kind(value) is Kind.CONTAINER and not grammar.elements(value)
            is_constant = is_empty or grammar.kind(value) in _CONSTANTS
            (self.constants if is_constant else self.computed)[name] += 1

    def _given(self, node: SyntaxNode, kind: Kind) -> Iterator[tuple[str, SyntaxNode]]:
        if kind is Kind.RETURN and (value := self._grammar.returned(node)) is not None:
            yield "", value
        if kind is Kind.ASSIGNMENT and (parts := self._grammar.assigned(node)) is not None:
            yield text_of(parts[0]), parts[1]

    def _leaves_block(self, statement: SyntaxNode) -> bool:
        """Tell whether nothing behind the statement is reached."""
        first = next(_leaves(statement), None)
        is_thrown = first is not None and text_of(first) in _THROWING
        return is_thrown or self._grammar.kind(statement) in {Kind.RETURN, Kind.JUMP}


def _leaves(node: SyntaxNode) -> Iterator[SyntaxNode]:
    return (inner for inner in walk(node) if inner.child_count == 0)


def _deletes(old: _Facts, new: _Facts) -> bool:
    """Tell whether statements, parts of a condition or handlers are gone and nothing came."""
    is_less = (
        new.statements < old.statements
        or new.operands < old.operands
        or new.handlers < old.handlers
    )
    if not is_less or len(new.leaves) >= len(old.leaves):
        return False
    left = iter(old.leaves)
    return all(leaf in left for leaf in new.leaves)


def _is_constant_now(old: _Facts, new: _Facts) -> bool:
    """Tell whether something that was computed is given a constant instead."""
    more, fewer = new.constants - old.constants, old.computed - new.computed
    return any(name in fewer for name in more)


def _swallows(old: _Facts, new: _Facts) -> bool:
    """Tell whether an exception that went through is caught now and thrown no further."""
    if new.handlers > old.handlers:
        return new.rethrows - old.rethrows < new.handlers - old.handlers
    if new.handlers < old.handlers:
        return False
    return new.catch_alls > old.catch_alls or new.rethrows < old.rethrows
