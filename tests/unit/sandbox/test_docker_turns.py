"""An engine is not asked for too much at once, and one that hangs is told soon."""

import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox.docker.client import CALL_S, STARTS_AND_REMOVALS, Engine, connect
from sandbox.docker.vessel import remove
from sandbox.errors import EngineUnavailable


class BusyApi:
    """Counts how many removals go on side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = 0
        self.most = 0
        self.removed: list[str] = []

    def remove_container(self, name: str, **_: object) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1
            self.removed.append(name)


async def test_a_hundred_removals_take_turns() -> None:
    api: Any = BusyApi()
    engine = Engine(api=api, is_local=True, cpus=2, unenforced=())
    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(remove, engine, f"c{number}")
    assert len(api.removed) == 100
    assert api.most <= STARTS_AND_REMOVALS


def test_an_engine_that_accepts_and_says_nothing_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(EngineUnavailable, match="did not answer in time"):
            connect({"DOCKER_HOST": f"unix://{path}"}, timeout_s=1)


@pytest.mark.docker
def test_later_calls_have_more_time_than_the_first() -> None:
    engine = connect(os.environ)
    try:
        assert engine.api.timeout == CALL_S
    finally:
        engine.api.close()
