"""The runs of a process and of others: what clients are told, and what they can ask for."""

import json
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from jsonschema import Draft202012Validator

from agent.errors import Infrastructure
from agent.events import BaseTaken, Notice, PhaseStarted, RunFinished, RunStarted, TestsProgress
from agent.host.api import TestsSpec
from agent.journal.store import RunStore
from agent.task import RunId, TaskSpec
from lsp_server.convert import uri_of
from lsp_server.core import Core, core_over
from lsp_server.runs.album import OVER_KEPT
from lsp_server.runs.as_json import line_to_json, state_to_json
from lsp_server.runs.registry import ACKNOWLEDGED_S
from lsp_server.runs.state import State
from lsp_server.wire.errors import ClientRefused, Refused
from tests.support.cli import TEST, a_stored_run, all_events
from tests.support.fake_host import FakeClient, FakeHost
from tests.support.setup_wheel import ROOT

SCHEMA = json.loads((ROOT / "lsp_server" / "protocol.schema.json").read_text())
BASE = BaseTaken(commit="", tree="ab" * 20, dirty_files=0)


class Desk:
    """A core over a fake host, and clients of it."""

    def __init__(self, core: Core, host: FakeHost, repo: Path, tasks: Any) -> None:
        self.core = core
        self.runs = core.runs
        self.host = host
        self.repo = repo
        self._tasks = tasks

    def client(self, **wishes: bool) -> FakeClient:
        client = FakeClient(self._tasks, **wishes)
        self.runs.join(client)
        return client

    async def start(self, client: FakeClient, **others: Any) -> str:
        task = TaskSpec(repo=self.repo, targets=(TEST,))
        return await self.runs.start(client, task, **{**self._about(), "title": "Fix it", **others})

    async def run_tests(self, client: FakeClient) -> str:
        return await self.runs.run_tests(
            client, TestsSpec(repo=self.repo), **self._about(), title="Run all tests"
        )

    def _about(self) -> dict[str, Any]:
        return {"folder_uri": uri_of(self.repo), "flags": {}, "token": None}


@asynccontextmanager
async def a_desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    repo = tmp_path / "repo"
    (repo / ".git").mkdir(parents=True, exist_ok=True)
    variables = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    host = FakeHost(tmp_path / "state" / "greenloop")
    async with core_over(host, variables) as core, anyio.create_task_group() as tasks:
        yield Desk(core, host, repo, tasks)
        host.die()
        tasks.cancel_scope.cancel()


def changed(client: FakeClient) -> list[Any]:
    return list(client.of("greenloop/run/changed"))


def progress(client: FakeClient) -> list[Any]:
    return [each["value"] for each in client.of("$/progress")]


def fits(name: str, value: object) -> None:
    Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{name}"}).validate(value)


async def test_a_start_answers_with_an_id_and_the_run_waits_for_its_turn(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        run = await desk.start(client)
        line = desk.runs.line(run)
        assert line is not None
        assert (line.state, line.title, line.top, line.here) == (
            State.WAITING,
            "Fix it",
            desk.repo,
            True,
        )
        await client.until(changed)
        assert changed(client)[0]["state"] == "waiting"


async def test_what_clients_are_told_fits_the_protocol(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        run = await desk.start(client)
        desk.host.tell(run, *all_events(run, str(desk.repo))[:-1])
        desk.host.finish(run, "green", "1 test fixed", confidence="likely")
        await client.until(lambda each: changed(each) and changed(each)[-1]["state"] == "finished")
        for line in changed(client):
            fits("RunLine", line)
        for told in client.of("greenloop/run/log"):
            for line in told["lines"]:
                fits("LogLine", line)
        state = state_to_json(await desk.runs.whole(run), await desk.runs.lines(run, 0))
        fits("RunState", state)
        lines = [line for told in client.of("greenloop/run/log") for line in told["lines"]]
        assert lines == state["log"]
        assert [line["number"] for line in lines] == list(range(len(lines)))


async def test_many_events_make_few_messages_and_the_last_is_always_told(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        run = await desk.start(client)
        desk.host.begin(run, desk.repo)
        desk.host.tell(run, PhaseStarted(phase="baseline"))
        for finished in range(500):
            desk.host.tell(run, TestsProgress(finished=finished, failed=0, total=500))
            if finished % 50 == 0:
                await anyio.lowlevel.checkpoint()
        begun = time.monotonic()
        await client.until(
            lambda each: changed(each) and changed(each)[-1]["doing"] == "499 of 500 tests"
        )
        assert len(changed(client)) <= 3 + 10 * (time.monotonic() - begun + 0.5)


async def test_a_client_that_draws_no_runs_gets_progress_only(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client(runs=False)
        run = await desk.start(client)
        desk.host.begin(run, desk.repo)
        desk.host.tell(run, PhaseStarted(phase="baseline"))
        desk.host.finish(run, "none", "nothing found")
        await client.until(lambda each: progress(each) and progress(each)[-1]["kind"] == "end")
        assert {method for method, _ in client.seen} == {"$/progress"}
        assert client.asked[0][0] == "window/workDoneProgress/create"
        values = progress(client)
        assert values[0] == {"kind": "begin", "title": "Fix it", "cancellable": True}
        assert values[-1] == {"kind": "end", "message": "no fix found: nothing found"}
        assert desk.runs.run_of(client, f"greenloop/{run}") is None  # dropped with its end


async def test_a_client_that_draws_runs_itself_gets_no_progress_unasked(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client(progress=False)
        run = await desk.start(client)
        desk.host.finish(run, "none")
        await client.until(lambda each: changed(each) and changed(each)[-1]["state"] == "finished")
        assert client.asked == []
        assert progress(client) == []


async def test_progress_of_a_run_of_tests_has_a_percentage(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client(runs=False)
        run = await desk.run_tests(client)
        desk.host.begin(run, desk.repo, kind="test")
        desk.host.tell(
            run, PhaseStarted(phase="baseline"), TestsProgress(finished=1, failed=0, total=4)
        )
        await client.until(lambda each: any("percentage" in value for value in progress(each)))
        desk.host.finish(run, "passed", "4 tests passed")
        await client.until(lambda each: progress(each)[-1]["kind"] == "end")
        reports = [value for value in progress(client) if "percentage" in value]
        assert reports[0]["percentage"] == 25
        assert progress(client)[-1]["message"] == "passed: 4 tests passed"


async def test_a_token_of_the_client_serves_where_it_cannot_be_asked_for_one(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client(runs=False, can_make_progress=False)
        run = await desk.start(client, token="mine")
        desk.host.begin(run, desk.repo)
        await client.until(progress)
        assert desk.runs.run_of(client, "mine") == run
        assert client.asked == []


async def test_a_client_that_refuses_a_token_is_not_asked_again(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        client.refuses = ClientRefused(-32603, "no progress here")
        first = await desk.start(client)
        desk.host.begin(first, desk.repo)
        await client.until(lambda each: each.asked)
        desk.host.finish(first)
        second = await desk.start(client)
        desk.host.finish(second)
        await client.until(
            lambda each: [line for line in changed(each) if line["state"] == "finished"][1:]
        )
        assert len(client.asked) == 1
        assert progress(client) == []


async def test_a_cancel_is_acknowledged_before_the_clean_up_is_done(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        run = await desk.start(client)
        desk.host.begin(run, desk.repo)
        desk.host.slowness_s = 3 * ACKNOWLEDGED_S
        begun = time.monotonic()
        assert await desk.runs.cancel(run) is True
        assert time.monotonic() - begun < 2.5 * ACKNOWLEDGED_S
        await client.until(lambda each: any(x["doing"] == "being cancelled" for x in changed(each)))
        await client.until(lambda each: changed(each)[-1]["state"] == "interrupted")
        assert changed(client)[-1]["verdict"] == "interrupted"
        assert await desk.runs.cancel(run) is False


async def test_a_cancel_that_fails_is_told_and_the_run_goes_on(tmp_path):
    async with a_desk(tmp_path) as desk:
        run = await desk.start(desk.client())
        desk.host.begin(run, desk.repo)
        desk.host.refusal = Infrastructure("no host", remedy="Try again.")
        with pytest.raises(Infrastructure, match="no host"):
            await desk.runs.cancel(run)
        line = desk.runs.line(run)
        assert line is not None
        assert line.can_cancel


async def test_what_is_not_there_is_refused_as_not_found(tmp_path):
    async with a_desk(tmp_path) as desk:
        for ask in (desk.runs.cancel, desk.runs.whole, desk.runs.find):
            for name in ("20260101-000000-0000", "", "last", "../..", "a\nb" * 100):
                with pytest.raises(Refused) as refused:
                    await ask(name)
                assert refused.value.kind == "not_found"
        assert await desk.runs.picture("20260101-000000-0000") is None


async def test_a_run_goes_on_when_its_client_leaves_and_another_finds_it(tmp_path):
    async with a_desk(tmp_path) as desk:
        first = desk.client()
        run = await desk.start(first)
        desk.host.begin(run, desk.repo)
        desk.runs.leave(first)
        second = desk.client(runs=True)
        desk.host.tell(run, PhaseStarted(phase="search"))
        await second.until(lambda each: changed(each) and changed(each)[-1]["phase"] == "search")
        [line] = await desk.runs.newest(top=desk.repo, limit=5)
        assert (line.run, line.state, line.title) == (run, State.RUNNING, "Fix it")
        await second.until(progress)  # and is shown its progress
        told_before = len(first.seen)
        desk.host.finish(run)
        await second.until(lambda each: changed(each)[-1]["state"] == "finished")
        assert len(first.seen) == told_before


async def test_two_clients_have_a_progress_each_and_either_can_end_the_run(tmp_path):
    async with a_desk(tmp_path) as desk:
        one, two = desk.client(runs=False), desk.client(runs=False)
        run = await desk.start(one)
        desk.host.begin(run, desk.repo)
        for client in (one, two):
            await client.until(progress)
            assert desk.runs.run_of(client, f"greenloop/{run}") == run
        assert await desk.runs.cancel(run)
        for client in (one, two):
            await client.until(lambda each: progress(each)[-1]["kind"] == "end")


async def test_runs_of_the_store_are_listed_newest_first_with_those_under_way(tmp_path):
    async with a_desk(tmp_path) as desk:
        old = a_stored_run(desk.core.state_dir, desk.repo)
        elsewhere = tmp_path / "elsewhere"
        (elsewhere / ".git").mkdir(parents=True)
        other = a_stored_run(desk.core.state_dir, elsewhere)
        run = await desk.start(desk.client())
        desk.host.begin(run, desk.repo)
        lines = await desk.runs.newest(top=None, limit=10)
        assert {line.run for line in lines} == {run, old.run, other.run}
        assert lines[0].run == run
        assert [line.run for line in await desk.runs.newest(top=elsewhere, limit=10)] == [other.run]
        assert len(await desk.runs.newest(top=None, limit=1)) == 1
        [stored] = [line for line in lines if line.run == old.run]
        assert (stored.state, stored.verdict, stored.here) == (State.FINISHED, "green", False)
        for line in lines:
            fits("RunLine", line_to_json(line))
        state = await desk.runs.whole(old.run)
        assert len(state.options) == 2
        fits("RunState", state_to_json(state, await desk.runs.lines(old.run, 0)))


async def test_a_repository_is_the_same_by_whatever_link_it_is_opened(tmp_path):
    async with a_desk(tmp_path) as desk:
        old = a_stored_run(desk.core.state_dir, desk.repo)
        run = await desk.start(desk.client())
        link = tmp_path / "link"
        link.symlink_to(desk.repo)
        lines = await desk.runs.newest(top=link, limit=5)
        assert {line.run for line in lines} == {old.run, run}


async def test_what_cannot_be_read_in_the_store_hides_nothing_else(tmp_path):
    async with a_desk(tmp_path) as desk:
        kept = a_stored_run(desk.core.state_dir, desk.repo)
        folder = desk.core.state_dir / "runs"
        (folder / "notes.txt").write_text("mine")
        (folder / "20260101-000000-dead").mkdir()
        later = folder / "20260101-000000-beef"
        later.mkdir()
        (later / "journal.jsonl").write_text('{"version": 99, "number": 0}\n')
        lines = await desk.runs.newest(top=None, limit=10)
        assert kept.run in {line.run for line in lines}
        assert "20260101-000000-dead" not in {line.run for line in lines}


async def test_a_run_of_another_process_is_followed_while_somebody_watches(tmp_path):
    async with a_desk(tmp_path) as desk:
        store = RunStore(desk.core.state_dir)
        client = desk.client()
        with store.new_run(TaskSpec(repo=desk.repo)) as writer:
            run = writer.run
            for event in all_events(run, str(desk.repo))[:5]:
                writer.append(event)
            [line] = await desk.runs.newest(top=None, limit=5)
            assert (line.state, line.here, line.can_cancel) == (State.RUNNING, False, True)
            writer.append(Notice(level="info", text="from far away"))
            await client.until(
                lambda each: any(
                    "from far away" in line["text"]
                    for told in each.of("greenloop/run/log")
                    for line in told["lines"]
                )
            )
            writer.append(RunFinished(verdict="none", confidence="", message="no", wall_s=1.0))
            await client.until(lambda each: changed(each)[-1]["state"] == "finished")
        assert progress(client) == []  # only runs of this process have one


async def test_a_run_of_another_process_that_dies_is_told_as_interrupted(tmp_path):
    async with a_desk(tmp_path) as desk:
        store = RunStore(desk.core.state_dir)
        client = desk.client()
        with store.new_run(TaskSpec(repo=desk.repo)) as writer:
            for event in all_events(writer.run, str(desk.repo))[:5]:
                writer.append(event)
            await desk.runs.newest(top=None, limit=5)
        await client.until(lambda each: changed(each) and changed(each)[-1]["canResume"])
        assert changed(client)[-1]["state"] == "interrupted"


async def test_a_run_of_another_process_that_still_waits_is_told_so(tmp_path):
    async with a_desk(tmp_path) as desk:
        with RunStore(desk.core.state_dir).new_run(TaskSpec(repo=desk.repo)) as writer:
            [line] = await desk.runs.newest(top=desk.repo, limit=5)
            assert (line.run, line.state, line.top) == (writer.run, State.WAITING, desk.repo)
            assert (await desk.runs.whole(writer.run)).line == line


async def test_a_run_whose_folder_is_deleted_is_over_and_then_not_found(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        with RunStore(desk.core.state_dir).new_run(TaskSpec(repo=desk.repo)) as writer:
            writer.append(all_events(writer.run, str(desk.repo))[0])
            await desk.runs.newest(top=None, limit=5)
            shutil.rmtree(writer.path)
            await client.until(
                lambda each: changed(each) and changed(each)[-1]["state"] == "interrupted"
            )
        assert await desk.runs.newest(top=None, limit=5) == []
        with pytest.raises(Refused, match="there is no run"):
            await desk.runs.whole(writer.run)


async def test_a_run_of_ours_that_another_process_goes_on_with_is_seen_to(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        run = await desk.start(client)
        desk.host.begin(run, desk.repo)
        desk.host.tell(run, BASE)
        desk.host.finish(run, "interrupted")
        await client.until(lambda each: changed(each)[-1]["canResume"])
        with RunStore(desk.core.state_dir).reopen(RunId(run)) as writer:
            writer.append(all_events(run, str(desk.repo))[0])
            state = await desk.runs.whole(run)
            assert state.line.state is State.RUNNING
            await client.until(lambda each: changed(each)[-1]["state"] == "running")
            writer.append(RunFinished(verdict="none", confidence="", message="no", wall_s=1.0))
            await client.until(lambda each: changed(each)[-1]["state"] == "finished")


async def test_a_change_of_a_stored_runs_review_is_told(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        old = a_stored_run(desk.core.state_dir, desk.repo)
        desk.runs.touch(old.run)
        desk.runs.touch("20260101-000000-0000")  # deleted meanwhile: nothing to tell
        await client.until(changed)
        assert [line["run"] for line in changed(client)] == [old.run]


async def test_an_interrupted_run_of_the_store_is_resumed_in_its_own_log(tmp_path):
    async with a_desk(tmp_path) as desk:
        with RunStore(desk.core.state_dir).new_run(TaskSpec(repo=desk.repo)) as writer:
            run = writer.run
            for event in all_events(run, str(desk.repo))[:5]:
                writer.append(event)
        client = desk.client()
        before = await desk.runs.lines(run, 0)
        assert await desk.runs.resume(client, run, token=None) == run
        assert changed(client)[-1]["state"] == "waiting"  # told before the answer
        assert (await desk.runs.find(run)).verdict == ""
        desk.host.begin(run, desk.repo, resumed=True)
        await client.until(lambda each: changed(each) and changed(each)[-1]["state"] == "running")
        after = await desk.runs.lines(run, 0)
        assert [*after[: len(before)]] == [*before]
        assert after[-1].text.startswith(f"run {run}")
        assert changed(client)[-1]["here"] is True
        desk.host.finish(run, "none")
        await client.until(lambda each: changed(each)[-1]["state"] == "finished")


async def test_what_is_over_or_going_on_cannot_be_resumed(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        done = a_stored_run(desk.core.state_dir, desk.repo)
        going = await desk.start(client)
        desk.host.begin(going, desk.repo)
        for run, why in ((done.run, "is over: green"), (going, "still going on")):
            with pytest.raises(Refused, match=why) as refused:
                await desk.runs.resume(client, run, token=None)
            assert refused.value.kind == "bad_request"


async def test_a_resume_that_the_host_refuses_leaves_the_run_as_it_was(tmp_path):
    async with a_desk(tmp_path) as desk:
        with RunStore(desk.core.state_dir).new_run(TaskSpec(repo=desk.repo)) as writer:
            writer.append(all_events(writer.run, str(desk.repo))[0])
            writer.append(BASE)
        desk.host.refusal = Infrastructure("no engine")
        with pytest.raises(Infrastructure):
            await desk.runs.resume(desk.client(), writer.run, token=None)
        line = await desk.runs.find(writer.run)
        assert (line.state, line.can_resume, line.here) == (State.INTERRUPTED, True, False)


async def test_listeners_hear_every_event_until_they_stop(tmp_path):
    async with a_desk(tmp_path) as desk:
        heard: list[str] = []
        stop = desk.runs.listen(lambda run, record: heard.append(type(record.event).__name__))
        run = await desk.run_tests(desk.client())
        desk.host.begin(run, desk.repo, kind="test")
        desk.host.finish(run, "passed")
        assert heard == ["RunStarted", "RunFinished"]
        stop()
        desk.host.tell(run, Notice(level="info", text="x"))
        assert len(heard) == 2


async def test_an_error_of_ours_in_one_run_reaches_no_other(tmp_path, caplog):
    async with a_desk(tmp_path) as desk:
        heard: list[str] = []
        client = desk.client()

        def fail(run: str, record: object) -> None:
            raise RuntimeError("broken listener")

        desk.runs.listen(fail)
        desk.runs.listen(lambda run, record: heard.append(run))
        run = await desk.start(client)
        # A count that is none: such an event should never come, and must not end the others.
        desk.host.tell(run, TestsProgress(finished="x", failed=0, total=1))
        desk.host.begin(run, desk.repo)
        await client.until(lambda each: changed(each)[-1]["state"] == "running")
        assert heard == [run, run]
        assert "broken listener" in caplog.text


async def test_only_so_many_runs_that_are_over_stay_in_memory(tmp_path):
    async with a_desk(tmp_path) as desk:
        client = desk.client()
        runs = []
        for _ in range(OVER_KEPT + 5):
            runs.append(await desk.start(client))
            desk.host.tell(
                runs[-1],
                RunStarted(
                    run=runs[-1],
                    kind="fix",
                    repo=str(desk.repo),
                    targets=(),
                    strategy="offline",
                    tool_version="0",
                ),
            )
            desk.host.finish(runs[-1], "none", "no")
        await client.until(
            lambda _: sum(desk.runs.line(run) is not None for run in runs) <= OVER_KEPT
        )
        line = await desk.runs.find(runs[0])
        assert (line.verdict, line.here) == ("none", True)


async def test_a_broken_configuration_still_shows_the_runs(tmp_path):
    config = tmp_path / ".config" / "greenloop"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("backend = 3\n")
    async with a_desk(tmp_path) as desk:
        kept = a_stored_run(desk.core.state_dir, desk.repo)
        assert [line.run for line in await desk.runs.newest(top=None, limit=5)] == [kept.run]
