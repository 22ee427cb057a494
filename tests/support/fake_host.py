"""A host that carries out nothing: tests tell what happens, a real store keeps it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.lowlevel
from lsprotocol import types

from agent.errors import AgentError
from agent.events import Event, RunFinished, RunStarted
from agent.host.api import Checked, CheckSpec, Condition, Host, TestsSpec, Told
from agent.journal.records import NOT_KEPT, Record
from agent.journal.store import RunStore, RunWriter
from agent.task import RepoPath, RunId, TaskSpec
from lsp_server.session import ClientOptions


class FakeHost(Host):
    """Says what it is told to say, and remembers what was asked of it."""

    def __init__(self, state_dir: Path) -> None:
        self.store = RunStore(state_dir)
        self.asked: list[tuple[str, object]] = []
        self.refusal: AgentError | None = None
        """Raised by start, resume, run_tests and cancel."""
        self.slowness_s = 0.0
        """Of a cancel."""
        self.checked = Checked(verdict="green", message="1 test fixed", receipt="/r.json")
        self.condition_now = Condition(
            repository="",
            engine_ok=True,
            engine_text="Docker Engine 29",
            engine_remedy="",
            model="",
            endpoint="",
            model_text="no model is set",
            model_remedy="",
        )
        self._told: list[Told] = []
        self._writers: dict[str, RunWriter] = {}
        self._test_runs = 0

    def listen(self, told: Told) -> None:
        self._told.append(told)

    async def start(self, task: TaskSpec, *, flags: Mapping[str, object]) -> RunId:
        self.asked.append(("start", task))
        self._refuse()
        writer = self.store.new_run(task)
        self._writers[writer.run] = writer
        return writer.run

    async def resume(self, run: RunId) -> RunId:
        self.asked.append(("resume", run))
        self._refuse()
        self._writers[run] = self.store.reopen(run)
        return run

    async def run_tests(self, spec: TestsSpec, *, flags: Mapping[str, object]) -> RunId:
        self.asked.append(("run_tests", spec))
        self._refuse()
        self._test_runs += 1
        return RunId(f"tests-{self._test_runs}")

    async def check(self, spec: CheckSpec) -> Checked:
        self.asked.append(("check", spec))
        await anyio.lowlevel.checkpoint()
        return self.checked

    async def cancel(self, run: RunId) -> bool:
        self.asked.append(("cancel", run))
        await anyio.sleep(self.slowness_s)
        self._refuse()
        if run not in self._writers and not run.startswith("tests-"):
            return False
        self.finish(run, "interrupted")
        return True

    async def test_files(self, repo: Path) -> tuple[RepoPath, ...]:
        return ()

    async def condition(self, repo: Path | None, *, flags: Mapping[str, object]) -> Condition:
        return self.condition_now

    async def limit(self, runs_at_once: int) -> None:
        self.asked.append(("limit", runs_at_once))

    async def wish(self, runs: Literal["cancel", "finish"]) -> None:
        self.asked.append(("wish", runs))

    async def close(self, *, runs: Literal["cancel", "finish"]) -> None:
        self.asked.append(("close", runs))
        self.die()

    def die(self) -> None:
        """Let go of every run, as a killed host does; say nothing."""
        for writer in self._writers.values():
            writer.__exit__()
        self._writers.clear()

    def tell(self, run: str, *events: Event) -> None:
        """Have something happen in a run."""
        for event in events:
            writer = self._writers.get(run)
            record = writer.append(event) if writer else _passing_by(event)
            for told in self._told:
                told(RunId(run), record)

    def begin(self, run: str, repo: Path, *, kind: str = "fix", **others: Any) -> None:
        """Have a run begin."""
        self.tell(
            run,
            RunStarted(
                run=run,
                kind=kind,
                repo=str(repo),
                targets=others.pop("targets", ()),
                strategy="offline",
                tool_version="0",
                **others,
            ),
        )

    def finish(self, run: str, verdict: str = "none", message: str = "", **others: Any) -> None:
        """Have a run end."""
        writer = self._writers.get(run)
        if writer and "result" in others:
            writer.write_result(others["result"])
        self.tell(
            run,
            RunFinished(
                verdict=verdict,
                confidence=others.get("confidence", ""),
                message=message,
                wall_s=1.0,
            ),
        )
        if writer:
            writer.__exit__()
            del self._writers[run]

    def _refuse(self) -> None:
        if self.refusal:
            raise self.refusal


def _passing_by(event: Event) -> Record:
    return Record(number=NOT_KEPT, at_unix_s=1_795_000_000.0, event=event)


class FakeSession:
    """What a client can do and draws itself."""

    def __init__(self, *, client: ClientOptions, can_make_progress: bool) -> None:
        self.client = client
        self.trusted = True
        self.capabilities = types.ClientCapabilities(
            window=types.WindowClientCapabilities(work_done_progress=can_make_progress)
        )


class FakeClient:
    """A connection that keeps what it is told."""

    def __init__(
        self,
        tasks: anyio.abc.TaskGroup,
        *,
        runs: bool = True,
        progress: bool = True,
        can_make_progress: bool = True,
    ) -> None:
        self.tasks = tasks
        self.session = FakeSession(
            client=ClientOptions(runs=runs, progress=progress), can_make_progress=can_make_progress
        )
        self.seen: list[tuple[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.refuses: Exception | None = None
        self._news = anyio.Event()

    def tell(self, method: str, params: object = None) -> None:
        self.seen.append((method, json.loads(json.dumps(params))))
        self._wake()

    async def ask(self, method: str, params: object = None) -> Any:
        self.asked.append((method, params))
        await anyio.lowlevel.checkpoint()
        if self.refuses:
            raise self.refuses
        return None

    def of(self, method: str) -> Sequence[Any]:
        """Return the params of all messages of a method."""
        return [params for name, params in self.seen if name == method]

    def _wake(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def until(self, matches: Any) -> None:
        """Wait until what was told fits; `matches` takes this client."""
        with anyio.fail_after(30):
            while not matches(self):
                await self._news.wait()
