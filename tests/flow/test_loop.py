"""The model strategies in whole runs: real containers, a real gate, a scripted model."""

import os
import sys
from pathlib import Path

import pytest

from agent.context.entries import Judged
from agent.context.log import read_log
from agent.events import AttemptEnded, CandidateProposed, Event, Notice, VerdictReached
from agent.job import Strategy
from agent.loop.auto import OfflineThenModel
from agent.models.fake.scripted import ScriptedModel
from agent.repair.offline import OfflineSearch
from agent.run import Parts, run_task
from agent.verify.verdict import Confidence
from sandbox.docker import DockerEngine
from tests.support.loop import a_loop, call, give_up, say, submit
from tests.support.repos import a_repo
from tests.support.runs import BUGGY, FILES, a_task, of_kind, some_parts

pytestmark = pytest.mark.docker

VARIABLES = {"PATH": os.defpath, "HOME": str(Path.home()), "VIRTUAL_ENV": sys.prefix}
HALF = call(
    "str_replace",
    path="calc.py",
    old="    if value > high:\n        return low",
    new="    if value > high:\n        return high - 1",
)
WHOLE = call(
    "str_replace", path="calc.py", old="        return high - 1", new="        return high"
)
FIX = call(
    "str_replace",
    path="calc.py",
    old="    if value > high:\n        return low",
    new="    if value > high:\n        return high",
)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def parts_for(tmp_path: Path, events: list[Event]):
    def make(strategy: Strategy) -> Parts:
        return some_parts(
            strategy,
            engine=DockerEngine(variables=os.environ),
            state_dir=tmp_path / "state",
            variables=VARIABLES,
            events=events,
        )

    return make


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return a_repo(tmp_path / "repo", FILES)


async def test_what_the_gate_finds_leads_the_model_to_green(repo, parts_for, events):
    script = [
        say(HALF, call("run_tests"), submit("one less")),
        say(WHOLE, call("run_tests"), submit("low was returned for high")),
    ]
    parts = parts_for(a_loop(script))
    result = await run_task(a_task(repo), parts)
    assert result.verdict == "green"
    assert result.strategy == "model"
    assert [event.verdict for event in of_kind(events, VerdictReached)] == ["unchanged", "green"]
    log = read_log(parts.run_dir / "attempt-1")
    assert [entry.verdict for entry in log if isinstance(entry, Judged)] == ["unchanged", "green"]
    assert of_kind(events, AttemptEnded)[0].how == "green"
    assert (repo / "calc.py").read_text() == BUGGY


async def test_attempts_that_agree_are_likely(repo, parts_for, events):
    script = [say(FIX, submit("low was returned for high"))] * 2
    result = await run_task(a_task(repo), parts_for(a_loop(script, attempts=2)))
    assert result.verdict == "green"
    assert result.confidence is Confidence.LIKELY
    assert "2 of 2 attempts of the model are green, all with this change" in result.notes
    assert len(of_kind(events, CandidateProposed)) == 1


async def test_the_model_goes_on_where_the_offline_search_ends(tmp_path, parts_for, events):
    broken = BUGGY.replace("value + value", "value + value + value - 1 if value > 7 else low()")
    tests = FILES["test_calc.py"].replace(b"assert double(2) == 4", b"assert double(2) == 4.5")
    repo = a_repo(tmp_path / "repo", {"calc.py": broken.encode(), "test_calc.py": tests})
    model = ScriptedModel([say(give_up("4.5 is not twice 2"))])
    offline = OfflineSearch(search_s=5, candidates=200)
    strategy = OfflineThenModel(offline, a_loop(model))
    target = "test_calc.py::test_double"
    result = await run_task(a_task(repo, target), parts_for(strategy))
    assert result.verdict == "none"
    assert result.strategy == "auto"
    assert "4.5 is not twice 2" in result.message
    assert any("a model goes on" in event.text for event in of_kind(events, Notice))
    opening = model.asked[0].messages[0].text
    assert "No small edit" in opening
