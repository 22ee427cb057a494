"""Commits of a clone that look like a fix with its test: read, not run."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from tests.bench.places.clones import Clone
from tests.bench.places.mine import changed_tests, is_test
from tests.bench.repair.changes import changed_lines
from tests.bench.repair.libraries import Library

MOST_LINES: Final = 25
"""Changed lines of code of the largest fix that is kept as out of reach."""
MOST_SOURCES: Final = 2
MOST_TEXT: Final = 80
"""The same with comments, docstrings and blank lines."""
_STRONG: Final = re.compile(
    r"\b(fix(es|ed)?|bug(s|fix)?|crash(es|ed)?|wrong(ly)?|incorrect(ly)?|regression|broken)\b",
    re.IGNORECASE,
)
_WEAK: Final = re.compile(
    r"\b(correct(s|ed|ly)?|issues?|handl\w+|errors?|fail\w*|clos(es|ed?)|resolv\w+|avoid\w*"
    r"|prevent\w*|missing|properly|should|rais(es|ed?|ing)|instead)\b|#\d+",
    re.IGNORECASE,
)
_FEATURE: Final = re.compile(
    r"^\W*(add(s|ed|ing)?|support\w*|implement\w*|introduc\w*|deprecat\w*|drop\w*|remov\w*"
    r"|renam\w*|new|bump\w*|feat(ure)?s?|release|revert|docs?|chang\w*)\b",
    re.IGNORECASE,
)
_OTHER_FOLDERS: Final = {
    "docs", "doc", "examples", "example", "bench", "benchmark", "benchmarks", "scripts", "tools",
    "_vendor", "vendor", "release", "bin", "typing_tests", "typing-examples", "ci_tools",
}  # fmt: skip
_OTHER_FILES: Final = frozenset(
    {"setup.py", "conftest.py", "release.py", "noxfile.py", "version.py", "_version.py"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A commit that may be a case."""

    commit: str
    year: int
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    """Python files that pytest would be given."""
    names: tuple[str, ...]
    """Ids of the tests that were added or changed; none: not told by the change."""
    lines: int


@dataclass(frozen=True, slots=True)
class _Entry:
    commit: str
    year: int
    message: str
    paths: tuple[str, ...]


def changes(clone: Clone, library: Library) -> Iterator[Change]:
    """Give the commits that may be cases, the newest first; the same change only once."""
    seen: set[str] = set()
    for entry in _entries(clone, library):
        if is_fix(entry.message) and (change := _change(clone, library, entry)) is not None:
            key = _fingerprint(clone, change)
            if key not in seen:
                seen.add(key)
                yield change


def is_fix(message: str) -> bool:
    """Tell whether a commit's message speaks of a fault, and not of something new alone."""
    if _STRONG.search(message):
        return True
    title = next((line for line in message.splitlines() if not line.startswith("Merge ")), "")
    return _WEAK.search(message) is not None and _FEATURE.match(title) is None


def is_source(path: str) -> bool:
    """Tell whether a path is a Python file of the library itself."""
    pure = PurePosixPath(path)
    folders = {part.lower() for part in pure.parts[:-1]}
    return (
        pure.suffix == ".py"
        and not is_test(path)
        and not folders & (_OTHER_FOLDERS | {"tests", "test", "testing", "testsuite"})
        and pure.name not in _OTHER_FILES
    )


def is_run(path: str) -> bool:
    """Tell whether pytest would collect a file by its name."""
    name = PurePosixPath(path).name
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def _entries(clone: Clone, library: Library) -> Iterator[_Entry]:
    log = clone.git(
        "log",
        "--min-parents=1",
        "--max-parents=1",  # a merge repeats a change that may lie in the other half
        "--no-renames",
        "--numstat",
        f"--since={library.since}",
        "--format=%x01%H%x02%cs%x02%B%x03",
        "HEAD",
        *(("--", *library.below) if library.below else ()),
    )
    for record in log.split("\x01")[1:]:
        head, _, names = record.partition("\x03")
        commit, date, message = head.split("\x02", 2)
        counts = [line.split("\t") for line in names.splitlines() if line]
        paths = tuple(path for _added, _deleted, path in counts)
        if not any(_is_large(*count) for count in counts):
            yield _Entry(commit, int(date[:4]), message, paths)


def _is_large(added: str, deleted: str, path: str) -> bool:
    """Tell whether a source was changed far beyond a fix; spares reading it."""
    return is_source(path) and added.isdigit() and max(int(added), int(deleted)) > MOST_TEXT


def _change(clone: Clone, library: Library, entry: _Entry) -> Change | None:
    python = [path for path in entry.paths if path.endswith(".py")]
    sources = [path for path in python if is_source(path)]
    tests = [path for path in entry.paths if _is_of_tests(path, library)]
    if not 1 <= len(sources) <= 2 * MOST_SOURCES or not tests:
        return None
    if library.below and not all(path.startswith(library.below) for path in sources):
        return None
    changed: dict[str, int] = {}
    for path in sources:
        old, new = (clone.file_at(each, path) for each in (f"{entry.commit}^", entry.commit))
        if old is None or new is None:
            return None
        lines = changed_lines(old, new)
        if lines is None or lines > MOST_LINES:
            return None
        if lines:
            changed[path] = lines
    if not 1 <= len(changed) <= MOST_SOURCES or sum(changed.values()) > MOST_LINES:
        return None
    run = tuple(path for path in tests if is_run(path) or path in library.readers)
    if not run:
        run = library.readers
    there = tuple(path for path in run if clone.file_at(entry.commit, path) is not None)
    if not there:
        return None
    return Change(
        commit=entry.commit,
        year=entry.year,
        sources=tuple(changed),
        tests=there,
        names=_ids(changed_tests(clone, entry.commit, there)),
        lines=sum(changed.values()),
    )


def _is_of_tests(path: str, library: Library) -> bool:
    folders = {part.lower() for part in PurePosixPath(path).parts[:-1]}
    return path in library.readers or bool(folders & {"tests", "test", "testing", "testsuite"})


def _ids(names: Sequence[str]) -> tuple[str, ...]:
    """Turn `path::Class.method` into what pytest calls it; none where one is no test."""
    parts = [name.partition("::") for name in names]
    if not all(found for _path, found, _name in parts):
        return ()
    return tuple(f"{path}::{name.replace('.', '::')}" for path, _found, name in parts)


def _fingerprint(clone: Clone, change: Change) -> str:
    diff = clone.git("diff", "-U0", f"{change.commit}^", change.commit, "--", *change.sources)
    body = [line for line in diff.splitlines() if line[:1] in {"+", "-"}]
    return hashlib.sha256("\n".join(body).encode()).hexdigest()
