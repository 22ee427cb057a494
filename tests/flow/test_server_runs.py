"""Runs of a real server with a real engine: started, watched, ended, found again, gone on with."""

import json
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from tests.support.hosts import containers_of, state_in, until
from tests.support.lsp import Peer, Started, connected_peer, running_server, serving_port
from tests.support.repos import a_repo
from tests.support.runs import FILES
from tests.support.setup_wheel import ROOT
from tests.support.shop import FAILING, SHOP, SLOW_TEST

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

WAIT_S = 300.0
"""Bound of every wait: a whole run, on a machine that does much else."""

SCHEMA = json.loads((ROOT / "lsp_server" / "protocol.schema.json").read_text())
ABOVE = "test_calc.py::test_above"
OPTIONS = {"client": {"runs": True, "review": True, "tests": True, "progress": True}}
CAN = {"window": {"workDoneProgress": True}}


def a_shop(folder: Path, *, slow: bool = False) -> Path:
    more = {"tests/test_slow.py": SLOW_TEST} if slow else {}
    return a_repo(folder, {name: text.encode() for name, text in {**SHOP, **more}.items()})


def a_calculator(folder: Path) -> Path:
    """A repository whose failing test is mended in a few seconds."""
    return a_repo(folder, FILES)


@asynccontextmanager
async def an_editor(home: Path, repo: Path, **settings: str) -> AsyncGenerator[Started]:
    options = {**OPTIONS, "settings": settings}
    async with running_server(home=home, env=toolchain()) as server:
        await server.initialize(repo, options=options, capabilities=CAN)
        yield server


@asynccontextmanager
async def a_connection(port: int, repo: Path) -> AsyncGenerator[Peer]:
    stream = await anyio.connect_tcp("127.0.0.1", port)
    async with stream, connected_peer(stream) as peer:
        await peer.initialize(repo, options=OPTIONS, capabilities=CAN)
        yield peer


def toolchain() -> dict[str, str]:
    return {"VIRTUAL_ENV": str(Path(sys.executable).parents[1])}


async def start(server: Peer, repo: Path, *targets: str) -> str:
    params = {"kind": "fix", "folder": repo.as_uri(), "targets": list(targets)}
    answer = await server.request("greenloop/start", params)
    return str(answer["run"])


async def line_when(server: Peer, run: str, matches: Callable[[Any], bool]) -> Any:
    message = await server.wait_for(
        lambda each: (
            each.get("method") == "greenloop/run/changed"
            and each["params"]["run"] == run
            and matches(each["params"])
        ),
        WAIT_S,
    )
    return message["params"]


def fits(method: str, part: str, value: object) -> None:
    pointer = method.replace("/", "~1")
    Draft202012Validator({**SCHEMA, "$ref": f"#/methods/{pointer}/{part}"}).validate(value)


def over(line: Any) -> bool:
    return line["state"] in {"finished", "interrupted"}


def values_of(server: Peer, run: str) -> list[Any]:
    return [
        each["params"]["value"]
        for each in server.seen
        if each.get("method") == "$/progress" and each["params"]["token"].endswith(run)
    ]


async def test_a_start_is_watched_to_its_green_end(tmp_path):
    repo = a_shop(tmp_path / "shop")
    async with an_editor(tmp_path, repo) as server:
        begun = time.monotonic()
        run = await start(server, repo, FAILING)
        assert time.monotonic() - begun < 30  # and not the whole run, which takes longer here
        line = await line_when(server, run, over)
        assert (line["verdict"], line["canReview"], line["here"]) == ("green", True, True)
        line = await line_when(server, run, lambda line: "hunks" in line)
        assert line["hunks"] == {"open": 1, "accepted": 0, "rejected": 0}
        state = await server.request("greenloop/run", {"run": run})
        assert state["baseline"]["failing"] == [FAILING]
        assert state["failures"][0]["uri"] == (repo / "tests/test_basket.py").as_uri()
        assert state["log"][-1]["kind"] == "end"
        assert [each["number"] for each in state["log"]] == [*range(len(state["log"]))]
        await server.wait_for(lambda _: values_of(server, run)[-1]["kind"] == "end")
        kinds = [value["kind"] for value in values_of(server, run)]
        assert (kinds[0], kinds[-1]) == ("begin", "end")
        phases = {
            each["params"]["phase"]
            for each in server.seen
            if each.get("method") == "greenloop/run/changed"
        }
        assert {"baseline", "search", "gate"} <= phases
        fits("greenloop/run", "result", state)
        for message in server.seen:
            if message.get("method", "").startswith("greenloop/"):
                fits(message["method"], "params", message["params"])
        await server.leave()
        assert await server.exit_code() == 0


async def test_a_run_is_ended_from_its_progress_at_once_and_nothing_is_left(tmp_path):
    repo = a_shop(tmp_path / "shop", slow=True)
    async with an_editor(tmp_path, repo) as server:
        run = await start(server, repo)
        await line_when(server, run, lambda line: "of" in line["doing"] or "test" in line["doing"])
        await until(lambda: containers_of(run))
        await server.notify("window/workDoneProgress/cancel", {"token": f"greenloop/{run}"})
        line = await line_when(server, run, lambda line: line["doing"] == "being cancelled")
        assert line["canCancel"] is False
        line = await line_when(server, run, over)
        assert (line["state"], line["verdict"]) == ("interrupted", "interrupted")
        await server.wait_for(lambda _: values_of(server, run)[-1]["kind"] == "end")
        await until(lambda: not containers_of(run))
        assert await server.request("greenloop/cancel", {"run": run}) == {"cancelled": False}


async def test_a_cancel_is_answered_in_a_fifth_of_a_second(tmp_path):
    repo = a_shop(tmp_path / "shop", slow=True)
    async with an_editor(tmp_path, repo) as server:
        run = await start(server, repo)
        await line_when(server, run, lambda line: line["phase"] == "baseline")
        begun = time.monotonic()
        assert await server.command("greenloop.server.cancel", {"run": run}) == {"cancelled": True}
        spent_s = time.monotonic() - begun
        await line_when(server, run, over)
        assert spent_s < 1.0  # 0.2 s on a machine that does nothing else


async def test_two_runs_at_once_end_each_by_itself(tmp_path):
    repos = [a_calculator(tmp_path / name) for name in ("one", "two")]
    async with an_editor(tmp_path, repos[0]) as server:
        runs = [await start(server, repo, ABOVE) for repo in repos]
        for run, repo in zip(runs, repos, strict=True):
            line = await line_when(server, run, over)
            assert (line["verdict"], line["folder"]) == ("green", repo.as_uri())
        listed = await server.request("greenloop/runs", {})
        assert {each["run"] for each in listed["runs"]} == set(runs)
        only = await server.request("greenloop/runs", {"folder": repos[1].as_uri()})
        assert [each["run"] for each in only["runs"]] == [runs[1]]


async def test_a_killed_server_leaves_a_run_that_the_next_one_goes_on_with(tmp_path):
    repo = a_calculator(tmp_path / "calc")
    async with an_editor(tmp_path, repo) as server:
        run = await start(server, repo, ABOVE)
        await line_when(server, run, lambda line: line["phase"] in {"search", "gate"})
        server.process.send_signal(signal.SIGKILL)
        await server.exit_code()
    await until(lambda: not containers_of(run))
    async with an_editor(tmp_path, repo) as server:
        with anyio.fail_after(WAIT_S):
            while True:
                [line] = (await server.request("greenloop/runs", {}))["runs"]
                if over(line):
                    break
        assert (line["run"], line["state"], line["here"]) == (run, "interrupted", False)
        assert line["canResume"]
        assert await server.request("greenloop/resume", {"run": run}) == {"run": run}
        line = await line_when(server, run, lambda line: line["state"] == "finished")
        assert line["verdict"] == "green"
    assert (state_in(tmp_path) / "runs" / run / "patch.json").exists()


async def test_a_run_goes_on_without_its_editor_where_that_is_set(tmp_path):
    repo = a_shop(tmp_path / "shop")
    async with an_editor(tmp_path, repo, onExit="finish") as server:
        run = await start(server, repo, FAILING)
        await line_when(server, run, lambda line: line["phase"] == "baseline")
        await server.leave()
        assert await server.exit_code() == 0
    async with an_editor(tmp_path, repo) as server:
        [line] = (await server.request("greenloop/runs", {"folder": repo.as_uri()}))["runs"]
        assert (line["run"], line["state"], line["here"]) == (run, "running", False)
        line = await line_when(server, run, over)
        assert (line["verdict"], line["canReview"]) == ("green", True)
        assert values_of(server, run) == []


async def test_a_client_that_comes_back_finds_its_run_going_on(tmp_path):
    repo = a_shop(tmp_path / "shop", slow=True)
    with serving_port("--tcp", tmp_path, env=toolchain()) as (_, port):
        async with a_connection(port, repo) as first:
            run = await start(first, repo)
            await line_when(first, run, lambda line: line["phase"] == "baseline")
        async with a_connection(port, repo) as second:
            [line] = (await second.request("greenloop/runs", {}))["runs"]
            assert (line["run"], line["state"], line["here"]) == (run, "running", True)
            await second.request("greenloop/cancel", {"run": run})
            line = await line_when(second, run, over)
            assert line["state"] == "interrupted"
