"""Small projects with one real-looking bug each, searched for real in Docker."""

import shutil
from pathlib import Path

import pytest

from agent.job import Candidate, GaveUp
from agent.verify.verdict import Confidence
from tests.support.repair import DATA, Case, a_baseline, a_bench, load_case, patched, search_in

pytestmark = pytest.mark.docker

ALL = sorted(folder.name for folder in DATA.iterdir() if (folder / "case.toml").exists())
FIXABLE = [name for name in ALL if load_case(name).fixes != ("",) and load_case(name).file]


def a_copy(case: Case, tmp_path: Path) -> Path:
    """A base is a folder of its own; the data of these tests is not run where it lies."""
    return Path(shutil.copytree(case.project, tmp_path / case.name))


@pytest.mark.parametrize("name", FIXABLE)
async def test_the_fix_comes_first(name: str, tmp_path: Path) -> None:
    case = load_case(name)
    bench = a_bench(a_copy(case, tmp_path))
    found = await search_in(bench, await a_baseline(bench, case.targets), search_s=45)
    assert isinstance(found.first, Candidate), found.first
    text = patched(found.first.delta, case.file)
    before = (case.project / case.file).read_text()
    assert any(fix in text and fix not in before for fix in case.fixes), text
    if case.labels:
        assert found.first.confidence in case.labels, found.first


async def test_a_bug_out_of_reach_is_given_up(tmp_path: Path) -> None:
    case = load_case("out_of_reach")
    bench = a_bench(a_copy(case, tmp_path))
    found = await search_in(bench, await a_baseline(bench, case.targets), search_s=45)
    assert isinstance(found.first, GaveUp), found.first
    assert "tried" in found.first.reason
    assert "every edit it knows" in found.first.reason
    assert found.first.advice


async def test_a_weak_test_makes_the_fix_ambiguous(tmp_path: Path) -> None:
    case = load_case("weak_test")
    bench = a_bench(a_copy(case, tmp_path))
    found = await search_in(bench, await a_baseline(bench, case.targets), search_s=45)
    assert isinstance(found.first, Candidate), found.first
    assert found.first.confidence is Confidence.AMBIGUOUS
    assert found.first.distinct > 8
    assert [other.rank for other in found.first.alternatives] == [2, 3, 4, 5]
