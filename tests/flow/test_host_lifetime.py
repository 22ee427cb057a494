"""A host whose front end is killed: nothing is left behind, or everything is carried to its end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.to_thread
import pytest

from agent.journal.store import RunStore
from agent.journal.stored import RunState
from tests.support.hosts import containers_of, is_alive, parent_of, state_in, until, variables_in
from tests.support.repos import a_repo
from tests.support.runs import FILES

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class FrontEnd:
    """A front end in a process of its own, and the host that it has started."""

    process: "subprocess.Popen[str]"
    host: int
    runs: tuple[str, ...]

    async def heard(self, event: str) -> None:
        """Wait until it was told an event of that name."""

        def read() -> None:
            for told in self.told():
                if told.get("event") == event:
                    return
            raise AssertionError(f"{event} was never told")

        await anyio.to_thread.run_sync(read)

    def told(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout
        return map(json.loads, self.process.stdout)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return a_repo(tmp_path / "repo", FILES)


def a_front_end(repo: Path, folder: Path, *, wish: str, runs: int, at_once: int) -> FrontEnd:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.hosts", repo, wish, str(runs), str(at_once)],
        cwd=ROOT,
        env=variables_in(folder),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    for line in process.stdout:
        told = json.loads(line)
        if "host" in told:
            return FrontEnd(process=process, host=told["host"], runs=tuple(told["runs"]))
    raise AssertionError("the front end said nothing of its host")


class OpenFrontEnd(Protocol):
    """Starts a front end over the repository of the test."""

    async def __call__(self, *, wish: str, runs: int = 1) -> FrontEnd: ...


@pytest.fixture
def open_front_end(repo: Path, tmp_path: Path) -> Iterator[OpenFrontEnd]:
    """Start front ends that carry out one run at a time; end whatever the test has left."""
    opened: list[FrontEnd] = []

    async def open_one(*, wish: str, runs: int = 1) -> FrontEnd:
        front = await anyio.to_thread.run_sync(
            lambda: a_front_end(repo, tmp_path, wish=wish, runs=runs, at_once=1)
        )
        opened.append(front)
        return front

    yield open_one
    for front in opened:
        front.process.kill()
        front.process.communicate()
        if is_alive(front.host):
            os.kill(front.host, signal.SIGKILL)


def states(folder: Path, front: FrontEnd) -> list[RunState]:
    store = RunStore(state_in(folder))
    return [store.open(run).summary().state for run in front.runs]


async def test_a_killed_front_end_takes_its_runs_along_by_default(
    tmp_path: Path, open_front_end: OpenFrontEnd
) -> None:
    front = await open_front_end(wish="cancel", runs=2)
    await front.heard("EnvironmentChosen")
    assert containers_of(front.runs[0])
    front.process.kill()

    await until(lambda: not is_alive(front.host))
    assert containers_of(front.runs[0]) == []
    assert states(tmp_path, front) == [RunState.INTERRUPTED, RunState.INTERRUPTED]
    finished = RunStore(state_in(tmp_path)).open(front.runs[0]).summary().finished
    assert finished is not None, "the run's end is on record, not only the death of its process"


async def test_a_killed_front_end_that_wished_so_has_its_runs_finished_the_waiting_ones_too(
    tmp_path: Path, open_front_end: OpenFrontEnd
) -> None:
    front = await open_front_end(wish="finish", runs=2)
    await front.heard("EnvironmentChosen")
    front.process.kill()

    await until(lambda: not is_alive(front.host), wait_s=250)
    assert states(tmp_path, front) == [RunState.FINISHED, RunState.FINISHED]
    for run in front.runs:
        result = RunStore(state_in(tmp_path)).open(run).result()
        assert result is not None
        assert result["verdict"] == "green"
        assert containers_of(run) == []


async def test_an_editor_that_kills_all_below_its_server_does_not_reach_the_host(
    tmp_path: Path, open_front_end: OpenFrontEnd
) -> None:
    front = await open_front_end(wish="finish")
    assert parent_of(front.host) not in {front.process.pid, os.getpid()}
    assert os.getpriority(os.PRIO_PROCESS, front.host) > os.getpriority(os.PRIO_PROCESS, 0)
    os.killpg(front.process.pid, signal.SIGKILL)
    await until(lambda: not is_alive(front.host), wait_s=250)
    assert states(tmp_path, front) == [RunState.FINISHED]


async def test_a_host_that_is_asked_to_end_cleans_up_whatever_was_wished(
    tmp_path: Path, open_front_end: OpenFrontEnd
) -> None:
    front = await open_front_end(wish="finish")
    await front.heard("EnvironmentChosen")
    os.kill(front.host, signal.SIGTERM)
    await front.heard("RunFinished")
    await until(lambda: not is_alive(front.host))
    assert states(tmp_path, front) == [RunState.INTERRUPTED]
    assert containers_of(front.runs[0]) == []


async def test_a_run_that_goes_on_alone_can_be_cancelled_from_elsewhere(
    tmp_path: Path, open_front_end: OpenFrontEnd
) -> None:
    from agent.journal.ending import ask_to_end

    front = await open_front_end(wish="finish")
    await front.heard("EnvironmentChosen")
    front.process.kill()
    assert ask_to_end(RunStore(state_in(tmp_path)).open(front.runs[0]))
    await until(lambda: not is_alive(front.host))
    assert states(tmp_path, front) == [RunState.INTERRUPTED]
    assert not ask_to_end(RunStore(state_in(tmp_path)).open(front.runs[0]))
