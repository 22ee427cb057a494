"""What a file already says and an edit may take over: conditions, statements, arguments, calls.

Collected once a file. A donor fits a place where all the names that it reads may be named; nearer
ones come first.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent.repair.lang.base import Grammar, Kind, Region
from agent.repo.syntax import SyntaxNode, text_of, walk

MOST_LOOKED_AT: Final = 150
"""Donors on each side of a place that are asked whether they fit."""
LONGEST: Final = 120
"""Characters of a donor; a longer one is too special to fit elsewhere."""
MOST_LINES: Final = 4
MOST_ELEMENTS: Final = 16

_VALUES: Final = frozenset(
    {Kind.CALL, Kind.ATTRIBUTE, Kind.INDEX, Kind.ARITHMETIC, Kind.COMPARISON, Kind.CONTAINER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """A piece of code, and where it stands."""

    text: str
    row: int
    column: int
    """Of its first character, to indent its other lines anew."""
    names: frozenset[str]
    """What it reads."""
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Donors:
    """All that one file gives, each in source order."""

    conditions: Sequence[Donor]
    """Without those that are joined of others."""
    statements: Sequence[Donor]
    """Simple ones, and conditions with one statement that leaves."""
    leaving: Sequence[Donor]
    """Statements after which nothing of the block is run."""
    values: Mapping[Kind, Sequence[Donor]]
    """Expressions."""
    wrappers: Sequence[Donor]
    """What is called with one argument."""
    methods: Sequence[Donor]
    """Members that are called without an argument; the text is the member."""
    owners: Mapping[str, Sequence[Donor]]
    """By member: on what it is read."""
    keywords: Mapping[str, Sequence[Donor]]
    """By the last name of what is called: arguments given by name, whole."""
    all_keywords: Sequence[Donor]
    memberships: Sequence[tuple[int, str, str]]
    """Where the file asks if something is in a container: row, what, container, as written."""
    caught: Sequence[Donor]
    """Single exceptions that handlers catch."""
    containers: Sequence[tuple[Donor, ...]]
    """What container literals hold, each in order."""


def gather(grammar: Grammar, regions: Iterable[Region]) -> Donors:
    """Collect what the statements of a file hold."""
    found = _Gathering(grammar)
    for region in regions:
        found.statement(region.node)
        for node in region.nodes:
            found.node(node)
    return found.donors()


class _Gathering:
    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._conditions: list[Donor] = []
        self._statements: list[Donor] = []
        self._leaving: list[Donor] = []
        self._values: dict[Kind, list[Donor]] = {}
        self._wrappers: list[Donor] = []
        self._methods: list[Donor] = []
        self._owners: dict[str, list[Donor]] = {}
        self._keywords: dict[str, list[Donor]] = {}
        self._all_keywords: list[Donor] = []
        self._memberships: list[tuple[int, str, str]] = []
        self._caught: list[Donor] = []
        self._containers: list[tuple[Donor, ...]] = []

    def donors(self) -> Donors:
        return Donors(
            conditions=self._conditions,
            statements=self._statements,
            leaving=self._leaving,
            values=self._values,
            wrappers=self._wrappers,
            methods=self._methods,
            owners=self._owners,
            keywords=self._keywords,
            all_keywords=self._all_keywords,
            memberships=self._memberships,
            caught=self._caught,
            containers=self._containers,
        )

    def statement(self, node: SyntaxNode) -> None:
        statements = self._grammar.statements
        if statements is None:
            return
        if statements.is_simple(node) or statements.is_guard(node):
            rows = node.end_point.row - node.start_point.row
            if rows < MOST_LINES and node.end_byte - node.start_byte <= 2 * LONGEST:
                self._statements.append(self._donor(node, Kind.OTHER))
        if statements.leaves(node) and node.end_byte - node.start_byte <= LONGEST:
            self._leaving.append(self._donor(node, Kind.OTHER))

    def node(self, node: SyntaxNode) -> None:
        kind = self._grammar.kind(node)
        if kind is Kind.HANDLER:
            caught = self._grammar.caught(node)
            if caught is not None:
                nodes = self._grammar.elements(caught) or [caught]
                self._caught.extend(self._donor(each, Kind.NAME) for each in nodes)
        if kind is Kind.CONTAINER:
            elements = self._grammar.elements(node)[:MOST_ELEMENTS]
            self._containers.append(
                tuple(self._donor(each, self._grammar.kind(each)) for each in elements)
            )
        if kind is Kind.OTHER or node.end_byte - node.start_byte > LONGEST:
            return
        if kind is Kind.CALL:
            self._call(node)
        elif kind is Kind.ATTRIBUTE:
            parts = self._grammar.member(node)
            if parts is not None:
                owner = self._donor(parts[0], self._grammar.kind(parts[0]))
                self._owners.setdefault(text_of(parts[1]), []).append(owner)
        if kind is Kind.COMPARISON:
            self._membership(node)
        if kind is Kind.COMPARISON or (
            kind not in {Kind.LOGIC, Kind.EXPRESSION} and self._grammar.is_condition(node)
        ):
            self._conditions.append(self._donor(node, kind))
        if kind is Kind.CALL and not self._is_plain_call(node):
            return
        if kind in _VALUES and not self._is_callee(node) and self._grammar.is_read(node):
            self._values.setdefault(kind, []).append(self._donor(node, kind))

    def _membership(self, comparison: SyntaxNode) -> None:
        statements, operands = self._grammar.statements, self._grammar.operands(comparison)
        operators = [" ".join(text_of(one).split()) for one in self._grammar.operators(comparison)]
        if statements is None or len(operands) != 2 or len(operators) != 1:
            return
        if operators[0] in statements.words.memberships:
            what, container = (text_of(operand) for operand in operands)
            self._memberships.append((comparison.start_point.row, what, container))

    def _call(self, call: SyntaxNode) -> None:
        callee, arguments = self._grammar.callee(call), self._grammar.arguments(call)
        if callee is None or not self._is_plain_call(call):
            return
        parts = self._grammar.member(callee) if self._is_attribute(callee) else None
        name = text_of(callee if parts is None else parts[1])
        if not arguments and parts is not None:
            self._methods.append(replace(self._donor(parts[1], Kind.NAME), names=frozenset()))
        if len(arguments) == 1 and self._grammar.is_single(arguments[0]):
            self._wrappers.append(self._donor(callee, self._grammar.kind(callee)))
        for argument in arguments:
            if self._grammar.keyword(argument) is not None:
                donor = self._donor(argument, Kind.KEYWORD)
                if len(donor.text) <= LONGEST // 2:
                    self._keywords.setdefault(name, []).append(donor)
                    self._all_keywords.append(donor)

    def _is_plain_call(self, call: SyntaxNode) -> bool:
        """What is called is named; not so where the parser takes `*f(x)` for a call of `*f`."""
        callee = self._grammar.callee(call)
        return callee is not None and self._grammar.kind(callee) in {Kind.NAME, Kind.ATTRIBUTE}

    def _is_attribute(self, node: SyntaxNode) -> bool:
        return self._grammar.kind(node) is Kind.ATTRIBUTE

    def _is_callee(self, node: SyntaxNode) -> bool:
        parent = node.parent
        return (
            parent is not None
            and self._grammar.kind(parent) is Kind.CALL
            and self._grammar.callee(parent) == node
        )

    def _donor(self, node: SyntaxNode, kind: Kind) -> Donor:
        read: set[str] = set()
        bound: set[str] = set()
        for inner in walk(node):
            if inner.child_count == 0 and self._grammar.kind(inner) is Kind.NAME:
                name = text_of(inner)
                (read if inner == node or self._grammar.is_read(inner) else bound).add(name)
        is_statement = kind is Kind.OTHER
        return Donor(
            text=text_of(node),
            row=node.start_point.row,
            column=node.start_point.column,
            names=frozenset(read if is_statement else read - bound),
            kind=kind,
        )


def nearest(
    donors: Sequence[Donor], row: int, known: frozenset[str], most: int, *, near: frozenset[str]
) -> list[Donor]:
    """Return different donors that fit, nearest first, those with a name of `near` before others.

    A donor fits where all of its names are known.
    """
    fitting: dict[str, Donor] = {}
    for donor in _outwards(donors, row):
        if donor.text not in fitting and donor.names <= known:
            fitting[donor.text] = donor
            if len(fitting) >= 3 * most:
                break
    ranked = sorted(fitting.values(), key=lambda donor: not (donor.names & near))
    return ranked[:most]


def _outwards(donors: Sequence[Donor], row: int) -> Iterator[Donor]:
    after = bisect_left(donors, row, key=lambda donor: donor.row)
    before = after - 1
    for _ in range(2 * MOST_LOOKED_AT):
        is_end = after >= len(donors)
        if is_end and before < 0:
            return
        takes_before = before >= 0 and (
            is_end or row - donors[before].row <= donors[after].row - row
        )
        if takes_before:
            yield donors[before]
            before -= 1
        else:
            yield donors[after]
            after += 1
