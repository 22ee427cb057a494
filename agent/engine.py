"""Puts a run together from settings, and owns the runs that are under way.

The only module that picks concrete parts: which sandbox backend, which strategy, which store.
Front ends (command line, language server, batch) enter here.
"""

import math
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from agent import __version__
from agent.again import resumable, task_and_base
from agent.checking import Baselines, Case, check
from agent.config import Settings
from agent.edits.changes import Delta
from agent.edits.patch import patch_to_json
from agent.errors import AgentError, JournalError
from agent.events import BaseTaken, Event, Notice, RunStarted
from agent.ground import REPLAYED, Ground
from agent.handle import Outcome, RunHandle, Tale, Tell
from agent.journal.ending import LOOKED_FOR_S, is_end_asked
from agent.journal.records import NOT_KEPT, Record
from agent.journal.redaction import Redactor
from agent.journal.store import RunStore, RunWriter
from agent.result import RunResult, result_to_json
from agent.run import Parts, run_task
from agent.task import RunId, TaskSpec
from agent.testing import TestsAsked, run_tests
from agent.verify.verdict import Verdict
from agent.way import Way, Ways
from sandbox.base import Environment, SandboxEngine
from sandbox.errors import SandboxError
from sandbox.pool import Pool

ASIDES_AT_ONCE: Final = 2
"""Runs of tests and checks that a person waits for; they do not wait for whole runs."""
TESTS: Final = "tests-"
"""So the id of a run of tests begins; it stands in no store."""


class Engine:
    """Starts runs; they live here and not with whoever asked for them."""

    def __init__(
        self,
        settings: Settings,
        variables: Mapping[str, str],
        tasks: TaskGroup,
        *,
        explain: Callable[[Exception], AgentError] | None = None,
    ) -> None:
        """Start nothing; `settings` are those of runs that bring none of their own.

        `explain` makes of a fault of ours what ends the one run; without it, it ends everything.
        """
        self._explain = explain
        self._settings = settings
        self._variables = variables
        self._tasks = tasks
        self._backends: dict[str, SandboxEngine] = {}
        self._redactor = Redactor.from_variables(variables)
        self._ways = Ways(variables, learn=self._redactor.learn)
        self._turns = anyio.CapacityLimiter(math.inf)
        self._asides = anyio.CapacityLimiter(ASIDES_AT_ONCE)
        self._baselines = Baselines()
        self._under_way: dict[RunId, RunHandle] = {}

    @property
    def under_way(self) -> tuple[RunHandle, ...]:
        """Every run that goes on or waits its turn, oldest first."""
        return tuple(self._under_way.values())

    def limit(self, runs_at_once: int) -> None:
        """Carry out so many runs side by side at most; further ones wait."""
        self._turns.total_tokens = runs_at_once

    def start(
        self, task: TaskSpec, *, settings: Settings | None = None, tell: Tell | None = None
    ) -> RunHandle:
        """Start a run and return at once.

        Raises: AgentError where the task cannot even be started.
        """
        chosen = settings or self._settings
        way = self._ways.find(task, chosen)
        writer = self._store(chosen).new_run(task, settings=_given(chosen))
        return self._begin(_Order(task=task, way=way, settings=chosen), writer, tell)

    def resume(
        self, name: str, *, settings: Settings | None = None, tell: Tell | None = None
    ) -> RunHandle:
        """Go on with a run whose process has ended, from where its records end.

        Its base is the one it began with, whatever the repository holds by now.
        Raises: AgentError where there is nothing to go on with.
        """
        chosen = settings or self._settings
        store = self._store(chosen)
        stored = store.open(name)
        task, taken = resumable(stored)
        way = self._ways.find(task, chosen)
        order = _Order(task=task, way=way, settings=chosen, taken=taken)
        return self._begin(order, store.reopen(stored.run), tell)

    def run_tests(
        self, asked: TestsAsked, *, settings: Settings | None = None, tell: Tell | None = None
    ) -> RunHandle:
        """Start running tests and return at once; nothing of it is kept but the base."""
        chosen = settings or self._settings
        run = RunId(f"{TESTS}{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
        handle = RunHandle(run, tell)
        self._under_way[run] = handle
        self._tasks.start_soon(self._test, asked, chosen, handle)
        return handle

    async def check(self, name: str, delta: Delta, *, settings: Settings | None = None) -> Verdict:
        """Measure a change of a run's base as the run's own patch was; a green leaves a receipt.

        Cancelling it ends the measurement. Raises: AgentError, SandboxError.
        """
        chosen = settings or self._settings
        stored = self._store(chosen).open(name)
        task, taken = task_and_base(stored)
        case = Case(task=task, taken=taken, run_dir=stored.path, delta=delta)
        async with self._asides:
            return await check(case, self._ground(stored.run, chosen, _ignore), self._baselines)

    async def reap(self) -> tuple[str, ...]:
        """Remove what killed processes of ours left behind; never fails."""
        try:
            return await self._sandboxes(self._settings).reap()
        except SandboxError:
            return ()

    def _begin(self, order: "_Order", writer: RunWriter, tell: Tell | None) -> RunHandle:
        handle = RunHandle(writer.run, tell)
        self._under_way[writer.run] = handle
        self._tasks.start_soon(self._carry_out, order, writer, handle)
        self._tasks.start_soon(_heed_requests, writer.path, handle)
        return handle

    async def _carry_out(self, order: "_Order", writer: RunWriter, handle: RunHandle) -> None:
        outcome: Outcome | None = None
        tale = Tale(_started(order, writer.run), writer.append, handle)
        with writer:
            try:
                with handle.scope:
                    async with self._turns:
                        tale.begin()
                        outcome = await self._outcome(order, writer, tale.emit)
                if outcome is None:
                    outcome = _interrupted(writer.run, order.way.strategy.name)
                tale.begin()
                _keep(outcome, writer, tale.emit)
                if writer.failure:
                    tale.emit(_not_kept(writer.failure))
                tale.finish(outcome)
            finally:
                del self._under_way[writer.run]
                handle.end(outcome)

    async def _outcome(
        self, order: "_Order", writer: RunWriter, emit: Callable[[Event], None]
    ) -> Outcome:
        sandboxes = Pool(self._sandboxes(order.settings), self._tasks, spare=1)
        parts = Parts(
            run=writer.run,
            run_dir=writer.path,
            settings=order.settings,
            engine=sandboxes,
            strategy=order.way.strategy,
            find_environment=partial(find_environment, order.settings, self._variables),
            emit=emit,
            redact=self._redactor.text,
            redact_known=self._redactor.exact,
            taken=order.taken,
            remember=partial(self._baselines.remember, writer.run),
        )
        try:
            return await self._or_error(_prepared(order, parts))
        finally:
            with anyio.CancelScope(shield=True):
                await sandboxes.drain()

    async def _test(self, asked: TestsAsked, settings: Settings, handle: RunHandle) -> None:
        outcome: Outcome | None = None
        started = RunStarted(
            run=handle.run,
            kind="test",
            repo=str(asked.repo),
            targets=asked.targets,
            strategy="",
            tool_version=__version__,
        )
        tale = Tale(started, _passing_by, handle)
        try:
            with handle.scope:
                async with self._asides:
                    tale.begin()
                    ground = self._ground(handle.run, settings, tale.emit)
                    outcome = await self._or_error(run_tests(asked, ground))
            if outcome is None:
                outcome = _interrupted(handle.run, "")
            tale.begin()
            tale.finish(outcome)
        finally:
            del self._under_way[handle.run]
            handle.end(outcome)

    async def _or_error(self, result: Awaitable[RunResult]) -> Outcome:
        try:
            return await result
        except (AgentError, SandboxError) as error:
            return error
        except Exception as error:
            if self._explain is None:
                raise
            return self._explain(error)

    def _ground(self, run: RunId, settings: Settings, emit: Callable[[Event], None]) -> Ground:
        return Ground(
            run=run,
            settings=settings,
            engine=self._sandboxes(settings),
            find_environment=partial(find_environment, settings, self._variables),
            emit=emit,
            redact=self._redactor.text,
        )

    def _store(self, settings: Settings) -> RunStore:
        return RunStore(settings.state_dir, redactor=self._redactor)

    def _sandboxes(self, settings: Settings) -> SandboxEngine:
        """Return the backend of these settings, the same for all runs: it keeps its connection."""
        if settings.backend not in self._backends:
            self._backends[settings.backend] = make_sandbox_engine(settings, self._variables)
        return self._backends[settings.backend]


@asynccontextmanager
async def open_engine(
    settings: Settings, *, variables: Mapping[str, str]
) -> AsyncGenerator[Engine, None]:
    """Open an engine; leaving the context cancels its runs and waits for their clean-up."""
    expected: AgentError | SandboxError | None = None
    async with anyio.create_task_group() as tasks:
        engine = Engine(settings, variables, tasks)
        tasks.start_soon(engine.reap)
        try:
            yield engine
        except (AgentError, SandboxError) as error:
            expected = error  # raised below as itself: a task group would wrap it
        finally:
            tasks.cancel_scope.cancel()
    if expected is not None:
        raise expected


def make_sandbox_engine(settings: Settings, variables: Mapping[str, str]) -> SandboxEngine:
    """Return the backend that the user chose; never another one."""
    match settings.backend:
        case "docker":
            from sandbox.docker import DockerEngine

            return DockerEngine(variables=variables)
        case "bubblewrap":
            from sandbox.bubblewrap import BubblewrapEngine

            return BubblewrapEngine(variables=variables)


def find_environment(settings: Settings, variables: Mapping[str, str], repo: Path) -> Environment:
    """Return what a repository's tests run in. Blocking. Raises: EnvironmentMissing."""
    from sandbox.environments import resolve_environment

    variables, module = environment_question(settings, variables, repo)
    return resolve_environment(repo, image=settings.image, variables=variables, module=module)


def environment_question(
    settings: Settings, variables: Mapping[str, str], repo: Path | None
) -> tuple[Mapping[str, str], str]:
    """Return the variables that count, and the module that must be there or that it is node."""
    from agent.verify.runners import needed_module

    if settings.backend != "docker":
        variables = {name: text for name, text in variables.items() if name != "DOCKER_HOST"}
    return variables, needed_module(repo, settings.test_command)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A run as it was asked for, ready to be carried out."""

    task: TaskSpec
    way: Way
    settings: Settings
    taken: BaseTaken | None = None
    """The recorded base that it goes on from."""


async def _prepared(order: _Order, parts: Parts) -> RunResult:
    if order.way.connection:  # a missing key is told before minutes of measuring
        await order.way.connection.prepare()
    return await run_task(order.task, parts)


def _interrupted(run: RunId, strategy: str) -> RunResult:
    return RunResult(
        run=run,
        strategy=strategy,
        verdict="interrupted",
        message="interrupted; nothing was changed",
    )


def _ignore(_event: Event) -> None:
    return None


def _passing_by(event: Event) -> Record:
    return Record(number=NOT_KEPT, at_unix_s=time.time(), event=event)


def _started(order: _Order, run: RunId) -> RunStarted:
    task = order.task
    return RunStarted(
        run=run,
        kind=task.kind.value,
        repo=str(task.repo),
        targets=task.targets,
        strategy=order.way.strategy.name,
        tool_version=__version__,
        goal=task.goal,
        resumed=order.taken is not None,
    )


async def _heed_requests(folder: Path, handle: RunHandle) -> None:
    """Cancel a run that another process asks to end."""
    while not await handle.is_over_within(LOOKED_FOR_S):
        if await anyio.to_thread.run_sync(is_end_asked, folder):
            handle.cancel()
            return


def _given(settings: Settings) -> dict[str, str]:
    """Return what was set for this run, so that going on with it finds the same."""
    kept = {*REPLAYED, "backend", "model"}
    return {key: str(getattr(settings, key)) for key in kept if key in settings.origins}


def _keep(
    outcome: Outcome,
    writer: RunWriter,
    emit: Callable[[Event], None],
) -> None:
    """Write what the run came to; a full disk costs the record, not the result."""
    if not isinstance(outcome, RunResult):
        return
    try:
        if outcome.patch:
            writer.write_patch(patch_to_json(outcome.patch), outcome.patch_text)
        writer.write_result(result_to_json(outcome))
    except JournalError as error:
        emit(_not_kept(error))


def _not_kept(error: JournalError) -> Notice:
    return Notice(level="warning", text=f"this run is not kept: {error.message} {error.remedy}")
