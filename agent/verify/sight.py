"""Which tests may notice a change of a base: by the repository's index, as ids that can be run.

Opened when first asked, brought to the base, and kept. Says what to run first; that nothing else
broke is for the whole suite to say.
"""

import threading
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import anyio
import anyio.to_thread

from agent.edits.changes import Delta, Mode
from agent.errors import AgentError, WorkspaceError
from agent.repo.impact import Impact, ImpactedFile, change_of, impacted_tests
from agent.repo.index.open import open_index
from agent.repo.index.view import View
from agent.task import RepoPath, TestId
from agent.verify.bench import Selection
from agent.verify.report import Baseline, TestResult
from agent.workspace.base import Base
from agent.workspace.states import base_state, index_folder_of
from sandbox.errors import SandboxError


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticing:
    """Tests that may notice a change, as far as time allowed."""

    selection: Selection
    """Likeliest first; nothing in it where none was seen."""
    tests: int
    left_out: int
    """So many more may notice too; there was no time for them."""
    everything: str = ""
    """Why it takes all tests, as far as there is time; empty: those that may notice are known."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run."""
        return not self.selection.ids and not self.selection.files


class Sight:
    """The index over one base. Blocking; from any thread, one question after the other."""

    def __init__(self, base: Base) -> None:
        """Open nothing yet."""
        self._base = base
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._view: View | None = None

    def close(self) -> None:
        """Close the index."""
        with self._lock:
            self._stack.close()
            self._view = None

    def view(self, delta: Delta) -> View:
        """Return base and delta as the index knows them. Raises: WorkspaceError."""
        with self._lock:
            if self._view is None:
                index = self._stack.enter_context(open_index(index_folder_of(self._base)))
                self._view = index.refresh(base_state(self._base))
            base = self._view
        return base.with_changes(_texts(delta)) if delta else base

    def noticing(
        self, delta: Delta, baseline: Baseline, *, most_s: float, leave_out: Sequence[TestId] = ()
    ) -> Noticing:
        """Return the tests that may notice the delta, by their time on the base at most so long.

        `leave_out` ran already. Raises: WorkspaceError.
        """
        impact = self._impact(delta)
        return _within(impact, baseline, most_s, frozenset(leave_out))

    def _impact(self, delta: Delta) -> Impact:
        changes = []
        for path, content in delta.items():
            before = self._base.read(path)
            after = content.data if content is not None else None
            changes.append(change_of(path, before.data if before else None, after))
        return impacted_tests(self.view(delta), changes, most_share=1.0)


@asynccontextmanager
async def sight_of(base: Base) -> AsyncGenerator[Sight, None]:
    """Keep a sight of a base until the context ends."""
    sight = Sight(base)
    try:
        yield sight
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(sight.close)


@asynccontextmanager
async def looking_ahead(sight: Sight) -> AsyncGenerator[None, None]:
    """Have the index brought to the base meanwhile; who asks later waits for what is left of it."""
    failure: AgentError | SandboxError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_look, sight)
        try:
            yield
        except (AgentError, SandboxError) as error:
            failure = error  # raised below as itself: a task group would wrap it
        finally:
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _look(sight: Sight) -> None:
    with suppress(WorkspaceError):  # told to whoever asks, where it matters
        await anyio.to_thread.run_sync(sight.view, {}, abandon_on_cancel=True)


@contextmanager
def open_sight(base: Base) -> Iterator[Sight]:
    """Open a base for one question or a few."""
    sight = Sight(base)
    try:
        yield sight
    finally:
        sight.close()


def _texts(delta: Delta) -> dict[RepoPath, bytes | None]:
    return {
        path: None if content is None or content.mode is Mode.LINK else content.data
        for path, content in delta.items()
    }


def _within(
    impact: Impact, baseline: Baseline, most_s: float, leave_out: frozenset[TestId]
) -> Noticing:
    known = baseline.report.results
    by_file: dict[RepoPath, list[TestId]] = {}
    for id_, result in known.items():
        by_file.setdefault(_file_of(id_, result), []).append(id_)
    found = impact.files
    if impact.everything:
        found = tuple(ImpactedFile(path=path, tests=(), why="") for path in by_file)
    ids: dict[TestId, None] = {}
    files: list[RepoPath] = []
    tests = left_out = 0
    left_s = most_s
    for file in found:
        if file.path not in by_file:  # it came with the change
            files.append(file.path)
            continue
        for id_ in _ids(file, by_file[file.path]):
            if id_ in leave_out or id_ in ids:
                continue
            took_s = known[id_].duration_s
            if took_s > left_s:
                left_out += 1
                continue
            ids[id_] = None
            tests += 1
            left_s -= took_s
    return Noticing(
        selection=Selection(ids=tuple(ids), files=tuple(files)),
        tests=tests,
        left_out=left_out,
        everything=impact.everything,
    )


def _file_of(id_: TestId, result: TestResult) -> RepoPath:
    return result.path or RepoPath(id_.partition("::")[0])


def _ids(file: ImpactedFile, known: Sequence[TestId]) -> Sequence[TestId]:
    """Return the ids of a file's tests; all of them where its names are not those of the ids."""
    if not file.tests:
        return known
    by_name: Mapping[str, list[TestId]] = _by_name(known)
    return [id_ for name in file.tests for id_ in by_name.get(name, ())] or known


def _by_name(known: Sequence[TestId]) -> dict[str, list[TestId]]:
    """Return ids by the qualified name of their function: `TestCart.test_total`."""
    found: dict[str, list[TestId]] = {}
    for id_ in known:
        name = id_.partition("::")[2].partition("[")[0].replace("::", ".")
        found.setdefault(name, []).append(id_)
    return found
