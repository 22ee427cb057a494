"""Turns suspicious lines into statements to be edited, and adds those that no test runs again.

Module-level values, class-level defaults and signatures run at import, so no test covers them; they
are suspected as far as suspicious statements mention the names that they bind.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from agent.repair.lang.base import Grammar, Kind, Region
from agent.repair.locate import Line, Suspicions
from agent.repair.source import Failure, Source
from agent.repo.syntax import SyntaxNode, ancestors
from agent.task import RepoPath

NAMED_ELSEWHERE = 0.6
"""Share of a statement's suspicion that goes to the value of a name it mentions."""
NAMED_BY_TEST = 0.3
"""Suspicion of a value whose name only the failing test mentions."""
SIGNATURE = 0.7
"""Share of a function's suspicion that goes to its signature's defaults."""
PLAIN_SIGNATURE = 0.35
"""The same where it has none."""
MOST_NEIGHBOURS = 40
"""Files that are read because a suspicious file names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One statement to be edited."""

    source: Source
    region: Region
    score: float
    failure: Failure | None

    @property
    def line(self) -> int:
        """The statement's first line, 1-based."""
        return self.region.first_row + 1

    @property
    def code(self) -> str:
        """The statement's first line, stripped."""
        lines = self.source.data.splitlines()
        return lines[self.region.first_row].decode("utf-8", "replace").strip()


def suspects(
    found: Suspicions,
    read: Callable[[RepoPath], bytes | None],
    paths: Iterable[RepoPath],
    grammar_of: Callable[[RepoPath], Grammar | None],
    test_names: frozenset[str] = frozenset(),
) -> list[Suspect]:
    """Return statements by suspicion, highest first; unreadable and unparsable files are left out.

    `paths` are the files that may be edited; `test_names` the identifiers of the failing tests.
    """
    by_file: dict[RepoPath, dict[int, float]] = {}
    for (path, line), score in found.lines.items():
        by_file.setdefault(path, {})[line] = score
    sources = {path: _source(path, read, grammar_of) for path in by_file}
    ranked: list[Suspect] = []
    for path, lines in by_file.items():
        if source := sources[path]:
            ranked.extend(_covered(source, lines, found.failures))
    mentioned = _mentioned(ranked, test_names)
    for path in _neighbours(sources, paths):
        sources.setdefault(path, _source(path, read, grammar_of))
    known = {(one.source.path, one.region.first_row) for one in ranked}
    for path, maybe in sources.items():
        if maybe:
            ranked.extend(_uncovered(maybe, by_file.get(path, {}), mentioned, known))
    return sorted(ranked, key=lambda one: -one.score)


def named_lines(
    names: frozenset[str],
    read: Callable[[RepoPath], bytes | None],
    paths: Iterable[RepoPath],
    grammar_of: Callable[[RepoPath], Grammar | None],
) -> dict[Line, float]:
    """Return the lines of functions that bear one of the names, for want of anything measured."""
    lines: dict[Line, float] = {}
    wanted = [name.encode() for name in names]
    for path in paths:
        data = read(path) or b""
        source = _source(path, read, grammar_of) if any(name in data for name in wanted) else None
        for region in source.regions if source else ():
            if source and source.grammar.is_function(region.node):
                rows = range(region.first_row + 2, region.node.end_point.row + 2)
                if source.grammar.function_name(region.node) in names:
                    lines.update(dict.fromkeys(((path, row) for row in rows), NAMED_BY_TEST))
    return lines


def _source(
    path: RepoPath,
    read: Callable[[RepoPath], bytes | None],
    grammar_of: Callable[[RepoPath], Grammar | None],
) -> Source | None:
    grammar = grammar_of(path)
    data = read(path) if grammar is not None else None
    return None if data is None or grammar is None else Source(path, data, grammar)


def _covered(
    source: Source, lines: Mapping[int, float], failures: Mapping[Line, Failure]
) -> Iterator[Suspect]:
    for region in source.regions:
        rows = range(region.first_row + 1, region.last_row + 2)
        hit = [line for line in rows if line in lines]
        if hit and not source.grammar.is_function(region.node):
            best = max(hit, key=lambda line: lines[line])
            failure = next(
                (failures[source.path, line] for line in hit if (source.path, line) in failures),
                None,
            )
            yield Suspect(source=source, region=region, score=lines[best], failure=failure)


@dataclass(frozen=True, slots=True)
class _Mentioned:
    """What suspicious statements name, each with the suspicion of the most suspicious one."""

    names: dict[str, float]
    """Variables that are not local where they stand."""
    members: dict[str, float]
    """What is read of something else: `b` of `a.b`."""


def _mentioned(ranked: Iterable[Suspect], test_names: frozenset[str]) -> _Mentioned:
    by_tests = NAMED_BY_TEST / NAMED_ELSEWHERE
    names, members = (dict.fromkeys(test_names, by_tests) for _ in range(2))
    for one in ranked:
        source = one.source
        local = frozenset(source.grammar.scope(source.tree, one.region.node).values)
        for node in one.region.nodes:
            kind = source.grammar.kind(node)
            if kind is Kind.NAME and (name := source.text(node)) not in local:
                names[name] = max(names.get(name, 0.0), one.score)
            elif kind is Kind.ATTRIBUTE and (parts := source.grammar.member(node)) is not None:
                member = source.text(parts[1])
                members[member] = max(members.get(member, 0.0), one.score)
    return _Mentioned(names, members)


def _neighbours(
    sources: Mapping[RepoPath, Source | None], paths: Iterable[RepoPath]
) -> list[RepoPath]:
    """Return files whose module name a suspicious file mentions."""
    text = b"\n".join(source.data for source in sources.values() if source)
    found = []
    for path in paths:
        stem = PurePosixPath(path).stem
        if path not in sources and stem != "__init__" and stem.encode() in text:
            found.append(path)
    return found[:MOST_NEIGHBOURS]


def _uncovered(
    source: Source,
    lines: Mapping[int, float],
    mentioned: _Mentioned,
    known: set[tuple[RepoPath, int]],
) -> Iterator[Suspect]:
    for region in source.regions:
        if (source.path, region.first_row) in known:
            continue
        if source.grammar.is_function(region.node):
            score = _signature_score(source, region, lines)
        else:
            score = NAMED_ELSEWHERE * _bound_score(source, region.node, mentioned)
        if score > 0:
            yield Suspect(source=source, region=region, score=score, failure=None)


def _signature_score(source: Source, region: Region, lines: Mapping[int, float]) -> float:
    rows = range(region.node.start_point.row + 1, region.node.end_point.row + 2)
    body = max((lines[row] for row in rows if row in lines), default=0.0)
    has_defaults = any(source.text(node) == "=" for node in region.nodes)
    return (SIGNATURE if has_defaults else PLAIN_SIGNATURE) * body


def _bound_score(source: Source, node: SyntaxNode, mentioned: _Mentioned) -> float:
    """Return the suspicion of whoever mentions what a statement outside of functions binds."""
    around = list(ancestors(node))
    if any(source.grammar.is_function(outer) for outer in around):
        return 0.0
    # A class is what binds a name and holds statements; its members are not visible as names
    is_member = any(source.grammar.binds(outer) for outer in around)
    tables = [mentioned.members] if is_member else [mentioned.members, mentioned.names]
    bound = source.grammar.binds(node)
    return max((table.get(name, 0.0) for name in bound for table in tables), default=0.0)
