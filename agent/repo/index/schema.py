"""The tables of the index. Another format, another version of the facts: another file.

A content is kept once for all trees and branches that hold it; a tree is a table of paths and
contents. Names, uses, imports and words are full-text columns without a copy of the text.
"""

import sqlite3
from typing import Final

from agent.repo.reading import reading_version

FORMAT: Final = 2
"""Counted up with every change of what is below."""
MEMORY: Final = ":memory:"
_BUSY_S: Final = 10.0
"""Nobody but the holder of our lock writes, so nobody waits for long."""

_TABLES: Final = """
CREATE TABLE about (version TEXT NOT NULL);
CREATE TABLE contents (
    id INTEGER PRIMARY KEY, oid BLOB NOT NULL, kind BLOB NOT NULL, why TEXT NOT NULL,
    head BLOB NOT NULL, imports BLOB NOT NULL, uses BLOB NOT NULL, definitions BLOB NOT NULL,
    sum INTEGER NOT NULL, UNIQUE (oid, kind)
);
CREATE TABLE symbols (
    name INTEGER NOT NULL, content INTEGER NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (name, content, place)
) WITHOUT ROWID;
CREATE TABLE names (id INTEGER PRIMARY KEY, folded BLOB NOT NULL UNIQUE);
CREATE TABLE paths (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);
CREATE TABLE trees (
    id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, mark TEXT NOT NULL, used_s INTEGER NOT NULL
);
CREATE TABLE files (
    tree INTEGER NOT NULL, path INTEGER NOT NULL, content INTEGER, why TEXT NOT NULL,
    PRIMARY KEY (tree, path)
) WITHOUT ROWID;
CREATE INDEX files_by_content ON files (tree, content) WHERE content IS NOT NULL;
CREATE VIRTUAL TABLE text USING fts5(
    names, uses, taken, words, content='', detail=column, columnsize=0,
    tokenize="ascii tokenchars '_$'"
);
CREATE VIRTUAL TABLE places USING fts5(
    words, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '$'"
);
CREATE VIRTUAL TABLE grams USING fts5(
    folded, content='', detail=none, columnsize=0, tokenize='trigram'
);
CREATE VIRTUAL TABLE text_counts USING fts5vocab(text, col);
CREATE VIRTUAL TABLE place_counts USING fts5vocab(places, row);
"""


def connect(place: str) -> sqlite3.Connection:
    """Open a database, made if there is none. Raises: sqlite3.Error."""
    connection = sqlite3.connect(
        place, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def make_tables(connection: sqlite3.Connection) -> None:
    """Put our tables into an empty database, all or none. Raises: sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute("INSERT INTO about VALUES (?)", (version(),))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def is_ours(connection: sqlite3.Connection) -> bool:
    """Tell whether the database is whole as far as a look shows, and of this version."""
    try:
        return connection.execute("SELECT version FROM about").fetchall() == [(version(),)]
    except sqlite3.DatabaseError:
        return False


def version() -> str:
    """Return what the kept facts depend on besides the files."""
    return f"{FORMAT} {reading_version()}"
