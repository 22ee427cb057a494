"""A tree as the index knows it: its files, and where names and words are found in them.

Answers by name and by word, and ranks nothing. Changed files may lie over the tree; they are
answered for as they are changed.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeVar

from agent.errors import WorkspaceError
from agent.repo.facts import FileFacts, Import, Unread
from agent.repo.index import queries
from agent.repo.index.laid import NOTHING, Field, Laid, as_searched, facts_laid, lay
from agent.repo.index.packing import Damaged, fold, import_words
from agent.repo.index.queries import Entry, Files, Found
from agent.repo.index.store import Store
from agent.repo.index.trees import TreeState
from agent.task import RepoPath

T = TypeVar("T")
_TRIES: Final = 3


class Anchor(NamedTuple):
    """Where a tree is kept."""

    store: Store
    generation: int
    tree: int


class View:
    """A tree that can be asked, from any thread. Blocking, mostly far below a millisecond.

    Shows what its tree was last brought to. Should the index turn out to be damaged, the tree is
    read anew, within the question that found it out.
    """

    def __init__(
        self, tree: TreeState, anchor: Anchor, renew: Callable[[], Anchor], laid: Laid = NOTHING
    ) -> None:
        self._tree = tree
        self._anchor = anchor
        self._renew = renew
        self._laid = laid
        self._laid_numbers = {path: -at for at, path in enumerate(laid, start=1)}
        self._files: Files | None = None

    def with_changes(self, changes: Mapping[RepoPath, bytes | None]) -> "View":
        """Return the view with changed files over it; None: deleted. Parses them."""
        laid = {**self._laid, **lay(changes)}
        over = View(self._tree, self._anchor, self._renew, laid)
        over._files = self._files
        return over

    def read(self, path: RepoPath) -> bytes | None:
        """Return the file's bytes, of a large one the first; None where there is none."""
        if path in self._laid:
            file = self._laid[path]
            return None if file is None else file.data
        return self._tree.read(path)

    def paths(self) -> tuple[RepoPath, ...]:
        """Return every file, sorted, those that are not read too."""
        found = self._ask(queries.paths)
        put = {path for path, file in self._laid.items() if file is not None}
        return tuple(sorted(put.union(path for path in found if path not in self._laid)))

    def holds(self, path: RepoPath) -> bool:
        """Tell whether there is such a file."""
        if path in self._laid:
            return self._laid[path] is not None
        return self._entry(path) is not None

    def facts(self, path: RepoPath) -> FileFacts | Unread | None:
        """Return what the file holds, without `words` (see `holding`); None: no such file."""
        if path in self._laid:
            file = self._laid[path]
            return None if file is None else file.facts

        def ask(db: sqlite3.Connection, tree: int) -> FileFacts | Unread | None:
            entry = queries.entry(db, tree, path)
            if entry is None:
                return None
            return Unread(entry.why) if entry.content is None else queries.facts(db, entry.content)

        return self._ask(ask)

    def named(self, name: str) -> tuple[Found, ...]:
        """Return the definitions of exactly that name, sorted by path and place."""
        return tuple(one for one in self.named_folded(name) if one.definition.name == name)

    def named_folded(self, name: str, *, most: int | None = None) -> tuple[Found, ...]:
        """Return the definitions of that name in any case, sorted by path and place.

        None where there are more than `most`: such a name tells nothing.
        """
        return self._named(fold(name), most)

    def starting_with(self, prefix: str, *, most: int) -> tuple[Found, ...]:
        """Return definitions whose name begins so in any case, shortest names first."""
        folded = fold(prefix)
        kept = self._ask(lambda db, tree: queries.starting(db, tree, folded, 2 * most))
        found = self._with_laid(kept, lambda name: fold(name).startswith(folded))
        return tuple(sorted(found, key=lambda one: (len(one.definition.name), one))[:most])

    def names_like(self, name: str, *, most: int) -> tuple[str, ...]:
        """Return names that are spelled alike, likeliest first; each is defined somewhere here."""
        scored = {folded: score for score, folded in self._names_like(name)}
        alike = queries.Likeness(fold(name).decode("utf-8", "replace"))
        for folded in {fold(d.name) for _, f in facts_laid(self._laid) for d in f.definitions}:
            score = alike.of(folded.decode("utf-8", "replace"))
            if score >= queries.LEAST_LIKENESS:
                scored[folded] = score
        found: dict[str, None] = {}
        for folded in sorted(scored, key=lambda one: (-scored[one], one)):
            found.update(dict.fromkeys(one.definition.name for one in self._some_named(folded)))
            if len(found) >= most:
                break
        return tuple(found)[:most]

    def symbols_in(self, paths: Iterable[RepoPath]) -> tuple[Found, ...]:
        """Return the definitions of files, by path and place."""
        found: list[Found] = []
        for path in sorted(set(paths)):
            facts = self.facts(path)
            if isinstance(facts, FileFacts):
                found += (Found(path, at, one) for at, one in enumerate(facts.definitions))
        return tuple(found)

    def files_using(self, name: str) -> tuple[RepoPath, ...]:
        """Return the files that use the name, sorted; `facts(path).references` tells where.

        Case is not told apart, nor what is no letter, digit, `_` or `$`.
        """
        return self._paths_holding(name, "uses")

    def importing(self, segment: str) -> tuple[tuple[RepoPath, tuple[Import, ...]], ...]:
        """Return files with those imports that name it: as a segment of a module or as a name."""
        wanted = set(as_searched(segment))
        found = []
        for path in self._paths_holding(segment, "taken"):
            named = [
                one
                for one in self.imports_of(path)
                if wanted <= set(as_searched(import_words(one)))
            ]
            if named:
                found.append((path, tuple(named)))
        return tuple(found)

    def imports_of(self, path: RepoPath) -> tuple[Import, ...]:
        """Return what the file imports."""
        if path in self._laid:
            file = self._laid[path]
            facts = None if file is None else file.facts
            return facts.imports if isinstance(facts, FileFacts) else ()

        def ask(db: sqlite3.Connection, tree: int) -> tuple[Import, ...]:
            entry = queries.entry(db, tree, path)
            if entry is None or entry.content is None:
                return ()
            return queries.imports_of(db, entry.content)

        return self._ask(ask)

    def imports(self) -> tuple[tuple[RepoPath, tuple[Import, ...]], ...]:
        """Return every file that imports something, with what it imports; in no order."""
        kept = self._ask(queries.all_imports)
        laid = [(path, facts.imports) for path, facts in facts_laid(self._laid) if facts.imports]
        return (*(one for one in kept if one[0] not in self._laid), *laid)

    def file_count(self) -> int:
        """Return how many files there are."""
        if not self._laid:
            return len(self._known_files().paths)
        return len(self.paths())

    def content_count(self) -> int:
        """Return how many different contents there are, over all trees and branches."""
        return self._ask(lambda db, _tree: queries.content_count(db))

    def counts(self, words: Sequence[str], field: Field = "words") -> dict[str, int]:
        """Return in how many contents each word stands: how common it is.

        Over all trees and branches that the index knows, and what is laid over not counted.
        """
        asked = tuple(dict.fromkeys(words))
        return self._ask(lambda db, _tree: {one: queries.count(db, one, field) for one in asked})

    def holding(self, text: str, field: Field = "words") -> frozenset[int]:
        """Return the numbers of the files that hold every word of it; case is not told apart."""
        files = self._known_files()
        kept = self._ask(lambda db, _tree: queries.holding(db, text, field))
        if field == "path":
            found = {number for number in kept if number in files.paths}
        else:
            by_content = files.by_content
            found = {number for content in kept for number in by_content.get(content, ())}
        if self._laid:
            found -= {number for number in found if self.path_of(number) in self._laid}
            found |= self._laid_holding(text, field)
        return frozenset(found)

    def path_of(self, number: int) -> RepoPath:
        """Return the path of a file. Numbers are good for this view only."""
        if number < 0:
            return list(self._laid_numbers)[-number - 1]
        return RepoPath(os.fsdecode(self._known_files().paths[number]))

    def number_of(self, path: RepoPath) -> int | None:
        """Return the number of a file; None where there is none."""
        if path in self._laid:
            return None if self._laid[path] is None else self._laid_numbers[path]
        entry = self._entry(path)
        return None if entry is None else entry.number

    def _entry(self, path: RepoPath) -> Entry | None:
        return self._ask(lambda db, tree: queries.entry(db, tree, path))

    def _named(self, folded: bytes, most: int | None = None) -> tuple[Found, ...]:
        kept = self._ask(lambda db, tree: queries.named(db, tree, folded, most))
        return tuple(self._with_laid(kept, lambda name: fold(name) == folded))

    def _some_named(self, folded: bytes) -> list[Found]:
        kept = self._ask(lambda db, tree: queries.some_named(db, tree, folded))
        return self._with_laid(kept, lambda name: fold(name) == folded)

    def _names_like(self, name: str) -> list[tuple[float, bytes]]:
        return self._ask(lambda db, _tree: queries.names_like(db, name))

    def _with_laid(self, kept: Iterable[Found], fits: Callable[[str], bool]) -> list[Found]:
        if not self._laid:
            return list(kept)
        laid = [
            Found(path, place, one)
            for path, facts in facts_laid(self._laid)
            for place, one in enumerate(facts.definitions)
            if fits(one.name)
        ]
        return sorted([*(one for one in kept if one.path not in self._laid), *laid])

    def _laid_holding(self, text: str, field: Field) -> set[int]:
        words = as_searched(text)
        if field == "path":
            words = [part for word in words for part in word.split("_") if part]
        return {
            self._laid_numbers[path]
            for path, file in self._laid.items()
            if words and file is not None and file.texts.get(field, frozenset()).issuperset(words)
        }

    def _paths_holding(self, text: str, field: Field) -> tuple[RepoPath, ...]:
        kept = self._ask(lambda db, tree: queries.paths_holding(db, tree, text, field))
        found = {path for path in kept if path not in self._laid}
        found.update(self.path_of(number) for number in self._laid_holding(text, field))
        return tuple(sorted(found))

    def _known_files(self) -> Files:
        if self._files is None:
            self._files = self._ask(queries.load_files)
        return self._files

    def _ask(self, question: Callable[[sqlite3.Connection, int], T]) -> T:
        for _ in range(_TRIES):
            anchor = self._anchor
            try:
                return anchor.store.read(partial(_on, question, anchor.tree), anchor.generation)
            except Damaged:
                self._anchor = self._renew()
                self._files = None
        raise WorkspaceError(
            "the index is damaged each time it is made anew",
            remedy="check the disk of the state folder, or run greenloop index --rebuild",
        )


def _on(question: Callable[[sqlite3.Connection, int], T], tree: int, db: sqlite3.Connection) -> T:
    return question(db, tree)
