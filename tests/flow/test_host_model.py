"""A model's run in a host: the host is killed in the middle, the next one goes on with it."""

import os
import signal
import sys
from pathlib import Path

import pytest

from agent.events import AttemptEnded, AttemptStarted, ModelAnswered, RunStarted
from agent.host.client import open_host
from agent.journal.store import RunStore
from agent.task import StrategyName, TaskSpec
from tests.support.hosts import Watcher, containers_of, is_alive, until
from tests.support.product import Desk, make_project
from tests.support.runs import of_kind
from tests.support.served import answers, configure, requests, say, served
from tests.support.shop import SHOP

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

MEND = {"path": "shop/basket.py", "old": "amount > FREE", "new": "amount >= FREE"}
LOOK = say("I look first.", ("view", {"path": "shop/basket.py"}))
WAIT = say("I measure.", ("bash", {"command": "sleep 1; echo done"}))
MEND_IT = say("The limit is part of it.", ("str_replace", MEND), ("submit", {"why": "the limit"}))


async def test_a_run_whose_host_was_killed_goes_on_where_its_log_ends(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    desk = Desk(home=tmp_path / "home", venv=Path(sys.prefix))
    repo = make_project(tmp_path / "shop", SHOP)
    watcher = Watcher()
    with served(desk, tmp_path, answers(LOOK, WAIT, MEND_IT)) as model:
        configure(desk, model.address)
        async with open_host(variables=desk.variables()) as host:
            host.listen(watcher)
            task = TaskSpec(repo=repo, strategy=StrategyName.MODEL, model="fake")
            run = await host.start(task, flags={})
            await watcher.until(run, lambda event: isinstance(event, ModelAnswered))
            killed = host.pid
            assert killed
            os.kill(killed, signal.SIGKILL)
            assert (await watcher.end_of(run)).verdict == "interrupted"

            watcher.records.clear()
            assert await host.resume(run) == run
            assert (await watcher.end_of(run)).verdict == "green"
            last = host.pid
        assert last
        await until(lambda: not is_alive(last))
        assert requests(model.sent) == 3, "no answer was asked for twice"
    (started,) = of_kind(watcher.events(run), RunStarted)
    assert started.resumed
    (attempt,) = of_kind(watcher.events(run), AttemptStarted)
    assert attempt.resumed_at >= 1
    assert [ended.how for ended in of_kind(watcher.events(run), AttemptEnded)] == ["green"]
    stored = RunStore(desk.state / "greenloop").open(run)
    numbers = [record.number for record in stored.records()]
    assert numbers == list(range(len(numbers)))
    assert containers_of(run) == []
