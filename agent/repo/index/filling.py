"""Brings the index to a state of a tree: reads what it has not read before, and notes the tree.

Contents are committed batch by batch and stay right whatever happens later; a tree is changed in
one transaction, so killed at any moment it is as it was or as it should be.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple

from agent.repo.index.crew import Wanted, read_all
from agent.repo.index.packing import Packed, split_words
from agent.repo.index.trees import NO_GRAMMAR, Progress, TreeState
from agent.repo.reading import kind_of
from agent.task import RepoPath

COMMIT_FILES: Final = 512
_FEW: Final = 300
"""Up to so many are looked up one by one."""
_FRESH_S: Final = 24 * 3600
_KEPT_AS_IS: Final = slice(1, 7)
"""Fields of `Packed` that are columns of `contents`, in this order."""
FORGOTTEN_S: Final = 30 * 24 * 3600
"""A tree that nobody asked for in so long is forgotten."""
SPARE_CONTENTS: Final = 20_000
SPARE_TIMES: Final = 4
"""So many contents of no tree stay, for branches that come back: some hundred MB at most."""

Reading = tuple[bytes, str]
"""A content and the way in which its path has it read."""
Entry = tuple[int | None, str]
"""Content of a file, or why there is none."""


class Asked(NamedTuple):
    """What is wanted of the files that are looked at."""

    readings: Mapping[bytes, Reading]
    """By path: those that are to be read, or are known already."""
    skipped: Mapping[bytes, str]
    """By path: why the others are not."""


def tree_at(db: sqlite3.Connection, name: str, mark: str) -> int | None:
    """Return the tree of that name if it is in that state; None otherwise."""
    row = db.execute("SELECT id, mark FROM trees WHERE name = ?", (os.fsencode(name),)).fetchone()
    return int(row[0]) if row is not None and row[1] == mark != "" else None


def bring(
    db: sqlite3.Connection,
    tree: TreeState,
    *,
    on_progress: Callable[[Progress], None],
    processes: int,
) -> int:
    """Bring the tree to its state; return its number. The caller holds the lock.

    Raises: sqlite3.Error, and what `tree.read` and `on_progress` raise.
    """
    number, is_near = _tree(db, tree)
    paths = tree.changed if is_near else tree.keys
    asked = _asked(tree, paths)
    known = _known(db, asked.readings.values())
    wanted = [
        Wanted(RepoPath(os.fsdecode(path)), *reading)
        for reading, path in {reading: path for path, reading in asked.readings.items()}.items()
        if reading not in known
    ]
    moved = _read(db, tree, wanted, known, on_progress=on_progress, processes=processes)
    entries: dict[bytes, Entry] = {path: (None, why) for path, why in asked.skipped.items()}
    for path, reading in asked.readings.items():
        content = known.get(reading)
        if content is not None:
            entries[path] = (content, "")
    db.execute("BEGIN IMMEDIATE")
    _note(db, number, entries, gone=None if not is_near else paths - entries.keys())
    db.execute(
        "UPDATE trees SET mark = ?, used_s = ? WHERE id = ?",
        ("" if moved else tree.mark, int(time.time()), number),
    )
    db.execute("COMMIT")
    return number


def tidy(db: sqlite3.Connection) -> None:
    """Forget trees that nobody asked for in a long time."""
    before = int(time.time()) - FORGOTTEN_S
    old = [row[0] for row in db.execute("SELECT id FROM trees WHERE used_s < ?", (before,))]
    if old:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM files WHERE tree = ?", ((n,) for n in old))
        db.executemany("DELETE FROM trees WHERE id = ?", ((n,) for n in old))
        db.execute("COMMIT")


def is_worn(db: sqlite3.Connection) -> bool:
    """Tell whether most of what is kept belongs to no tree any more.

    Then all of it is better forgotten: to read the rest again takes seconds, and full text
    without a copy cannot be taken back.
    """
    (kept,) = db.execute("SELECT max(id) FROM contents").fetchone()
    if (kept or 0) < SPARE_CONTENTS:
        return False
    (held,) = db.execute("SELECT count(*) FROM files WHERE content IS NOT NULL").fetchone()
    return int(kept) > SPARE_CONTENTS + SPARE_TIMES * int(held)


def _tree(db: sqlite3.Connection, tree: TreeState) -> tuple[int, bool]:
    """Return the tree's number, and whether only `tree.changed` is to be looked at."""
    name = os.fsencode(tree.name)
    row = db.execute("SELECT id, mark FROM trees WHERE name = ?", (name,)).fetchone()
    if row is None:
        now = int(time.time())
        made = db.execute("INSERT INTO trees (name, mark, used_s) VALUES (?, '', ?)", (name, now))
        return int(made.lastrowid or 0), False
    return int(row[0]), row[1] == tree.earlier != ""


def _asked(tree: TreeState, paths: Iterable[bytes]) -> Asked:
    readings: dict[bytes, Reading] = {}
    skipped: dict[bytes, str] = {}
    for path in paths:
        key = tree.keys.get(path)
        if key is None:
            continue
        if path in tree.skipped:
            skipped[path] = tree.skipped[path]
            continue
        kind = kind_of(RepoPath(os.fsdecode(path)))
        if kind is None:
            skipped[path] = NO_GRAMMAR
        else:
            readings[path] = (key, kind)
    return Asked(readings, skipped)


def _known(db: sqlite3.Connection, readings: Iterable[Reading]) -> dict[Reading, int]:
    """Return the contents that were read before."""
    asked = set(readings)
    if len(asked) > _FEW:
        rows = db.execute("SELECT oid, kind, id FROM contents")
        return {key: n for oid, kind, n in rows if (key := (oid, os.fsdecode(kind))) in asked}
    found: dict[Reading, int] = {}
    for oid, kind in asked:
        row = db.execute(
            "SELECT id FROM contents WHERE oid = ? AND kind = ?", (oid, os.fsencode(kind))
        ).fetchone()
        if row is not None:
            found[oid, kind] = row[0]
    return found


def _read(
    db: sqlite3.Connection,
    tree: TreeState,
    wanted: Sequence[Wanted],
    known: dict[Reading, int],
    *,
    on_progress: Callable[[Progress], None],
    processes: int,
) -> bool:
    """Read contents and keep them; tell whether the tree has moved on meanwhile."""
    if not wanted:
        return False
    writing = _Writing(db)
    moved = False
    done = 0
    on_progress(Progress(files=0, of=len(wanted)))
    for batch in read_all(wanted, tree.read, processes=processes):
        for one, packed in batch:
            if packed is None:
                moved = True
                continue
            moved = moved or packed.key != one.key
            known[one.key, one.kind] = writing.put(packed, one.kind)
        done += len(batch)
        on_progress(Progress(files=done, of=len(wanted)))
    writing.end()
    return moved


class _Writing:
    """Puts contents, in transactions of a few hundred."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._next = 1 + (db.execute("SELECT max(id) FROM contents").fetchone()[0] or 0)
        self._names = db.execute("SELECT max(id) FROM names").fetchone()[0] or 0
        self._is_old = self._names > 0
        self._numbered: dict[bytes, int] = {}
        self._waiting: list[tuple[int, Packed, str]] = []
        self._waits: dict[Reading, int] = {}

    def put(self, packed: Packed, kind: str) -> int:
        """Return the number under which the content is, or will be, kept."""
        reading = (packed.key, kind)
        number = self._waits.get(reading) or _known(self._db, [reading]).get(reading)
        if number is None:
            number, self._next = self._next, self._next + 1
            self._waits[reading] = number
            self._waiting.append((number, packed, kind))
            if len(self._waiting) >= COMMIT_FILES:
                self.end()
        return number

    def end(self) -> None:
        """Commit what waits."""
        rows, self._waiting = self._waiting, []
        self._waits.clear()
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "INSERT INTO contents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((n, one.key, os.fsencode(kind), *tuple(one)[_KEPT_AS_IS]) for n, one, kind in rows),
        )
        read = [(n, one) for n, one, _ in rows if not one.why]
        names = self._numbers({folded for _, one in read for folded in one.folded})
        db.executemany(
            "INSERT INTO symbols VALUES (?, ?, ?)",
            sorted(
                (names[folded], n, place)
                for n, one in read
                for place, folded in enumerate(one.folded)
            ),
        )
        db.executemany(
            "INSERT INTO text (rowid, names, uses, taken, words) VALUES (?, ?, ?, ?, ?)",
            ((n, one.names, one.used, one.taken, one.words) for n, one in read),
        )
        db.execute("COMMIT")

    def _numbers(self, folded: Set[bytes]) -> Mapping[bytes, int]:
        """Return the numbers of names; new ones are given one."""
        known = self._numbered
        missing = folded - known.keys()
        if self._is_old:
            for name in missing:
                row = self._db.execute("SELECT id FROM names WHERE folded = ?", (name,)).fetchone()
                if row is not None:
                    known[name] = row[0]
            missing -= known.keys()
        new = list(enumerate(sorted(missing), start=self._names + 1))
        self._names += len(new)
        known.update((name, n) for n, name in new)
        self._db.executemany("INSERT INTO names VALUES (?, ?)", new)
        self._db.executemany(
            "INSERT INTO grams (rowid, folded) VALUES (?, ?)",
            ((n, name.decode("utf-8", "replace")) for n, name in new),
        )
        return known


def _note(
    db: sqlite3.Connection, tree: int, entries: Mapping[bytes, Entry], gone: Iterable[bytes] | None
) -> None:
    """Note where which content lies; `gone` None: what is not among the entries is gone."""
    if gone is None:
        rows = db.execute(
            "SELECT p.path, f.content, f.why FROM files f JOIN paths p ON p.id = f.path "
            "WHERE f.tree = ?",
            (tree,),
        )
        before: dict[bytes, Entry] = {path: (content, why) for path, content, why in rows}
        gone = before.keys() - entries.keys()
        entries = {path: one for path, one in entries.items() if before.get(path) != one}
    numbers = _path_numbers(db, entries)
    db.executemany(
        "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
        ((tree, numbers[path], *one) for path, one in entries.items()),
    )
    db.executemany(
        "DELETE FROM files WHERE tree = ? AND path = (SELECT id FROM paths WHERE path = ?)",
        ((tree, path) for path in gone),
    )


def _path_numbers(db: sqlite3.Connection, paths: Iterable[bytes]) -> dict[bytes, int]:
    """Return the number of every path; new ones are given one, and their words are noted."""
    asked = list(paths)
    last = db.execute("SELECT max(id) FROM paths").fetchone()[0] or 0
    db.executemany("INSERT OR IGNORE INTO paths (path) VALUES (?)", ((path,) for path in asked))
    new = db.execute("SELECT id, path FROM paths WHERE id > ? ORDER BY id", (last,)).fetchall()
    db.executemany(
        "INSERT INTO places (rowid, words) VALUES (?, ?)",
        ((n, path_words(path)) for n, path in new),
    )
    if len(asked) > _FEW:
        return {path: n for n, path in db.execute("SELECT id, path FROM paths")}
    return {
        path: db.execute("SELECT id FROM paths WHERE path = ?", (path,)).fetchone()[0]
        for path in asked
    }


def path_words(path: bytes) -> str:
    """Return a path as text whose words can be asked for: as written, and split by case."""
    text = path.decode("utf-8", "replace")
    return text if text.islower() else f"{text} {' '.join(split_words(text))}"
