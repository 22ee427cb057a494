"""The front end's side of a host, as far as it goes without an engine."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import AgentError, ConfigError, Infrastructure
from agent.host import launch
from agent.host.api import TestsSpec
from agent.host.client import open_host
from agent.task import RunId, TaskSpec
from tests.support.hosts import Watcher, is_alive, until, variables_in

HEAVY = {"docker", "git", "httpx", "tree_sitter", "rich", "requests", "lsprotocol", "jsonschema"}


def test_nothing_heavy_is_imported_with_the_client() -> None:
    code = "import json, sys, agent.host.client; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(json.loads(done.stdout))


async def test_no_process_is_started_before_it_is_needed(tmp_path: Path) -> None:
    async with open_host(variables=variables_in(tmp_path)) as host:
        await host.limit(3)
        await host.wish("finish")
        assert host.pid is None
        await host.close(runs="cancel")


async def test_a_closed_host_is_not_started_again(tmp_path: Path) -> None:
    async with open_host(variables=variables_in(tmp_path)) as host:
        await host.close(runs="cancel")
        with pytest.raises(AgentError, match="closed with its editor"):
            await host.condition(None, flags={})


async def test_a_settings_file_that_cannot_be_read_is_the_answer_to_who_asks(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "config" / "greenloop"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("modle = 'x'\n")
    async with open_host(variables=variables_in(tmp_path)) as host:
        for _ in range(2):
            with pytest.raises(ConfigError, match=r"config.toml:1.*unknown setting 'modle'"):
                await host.start(TaskSpec(repo=tmp_path), flags={})
        pid = host.pid
    assert pid
    await until(lambda: not is_alive(pid))


async def test_an_error_that_leaves_the_context_stays_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mine"):
        async with open_host(variables=variables_in(tmp_path)):
            raise ConfigError("mine")


async def test_an_interpreter_that_cannot_start_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch.sys, "executable", str(tmp_path / "gone"))
    async with open_host(variables=variables_in(tmp_path)) as host:
        with pytest.raises(Infrastructure, match="cannot be started: No such file"):
            await host.condition(None, flags={})


async def test_a_host_that_ends_at_once_is_one_line_and_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(launch, "MODULE", "agent.no_such_module")
    async with open_host(variables=variables_in(tmp_path)) as host:
        with pytest.raises(Infrastructure, match=r"at its start.*No module named"):
            await host.condition(None, flags={})
    assert "No module named agent.no_such_module" in caplog.text


async def test_a_listener_that_fails_costs_the_others_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(run: RunId, _record: object) -> None:
        raise ValueError(run)

    watcher = Watcher()
    async with open_host(variables=variables_in(tmp_path)) as host:
        host.listen(broken)
        host.listen(watcher)
        run = await host.run_tests(TestsSpec(repo=tmp_path), flags={})
        finished = await watcher.end_of(run)
    assert "no git repository" in finished.message or "repository" in finished.message
    assert "could not be taken in" in caplog.text


async def test_what_was_wished_and_bounded_before_the_host_was_there_reaches_it(
    tmp_path: Path,
) -> None:
    async with open_host(variables=variables_in(tmp_path)) as host:
        await host.limit(1)
        await host.condition(None, flags={})
        first = host.pid
        assert first
        os.kill(first, signal.SIGKILL)
        await until(lambda: host.pid is None)
        await host.condition(None, flags={})
        assert host.pid != first


async def test_a_folder_that_shadows_modules_is_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "__init__.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    async with open_host(variables=variables_in(tmp_path)) as host:
        assert (await host.condition(None, flags={})).repository == ""
