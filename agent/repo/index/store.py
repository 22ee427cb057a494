"""The database of an index: opened, checked, thrown away when damaged, in memory when it must be.

One connection writes, under a lock that all processes share; another reads, from any thread, and
sees what was last committed.
"""

import fcntl
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from agent.errors import WorkspaceError
from agent.repo.index import schema
from agent.repo.index.packing import Damaged

LOCK_WAIT_S: Final = 120.0
"""Longer than a first index of the largest repository we know takes; its holder may be stopped."""
_LOCK_POLL_S: Final = 0.02
QUESTION_S: Final = 20.0
"""No question that has an end takes so long: the slowest known (a name that 40,000 files define)
takes a second."""
_STEPS: Final = 100_000
"""Of SQLite's machine between two looks at the clock: some ms."""
_NAME: Final = "index.sqlite"

T = TypeVar("T")


class Unusable(Exception):
    """The folder cannot hold an index: read-only, full, or locked for good. Says why."""


class Store:
    """An open database; `folder` None: in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._turn = threading.RLock()
        self._writing = threading.RLock()
        self._lock = -1
        self._deadline_s = math.inf
        self.generation = 0
        """Counted up when everything was forgotten: what was numbered before is void."""
        self._open()

    @property
    def file(self) -> Path | None:
        """Where the database lies; None: in memory."""
        return None if self._folder is None else self._folder / _NAME

    def size_bytes(self) -> int:
        """Return how much room the database takes."""

        def size(db: sqlite3.Connection) -> int:
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            (page,) = db.execute("PRAGMA page_size").fetchone()
            return int(pages) * int(page)

        return self.read(size)

    def close(self) -> None:
        """Close; the store cannot be used any more."""
        with self._turn:
            for connection in {self._reader, self._writer}:
                connection.close()

    def read(self, question: Callable[[sqlite3.Connection], T], generation: int = -1) -> T:
        """Return the answer to a question, asked in a generation if that matters.

        Raises: Damaged, after everything was forgotten; WorkspaceError where it takes too long.
        """
        try:
            with self._turn:
                self._check(generation)
                self._deadline_s = time.monotonic() + QUESTION_S
                return question(self._reader)
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise WorkspaceError(
                    f"the index did not answer within {QUESTION_S:.0f} s",
                    remedy="ask for a rarer name or word, or run greenloop index --rebuild",
                ) from exc
            self._forget(generation)
            raise Damaged from exc
        except (sqlite3.DatabaseError, Damaged) as exc:
            self._forget(generation)
            raise Damaged from exc

    def _forget(self, generation: int) -> None:
        if generation in (-1, self.generation):
            with suppress(Unusable):
                self.start_anew()

    def _check(self, generation: int) -> None:
        if generation not in (-1, self.generation):
            raise Damaged

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the writer; the caller makes transactions.

        Raises: Damaged, after everything was forgotten; Unusable.
        """
        with self._writing, self._locked():
            if self._is_replaced():
                self._reopen()
            if not schema.is_ours(self._writer):
                self._start_anew()
            try:
                yield self._writer
            except sqlite3.DatabaseError as exc:
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                if isinstance(exc, sqlite3.OperationalError) and not _tells_damage(exc):
                    raise Unusable(str(exc)) from exc
                self._start_anew()
                raise Damaged from exc
            except BaseException:
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                raise

    def start_anew(self) -> None:
        """Forget everything. Raises: Unusable."""
        with self._writing, self._locked():
            self._start_anew()

    def _open(self) -> None:
        if self._folder is None:
            self._connect(schema.MEMORY)
            schema.make_tables(self._writer)
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_open_and_ours():
                with self._locked():
                    if not self._is_open_and_ours():
                        self._start_anew()
        except OSError as exc:
            raise Unusable(exc.strerror or str(exc)) from exc

    def _is_open_and_ours(self) -> bool:
        """Open what is there; one that another process is just making is not ours yet."""
        if self.file is None or not self.file.exists() or self.file.stat().st_size == 0:
            return False
        try:
            self._connect(str(self.file))
        except sqlite3.DatabaseError:
            return False
        if schema.is_ours(self._reader):
            return True
        self.close()
        return False

    def _connect(self, place: str) -> None:
        writer = schema.connect(place)
        try:
            self._reader = writer if place == schema.MEMORY else schema.connect(place)
        except BaseException:
            writer.close()
            raise
        self._writer = writer
        if self._reader is not writer:
            self._reader.set_progress_handler(self._is_late, _STEPS)
        self._inode = Path(place).stat().st_ino if place != schema.MEMORY else 0

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline_s

    def _is_replaced(self) -> bool:
        """Tell whether another process has thrown the file away that is open here."""
        if self._folder is None:
            return False
        try:
            return (self._folder / _NAME).stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _reopen(self) -> None:
        with self._turn:
            self.generation += 1
            self.close()
            if not self._is_open_and_ours():
                self._start_anew()

    def _start_anew(self) -> None:
        """Remove the database and make an empty one; the lock is held."""
        with self._turn:
            self.generation += 1
            if hasattr(self, "_writer"):
                self.close()
            try:
                if self._folder is None:
                    self._connect(schema.MEMORY)
                else:
                    for end in ("", "-wal", "-shm", "-journal"):
                        (self._folder / f"{_NAME}{end}").unlink(missing_ok=True)
                    self._connect(str(self.file))
                schema.make_tables(self._writer)
            except sqlite3.Error as exc:
                raise Unusable(str(exc)) from exc
            except OSError as exc:
                raise Unusable(exc.strerror or str(exc)) from exc

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock that all processes share. Raises: Unusable."""
        if self._folder is None or self._lock >= 0:
            yield
            return
        try:
            fd = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise Unusable(exc.strerror or str(exc)) from exc
        try:
            _wait_for(fd)
            self._lock = fd
            yield
        finally:
            self._lock = -1
            os.close(fd)


def _wait_for(fd: int) -> None:
    end = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Unusable("another process does not finish writing it") from None
            time.sleep(_LOCK_POLL_S)
        else:
            return


def _tells_damage(exc: sqlite3.OperationalError) -> bool:
    """Tell whether the words are those of a database that is not ours, and not of a full disk."""
    return any(words in str(exc) for words in ("no such", "has no column", "malformed", "corrupt"))
