"""What is asked of the tables, one function a question. Knows trees by number, nothing laid over.

Raises, all of it: sqlite3.Error, Damaged.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from agent.repo.facts import Definition, FileFacts, Import, Unread
from agent.repo.index.laid import Field, as_searched
from agent.repo.index.packing import (
    Damaged,
    fold,
    lines_of,
    sum_over,
    unpack_definition,
    unpack_head,
    unpack_imports,
)
from agent.task import RepoPath

_SYMBOLS: Final = (
    "SELECT p.path, s.content, s.place FROM names n CROSS JOIN symbols s ON s.name = n.id "
    "CROSS JOIN files f ON f.tree = ? AND f.content = s.content "
    "CROSS JOIN paths p ON p.id = f.path WHERE n.folded = ? LIMIT ?"
)
_LAST: Final = b"\xff"
"""Above every byte of UTF-8."""
_SOME: Final = 20
_CANDIDATES: Final = 120
"""Names that are compared pair by pair: some µs each."""


class Found(NamedTuple):
    """A definition, and where it is."""

    path: RepoPath
    place: int
    """In the `definitions` of its file."""
    definition: Definition


class Files(NamedTuple):
    """The files of a tree by number, as they are when a search begins."""

    paths: Mapping[int, bytes]
    by_content: Mapping[int, tuple[int, ...]]


def load_files(db: sqlite3.Connection, tree: int) -> Files:
    """Return all files of a tree; 40,000 in about 30 ms."""
    rows = db.execute(
        "SELECT f.path, p.path, f.content FROM files f CROSS JOIN paths p ON p.id = f.path "
        "WHERE f.tree = ?",
        (tree,),
    ).fetchall()
    by_content: dict[int, tuple[int, ...]] = {}
    for number, _, content in rows:
        if content is not None:
            by_content[content] = (*by_content.get(content, ()), number)
    return Files({number: path for number, path, _ in rows}, by_content)


def paths(db: sqlite3.Connection, tree: int) -> list[RepoPath]:
    """Return the path of every file, in no order."""
    rows = db.execute(
        "SELECT p.path FROM files f CROSS JOIN paths p ON p.id = f.path WHERE f.tree = ?", (tree,)
    )
    return [RepoPath(os.fsdecode(path)) for (path,) in rows.fetchall()]


class Entry(NamedTuple):
    """A file of a tree."""

    number: int
    content: int | None
    why: str
    """Why it has no content."""


def entry(db: sqlite3.Connection, tree: int, path: RepoPath) -> Entry | None:
    """Return the file at a path; None where there is none."""
    row = db.execute(
        "SELECT f.path, f.content, f.why FROM paths p JOIN files f ON f.tree = ? AND f.path = p.id "
        "WHERE p.path = ?",
        (tree, os.fsencode(path)),
    ).fetchone()
    return None if row is None else Entry(*row)


def facts(db: sqlite3.Connection, content: int) -> FileFacts | Unread:
    """Return what is kept of a content; `words` are not."""
    row = db.execute(
        "SELECT why, head, imports, uses, definitions, sum FROM contents WHERE id = ?", (content,)
    ).fetchone()
    if row is None:
        raise Damaged
    why, *parts, total = row
    if why:
        return Unread(why)
    if _sum(parts) != total:
        raise Damaged
    head, imports, uses, definitions = parts
    return unpack_head(head)._replace(
        definitions=tuple([unpack_definition(line) for line in lines_of(definitions)]),
        imports=unpack_imports(imports),
        uses=uses,
    )


def _sum(parts: Iterable[bytes]) -> int:
    try:
        return sum_over(*parts)
    except TypeError as exc:
        raise Damaged from exc


def named(db: sqlite3.Connection, tree: int, folded: bytes, most: int | None = None) -> list[Found]:
    """Return the definitions of a folded name, sorted by path and place.

    None where there are more than `most`, if that is given.
    """
    limit = -1 if most is None else most + 1
    rows = db.execute(_SYMBOLS, (tree, folded, limit)).fetchall()
    return [] if most is not None and len(rows) > most else _found(db, rows)


def some_named(db: sqlite3.Connection, tree: int, folded: bytes) -> list[Found]:
    """Return a few definitions of a folded name, where there are any."""
    return _found(db, db.execute(_SYMBOLS, (tree, folded, _SOME)).fetchall())


def _found(db: sqlite3.Connection, rows: Sequence[tuple[bytes, int, int]]) -> list[Found]:
    lines = {content: _definitions(db, content) for content in {row[1] for row in rows}}
    try:
        return sorted(
            Found(RepoPath(os.fsdecode(path)), place, unpack_definition(lines[content][place]))
            for path, content, place in rows
        )
    except IndexError as exc:
        raise Damaged from exc


def _definitions(db: sqlite3.Connection, content: int) -> list[bytes]:
    row = db.execute("SELECT definitions FROM contents WHERE id = ?", (content,)).fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise Damaged
    return lines_of(row[0])


def content_count(db: sqlite3.Connection) -> int:
    """Return how many contents were read."""
    row = db.execute("SELECT count(*) FROM contents WHERE why = ''").fetchone()
    return int(row[0])


def starting(db: sqlite3.Connection, tree: int, folded: bytes, most: int) -> list[Found]:
    """Return definitions whose folded name begins so, shortest names first."""
    names = db.execute(
        "SELECT folded FROM names WHERE folded >= ? AND folded < ? ORDER BY length(folded), folded",
        (folded, folded + _LAST),
    ).fetchall()
    found: list[Found] = []
    for (name,) in names:
        if len(found) >= most:
            break
        found += named(db, tree, name)
    return found


def imports_of(db: sqlite3.Connection, content: int) -> tuple[Import, ...]:
    """Return what a content imports."""
    row = db.execute("SELECT imports FROM contents WHERE id = ?", (content,)).fetchone()
    return unpack_imports(row[0]) if row else ()


def all_imports(db: sqlite3.Connection, tree: int) -> list[tuple[RepoPath, tuple[Import, ...]]]:
    """Return every file that imports something, with what it imports; in no order."""
    rows = db.execute(
        "SELECT p.path, c.imports FROM files f JOIN contents c ON c.id = f.content "
        "JOIN paths p ON p.id = f.path WHERE f.tree = ? AND c.imports != x''",
        (tree,),
    ).fetchall()
    return [(RepoPath(os.fsdecode(path)), unpack_imports(body)) for path, body in rows]


def count(db: sqlite3.Connection, word: str, field: Field) -> int:
    """Return in how many contents (`path`: paths) a word stands, over all trees."""
    words = as_searched(word)
    if len(words) != 1:
        return len(holding(db, word, field))
    if field == "path":
        row = db.execute("SELECT doc FROM place_counts WHERE term = ?", words).fetchone()
    else:
        row = db.execute(
            "SELECT doc FROM text_counts WHERE term = ? AND col = ?", (*words, field)
        ).fetchone()
    return int(row[0]) if row else 0


def holding(db: sqlite3.Connection, text: str, field: Field) -> list[int]:
    """Return the contents (`path`: the numbers of paths) that hold every word of a text."""
    asked = _asked(text.replace("_", " ") if field == "path" else text)
    if not asked:
        return []
    if field == "path":
        rows = db.execute("SELECT rowid FROM places WHERE places MATCH ?", (asked,))
    else:
        rows = db.execute("SELECT rowid FROM text WHERE text MATCH ?", (f"{field} : ({asked})",))
    return [number for (number,) in rows.fetchall()]


def paths_holding(db: sqlite3.Connection, tree: int, text: str, field: Field) -> list[RepoPath]:
    """Return the files whose content holds every word of a text, in no order."""
    asked = _asked(text)
    if not asked:
        return []
    rows = db.execute(
        "SELECT p.path FROM text CROSS JOIN files f ON f.tree = ? AND f.content = text.rowid "
        "CROSS JOIN paths p ON p.id = f.path WHERE text MATCH ?",
        (tree, f"{field} : ({asked})"),
    )
    return [RepoPath(os.fsdecode(path)) for (path,) in rows.fetchall()]


def _asked(text: str) -> str:
    return " AND ".join(f'"{word}"' for word in as_searched(text))


def names_like(db: sqlite3.Connection, name: str) -> list[tuple[float, bytes]]:
    """Return folded names that are spelled alike, with how much; not all are in every tree.

    Names that share their rarest triples of letters are compared pair by pair.
    """
    folded = fold(name).decode("utf-8", "replace")
    triples = dict.fromkeys(folded[at : at + 3] for at in range(len(folded) - 2))
    holding = [_with_triple(db, triple) for triple in triples]
    found: Counter[int] = Counter()
    for numbers in sorted(holding, key=len):
        if len(found) >= _CANDIDATES:
            break
        found.update(numbers)
    nearest = sorted(found, key=lambda number: (-found[number], number))[:_CANDIDATES]
    rows = db.execute(
        f"SELECT folded FROM names WHERE id IN ({','.join(map(str, nearest))})"  # noqa: S608 - numbers
    )
    alike_to = Likeness(folded)
    alike = [(alike_to.of(other.decode("utf-8", "replace")), other) for (other,) in rows.fetchall()]
    return [one for one in alike if one[0] >= LEAST_LIKENESS]


def _with_triple(db: sqlite3.Connection, triple: str) -> list[int]:
    """Return names that hold three letters in a row: all, or as many as tell that it is common.

    The index of full text knows how many there are, but only by counting them all.
    """
    rows = db.execute(
        "SELECT rowid FROM grams WHERE grams MATCH ? LIMIT ?",
        (f'"{triple.replace(chr(34), chr(34) * 2)}"', 2 * _CANDIDATES),
    )
    return [number for (number,) in rows.fetchall()]


LEAST_LIKENESS: Final = 0.5


class Likeness:
    """How alike names are to one: 1 the same but for underscores, 0 nothing shared.

    By the pairs of letters that they share (Dice 1945): as quick for long names as for short ones.
    """

    def __init__(self, folded: str) -> None:
        self._plain = folded.replace("_", "")
        self._pairs = frozenset(pairwise(self._plain))

    def of(self, other: str) -> float:
        """Return how alike the other folded name is."""
        plain = other.replace("_", "")
        if plain == self._plain:
            return 1.0
        pairs = set(pairwise(plain))
        return 2 * len(self._pairs & pairs) / max(len(self._pairs) + len(pairs), 1)
