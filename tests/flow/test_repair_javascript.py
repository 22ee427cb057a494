"""Small packages with one bug each, repaired for real: node, jest, vitest and mocha in Docker."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.config import Settings
from agent.engine import Engine, open_engine
from agent.result import RunResult
from agent.task import Budget, RepoPath
from agent.verify.verdict import Confidence
from tests.support.runs import a_task
from tests.support.scripts import a_package, variables_of_node

pytestmark = [pytest.mark.docker, pytest.mark.node]

FIXES = {
    "node": ("src/ledger.js", "for (let i = 0; i < entries.length; i++) {"),
    "jest": ("lib/words.js", "if (count > most) {"),
    "vitest": ("src/route.ts", "target.host?.address"),
    "mocha": ("lib/ranges.js", "value >= range.from && value <= range.to;"),
}
"""By package: the file that is wrong, and a line that only the right one has."""
TRIES = {"node": 100, "jest": 12, "vitest": 6, "mocha": 120}
"""Enough for the fix; more would only count alternatives, at a start of the runner each."""
TARGETS = {
    "node": {
        "test/ledger.test.js::balance::adds every entry",
        "test/ledger.test.js::balance::counts the only entry",
    },
    "jest": {
        "__tests__/words.test.js::the most used word::comes most often",
        "__tests__/words.test.js::the most used word::is the first of several",
    },
    "vitest": {"src/route.test.ts::addressOf::is none without a host"},
    "mocha": {
        "test/ranges.test.js::ranges::hold what lies between their ends",
        "test/ranges.test.js::ranges::hold their first number",
        "test/ranges.test.js::ranges::overlap where they share a number",
    },
}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    settings = Settings(state_dir=tmp_path / "state")
    async with open_engine(settings, variables=variables_of_node()) as engine:
        yield engine


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", FIXES)
async def test_a_package_is_repaired_without_any_setting(
    name: str, engine: Engine, tmp_path: Path
) -> None:
    repo = a_package(name, tmp_path / name)
    task = replace(a_task(repo), budget=Budget(candidates=TRIES[name]))
    result = await engine.start(task).result()
    assert isinstance(result, RunResult)
    assert result.verdict == "green", result
    assert set(result.failing_before) == TARGETS[name]
    path, line = FIXES[name]
    assert result.patch is not None
    text = b"".join(hunk.new for hunk in result.patch.hunks).decode()
    assert line in text, text
    assert {hunk.path for hunk in result.patch.hunks} == {RepoPath(path)}
    assert result.confidence is not Confidence.LIKELY
    assert any("no second witness" in note for note in result.notes)
