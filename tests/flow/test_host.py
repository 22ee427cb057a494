"""Runs carried out in a process of their own, asked for and watched from this one."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest

from agent.edits.changes import Content
from agent.errors import ConfigError, Infrastructure, JournalError, TaskError
from agent.events import (
    BaselineMeasured,
    Event,
    Notice,
    PhaseStarted,
    RunFinished,
    RunStarted,
    TestFailed,
    TestsMeasured,
)
from agent.host.api import CheckSpec, TestsSpec
from agent.host.client import RemoteHost
from agent.journal.records import NOT_KEPT, Record
from agent.journal.store import RunStore
from agent.journal.stored import RunState
from agent.task import Kind, RepoPath, RunId, StrategyName, TaskSpec
from tests.support.hosts import (
    Watcher,
    containers_of,
    is_alive,
    parent_of,
    state_in,
    until,
    watched_host,
)
from tests.support.repos import a_repo
from tests.support.runs import FILES, FIXED, TESTS, a_task, of_kind

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

ABOVE = "test_calc.py::test_above"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return a_repo(tmp_path / "repo", FILES)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[tuple[RemoteHost, Watcher]]:
    async with watched_host(tmp_path) as opened:
        yield opened


def phase(name: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, PhaseStarted) and event.phase == name


async def test_a_run_is_told_in_order_and_kept(desk, repo: Path, tmp_path: Path) -> None:
    host, watcher = desk
    run = await host.start(a_task(repo), flags={})
    finished = await watcher.end_of(run)

    assert finished.verdict == "green"
    events = watcher.events(run)
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    stored = RunStore(state_in(tmp_path)).open(run)
    told = [each for each in watcher.records[run] if each.number != NOT_KEPT]
    assert [each.event for each in told] == [each.event for each in stored.records()]
    assert [each.number for each in told] == list(range(len(told)))
    result = stored.result()
    assert result is not None
    assert list(result["needed_for"].values()) == [[ABOVE]]


async def test_how_tests_fail_is_told_once_the_base_is_measured(desk, repo: Path) -> None:
    host, watcher = desk
    run = await host.start(a_task(repo), flags={})
    await watcher.until(run, lambda event: isinstance(event, BaselineMeasured))
    (failed,) = of_kind(watcher.events(run), TestFailed)
    (measured,) = of_kind(watcher.events(run), TestsMeasured)
    assert (failed.id, failed.path, failed.error_type) == (ABOVE, "test_calc.py", "AssertionError")
    assert "assert 1 == 3" in failed.message
    assert failed.frames == (("test_calc.py", 5, "test_above"),)
    assert measured.whole
    assert {id_: outcome for id_, outcome, _ in measured.results} == {
        ABOVE: "failed",
        "test_calc.py::test_below": "passed",
        "test_calc.py::test_double": "passed",
    }
    await host.cancel(run)


async def test_a_cancelled_run_ends_at_once_and_leaves_no_container(
    desk, repo: Path, tmp_path: Path
) -> None:
    host, watcher = desk
    run = await host.start(a_task(repo), flags={})
    await watcher.until(run, phase("baseline"))
    assert await host.cancel(run)
    assert (await watcher.end_of(run)).verdict == "interrupted"
    assert containers_of(run) == []
    assert not await host.cancel(run)
    assert RunStore(state_in(tmp_path)).open(run).summary().state is RunState.INTERRUPTED


async def test_two_runs_at_once_and_the_third_waits_its_turn(
    desk, repo: Path, tmp_path: Path
) -> None:
    host, watcher = desk
    await host.limit(2)
    runs = [await host.start(a_task(repo), flags={}) for _ in range(3)]
    for run in runs[:2]:
        await watcher.until(run, lambda event: isinstance(event, RunStarted))
    assert watcher.events(runs[2]) == []
    waiting = RunStore(state_in(tmp_path)).open(runs[2]).summary()
    assert (waiting.state, waiting.started) == (RunState.RUNNING, None)
    assert [(await watcher.end_of(run)).verdict for run in runs] == ["green"] * 3


async def test_a_run_that_waits_is_cancelled_without_ever_beginning(desk, repo: Path) -> None:
    host, watcher = desk
    await host.limit(1)
    first, second = [await host.start(a_task(repo), flags={}) for _ in range(2)]
    assert await host.cancel(second)
    assert (await watcher.end_of(second)).verdict == "interrupted"
    assert [type(event) for event in watcher.events(second)] == [RunStarted, RunFinished]
    assert (await watcher.end_of(first)).verdict == "green"


async def test_more_turns_let_a_waiting_run_begin(desk, repo: Path) -> None:
    host, watcher = desk
    await host.limit(1)
    runs = [await host.start(a_task(repo), flags={}) for _ in range(2)]
    await watcher.until(runs[0], lambda event: isinstance(event, RunStarted))
    await host.limit(2)
    await watcher.until(runs[1], lambda event: isinstance(event, RunStarted))
    assert not of_kind(watcher.events(runs[0]), RunFinished)


async def test_tests_are_run_alone_once_and_nothing_is_kept(
    desk, repo: Path, tmp_path: Path
) -> None:
    host, watcher = desk
    run = await host.run_tests(TestsSpec(repo=repo), flags={})
    finished = await watcher.end_of(run)
    events = watcher.events(run)

    assert run.startswith("tests-")
    assert (finished.verdict, finished.message) == ("failed", "2 passed, 1 failed")
    assert isinstance(events[0], RunStarted)
    assert events[0].kind == "test"
    assert [failed.id for failed in of_kind(events, TestFailed)] == [ABOVE]
    assert [len(measured.results) for measured in of_kind(events, TestsMeasured)] == [3]
    assert not (state_in(tmp_path) / "runs").exists()
    assert not await host.cancel(run)


@pytest.mark.parametrize(
    ("target", "ids"),
    [
        ("test_calc.py::test_below", {"test_calc.py::test_below"}),
        ("test_calc.py:9", {"test_calc.py::test_below"}),
        ("test_calc.py:1", {ABOVE, "test_calc.py::test_below", "test_calc.py::test_double"}),
        ("sub", {"sub/test_more.py::TestMore::test_more", "sub/test_more.py::TestMore::test_less"}),
        ("sub/test_more.py:5", {"sub/test_more.py::TestMore::test_more"}),
    ],
)
async def test_some_tests_are_run_by_id_file_folder_and_line(
    desk, tmp_path: Path, target: str, ids: set[str]
) -> None:
    more = b"class TestMore:\n\n    def test_more(self):\n        x = 1\n        assert x\n\n"
    more += b"    def test_less(self):\n        pass\n"
    repo = a_repo(tmp_path / "repo", {**FILES, "sub/test_more.py": more})
    host, watcher = desk
    run = await host.run_tests(TestsSpec(repo=repo, targets=(target,)), flags={})
    await watcher.end_of(run)
    (measured,) = of_kind(watcher.events(run), TestsMeasured)
    assert {id_ for id_, _, _ in measured.results} == ids
    assert not measured.whole


async def test_unsaved_buffers_are_what_is_tested(desk, repo: Path) -> None:
    host, watcher = desk
    overlay = {RepoPath("calc.py"): FIXED.encode()}
    run = await host.run_tests(TestsSpec(repo=repo, overlay=overlay), flags={})
    assert (await watcher.end_of(run)).verdict == "passed"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("test_kalc.py", "there is no test_kalc.py"),
        ("test_calc.py::test_nix", "no tests were found in test_calc.py::test_nix"),
    ],
)
async def test_wrong_tests_end_with_a_line_that_names_them(
    desk, repo: Path, target: str, says: str
) -> None:
    host, watcher = desk
    run = await host.run_tests(TestsSpec(repo=repo, targets=(target,)), flags={})
    finished = await watcher.end_of(run)
    assert finished.verdict == "error"
    assert says in finished.message


async def test_tests_do_not_wait_for_runs(desk, repo: Path) -> None:
    host, watcher = desk
    await host.limit(1)
    runs = [await host.start(a_task(repo), flags={}) for _ in range(2)]
    tests = await host.run_tests(TestsSpec(repo=repo), flags={})
    await watcher.end_of(tests)
    assert not of_kind(watcher.events(runs[1]), RunFinished)
    for run in runs:
        await host.cancel(run)


async def test_refusals_come_as_errors_of_ours_with_a_next_step(desk, repo: Path) -> None:
    host, _ = desk
    task = TaskSpec(kind=Kind.IMPLEMENT, repo=repo, strategy=StrategyName.OFFLINE)
    with pytest.raises(TaskError, match="implementing needs a model"):
        await host.start(task, flags={})
    with pytest.raises(ConfigError, match="no_such_setting") as config:
        await host.start(a_task(repo), flags={"no_such_setting": 1})
    assert config.value.remedy
    with pytest.raises(JournalError, match="there is no run"):
        await host.cancel(RunId("20200101-000000-0000"))
    with pytest.raises(JournalError, match="there is no run"):
        await host.check(CheckSpec(run=RunId("20200101-000000-0000"), delta={}))


async def test_a_folder_without_a_repository_is_refused_in_one_line(desk, tmp_path: Path) -> None:
    host, watcher = desk
    folder = tmp_path / "plain"
    folder.mkdir()
    finished = await watcher.end_of(await host.start(a_task(folder), flags={}))
    assert finished.verdict == "error"
    assert "\n" not in finished.message
    with pytest.raises(TaskError, match="repository"):
        await host.test_files(folder)


async def test_the_condition_of_a_folder_is_told(desk, repo: Path, tmp_path: Path) -> None:
    host, _ = desk
    found = await host.condition(repo, flags={})
    assert found.repository == str(repo)
    assert found.engine_ok, found
    assert (found.model, found.endpoint) == ("", "")
    assert "model" in found.model_remedy
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (await host.condition(plain, flags={})).repository == ""
    assert (await host.condition(None, flags={"model": "no-such"})).model_remedy


async def test_an_engine_that_does_not_answer_is_told_within_moments(
    tmp_path: Path, repo: Path
) -> None:
    nowhere = f"unix://{tmp_path}/no.sock"
    async with watched_host(tmp_path, DOCKER_HOST=nowhere) as (host, watcher):
        found = await host.condition(repo, flags={})
        assert not found.engine_ok
        assert found.engine_remedy
        finished = await watcher.end_of(await host.start(a_task(repo), flags={}))
        assert finished.verdict == "error"
        assert "\n" not in finished.message


async def test_files_with_tests_are_found_by_name_as_git_sees_them(desk, tmp_path: Path) -> None:
    files = {
        **FILES,
        ".gitignore": b"build/\n",
        "tests/test_a.py": b"",
        "tests/data.json": b"{}",
        "web/a.test.ts": b"",
    }
    repo = a_repo(tmp_path / "repo", files)
    (repo / "test_new.py").write_text("")
    (repo / "build").mkdir()
    (repo / "build" / "test_b.py").write_text("")
    host, _ = desk
    found = await host.test_files(repo)
    assert found == ("test_calc.py", "test_new.py", "tests/test_a.py", "web/a.test.ts")


async def test_secrets_of_the_environment_are_not_told(tmp_path: Path) -> None:
    leaky = TESTS + '\n\ndef test_leak():\n    assert "canary-0123456789" == ""\n'
    repo = a_repo(tmp_path / "repo", {**FILES, "test_calc.py": leaky.encode()})
    async with watched_host(tmp_path, CANARY_TOKEN="canary-0123456789") as (host, watcher):
        run = await host.run_tests(TestsSpec(repo=repo), flags={})
        await watcher.end_of(run)
    assert "canary" not in str(watcher.events(run)).replace("CANARY", "")


async def test_the_host_is_no_child_of_ours_and_in_a_session_of_its_own(desk, repo: Path) -> None:
    host, _ = desk
    await host.condition(None, flags={})
    pid = host.pid
    assert pid is not None
    assert parent_of(pid) != os.getpid()
    assert os.getsid(pid) != os.getsid(0)
    await host.close(runs="cancel")
    await until(lambda: not is_alive(pid))


async def test_a_host_that_was_killed_is_started_again_and_its_runs_are_over(
    desk, repo: Path, tmp_path: Path
) -> None:
    host, watcher = desk
    await host.limit(1)
    first, waiting = [await host.start(a_task(repo), flags={}) for _ in range(2)]
    await watcher.until(first, phase("search"))
    assert host.pid
    os.kill(host.pid, signal.SIGKILL)
    for run in (first, waiting):
        assert (await watcher.end_of(run)).verdict == "interrupted"
        stored = RunStore(state_in(tmp_path)).open(run)
        assert stored.summary().state is RunState.INTERRUPTED
    again = await host.start(a_task(repo), flags={})
    assert (await watcher.end_of(again)).verdict == "green"
    await until(lambda: not containers_of(first))


async def test_a_question_under_way_fails_with_a_next_step_when_the_host_dies(
    desk, repo: Path
) -> None:
    host, watcher = desk
    run = await host.start(a_task(repo), flags={})
    await watcher.end_of(run)
    failed: list[Infrastructure] = []

    async def ask() -> None:
        try:
            delta = {RepoPath("calc.py"): Content(data=FIXED.encode())}
            await host.check(CheckSpec(run=run, delta=delta))
        except Infrastructure as exc:
            failed.append(exc)

    assert host.pid
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: containers_of(run))
        os.kill(host.pid, signal.SIGKILL)
    (error,) = failed
    assert "ended unexpectedly" in error.message
    assert "try again" in error.remedy


async def test_a_run_of_another_host_is_cancelled_through_its_folder(
    desk, repo: Path, tmp_path: Path
) -> None:
    host, watcher = desk
    run = await host.start(a_task(repo), flags={})
    await watcher.until(run, phase("baseline"))
    async with watched_host(tmp_path) as (other, _):
        assert await other.cancel(run)
    assert (await watcher.end_of(run)).verdict == "interrupted"
    assert not await host.cancel(run)


async def test_an_interrupted_run_of_the_offline_search_goes_on(desk, repo: Path) -> None:
    host, watcher = desk
    run = await host.start(a_task(repo), flags={})
    await watcher.until(run, phase("search"))
    await host.cancel(run)
    await watcher.end_of(run)
    watcher.records.clear()
    assert await host.resume(run) == run
    assert (await watcher.end_of(run)).verdict == "green"
    (started,) = of_kind(watcher.events(run), RunStarted)
    assert started.resumed
    with pytest.raises(TaskError, match="is over"):
        await host.resume(run)


async def test_events_of_one_run_never_come_before_its_id(desk, repo: Path) -> None:
    host, watcher = desk
    known: list[RunId] = []
    unknown: list[Event] = []

    def told(run: RunId, record: Record) -> None:
        if run not in known:
            unknown.append(record.event)

    host.listen(told)
    for _ in range(5):
        run = await host.run_tests(TestsSpec(repo=repo, targets=("nix",)), flags={})
        known.append(run)
    for run in known:
        await watcher.end_of(run)
    assert unknown == []


async def test_a_notice_of_the_run_is_told(desk, tmp_path: Path) -> None:
    repo = a_repo(tmp_path / "repo", FILES)
    a_repo(repo / "inner", {"a.txt": b""})
    host, watcher = desk
    run = await host.run_tests(TestsSpec(repo=repo), flags={})
    await watcher.end_of(run)
    assert any("inner" in notice.text for notice in of_kind(watcher.events(run), Notice))
