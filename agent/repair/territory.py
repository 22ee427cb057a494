"""Which files of a base may be edited, and how they are read.

A file in which tests stand is never one of them: an edit there can only change what is asked. What
tests share (conftest files, modules beside them) is one where the task allows tests to be edited.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.edits.changes import Mode
from agent.repair.lang import grammar_for
from agent.repair.lang.base import Grammar
from agent.repo.languages import language_of
from agent.task import RepoPath, TestPolicy
from agent.workspace.base import Base

LARGEST_FILE_BYTES: Final = 1024**2
"""Larger files are data or generated; a fix is not looked for in them."""
_STRICT: Final = TestPolicy()
_WORD: Final = re.compile(rb"[A-Za-z_]\w+")


@dataclass(frozen=True)
class Territory:
    """The files of the base whose language is known."""

    base: Base
    paths: frozenset[RepoPath]
    """What may be edited."""
    tests: frozenset[RepoPath]
    """What tests own, in a language that we know."""
    _data: dict[RepoPath, bytes | None] = field(default_factory=dict, repr=False)

    def read(self, path: RepoPath) -> bytes | None:
        """Return a regular file's bytes; None where it is missing, a link or too large."""
        if path not in self._data:
            content = self.base.read(path)
            is_file = content is not None and content.mode is not Mode.LINK
            data = content.data if content is not None and is_file else None
            self._data[path] = (
                data if data is not None and len(data) <= LARGEST_FILE_BYTES else None
            )
        return self._data[path]

    def grammar(self, path: RepoPath) -> Grammar | None:
        """Return the file's language, for files that may be edited."""
        language = language_of(path) if path in self.paths else None
        return None if language is None else grammar_for(language)

    def words_of(self, paths: Iterable[RepoPath]) -> frozenset[str]:
        """Return every identifier of some files."""
        return frozenset(
            word.decode() for path in paths for word in _WORD.findall(self.read(path) or b"")
        )

    def words(self, lines: Mapping[RepoPath, Iterable[int]]) -> frozenset[str]:
        """Return the identifiers on some lines of any files."""
        found: set[bytes] = set()
        for path, numbers in lines.items():
            rows = (self.read(path) or b"").split(b"\n")
            for number in numbers:
                found.update(_WORD.findall(rows[number - 1]) if number <= len(rows) else ())
        return frozenset(word.decode() for word in found)


def territory(
    base: Base, test_files: frozenset[RepoPath], policy: TestPolicy = _STRICT
) -> Territory:
    """List the base; tests stand in `test_files`. Blocking: walks its folders."""
    editable: set[RepoPath] = set()
    tests: set[RepoPath] = set()
    for path in base.paths():
        language = language_of(path)
        if language is not None:
            is_test = path in test_files or grammar_for(language).is_test(path)
            if is_test:
                tests.add(path)
            if not is_test or (policy.may_edit and path not in test_files):
                editable.add(path)
    return Territory(base, frozenset(editable), frozenset(tests))
