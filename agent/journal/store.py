"""The runs below the state folder: starts new ones, finds old ones.

A run's folder holds `journal.jsonl`, `task.json`, `result.json`, `patch.json`, `patch.diff`,
`receipt.json`, `undo/` and `lock`. What is in a patch or a receipt is not the business of this
module.

Durability: every record is one write of one line, so that killing this process at any moment
leaves whole records. The disk is only waited for (fdatasync) at the start, at verdicts and at the
end; a power loss may cost the records since. Results and patches are synced before they appear.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from agent.config import find_top
from agent.errors import JournalError
from agent.events import (
    Event,
    ModelStreamed,
    RunFinished,
    RunStarted,
    SearchProgress,
    TestsMeasured,
    TestsProgress,
    VerdictReached,
)
from agent.journal.ending import forget_request
from agent.journal.files import journal_errors, write_json, write_line, write_whole
from agent.journal.records import NOT_KEPT, Record, record_to_json, whole_records
from agent.journal.redaction import Redactor
from agent.journal.stored import DIFF, JOURNAL, LOCK, PATCH, RESULT, TASK, RunSummary, StoredRun
from agent.task import Budget, Kind, RunId, StrategyName, TaskSpec, TestPolicy

PROGRESS_EVERY_S: Final = 1.0
"""Of each kind of progress event at most one in this time is kept; the others only pass by."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
LATEST: Final = "last"
"""Stands for the newest run wherever a run is named."""


class RunWriter:
    """The record of one run under way. Leaving the context, or dying, lets go of its lock."""

    def __init__(
        self,
        run: RunId,
        path: Path,
        lock: int,
        journal: int,
        redactor: Redactor,
        *,
        written: int = 0,
    ) -> None:
        """Take over two open file descriptors; use `RunStore.new_run` or `reopen`."""
        self.run = run
        self.path = path
        self.failure: JournalError | None = None
        """The first record that could not be written; none is written after it."""
        self._lock = lock
        self._journal = journal
        self._redactor = redactor
        self._written = written
        self._progress_at_s: dict[type[Event], float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._journal)
        os.close(self._lock)

    def append(self, event: Event, *, now: Callable[[], float] = time.time) -> Record:
        """Add one record and return it, without a number where it is not kept.

        Never raises: see `failure`.
        """
        at_unix_s = now()
        passing_by = Record(number=NOT_KEPT, at_unix_s=at_unix_s, event=event)
        if isinstance(event, ModelStreamed | TestsMeasured) or self.failure is not None:
            return passing_by
        if self._is_too_soon(event, at_unix_s):
            return passing_by
        record = Record(number=self._written, at_unix_s=at_unix_s, event=event)
        try:
            with journal_errors("write", self.path / JOURNAL):
                write_line(self._journal, _line(record, self._redactor))
                if isinstance(event, RunStarted | VerdictReached | RunFinished):
                    os.fdatasync(self._journal)
        except JournalError as exc:
            self.failure = exc
            return passing_by
        self._written += 1
        return record

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Keep the run's result. Raises: JournalError."""
        write_json(self.path / RESULT, self._redactor.value(result))

    def write_patch(self, patch: Mapping[str, Any], diff: str) -> None:
        """Keep the patch, exactly: an accept must write these bytes. Raises: JournalError.

        Nothing is redacted here. A patch holds lines of the user's own files, is readable for them
        alone, and one changed byte would end up in their source.
        """
        write_json(self.path / PATCH, patch)
        write_whole(self.path / DIFF, diff.encode("utf-8", "surrogateescape"))

    def _is_too_soon(self, event: Event, now_s: float) -> bool:
        if not isinstance(event, SearchProgress | TestsProgress):
            return False
        last_s = self._progress_at_s.get(type(event))
        if last_s is not None and now_s - last_s < PROGRESS_EVERY_S:
            return True
        self._progress_at_s[type(event)] = now_s
        return False


class RunStore:
    """All runs of one user, below `<state_dir>/runs`."""

    def __init__(self, state_dir: Path, *, redactor: Redactor | None = None) -> None:
        """Touch nothing yet; the folder is made with the first run."""
        self._runs = state_dir / "runs"
        self._redactor = redactor or Redactor()

    def new_run(self, task: TaskSpec, *, settings: Mapping[str, str] = _NOTHING) -> RunWriter:
        """Mint an id, make the run's folder and lock it; keep what was set for whoever goes on.

        Raises: JournalError.
        """
        with journal_errors("make a run's folder in", self._runs):
            self._runs.mkdir(mode=0o700, parents=True, exist_ok=True)
            run, hidden = self._claim()
            try:
                lock, journal = self._furnish(hidden, task, settings)
                # It gets its name when it is whole and locked: no reader ever sees it otherwise.
                hidden.rename(self._runs / run)
            except (OSError, JournalError):
                shutil.rmtree(hidden, ignore_errors=True)
                raise
        return RunWriter(run, self._runs / run, lock, journal, self._redactor)

    def reopen(self, run: RunId) -> RunWriter:
        """Take the lock of a run whose process has ended, to add to its records.

        A record that was cut short by its death is cut off. Raises: JournalError, also where the
        run is still under way.
        """
        path = self._runs / run
        with journal_errors("open", path):
            lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                journal, written = _reopen_journal(path, lock)
                forget_request(path)
            except BaseException:
                os.close(lock)
                raise
        return RunWriter(run, path, lock, journal, self._redactor, written=written)

    def runs(self, newest: int | None = None) -> list[RunSummary]:
        """Return so many runs (None: all), the newest first. Raises: JournalError."""
        names = self._names()[:newest]
        return [StoredRun(run=run, path=self._runs / run).summary() for run in names]

    def count(self) -> int:
        """Return how many runs there are. Raises: JournalError."""
        return len(self._names())

    def open(self, name: str, *, top: Path | None = None) -> StoredRun:
        """Find a run by its id, by a beginning of it that fits no other, or as `last`.

        With the top of a repository, `last` is the newest run of that repository.
        Raises: JournalError, naming what there is instead.
        """
        if name == LATEST:
            return self._newest(top)
        names = self._names()
        found = [run for run in names if run.startswith(name)] if name else []
        if len(found) == 1 or name in found:
            run = RunId(name) if name in found else found[0]
            return StoredRun(run=run, path=self._runs / run)
        if found:
            raise JournalError(
                f"{name!r} fits {len(found)} runs: {', '.join(found[:5])}.",
                remedy="Give more of the id.",
            )
        near = get_close_matches(name, names, n=1)
        raise JournalError(
            f"there is no run {name!r}." if names else "there is no run yet.",
            remedy=f"Did you mean {near[0]}?" if near else "`greenloop runs` lists what there is.",
        )

    def _newest(self, top: Path | None) -> StoredRun:
        every = (StoredRun(run=run, path=self._runs / run) for run in self._names())
        for stored in every:
            if top is None or _is_about(stored, top):
                return stored
        where = f" of {top}" if top else ""
        raise JournalError(
            f"there is no run{where} yet.",
            remedy="`greenloop runs` lists what there is; name a run by its id.",
        )

    def _names(self) -> list[RunId]:
        with journal_errors("read", self._runs):
            if not self._runs.exists():
                return []
            names = [each.name for each in self._runs.iterdir() if not each.name.startswith(".")]
        return [RunId(name) for name in sorted(names, reverse=True)]

    def _furnish(
        self, folder: Path, task: TaskSpec, settings: Mapping[str, str]
    ) -> tuple[int, int]:
        asked = {**task_to_json(task), "settings": dict(settings)}
        write_json(folder / TASK, self._redactor.value(asked))
        (folder / JOURNAL).touch(mode=0o600)
        journal = os.open(folder / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock, journal

    def _claim(self) -> tuple[RunId, Path]:
        while True:
            stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
            run = RunId(f"{stamp}-{secrets.token_hex(2)}")
            hidden = self._runs / f".{run}"
            if (self._runs / run).exists():
                continue
            try:
                hidden.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return run, hidden


def _is_about(stored: StoredRun, top: Path) -> bool:
    task = stored.task()
    return task is not None and find_top(Path(task["repo"])).resolve() == top.resolve()


def task_from_json(asked: Mapping[str, Any]) -> TaskSpec:
    """Return the task that `task.json` holds, without unsaved buffers: they are in its base.

    What a later version added is left out. Raises: JournalError where it is no task.
    """
    try:
        budget = {each.name: asked["budget"][each.name] for each in fields(Budget)}
        return TaskSpec(
            kind=Kind(asked["kind"]),
            repo=Path(asked["repo"]),
            goal=asked["goal"],
            targets=tuple(asked["targets"]),
            strategy=StrategyName(asked["strategy"]),
            model=asked["model"],
            attempts=asked["attempts"],
            budget=Budget(**budget),
            test_policy=TestPolicy(**asked["test_policy"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise JournalError(
            f"the task of this run cannot be read: {exc}.",
            remedy="It was recorded by another version of Greenloop; start the run again.",
        ) from exc


def _reopen_journal(path: Path, lock: int) -> tuple[int, int]:
    """Lock a run and return its journal, open for appending, and the number of the next record."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise JournalError(
            f"run {path.name} is running.", remedy="Wait for its end, or interrupt it first."
        ) from exc
    journal = os.open(path / JOURNAL, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        size_bytes, number = whole_records((path / JOURNAL).read_bytes())
        os.ftruncate(journal, size_bytes)
    except BaseException:
        os.close(journal)
        raise
    return journal, number


def _line(record: Record, redactor: Redactor) -> bytes:
    return json.dumps(redactor.value(record_to_json(record))).encode("ascii") + b"\n"


def task_to_json(task: TaskSpec) -> dict[str, Any]:
    """Return the object that `task.json` holds: of unsaved buffers only names and hashes."""
    return {
        "kind": task.kind.value,
        "repo": str(task.repo),
        "goal": task.goal,
        "targets": list(task.targets),
        "strategy": task.strategy.value,
        "model": task.model,
        "attempts": task.attempts,
        "budget": asdict(task.budget),
        "test_policy": {
            "may_add": task.test_policy.may_add,
            "may_edit": task.test_policy.may_edit,
        },
        # The buffers themselves are in the base; here only which ones, and how to know them again.
        "overlay": {path: hashlib.sha256(data).hexdigest() for path, data in task.overlay.items()},
    }
