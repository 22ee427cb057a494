"""Hosts of the engine under test: their environment, what they tell, and whether they still live.

Run as a program it is a front end that starts runs and then waits to be killed:
python -m tests.support.hosts REPOSITORY WISH RUNS RUNS_AT_ONCE
It prints one JSON object a line: the host's pid and the runs, then each event's name.
"""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import docker

from agent.config import host_variables
from agent.events import Event, RunFinished
from agent.host.client import RemoteHost, open_host
from agent.journal.records import Record
from agent.task import RunId, TaskSpec

PASSED_ON = ("DOCKER_", "COVERAGE_", "COV_")
WAIT_S = 100.0
"""Bound of every wait: far beyond what is needed, on a machine that does much else."""


def variables_in(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment whose state and settings lie in the folder."""
    passed = {key: text for key, text in os.environ.items() if key.startswith(PASSED_ON)}
    return {
        "PATH": os.defpath,
        "HOME": str(Path.home()),
        "VIRTUAL_ENV": sys.prefix,
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        **passed,
        **more,
    }


def state_in(folder: Path) -> Path:
    return folder / "state" / "greenloop"


class Watcher:
    """Gathers what a host tells."""

    def __init__(self) -> None:
        self.records: dict[RunId, list[Record]] = {}
        self._news = anyio.Event()

    def __call__(self, run: RunId, record: Record) -> None:
        self.records.setdefault(run, []).append(record)
        self._news.set()
        self._news = anyio.Event()

    def events(self, run: RunId) -> list[Event]:
        return [record.event for record in self.records.get(run, [])]

    async def until(self, run: RunId, wanted: Callable[[Event], bool]) -> Event:
        """Wait for an event of a run."""
        with anyio.fail_after(WAIT_S):
            while True:
                news = self._news
                events = self.events(run)
                for event in events:
                    if wanted(event):
                        return event
                assert not any(isinstance(event, RunFinished) for event in events), events
                await news.wait()

    async def end_of(self, run: RunId) -> RunFinished:
        event = await self.until(run, lambda event: isinstance(event, RunFinished))
        assert isinstance(event, RunFinished)
        return event


@asynccontextmanager
async def watched_host(folder: Path, **more: str) -> AsyncIterator[tuple[RemoteHost, Watcher]]:
    """Open a host with an environment of its own."""
    watcher = Watcher()
    async with open_host(variables=variables_in(folder, **more)) as host:
        host.listen(watcher)
        yield host, watcher
        pid = host.pid
    if pid:
        await until(lambda: not is_alive(pid))


async def until(condition: Callable[[], object], wait_s: float = WAIT_S) -> None:
    """Wait until something is so that nobody tells."""
    with anyio.fail_after(wait_s):
        while not await anyio.to_thread.run_sync(condition):  # noqa: ASYNC110 - nobody tells
            await anyio.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def containers_of(run: str) -> list[str]:
    """Return the containers of a run, running or not."""
    client = docker.from_env()
    try:
        every = client.api.containers(all=True)
        return [each["Names"][0] for each in every if run in each["Labels"].values()]
    finally:
        client.close()


async def _front_end(repo: Path, wish: str, runs: int, runs_at_once: int) -> None:
    def say(**told: object) -> None:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    async with open_host(variables=host_variables()) as host:
        host.listen(lambda run, record: say(run=run, event=type(record.event).__name__))
        await host.wish("finish" if wish == "finish" else "cancel")
        await host.limit(runs_at_once)
        started = [await host.start(TaskSpec(repo=repo), flags={}) for _ in range(runs)]
        say(host=host.pid, runs=started)
        await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(_front_end, Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
