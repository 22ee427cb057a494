"""What the index ranks high is shown in the first message, beside what a failure points at."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import WorkspaceError
from agent.job import Job
from agent.loop.opening import opening
from agent.task import Kind
from agent.verify.sight import Sight, looking_ahead, sight_of
from tests.support.opening import SHOP, a_job

GOAL = "The total of what is sold has to be rounded to two digits."


def implementing(folder: Path) -> Job:
    return a_job(folder, failures=[], kind=Kind.IMPLEMENT, goal=GOAL, files=SHOP)


def test_a_goal_in_plain_words_is_shown_the_code_that_it_is_about(tmp_path: Path) -> None:
    job = implementing(tmp_path)
    assert "def rounded(" not in opening(job)
    assert "def rounded(" in opening(replace(job, sight=Sight(job.bench.base)))


def test_the_map_lists_what_is_ranked(tmp_path: Path) -> None:
    job = implementing(tmp_path)
    shown = opening(replace(job, sight=Sight(job.bench.base))).split("# Map")[1]
    assert "shop/price.py (" in shown


def test_an_index_that_cannot_be_read_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise WorkspaceError("no", remedy="")

    job = implementing(tmp_path)
    sight = Sight(job.bench.base)
    monkeypatch.setattr(Sight, "view", refuse)
    assert opening(replace(job, sight=sight)) == opening(job)


async def test_looking_ahead_ends_with_what_it_goes_along_with(tmp_path: Path) -> None:
    base = implementing(tmp_path).bench.base
    async with sight_of(base) as sight:
        with pytest.raises(WorkspaceError, match="as itself"):
            async with looking_ahead(sight):
                raise WorkspaceError("as itself")
        assert sight.view({}).paths()
