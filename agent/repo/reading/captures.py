"""Runs a language's queries, all as one, over a tree. Knows the names of captures, not their use.

What the names mean is in `docs/languages.md`.
"""

import re
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path
from time import thread_time
from typing import Final

from tree_sitter import Language as Grammar
from tree_sitter import Node, Parser, Query, QueryCursor, QueryError, Tree

from agent.repo.languages import LanguageSpec, load_grammar

_OF_THREAD: Final = threading.local()
_QUICK_BYTES: Final = 16_384
"""What is smaller is parsed in under 0.5 s, however broken (bash, measured 2026-11-23)."""
_PIECE_BYTES: Final = 512
"""Given to the parser at a time, and once more for each text that a predicate of a query compares:
with 64 kB that took as long as the parsing (measured 2026-11-24)."""
_MOST_DEPTH: Final = 1_000
"""Nothing deeper is looked at: each match costs as much as it is deep."""
_NO_UTF8: Final = re.compile("[\udc80-\udcff]")
_MOST_TOKENS: Final = 10_000
"""In one error: 0.04 s; ten times as many take 4 s (measured 2026-11-23, C)."""
_MOST_STATES: Final = 4_096
"""Matches under way at once; beyond it the earliest are dropped, so that no text takes for ever."""


_Readers = dict[tuple[Path, frozenset[str]], "LanguageReader"]


class Captures:
    """What the queries found in a file, by name of the capture."""

    def __init__(self, data: bytes, nodes: Mapping[str, list[Node]]) -> None:
        self.data: Final = data
        self._nodes: Final = nodes

    def nodes(self, name: str) -> Sequence[Node]:
        """Return the captured nodes, in no order."""
        return self._nodes.get(name, ())

    def of(self, name: str) -> list[Node]:
        """Return the captured nodes, in source order."""
        return sorted(self._nodes.get(name, ()), key=_start)

    def spans(self, name: str) -> dict[int, int]:
        """Return the ends of the captured nodes by their starts, in no order."""
        return {node.start_byte: node.end_byte for node in self._nodes.get(name, ())}

    def below(self, prefix: str, others: Iterable[str]) -> Iterator[tuple[str, Sequence[Node]]]:
        """Yield the nodes of all captures `prefix.<rest>` by rest, then those of others."""
        size = len(prefix) + 1
        for name, nodes in self._nodes.items():
            if name.startswith(f"{prefix}."):
                yield name[size:], nodes
        for name in others:
            yield name, self._nodes.get(name, ())

    def text(self, node: Node) -> str:
        """Return a node's source; bytes that are not UTF-8 are kept as surrogates."""
        return self.between(node.start_byte, node.end_byte)

    def between(self, start: int, end: int) -> str:
        """Return the source from one byte to another, as `text` does."""
        return self.data[start:end].decode("utf-8", "surrogateescape")

    def row_of(self, offset: int) -> int:
        """Return the row of a byte, counted from 0: three times as quick as a node's own."""
        return bisect_left(self._ends, offset)

    @cached_property
    def _ends(self) -> list[int]:
        """Where the line breaks are, and the end."""
        lines = self.data.split(b"\n")
        return list(accumulate([len(lines[0]), *[len(line) + 1 for line in lines[1:]]]))


def _start(node: Node) -> int:
    return node.start_byte


class LanguageReader:
    """Parser and compiled queries of a language, for one thread."""

    __slots__ = ("_parser", "_query")

    def __init__(self, spec: LanguageSpec, queries: tuple[Path, ...]) -> None:
        grammar = load_grammar(spec)
        self._parser: Final = Parser(grammar)
        self._query: Final = _compiled(grammar, queries)

    def parse(self, data: bytes, limit_s: float) -> Tree | None:
        """Return the tree; None: it took longer, as broken nesting without end does (bash)."""
        data = _as_utf8(data)
        if len(data) < _QUICK_BYTES:
            return self._parser.parse(data)
        deadline = thread_time() + limit_s

        def is_late(_offset: int, _has_error: bool) -> bool:
            return thread_time() > deadline

        def piece(offset: int, _point: object) -> bytes:
            return data[offset : offset + _PIECE_BYTES]

        try:
            return self._parser.parse(piece, progress_callback=is_late)
        except ValueError:
            self._parser.reset()
            return None

    def captures(self, root: Node) -> dict[str, list[Node]]:
        """Return what the queries capture."""
        cursor = QueryCursor(self._query, match_limit=_MOST_STATES)
        cursor.set_max_start_depth(_MOST_DEPTH)
        return cursor.captures(root)


def _as_utf8(data: bytes) -> bytes:
    """Return as many bytes, `_` for each that is no UTF-8: predicates of queries fail on such."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _NO_UTF8.sub("_", data.decode("utf-8", "surrogateescape")).encode("utf-8")
    return data


def is_flat(root: Node) -> bool:
    """Tell whether an error holds so many tokens side by side that a query takes their square."""
    if not root.has_error or root.end_byte < _QUICK_BYTES:
        return False
    errors = [node for node in root.children if node.is_error]
    return any(node.child_count > _MOST_TOKENS for node in (root, *errors))


def reader_of(spec: LanguageSpec, *, without: frozenset[str] = frozenset()) -> LanguageReader:
    """Return this thread's reader of the language, made when it is first needed.

    `without`: stems of query files that shall not count.

    Raises:
        ImportError: The grammar is not installed.
        ValueError: A query of the data folder does not fit the grammar.
    """
    readers: _Readers = getattr(_OF_THREAD, "readers", {})
    _OF_THREAD.readers = readers
    reader = readers.get((spec.folder, without))
    if reader is None:
        queries = tuple(path for path in spec.queries if path.stem not in without)
        reader = readers[spec.folder, without] = LanguageReader(spec, queries)
    return reader


@cache
def _compiled(grammar: Grammar, paths: tuple[Path, ...]) -> Query:
    """Return all queries of a language as one, so that the tree is gone over once.

    For all threads: compiling takes up to 0.08 s (TypeScript), and running changes nothing of it.
    """
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    try:
        return Query(grammar, "\n".join(texts.values()))
    except QueryError:
        for path, text in texts.items():
            try:
                Query(grammar, text)
            except QueryError as exc:
                raise ValueError(f"{path}: {exc}") from exc
        raise
