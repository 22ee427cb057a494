"""What each request of a front end does, in the host's process.

The engine is made with the first request that needs it: a configuration that cannot be read is
then the answer to that request, and a host that nobody asks for a run stays small.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from agent.config import Settings, load_settings
from agent.engine import TESTS, Engine
from agent.errors import AgentError, JournalError
from agent.handle import RunHandle
from agent.host.api import Checked, Wish
from agent.host.codec import asked_in, check_in, condition_out, task_in
from agent.journal.ending import ask_to_end
from agent.journal.records import Record
from agent.journal.store import RunStore
from agent.journal.stored import StoredRun
from agent.result import describe, outcome_name
from agent.task import RunId
from agent.testing import TestsAsked
from agent.verify.verdict import Green, Verdict

_log = logging.getLogger(__name__)


class Requests:
    """Carries out requests; owns the engine."""

    def __init__(
        self,
        variables: Mapping[str, str],
        tasks: TaskGroup,
        tell: Callable[[RunId, Record], None],
    ) -> None:
        """`tell` is given every event of every run, at once."""
        self.wish: Wish = "cancel"
        self._variables = variables
        self._tasks = tasks
        self._tell = tell
        self._engine: Engine | None = None
        self._runs_at_once = 2
        self._calls: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[object]]] = {
            "start": self._start,
            "resume": self._resume,
            "run_tests": self._run_tests,
            "check": self._check,
            "cancel": self._cancel,
            "test_files": self._test_files,
            "condition": self._condition,
            "limit": self._limit,
            "wish": self._take_wish,
        }

    async def carry_out(self, name: str, values: Mapping[str, Any]) -> object:
        """Carry out a request and return the answer, as JSON. Raises: AgentError, SandboxError."""
        return await self._calls[name](values)

    async def finish(self) -> None:
        """Wait until every run is over; what only measures for somebody to see is ended."""
        for handle in self._under_way():
            if handle.run.startswith(TESTS):
                handle.cancel()
        while under_way := self._under_way():
            await under_way[0].over()

    async def cancel_all(self) -> None:
        """End every run and wait until its sandboxes are gone."""
        for handle in self._under_way():
            handle.cancel()
        while under_way := self._under_way():
            await under_way[0].over()

    async def _start(self, values: Mapping[str, Any]) -> object:
        task = task_in(values["task"])
        settings = await self._settings(task.repo, values["flags"])
        return self._engine_for(settings).start(task, settings=settings, tell=self._tell).run

    async def _resume(self, values: Mapping[str, Any]) -> object:
        stored = (await self._store()).open(values["run"])
        settings = await self._settings_of(stored)
        return self._engine_for(settings).resume(stored.run, settings=settings, tell=self._tell).run

    async def _run_tests(self, values: Mapping[str, Any]) -> object:
        spec = asked_in(values["spec"])
        settings = await self._settings(spec.repo, values["flags"])
        asked = TestsAsked(repo=spec.repo, targets=spec.targets, overlay=spec.overlay)
        return self._engine_for(settings).run_tests(asked, settings=settings, tell=self._tell).run

    async def _check(self, values: Mapping[str, Any]) -> object:
        spec = check_in(values["spec"])
        settings = await self._settings_of((await self._store()).open(spec.run))
        engine = self._engine_for(settings)
        return asdict(_checked(await engine.check(spec.run, spec.delta, settings=settings)))

    async def _cancel(self, values: Mapping[str, Any]) -> object:
        run = RunId(values["run"])
        own = next((each for each in self._under_way() if each.run == run), None)
        if own is not None:
            own.cancel()
            return True
        try:
            stored = (await self._store()).open(run)
        except JournalError:
            if run.startswith(TESTS):
                return False  # of tests nothing is kept once they are over
            raise
        return await anyio.to_thread.run_sync(ask_to_end, stored)

    async def _test_files(self, values: Mapping[str, Any]) -> object:
        from agent.host.surroundings import test_files

        settings = await self._settings(None, {})
        find = partial(test_files, Path(values["repo"]), state_dir=settings.state_dir)
        return await anyio.to_thread.run_sync(find)

    async def _condition(self, values: Mapping[str, Any]) -> object:
        from agent.host.surroundings import condition

        repo = Path(values["repo"]) if values["repo"] else None
        settings = await self._settings(repo, values["flags"])
        return condition_out(await condition(repo, settings, self._variables))

    async def _limit(self, values: Mapping[str, Any]) -> object:
        self._runs_at_once = max(1, int(values["runs_at_once"]))
        if self._engine:
            self._engine.limit(self._runs_at_once)
        return None

    async def _take_wish(self, values: Mapping[str, Any]) -> object:
        self.wish = "finish" if values["runs"] == "finish" else "cancel"
        return None

    async def _settings(self, repo: Path | None, flags: Mapping[str, object]) -> Settings:
        load = partial(load_settings, repo=repo, variables=self._variables, flags=flags)
        return await anyio.to_thread.run_sync(load)

    async def _settings_of(self, stored: StoredRun) -> Settings:
        """Return the settings of a run and its repository, as they are for going on with it."""
        task = stored.task() or {}
        repo = Path(task["repo"]) if "repo" in task else None
        return await self._settings(repo, stored.settings())

    async def _store(self) -> RunStore:
        return RunStore((await self._settings(None, {})).state_dir)

    def _under_way(self) -> tuple[RunHandle, ...]:
        return self._engine.under_way if self._engine else ()

    def _engine_for(self, settings: Settings) -> Engine:
        if self._engine is None:
            self._engine = Engine(settings, self._variables, self._tasks, explain=_explain)
            self._engine.limit(self._runs_at_once)
            self._tasks.start_soon(self._engine.reap)
        return self._engine


def _explain(error: Exception) -> AgentError:
    """Log a fault of ours and return what the run that it ended says."""
    _log.error("a run ended by a fault of ours", exc_info=error)
    what = f"internal error: {type(error).__name__}: {error}".partition("\n")[0]
    return AgentError(what, remedy="the log has the details; please report it")


def _checked(verdict: Verdict) -> Checked:
    green = verdict if isinstance(verdict, Green) else None
    return Checked(
        verdict=outcome_name(verdict),
        message=describe(verdict),
        receipt=green.receipt if green else "",
        flags=green.flags if green else (),
    )
