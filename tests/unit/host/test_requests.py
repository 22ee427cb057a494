"""What requests come to in the host's process, with nothing else around them."""

from pathlib import Path

import anyio
import pytest

from agent import engine
from agent.config import Settings
from agent.errors import ConfigError, TaskError
from agent.events import RunFinished
from agent.host import surroundings
from agent.host.codec import task_out
from agent.host.requests import Requests
from agent.host.surroundings import condition
from agent.result import RunResult
from agent.run import Parts
from agent.task import TaskSpec
from sandbox.base import ProbeLine
from sandbox.errors import EngineUnavailable
from tests.support.hosts import Watcher, variables_in


class NoEngine:
    """Stands in for a sandbox engine that is not there."""

    async def probe(self) -> tuple[ProbeLine, ...]:
        return (ProbeLine(name="engine", value="no engine answers", ok=False, remedy="start it"),)

    async def reap(self) -> tuple[str, ...]:
        raise EngineUnavailable("no engine answers")


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (engine, surroundings):
        monkeypatch.setattr(module, "make_sandbox_engine", lambda *_: NoEngine())


async def test_a_fault_of_ours_ends_the_one_run_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run_task(task: TaskSpec, parts: Parts) -> RunResult:
        if task.goal == "bug":
            raise KeyError("a fault")
        return RunResult(run=parts.run, strategy="offline", verdict="none", message="nothing")

    monkeypatch.setattr(engine, "run_task", run_task)
    watcher = Watcher()
    async with anyio.create_task_group() as tasks:
        requests = Requests(variables_in(tmp_path), tasks, watcher)
        runs = [
            await requests.carry_out(
                "start", {"task": task_out(TaskSpec(repo=tmp_path, goal=goal)), "flags": {}}
            )
            for goal in ("bug", "other")
        ]
        ends = [await watcher.end_of(run) for run in runs]  # type: ignore[arg-type]
        tasks.cancel_scope.cancel()
    assert [end.verdict for end in ends] == ["error", "none"]
    assert ends[0].message.startswith("internal error: KeyError: 'a fault'")
    assert "a run ended by a fault of ours" in caplog.text


async def test_runs_that_wait_are_finished_too_and_tests_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    async def run_task(task: TaskSpec, parts: Parts) -> RunResult:
        begun.append(parts.run)
        await anyio.sleep(0.05)
        return RunResult(run=parts.run, strategy="offline", verdict="none", message="nothing")

    async def run_tests(*_: object) -> RunResult:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(engine, "run_task", run_task)
    monkeypatch.setattr(engine, "run_tests", run_tests)
    watcher = Watcher()
    async with anyio.create_task_group() as tasks:
        requests = Requests(variables_in(tmp_path), tasks, watcher)
        await requests.carry_out("limit", {"runs_at_once": 1})
        asked = {"task": task_out(TaskSpec(repo=tmp_path)), "flags": {}}
        runs = [await requests.carry_out("start", asked) for _ in range(3)]
        tests = await requests.carry_out(
            "run_tests",
            {"spec": {"repo": str(tmp_path), "targets": [], "overlay": {}}, "flags": {}},
        )
        await requests.finish()
        tasks.cancel_scope.cancel()
    assert begun == runs
    last = [watcher.events(run)[-1] for run in (*runs, tests)]  # type: ignore[arg-type]
    verdicts = [event.verdict for event in last if isinstance(event, RunFinished)]
    assert verdicts == ["none", "none", "none", "interrupted"]


@pytest.mark.parametrize(
    ("model", "says", "endpoint"),
    [
        (None, "no model is set", ""),
        ("no-such", "there is no model profile 'no-such'", ""),
        ("mine", "mine at models.example.org", "models.example.org"),
        ("keyless", "no key for keyless", "models.example.org"),
    ],
)
async def test_what_is_known_of_the_model_is_told_with_a_next_step(
    tmp_path: Path, model: str | None, says: str, endpoint: str
) -> None:
    table = {"base_url": "https://models.example.org/v1", "dialect": "openai-chat", "model": "mine"}
    settings = Settings(
        state_dir=tmp_path,
        model=model,
        models={"mine": {**table, "key": "k-12345678"}, "keyless": table},
    )
    found = await condition(None, settings, variables_in(tmp_path))
    assert (found.model, found.endpoint) == (model or "", endpoint)
    assert says in found.model_text
    assert bool(found.model_remedy) == (model != "mine")
    assert (found.engine_ok, found.engine_text) == (False, "no engine answers")
    assert found.engine_remedy == "start it"


async def test_an_unknown_file_of_settings_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config" / "greenloop").mkdir(parents=True)
    (tmp_path / "config" / "greenloop" / "config.toml").write_text("modle = 1\n")
    async with anyio.create_task_group() as tasks:
        requests = Requests(variables_in(tmp_path), tasks, Watcher())
        with pytest.raises(ConfigError, match=r"config\.toml:1"):
            await requests.carry_out("condition", {"repo": "", "flags": {}})
        (tmp_path / "config" / "greenloop" / "config.toml").unlink()
        with pytest.raises(TaskError, match="repository"):
            await requests.carry_out("test_files", {"repo": str(tmp_path)})
