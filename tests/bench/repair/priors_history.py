"""Small fixes in the histories of clones: one source file each, before and after. Runs nothing.

Of the libraries that the mined fixes come from only half A is read, by the hash of the commit,
whether it is a case there or not: half B stays unseen.
"""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from tests.bench.places.clones import Clone
from tests.bench.places.mine import is_test
from tests.bench.repair.cases import half_of
from tests.bench.repair.history import is_fix, is_source
from tests.bench.repair.libraries import LIBRARIES

MOST_LINES: Final = 3
"""Added, and taken away."""
MOST_SPREAD: Final = 40
"""Lines from the first change to the last one."""
LARGEST_BYTES: Final = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallFix:
    """One file of a commit."""

    repository: str
    commit: str
    path: str
    subject: str
    is_tested: bool
    """The commit changes tests as well."""
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Window:
    """Where two versions differ: rows from `first` to before `last` and `last_after`."""

    first: int
    last: int
    last_after: int
    changed: tuple[tuple[int, int], ...]
    """Rows within, from the first to before the last; none between: lines are only added."""


def small_fixes(clone: Clone, *, most: int) -> Iterator[SmallFix]:
    """Give fixes of at most three lines of one source file, the newest first, at most so many."""
    mined = {library.repository for library in LIBRARIES}
    given = 0
    for commit, subject, path, is_tested in _touched(clone):
        if given == most:
            return
        if clone.name in mined and half_of(clone.name, commit) != "A":
            continue
        before, after = clone.file_at(f"{commit}^", path), clone.file_at(commit, path)
        if before is None or after is None or len(before) > LARGEST_BYTES:
            continue
        if not is_code(before, after):
            continue
        given += 1
        yield SmallFix(
            repository=clone.name,
            commit=commit,
            path=path,
            subject=subject,
            is_tested=is_tested,
            before=before,
            after=after,
        )


def is_code(before: bytes, after: bytes) -> bool:
    """Tell whether two versions of a file differ in more than comments, texts and annotations.

    Reads with the Python that runs it: a file in the syntax of Python 2 is no code to it.
    """
    rows = window(before, after)
    if rows is None:
        return False
    try:
        old = _meaning(before, rows.first, rows.last)
        new = _meaning(after, rows.first, rows.last_after)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return old != new


def _meaning(data: bytes, first: int, last: int) -> list[str]:
    """Return the statements of the file that some rows lie in, without texts and annotations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(data)
    touched = [
        node
        for node in tree.body
        if node.lineno - 1 < max(last, first + 1) and (node.end_lineno or node.lineno) > first - 1
    ]
    for top in touched:
        for node in ast.walk(top):
            if isinstance(node, ast.arg | ast.AnnAssign):
                node.annotation = ast.Constant(None)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.returns = None
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                node.value.value = None
    return [ast.dump(node) for node in touched]


def _touched(clone: Clone) -> Iterator[tuple[str, str, str, bool]]:
    """Give commit, subject, the one source file that it changes a little, and whether tests too."""
    log = clone.git(
        "log", "--no-merges", "--no-renames", "--numstat", "--format=%x01%H%x02%s", "HEAD"
    )
    for record in log.split("\x01")[1:]:
        head, *lines = record.splitlines()
        commit, subject = head.split("\x02", 1)
        if not is_fix(subject):
            continue
        counts = [line.split("\t") for line in lines if line.count("\t") == 2]
        sources = [each for each in counts if is_source(each[2])]
        if len(sources) == 1:
            added, removed, path = sources[0]
            if added.isdigit() and 0 < max(int(added), int(removed)) <= MOST_LINES:
                yield commit, subject, path, any(is_test(each[2]) for each in counts)


def window(before: bytes, after: bytes) -> Window | None:
    """Return the rows from the first to the last difference; None where they are far apart."""
    old, new = before.splitlines(), after.splitlines()
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    same = 0
    while same < min(len(old), len(new)) - first and old[-1 - same] == new[-1 - same]:
        same += 1
    last, last_after = len(old) - same, len(new) - same
    if max(last, last_after) - first > MOST_SPREAD:
        return None
    matcher = SequenceMatcher(a=old[first:last], b=new[first:last_after], autojunk=False)
    changed = tuple(
        (first + start, first + end)
        for what, start, end, _start, _end in matcher.get_opcodes()
        if what != "equal"
    )
    return Window(first, last, last_after, changed)
