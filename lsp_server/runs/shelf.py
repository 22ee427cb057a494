"""Runs that are on disk: of earlier processes, of other ones, and of this one once they are over.

Everything here blocks: call it in a thread. What was read is kept while the files stay as they are.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.config import find_top
from agent.errors import JournalError
from agent.events import RunStarted
from agent.journal.files import journal_errors
from agent.journal.records import read_records
from agent.journal.stored import JOURNAL, RunState, RunSummary, StoredRun
from agent.task import RunId
from agent.telling.wording import one_line
from lsp_server.runs.picture import Picture, title_of
from lsp_server.runs.state import RunLine, State

LINES_KEPT: Final = 2000
PICTURES_KEPT: Final = 16
LOOKED_AT: Final = 1000
"""Runs that are looked through for those of one repository."""
DIED: Final = "its process ended before the run did"
_MAY_GO_ON: Final = frozenset({"error", "none", "infrastructure"})

_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")

Stamp = tuple[int, int]
"""Size and time of a journal. Whoever goes on with a run that was over adds to it at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """One run as it is on disk now."""

    picture: Picture
    read_bytes: int
    """So much of the journal is in the picture."""


class Shelf:
    """The runs below a folder (docs/journal.md), as lines and pictures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tops: dict[str, Path] = {}
        self._lines: OrderedDict[str, tuple[Stamp, RunLine]] = OrderedDict()
        self._pictures: OrderedDict[str, tuple[Stamp, Shelved]] = OrderedDict()

    def open(self, run: str) -> StoredRun | None:
        """Return a run by its whole id; None where there is none."""
        if not _ID.fullmatch(run) or not (self._folder / run / JOURNAL).is_file():
            return None
        return StoredRun(run=RunId(run), path=self._folder / run)

    def newest(self, limit: int, top: Path | None) -> list[RunLine]:
        """Return lines of the newest runs, the newest first; of one repository, where it is given.

        A run that cannot be read (of a later version, or a broken folder) is left out.
        Raises: JournalError where the store as a whole cannot be read.
        """
        found: list[RunLine] = []
        top = top.resolve() if top else None
        for run in self._names()[: LOOKED_AT if top else None]:
            stored = self.open(run)
            try:
                if stored and (top is None or self._top_of(stored) == top):
                    found.append(self._line(stored))
            except (JournalError, OSError):
                continue
            if len(found) == limit:
                break
        return found

    def read(self, stored: StoredRun) -> Shelved:
        """Return the picture of a run. Raises: JournalError."""
        stamp = _stamp(stored)
        kept = self._pictures.get(stored.run)
        if kept and kept[0] == stamp:
            return kept[1]
        shelved = self.read_anew(stored)
        if shelved.picture.state.is_over:  # of any other, whoever asked keeps it up to date
            self._pictures[stored.run] = (stamp, shelved)
            _trim(self._pictures, PICTURES_KEPT)
        return shelved

    def read_anew(self, stored: StoredRun) -> Shelved:
        """Return a picture that is nobody else's. Raises: JournalError."""
        return _read(stored, stored.summary())

    def _names(self) -> list[str]:
        with journal_errors("read", self._folder):
            if not self._folder.exists():
                return []
            return sorted((each.name for each in self._folder.iterdir()), reverse=True)

    def _top_of(self, stored: StoredRun) -> Path | None:
        """Return the repository that a run is about, links resolved; reads one line at most."""
        if stored.run not in self._tops:
            with (stored.path / JOURNAL).open("rb") as file:
                first = next(read_records(file.readline()), None)
            if first is None or not isinstance(first.event, RunStarted):
                top = _begun(stored, stored.summary()).top
                return top.resolve() if top else None
            self._tops[stored.run] = find_top(Path(first.event.repo)).resolve()
        return self._tops[stored.run]

    def _line(self, stored: StoredRun) -> RunLine:
        stamp = _stamp(stored)
        kept = self._lines.get(stored.run)
        if kept and kept[0] == stamp:
            return kept[1]
        line = self._read_line(stored, stored.summary())
        if line.state.is_over:
            self._lines[stored.run] = (stamp, line)
            _trim(self._lines, LINES_KEPT)
        return line

    def _read_line(self, stored: StoredRun, summary: RunSummary) -> RunLine:
        """Read no more of a journal than its ends, where they tell enough."""
        finished = summary.finished
        if not finished or finished.verdict in {*_MAY_GO_ON, "interrupted"}:
            return _read(stored, summary).picture.line(here=False, hunks=None)
        started = summary.started
        kind = started.kind if started else "fix"
        return RunLine(
            run=stored.run,
            kind=kind,
            top=_top(summary),
            title=title_of(started, kind),
            state=State.FINISHED,
            phase="",
            doing="",
            percent=None,
            verdict=finished.verdict,
            confidence=finished.confidence,
            message=one_line(finished.message),
            started_at_unix_s=summary.started_at_unix_s,
            ended_at_unix_s=(stored.path / JOURNAL).stat().st_mtime,
            hunks=None,
            here=False,
            can_cancel=False,
            can_resume=False,
            can_review=finished.verdict == "green",
        )


def _read(stored: StoredRun, summary: RunSummary) -> Shelved:
    """Read a whole journal. Raises: JournalError."""
    with journal_errors("read", stored.path / JOURNAL):
        data = (stored.path / JOURNAL).read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    picture = _begun(stored, summary)
    for record in read_records(whole):
        picture.take(record)
    if summary.state is not RunState.RUNNING:
        picture.lose(DIED)
        picture.take_result(stored.result())
    return Shelved(picture=picture, read_bytes=len(whole))


def _begun(stored: StoredRun, summary: RunSummary) -> Picture:
    """Return the picture of a run before its first record."""
    if summary.started:
        return Picture(stored.run, top=_top(summary), since_unix_s=summary.started_at_unix_s)
    task = stored.task() or {}
    repo = task.get("repo")
    return Picture(
        stored.run,
        kind=str(task.get("kind", "fix")),
        top=find_top(Path(repo)) if isinstance(repo, str) else None,
        since_unix_s=stored.path.stat().st_mtime,
    )


def _top(summary: RunSummary) -> Path | None:
    return find_top(Path(summary.started.repo)) if summary.started else None


def _stamp(stored: StoredRun) -> Stamp:
    with journal_errors("read", stored.path / JOURNAL):
        found = (stored.path / JOURNAL).stat()
    return found.st_size, found.st_mtime_ns


def _trim(kept: "OrderedDict[str, tuple[Stamp, Any]]", limit: int) -> None:
    while len(kept) > limit:
        kept.popitem(last=False)
