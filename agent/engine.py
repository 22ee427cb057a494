"""Puts a run together from settings, and owns the runs that are under way.

The only module that picks concrete parts: which sandbox backend, which strategy, which store.
Front ends (command line, language server, batch) enter here.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from agent import __version__
from agent.config import Settings
from agent.edits.patch import patch_to_json
from agent.errors import AgentError, ConfigError, JournalError, TaskError
from agent.events import Event, Notice, RunFinished, RunStarted
from agent.job import Strategy
from agent.journal.redaction import Redactor
from agent.journal.store import RunStore, RunWriter
from agent.result import RunResult, result_to_json
from agent.run import Parts, run_task
from agent.task import Kind, RunId, StrategyName, TaskSpec
from sandbox.base import Environment, SandboxEngine
from sandbox.errors import SandboxError
from sandbox.pool import Pool


class RunHandle:
    """A run under way: watch it, cancel it, wait for it."""

    def __init__(self, run: RunId) -> None:
        self.run = run
        self._told: list[Event] = []
        self._news = anyio.Event()
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()
        self._outcome: RunResult | AgentError | SandboxError | None = None

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens, from the start; ends when the run does. For any number of readers."""
        seen = 0
        while True:
            news, over = self._news, self._done.is_set()
            for event in self._told[seen:]:
                yield event
                seen += 1
            if over:
                return
            if seen == len(self._told):
                await news.wait()

    def cancel(self) -> None:
        """Ask the run to end now; its sandboxes are removed before the result is there."""
        self._scope.cancel()

    async def result(self) -> RunResult:
        """Wait for the end. Raises: AgentError, SandboxError."""
        await self._done.wait()
        if isinstance(self._outcome, RunResult):
            return self._outcome
        if self._outcome is None:  # an unexpected error took down the engine's task group
            raise AgentError(f"run {self.run} ended without a result")
        raise self._outcome

    def _tell(self, event: Event) -> None:
        self._told.append(event)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = anyio.Event()


class Engine:
    """Starts runs; they live here and not with whoever asked for them."""

    def __init__(self, settings: Settings, variables: Mapping[str, str], tasks: TaskGroup) -> None:
        self._settings = settings
        self._variables = variables
        self._tasks = tasks
        self._sandboxes = make_sandbox_engine(settings, variables)
        self._redactor = Redactor.from_variables(variables)
        self._store = RunStore(settings.state_dir, redactor=self._redactor)

    def start(self, task: TaskSpec) -> RunHandle:
        """Start a run and return at once.

        Raises: AgentError where the task cannot even be started.
        """
        strategy = _strategy(task)
        writer = self._store.new_run(task)
        handle = RunHandle(writer.run)
        self._tasks.start_soon(self._carry_out, task, strategy, writer, handle)
        return handle

    async def reap(self) -> tuple[str, ...]:
        """Remove what killed processes of ours left behind; never fails."""
        try:
            return await self._sandboxes.reap()
        except SandboxError:
            return ()

    async def _carry_out(
        self,
        task: TaskSpec,
        strategy: Strategy,
        writer: RunWriter,
        handle: RunHandle,
    ) -> None:
        started = time.monotonic()
        with writer:
            emit = partial(_emit, writer, handle)
            emit(_started(task, strategy, writer.run))
            sandboxes = Pool(self._sandboxes, self._tasks, spare=1)
            parts = Parts(
                run=writer.run,
                run_dir=writer.path,
                settings=self._settings,
                engine=sandboxes,
                strategy=strategy,
                find_environment=self._find_environment,
                emit=emit,
                redact=self._redactor.text,
            )
            try:
                with handle._scope:
                    try:
                        handle._outcome = await _outcome(task, parts)
                    finally:
                        with anyio.CancelScope(shield=True):
                            await sandboxes.drain()
                if handle._scope.cancelled_caught:
                    handle._outcome = RunResult(
                        run=writer.run,
                        strategy=strategy.name,
                        verdict="interrupted",
                        message="interrupted; nothing was changed",
                    )
                _keep(handle._outcome, writer, emit)
                _finish(handle._outcome, emit, time.monotonic() - started)
                if writer.failure:
                    handle._tell(_not_kept(writer.failure))
            finally:
                handle._done.set()
                handle._wake()

    def _find_environment(self, repo: Path) -> Environment:
        return find_environment(self._settings, self._variables, repo)


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

    variables, module = environment_question(settings, variables)
    return resolve_environment(repo, image=settings.image, variables=variables, module=module)


def environment_question(
    settings: Settings, variables: Mapping[str, str]
) -> tuple[Mapping[str, str], str]:
    """Return the variables that count and the module that must be there."""
    from agent.verify.pytest_command import recognise_pytest

    if settings.backend != "docker":
        variables = {name: text for name, text in variables.items() if name != "DOCKER_HOST"}
    # A command of the user's own needs an interpreter, but perhaps no pytest in it.
    own = settings.test_command is not None and not recognise_pytest(settings.test_command)
    return variables, "unittest" if own else "pytest"


def _strategy(task: TaskSpec) -> Strategy:
    if task.kind is Kind.IMPLEMENT:
        raise TaskError(
            "implementing needs a model; the offline search only repairs",
            remedy="ask for a fix of a failing test instead",
        )
    if task.strategy is StrategyName.MODEL:
        raise ConfigError(
            "no model is configured", remedy="use --strategy offline, which needs none"
        )
    from agent.repair.offline import OfflineSearch

    return OfflineSearch(search_s=task.budget.search_s, candidates=task.budget.candidates)


def _started(task: TaskSpec, strategy: Strategy, run: RunId) -> RunStarted:
    return RunStarted(
        run=run,
        kind=task.kind.value,
        repo=str(task.repo),
        targets=task.targets,
        strategy=strategy.name,
        tool_version=__version__,
    )


def _emit(writer: RunWriter, handle: RunHandle, event: Event) -> None:
    writer.append(event)
    handle._tell(event)


async def _outcome(task: TaskSpec, parts: Parts) -> RunResult | AgentError | SandboxError:
    try:
        return await run_task(task, parts)
    except (AgentError, SandboxError) as error:
        return error


def _keep(
    outcome: RunResult | AgentError | SandboxError | None,
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


def _finish(
    outcome: RunResult | AgentError | SandboxError | None,
    emit: Callable[[Event], None],
    wall_s: float,
) -> None:
    match outcome:
        case RunResult():
            confidence = outcome.confidence.value if outcome.confidence else ""
            emit(
                RunFinished(
                    verdict=outcome.verdict,
                    confidence=confidence,
                    message=outcome.message,
                    wall_s=wall_s,
                )
            )
        case AgentError() | SandboxError():
            message = "; ".join(filter(None, (outcome.message, outcome.remedy)))
            emit(RunFinished(verdict="error", confidence="", message=message, wall_s=wall_s))
        case None:
            pass
