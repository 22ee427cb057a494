"""`python -m tests.bench.places.mine CLONE…`: small fixes with tests, out of libraries' histories.

A clone is a bare git folder whose path names the repository (`owner+name` or `owner/name`). Of a
fix only names are kept: repository, commit, changed files, functions and tests. No text, no code.
With `--python`, the tests of each fix are run before and after it, and fixes whose tests bite go
before others.
"""

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.repo.facts import FileFacts, place_around
from agent.repo.languages import spec_of
from agent.repo.reading import read_facts
from agent.task import RepoPath
from tests.bench.places.cases import Case, load_cases, save_cases
from tests.bench.places.clones import Clone, clone_at
from tests.bench.places.frames import with_frames
from tests.bench.places.texts import issue_text

MOST_FILES: Final = 3
MOST_LINES: Final = 30
"""Added and deleted lines of source; larger changes are seldom one fix."""
LEAST_WORDS: Final = 5
"""A text shorter than this says nothing about a bug."""
A_REPOSITORY: Final = 6
"""Cases of one repository at most, so that no large one decides."""
MOST_TRIED: Final = 18
"""Fixes of one repository whose tests are run, until enough of them are known to bite."""
_FIX: Final = re.compile(
    r"\b(fix(es|ed)?|bug|crash(es|ed)?|wrong(ly)?|incorrect(ly)?|regression)\b", re.IGNORECASE
)
_CHORE: Final = re.compile(
    r"\b(typos?|docs?|docstrings?|documentation|readme|lint\w*|flake8|mypy|ruff|pylint|pyright"
    r"|pyflakes|pep-?8|typing|annotations?|type hints?|changelog|release|bump|ci|tests?|test_\w+"
    r"|coverage|merge|revert|format(ting)?|warnings?|deprecat\w+|build|deps?|dependenc\w+|benchmarks?"
    r"|comments?|style|imports? order"
    r"|translations?|whitespace bug|refactor\w*|python ?3 compat\w*)\b",
    re.IGNORECASE,
)
_TEST_FOLDERS: Final = {"test", "tests", "__tests__", "testsuite", "testing"}
_OTHER_FOLDERS: Final = {
    "docs", "doc", "examples", "example", "bench", "benchmark", "benchmarks", "dist", "lib-es5",
    "deno", "locales", "node_modules", "vendor", "_vendor", "scripts", "tools", ".github",
}  # fmt: skip
_OTHER_FILES: Final = (
    "setup.",
    "conftest.",
    "rollup.",
    "gulpfile.",
    "gruntfile.",
    "karma.",
    "play",
)
_BUILT: Final = re.compile(r"^(lib/marked\b|.*\.min\.[mc]?js$|.*\.umd\.js$|.*\.d\.[mc]?ts$)")
"""Built files that are kept in git beside their source."""
_HUNK: Final = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_VERSION_LINE: Final = re.compile(
    r"^[+-](?:\s*$|\s*#|\s*(?:__)?(?:version(?:_info)?|build|released|author|copyright)(?:__)?\b.*"
    r"|.*\d+\.\d+\.\d+.*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Change:
    path: str
    lines: int


def main(arguments: Sequence[str]) -> int:
    """Mine the clones and write the cases; those of other repositories stay."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.places.mine", description=__doc__)
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument(
        "--python", action="append", type=Path, default=[], help="has pytest; repeatable"
    )
    options = parser.parse_args(arguments)
    clones = [clone_at(folder) for folder in options.clones]
    mined: list[Case] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for clone, found in zip(
            clones, pool.map(lambda each: mine(each, options.python), clones), strict=True
        ):
            bite = sum(bool(case.failing) for case in found)
            sys.stdout.write(f"{clone.name}: {len(found)} cases, {bite} seen failing\n")
            mined += found
    names = {clone.name for clone in clones}
    cases = [case for case in load_cases() if case.repository not in names] + mined
    save_cases(cases)
    halves = [case.half for case in cases]
    sys.stdout.write(f"{len(cases)} cases: {halves.count('A')} in A, {halves.count('B')} in B\n")
    return 0


def mine(clone: Clone, pythons: Sequence[Path] = ()) -> list[Case]:
    """Return the cases of one clone: those whose commit hashes lowest of all that qualify."""
    bite: list[Case] = []
    others: list[Case] = []
    for commit in sorted(_candidates(clone), key=_by_hash):
        if len(bite) == A_REPOSITORY or len(bite) + len(others) == MOST_TRIED:
            break
        if (case := case_of(clone, commit)) is not None:
            case = with_frames(clone, case, pythons)
            (bite if case.failing else others).append(case)
    return (bite + others)[:A_REPOSITORY]


def case_of(clone: Clone, commit: str) -> Case | None:
    """Return what a commit changed; None where it is no small fix with a test and a text."""
    changes = _changes(clone, commit)
    tests = [change.path for change in changes if is_test(change.path)]
    sources = [change for change in changes if _is_source(change.path)]
    if not tests or not sources or len(sources) > 2 * MOST_FILES:
        return None
    sources = [change for change in sources if not _is_version_only(clone, commit, change.path)]
    lines = sum(change.lines for change in sources)
    if not 0 < len(sources) <= MOST_FILES or not 0 < lines <= MOST_LINES:
        return None
    if any(clone.file_at(f"{commit}^", change.path) is None for change in sources):
        return None  # a new file cannot be found
    paths = [change.path for change in sorted(sources, key=lambda each: -each.lines)]
    ids = changed_tests(clone, commit, tests)
    if not ids or len(issue_text(clone, commit).split()) < LEAST_WORDS:
        return None
    return Case(
        repository=clone.name,
        commit=commit,
        paths=tuple(paths),
        functions=tuple(name for path in paths for name in _changed_functions(clone, commit, path)),
        tests=ids,
    )


def _candidates(clone: Clone) -> Iterator[str]:
    log = clone.git("log", "--no-merges", "--min-parents=1", "--format=%H%x02%s", "HEAD")
    for line in log.splitlines():
        commit, _, subject = line.partition("\x02")
        if _FIX.search(subject) and not _CHORE.search(subject):
            yield commit


def _by_hash(commit: str) -> str:
    return hashlib.sha256(commit.encode()).hexdigest()


def _changes(clone: Clone, commit: str) -> list[_Change]:
    text = clone.git("diff", "--numstat", "--no-renames", f"{commit}^", commit)
    return [
        _Change(path, int(added) + int(deleted))
        for added, deleted, path in (line.split("\t") for line in text.splitlines())
        if added.isdigit() and deleted.isdigit()
    ]


def is_test(path: str) -> bool:
    """Tell whether a file is one of tests, by its name and folders."""
    spec = spec_of(RepoPath(path))
    if spec is None or _folders(path) & _OTHER_FOLDERS:
        return False
    return spec.is_test_file(RepoPath(path)) or bool(_folders(path) & _TEST_FOLDERS)


def _is_source(path: str) -> bool:
    if spec_of(RepoPath(path)) is None or is_test(path) or _BUILT.match(path):
        return False
    name = path.rsplit("/", maxsplit=1)[-1].lower()
    return not _folders(path) & _OTHER_FOLDERS and not name.startswith(_OTHER_FILES)


def _folders(path: str) -> set[str]:
    return {part.lower() for part in path.split("/")[:-1]}


def _is_version_only(clone: Clone, commit: str, path: str) -> bool:
    diff = clone.git("diff", "-U0", f"{commit}^", commit, "--", path)
    body = diff.partition("\n@@")[2].splitlines()[1:]
    return all(_VERSION_LINE.match(line) for line in body if line[:1] in {"+", "-"})


def _changed_functions(clone: Clone, commit: str, path: str) -> list[str]:
    """Return the definitions of before that hold a changed line; an added line is looked up after.

    A function that is new is no place that could have been found.
    """
    old, new = (clone.file_at(each, path) for each in (f"{commit}^", commit))
    deleted, added = _changed_lines(clone, commit, path)
    names = _around(path, old or b"", deleted)
    known = _names(path, old or b"")
    names += [name for name in _around(path, new or b"", added) if name in known]
    return list(dict.fromkeys(names))


def changed_tests(clone: Clone, commit: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Return `path::Class.method` of tests that a commit added or changed, or the path alone."""
    names = [name for path in paths for name in _changed_tests(clone, commit, path)]
    return tuple(dict.fromkeys(names))


def _changed_tests(clone: Clone, commit: str, path: str) -> list[str]:
    data = clone.file_at(commit, path)
    if data is None:
        return []
    _, added = _changed_lines(clone, commit, path)
    around = _around(path, data, added)
    facts = read_facts(RepoPath(path), data)
    if not isinstance(facts, FileFacts):
        return []
    tests = {
        f"{path}::{each.qualified}"
        for each in facts.definitions
        if each.is_test and each.kind != "class"
    }
    if not facts.is_test or not tests:
        return []  # a file that tests read
    return [name for name in around if name in tests] or [path]


def _changed_lines(clone: Clone, commit: str, path: str) -> tuple[list[int], list[int]]:
    """Return the deleted lines, numbered as before, and the added ones, numbered as after."""
    diff = clone.git("diff", "-U0", f"{commit}^", commit, "--", path)
    old: list[int] = []
    new: list[int] = []
    for line in diff.splitlines():
        if match := _HUNK.match(line):
            first, count, first_new, count_new = (int(each or 1) for each in match.groups())
            old += range(first, first + count)
            new += range(first_new, first_new + count_new)
    return old, new


def _around(path: str, data: bytes, lines: Sequence[int]) -> list[str]:
    facts = read_facts(RepoPath(path), data)
    if not isinstance(facts, FileFacts):
        return []
    text = data.splitlines()
    kinds = {"function", "method", "class", "test"}
    found: list[str] = []
    for line in lines:
        if line > len(text) or not text[line - 1].strip():
            continue
        place = place_around(facts.definitions, line)
        while place >= 0 and facts.definitions[place].kind not in kinds:
            place = facts.definitions[place].parent
        if place >= 0:
            found.append(f"{path}::{facts.definitions[place].qualified}")
    return list(dict.fromkeys(found))


def _names(path: str, data: bytes) -> set[str]:
    facts = read_facts(RepoPath(path), data)
    if not isinstance(facts, FileFacts):
        return set()
    return {f"{path}::{each.qualified}" for each in facts.definitions}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
