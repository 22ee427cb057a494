"""One task carried through, with a strategy that follows a script, in real containers."""

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from agent.errors import TaskError
from agent.events import (
    BaselineMeasured,
    CandidateProposed,
    Event,
    PhaseFinished,
    PhaseStarted,
    StrategyGaveUp,
    VerdictReached,
)
from agent.job import GaveUp
from agent.result import result_to_json
from agent.run import run_task
from agent.task import TestId
from agent.verify.verdict import Confidence, Green, Regressed, Unchanged
from sandbox.docker import DockerEngine
from tests.support.repos import a_repo
from tests.support.runs import (
    BUGGY,
    FILES,
    FIXED,
    Scripted,
    a_candidate,
    a_task,
    of_kind,
    some_parts,
)

pytestmark = pytest.mark.docker

VARIABLES = {"PATH": os.defpath, "HOME": str(Path.home()), "VIRTUAL_ENV": sys.prefix}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return a_repo(tmp_path / "repo", FILES)


@pytest.fixture
def events() -> list[Event]:
    return []


def parts_for(strategy: Scripted, tmp_path: Path, events: list[Event]):
    return some_parts(
        strategy,
        engine=DockerEngine(variables=os.environ),
        state_dir=tmp_path / "state",
        variables=VARIABLES,
        events=events,
    )


def fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path}{path.lstat().st_mode}".encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


async def test_a_green_candidate_becomes_a_patch_with_a_receipt(
    repo: Path, tmp_path: Path, events: list[Event]
) -> None:
    before = fingerprint(repo)
    strategy = Scripted(a_candidate({"calc.py": FIXED}))
    result = await run_task(a_task(repo), parts_for(strategy, tmp_path, events))

    assert result.verdict == "green"
    assert result.confidence is Confidence.LIKELY
    assert result.exit_code == 0
    assert "-        return low\n+        return high" in result.patch_text
    assert result.failing_before == ("test_calc.py::test_above",)
    assert result.failing_after == ()
    assert json.loads(Path(result.receipt).read_text())
    assert fingerprint(repo) == before
    assert [each.verdict for each in of_kind(events, VerdictReached)] == ["green"]


async def test_the_strategy_hears_of_each_candidate_until_one_is_green(
    repo: Path, tmp_path: Path, events: list[Event]
) -> None:
    breaks_double = FIXED.replace("value + value", "value + value + 1")
    strategy = Scripted(
        a_candidate({"calc.py": BUGGY + "\n"}),
        a_candidate({"calc.py": breaks_double}),
        a_candidate({"calc.py": FIXED}),
        a_candidate({"calc.py": FIXED + "\n"}),
    )
    result = await run_task(a_task(repo), parts_for(strategy, tmp_path, events))

    assert result.verdict == "green"
    unchanged, regressed, green = strategy.heard
    assert isinstance(unchanged, Unchanged)
    assert isinstance(green, Green)
    assert isinstance(regressed, Regressed)
    assert regressed.broken == (TestId("test_calc.py::test_double"),)
    assert strategy.closed
    assert [each.rank for each in of_kind(events, CandidateProposed)] == [1, 2, 3]


async def test_giving_up_leaves_no_patch_and_keeps_the_last_verdict(
    repo: Path, tmp_path: Path, events: list[Event]
) -> None:
    strategy = Scripted(
        a_candidate({"calc.py": BUGGY + "\n"}),
        GaveUp(reason="nothing else fits.", advice="Add a test."),
    )
    result = await run_task(a_task(repo), parts_for(strategy, tmp_path, events))

    assert (result.verdict, result.exit_code, result.patch) == ("unchanged", 1, None)
    assert of_kind(events, StrategyGaveUp) == [
        StrategyGaveUp(reason="nothing else fits.", advice="Add a test.")
    ]


async def test_nothing_proposed_says_why(repo: Path, tmp_path: Path, events: list[Event]) -> None:
    strategy = Scripted(GaveUp(reason="out of reach.", advice="Try a model."))
    result = await run_task(a_task(repo), parts_for(strategy, tmp_path, events))

    assert (result.verdict, result.exit_code) == ("none", 1)
    assert result.message == "out of reach. Try a model."
    assert result.failing_after == result.failing_before


async def test_hunks_that_green_does_not_need_are_not_in_the_patch(
    repo: Path, tmp_path: Path, events: list[Event]
) -> None:
    chatty = FIXED.replace("return value + value", "return 2 * value")
    strategy = Scripted(a_candidate({"calc.py": chatty}))
    result = await run_task(a_task(repo), parts_for(strategy, tmp_path, events))

    assert result.verdict == "green"
    assert "return high" in result.patch_text
    assert "2 * value" not in result.patch_text
    assert any("1 hunk" in note for note in result.notes)


async def test_every_phase_that_starts_is_finished(
    repo: Path, tmp_path: Path, events: list[Event]
) -> None:
    strategy = Scripted(a_candidate({"calc.py": FIXED}))
    result = await run_task(a_task(repo), parts_for(strategy, tmp_path, events))

    started = [each.phase for each in of_kind(events, PhaseStarted)]
    assert sorted(started) == sorted(each.phase for each in of_kind(events, PhaseFinished))
    assert set(result.durations_s) == set(started)


async def test_a_phase_is_finished_also_when_the_task_cannot_be_done(
    repo: Path, tmp_path: Path, events: list[Event]
) -> None:
    with pytest.raises(TaskError):
        await run_task(
            a_task(repo, "test_calc.py::test_abvoe"), parts_for(Scripted(), tmp_path, events)
        )
    assert isinstance(events[-1], PhaseFinished)
    assert of_kind(events, BaselineMeasured) == []


async def test_the_result_as_json_has_what_scripts_rely_on(
    repo: Path, tmp_path: Path, events: list[Event]
) -> None:
    strategy = Scripted(a_candidate({"calc.py": FIXED}, why="return high", distinct=2))
    result = await run_task(a_task(repo), parts_for(strategy, tmp_path, events))
    told = json.loads(json.dumps(result_to_json(result)))

    assert told["verdict"] == "green"
    assert told["alternatives"] == 2
    assert told["candidates"] == [
        {
            "patch": told["patch"],
            "confidence": "likely",
            "rank": 1,
            "why": "return high",
            "group": 0,
        }
    ]
    assert set(told) == {
        "run",
        "verdict",
        "confidence",
        "alternatives",
        "message",
        "patch",
        "receipt",
        "own_tests",
        "needed_for",
        "failing_before",
        "failing_after",
        "durations",
        "strategy",
        "candidates",
        "groups",
        "question",
        "notes",
        "exit_code",
    }
