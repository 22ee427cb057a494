"""Which passages of the code a task is likely about: from tracebacks, tests and the goal's words.

    where a target failed inside the code  →  the test itself  →  what that test names, as far as
    its imports lead to it  →  what the goal names  →  what the index ranks high for all of this
    →  what the code found so far names

Reads the base and guesses; decides nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath
from typing import Final

from agent.edits.changes import Mode
from agent.edits.hunks import is_binary
from agent.errors import WorkspaceError
from agent.job import Job
from agent.repo.languages import language_of
from agent.repo.ranking import Ranking, rank
from agent.repo.ranking.clues import Clues
from agent.repo.symbols import Symbol, SymbolKind, SymbolTable, read_symbols
from agent.task import RepoPath
from agent.tools.pages import lines_of
from agent.verify.protect import why_protected_here
from agent.verify.report import TestResult

MOST_FAILURES: Final = 8
"""Failures whose places are looked for; more are rarely about more than these."""
MOST_LINES: Final = 60
"""A longer definition is shown around the line that matters."""
MOST_NAMED: Final = 20
"""Files looked for that a goal names."""
VALUE_LINES: Final = 10
"""A longer constant is a table, and more than a glance."""
MOST_RANKED: Final = 6
"""Of what the index ranks: the right place is among the first five in four of five (2026-11)."""
MOST_IMPORTS: Final = 40
"""Files that are followed from a test."""
MOST_NAMESAKES: Final = 3
"""A module name that fits more files says nothing."""
MOST_SEARCHED: Final = 2_000
"""Files searched for a name of the goal; about 0.1 s (2 cores, 2026-11)."""
MOST_BYTES: Final = 200_000
_WORD: Final = re.compile(r"[A-Za-z_]\w{2,}")
_FILE: Final = re.compile(r"[\w/+-][\w./+-]*\.[A-Za-z]\w*")
_PLACE: Final = re.compile(r"""([\w./+-]+\.[A-Za-z]\w*)(?::|"?, line |\()(\d{1,6})""")
"""As compilers, Python and JavaScript name a line: `a/b.go:12`, `File "b.py", line 3`."""
_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>\.*[\w.]*)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n#]+)"
    r"|import[ \t]+(?P<modules>[\w., \t]+))",
    re.MULTILINE,
)
_DEFINES: Final = r"^[ \t]*(?:[a-z]+[ \t]+)*(?:def|class|func|fn|function|interface|struct)[ \t]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Lines of a file that are worth showing."""

    path: RepoPath
    first: int
    """1-based, both included."""
    last: int
    mark: int
    """The line in which a test failed; 0: none."""
    name: str
    """The definition that holds them, qualified; empty at the top of a file."""
    whole: bool
    """The definition is shown from its first to its last line."""


class Places:
    """Finds passages in the base of a job; reads each file once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._base = job.bench.base
        self._is_test: Callable[[RepoPath], str] = why_protected_here(job.baseline.report)
        self._lines: dict[RepoPath, list[str] | None] = {}
        self._tables: dict[RepoPath, SymbolTable] = {}

    @cached_property
    def paths(self) -> tuple[RepoPath, ...]:
        """Every file of the base."""
        return self._base.paths()

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.paths)

    def mentioned(self) -> list[RepoPath]:
        """Return the files that the goal names, by as much of a path as tells them apart."""
        words = list(dict.fromkeys(_FILE.findall(self._job.task.goal)))[:MOST_NAMED]
        ends = [[p for p in self.paths if p == word or p.endswith(f"/{word}")] for word in words]
        return [paths[0] for paths in ends if len(paths) == 1]

    def passages(self) -> list[Passage]:
        """Return what to show, the likeliest first, each place once."""
        found: list[Passage] = []
        for passage in self._candidates():
            if not any(_overlap(passage, other) for other in found):
                found.append(passage)
        return found

    def lines(self, path: RepoPath) -> list[str]:
        """Return a source file's lines; none for what cannot be shown."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path] or []

    def table(self, path: RepoPath) -> SymbolTable:
        """Return what a file defines."""
        if path not in self._tables:
            data = "\n".join(self.lines(path)).encode("utf-8", "surrogateescape")
            self._tables[path] = read_symbols(path, data)
        return self._tables[path]

    def is_test(self, path: RepoPath) -> bool:
        """Tell whether the file is protected: a test or its configuration."""
        return bool(self._is_test(path))

    def _candidates(self) -> Iterator[Passage]:
        results = self._job.baseline.report.results
        failures = [results[id_] for id_ in self._job.baseline.targets if id_ in results]
        likely = [p for result in failures[:MOST_FAILURES] for p in self._of_failure(result)]
        yield from likely
        yield from self._of_goal()
        yield from self._ranked_places()
        yield from self._used_by(likely)

    def _of_failure(self, result: TestResult) -> Iterator[Passage]:
        inner = [frame for frame in result.frames if not self.is_test(frame.path)]
        for frame in reversed(inner):
            yield from self._around(frame.path, frame.line)
        if not result.frames:
            yield from self._of_message(result.message)
        own = [frame for frame in result.frames if frame.path == result.path]
        line = own[-1].line if own else result.line
        if result.path and line:
            test = list(self._around(result.path, line))
            yield from test
            yield from self._named(self._words(test), self._imported_by(result.path))

    def _of_message(self, message: str) -> Iterator[Passage]:
        """Yield places that a message names, the last one first: for runners without frames."""
        top = f"{self._base.repo}/"
        places = [(found[1].removeprefix(top), int(found[2])) for found in _PLACE.finditer(message)]
        for path, line in reversed(places[-MOST_FAILURES:]):
            if path in self._known:
                yield from self._around(RepoPath(path), line)

    def _used_by(self, likely: Sequence[Passage]) -> Iterator[Passage]:
        """Yield what the code found so far names, in its own files and in what they import."""
        code = [passage for passage in likely if not self.is_test(passage.path)]
        files = dict.fromkeys(passage.path for passage in code)
        files |= dict.fromkeys(inner for path in list(files) for inner in self._imported_by(path))
        words = self._words(code)
        yield from self._named(words, list(files))
        for path in dict.fromkeys(passage.path for passage in code):
            yield from (self._passage(path, value, 0) for value in self._values(path, words))

    def _words(self, passages: Iterable[Passage]) -> set[str]:
        lines = (line for p in passages for line in self.lines(p.path)[p.first - 1 : p.last])
        return {word for line in lines for word in _WORD.findall(line)}

    def _of_goal(self) -> Iterator[Passage]:
        goal = self._job.task.goal
        yield from self._of_message(goal)
        words = {w for w in _WORD.findall(goal) if _is_name(w) or f"`{w}" in goal}
        if not words:
            return
        pattern = re.compile(
            f"{_DEFINES}(?:{'|'.join(sorted(map(re.escape, words)))})\\b", re.MULTILINE
        )
        files = (path for path in self.paths if language_of(path) and not self.is_test(path))
        searched = islice(files, MOST_SEARCHED)
        holding = [path for path in searched if pattern.search("\n".join(self.lines(path)))]
        yield from self._named(words, holding)

    def ranked_files(self) -> list[RepoPath]:
        """Return the files that the index ranks high, best first; none where it cannot be read."""
        return [one.path for one in self._ranking.files] if self._ranking else []

    def _ranked_places(self) -> Iterator[Passage]:
        for one in self._ranking.symbols[:MOST_RANKED] if self._ranking else ():
            path, wanted = one.found.path, one.found.definition
            for symbol in self.table(path).named(wanted.qualified):
                if symbol.line == wanted.line and symbol.kind is not SymbolKind.CLASS:
                    yield self._passage(path, symbol, 0)

    @cached_property
    def _ranking(self) -> Ranking | None:
        """What the index says of the goal and of how the targets fail."""
        job = self._job
        if job.sight is None:
            return None
        results = job.baseline.report.results
        failures = [results[id_] for id_ in job.baseline.targets if id_ in results]
        frames = [(frame.path, frame.line) for one in failures[:1] for frame in one.frames]
        said = "\n".join([job.task.goal, *(one.message for one in failures[:1])]).strip()
        tests = [str(one.id) for one in failures[:MOST_FAILURES]]
        try:
            view = job.sight.view({})
        except WorkspaceError:
            return None
        return rank(view, Clues(text=said, frames=frames, tests=tests))

    def _named(self, words: set[str], files: Sequence[RepoPath]) -> Iterator[Passage]:
        """Yield definitions of these names, large classes last: their methods say more."""
        symbols = [
            (path, symbol)
            for path in files
            for symbol in self.table(path).symbols
            if symbol.name in words and symbol.kind is not SymbolKind.VALUE
        ]
        symbols.sort(key=lambda found: _is_large_class(found[1]))
        for path, symbol in symbols:
            yield self._passage(path, symbol, 0)

    def _values(self, path: RepoPath, words: set[str]) -> Iterator[Symbol]:
        """Yield short values at the top of a file that have one of these names."""
        for symbol in self.table(path).symbols:
            is_value = symbol.kind is SymbolKind.VALUE and symbol.depth == 0
            if is_value and symbol.name in words and symbol.end_line - symbol.line < VALUE_LINES:
                yield symbol

    def _around(self, path: RepoPath, line: int) -> Iterator[Passage]:
        lines = self.lines(path)
        if not 0 < line <= len(lines):
            return
        symbol = self.table(path).around(line)
        if symbol is not None and symbol.kind is not SymbolKind.CLASS:
            yield self._passage(path, symbol, line)
            return
        first, last = max(line - 5, 1), min(line + 5, len(lines))
        name = symbol.qualified if symbol else ""
        yield Passage(path=path, first=first, last=last, mark=line, name=name, whole=False)

    def _passage(self, path: RepoPath, symbol: Symbol, mark: int) -> Passage:
        first, last = symbol.line, symbol.end_line
        if last - first >= MOST_LINES:
            centre = mark or first + MOST_LINES // 2
            first = max(first, min(centre - MOST_LINES // 2, last - MOST_LINES + 1))
            last = first + MOST_LINES - 1
        whole = (first, last) == (symbol.line, symbol.end_line)
        return Passage(
            path=path, first=first, last=last, mark=mark, name=symbol.qualified, whole=whole
        )

    def _imported_by(self, test: RepoPath) -> list[RepoPath]:
        """Return files that a test file imports, and what those import; no tests, nearest first."""
        found: dict[RepoPath, None] = {}
        queue = [test]
        while queue and len(found) < MOST_IMPORTS:
            path = queue.pop(0)
            for module in _modules("\n".join(self.lines(path)), path):
                for inner in self._files_of(module):
                    if inner not in found and inner != test and not self.is_test(inner):
                        found[inner] = None
                        queue.append(inner)
        return list(found)[:MOST_IMPORTS]

    def _files_of(self, module: str) -> tuple[RepoPath, ...]:
        return self._by_module.get(module, ())

    @cached_property
    def _by_module(self) -> dict[str, tuple[RepoPath, ...]]:
        """Files by every dotted name they may be imported under: `src/a/b.py` by a.b and b too."""
        found: dict[str, tuple[RepoPath, ...]] = {}
        for path in self.paths:
            if path.endswith(".py"):
                name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                while name:
                    known = found.get(name, ())
                    if len(known) <= MOST_NAMESAKES:
                        found[name] = (*known, path)
                    name = name.partition(".")[2]
        return {name: files for name, files in found.items() if len(files) <= MOST_NAMESAKES}

    def _read(self, path: RepoPath) -> list[str] | None:
        content = self._base.read(path)
        if content is None or content.mode is Mode.LINK or len(content.data) > MOST_BYTES:
            return None
        return None if is_binary(content.data) else lines_of(content.data)


def _modules(text: str, path: RepoPath) -> Iterator[str]:
    """Yield the dotted names that a Python file imports, as far as they may be files."""
    folder = PurePosixPath(path).parts[:-1]
    for found in _IMPORT.finditer(text):
        if found["modules"] is not None:
            yield from (part.split()[0] for part in found["modules"].split(",") if part.strip())
            continue
        module = found["module"]
        dots = len(module) - len(module.lstrip("."))
        above = ".".join(folder[: len(folder) - dots + 1]) if dots else ""
        full = ".".join(filter(None, (above, module.lstrip("."))))
        yield full
        yield from (f"{full}.{name}" for name in _WORD.findall(found["names"]))


def _overlap(one: Passage, other: Passage) -> bool:
    return one.path == other.path and one.first <= other.last and other.first <= one.last


def _is_large_class(symbol: Symbol) -> bool:
    return symbol.kind is SymbolKind.CLASS and symbol.end_line - symbol.line >= MOST_LINES // 2


def _is_name(word: str) -> bool:
    """Tell whether a word of a sentence looks like a name of code."""
    return "_" in word.strip("_") or any(map(str.isupper, word[1:]))
