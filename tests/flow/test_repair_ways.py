"""Ways through the offline search besides the straight one, for real in Docker."""

import shutil
from contextlib import aclosing
from pathlib import Path

import pytest

from agent.events import SearchPlanned, SearchProgress
from agent.job import Candidate, GaveUp, Job
from agent.repair.offline import OfflineSearch
from agent.repair.validate.base import Ask, Result, Watched
from agent.repair.validate.command import CommandValidator
from agent.task import Kind, TaskSpec, TestId
from agent.verify.bench import Selection
from agent.verify.report import Baseline, Outcome, TestReport, TestResult
from agent.verify.verdict import Confidence, Regressed
from tests.support.repair import (
    a_baseline,
    a_bench,
    a_source,
    a_unit_proposal,
    load_case,
    patched,
    search_in,
)
from tests.support.runs import not_measured

pytestmark = pytest.mark.docker


def a_project(tmp_path: Path, name: str) -> Path:
    return Path(shutil.copytree(load_case(name).project, tmp_path / name))


def in_two_places(tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "shop.py").write_text(
        "def total(price, count):\n    return price + count\n\n\n"
        "def is_cheap(price):\n    return price > 5\n"
    )
    (folder / "test_shop.py").write_text(
        "from shop import is_cheap, total\n\n\n"
        "def test_total():\n    assert total(3, 4) == 12\n    assert total(5, 1) == 5\n\n\n"
        "def test_nothing():\n    assert total(0, 0) == 0\n\n\n"
        "def test_cheap():\n    assert is_cheap(4)\n    assert not is_cheap(6)\n"
    )
    return folder, ("test_shop.py::test_total", "test_shop.py::test_cheap")


async def test_two_bugs_of_one_edit_each_are_mended_together(tmp_path: Path) -> None:
    folder, targets = in_two_places(tmp_path)
    bench = a_bench(folder)
    found = await search_in(bench, await a_baseline(bench, targets), search_s=45)
    assert isinstance(found.first, Candidate), found.first
    text = patched(found.first.delta, "shop.py")
    assert "return price * count" in text
    assert "return price > 5" not in text
    assert found.first.confidence is not Confidence.LIKELY


async def test_a_test_that_can_be_mended_alone_is_named(tmp_path: Path) -> None:
    folder = a_project(tmp_path, "one_of_two")
    bench = a_bench(folder)
    targets = ("tests/test_shapes.py::test_area", "tests/test_shapes.py::test_scaled")
    found = await search_in(bench, await a_baseline(bench, targets), search_s=45)
    assert isinstance(found.first, GaveUp), found.first
    assert "1 of 2 can be mended alone" in found.first.reason
    assert "greenloop fix 'tests/test_shapes.py::test_area'" in found.first.advice


async def test_after_a_red_gate_the_next_best_comes(tmp_path: Path) -> None:
    folder = a_project(tmp_path, "weak_test")
    bench = a_bench(folder)
    baseline = await a_baseline(bench, load_case("weak_test").targets)
    red = Regressed(after=TestReport(results={}), broken=(), fixed=())
    found = await search_in(bench, baseline, search_s=45, verdict=red)
    assert len(found.proposals) == 6
    texts = [one.delta for one in found.proposals if isinstance(one, Candidate)]
    assert len({str(delta) for delta in texts}) == 5
    last = found.proposals[-1]
    assert isinstance(last, GaveUp)
    assert last.reason.startswith("None of the 5 edits")
    assert any(isinstance(event, SearchProgress) for event in found.events)


async def test_a_budget_of_candidates_cuts_the_search_off(tmp_path: Path) -> None:
    folder = a_project(tmp_path, "out_of_reach")
    bench = a_bench(folder)
    baseline = await a_baseline(bench, load_case("out_of_reach").targets)
    found = await search_in(bench, baseline, candidates=20)
    assert isinstance(found.first, GaveUp)
    assert "it was cut off with about" in found.first.reason
    assert "--budget-s" in found.first.advice


async def test_implementing_is_declined_at_once(tmp_path: Path) -> None:
    folder = a_project(tmp_path, "boundary")
    bench = a_bench(folder)
    baseline = await a_baseline(bench, load_case("boundary").targets)
    job = Job(
        task=TaskSpec(kind=Kind.IMPLEMENT, repo=folder),
        bench=bench,
        baseline=baseline,
        emit=lambda _event: None,
        measure=not_measured,
        run_dir=tmp_path,
    )
    stream = OfflineSearch(search_s=5, candidates=5).propose(job)
    proposals = [proposal async for proposal in stream]
    assert [type(proposal) for proposal in proposals] == [GaveUp]


async def test_any_runner_can_try_edits(tmp_path: Path) -> None:
    folder = a_project(tmp_path, "boundary")
    bench = a_bench(folder)
    source = a_source((folder / "age.py").read_text(), "age.py")
    watched = Watched(
        targets=((TestId("tests/test_age.py::test_eighteen_is_of_age"), 0.1),),
        passing=((TestId("tests/test_age.py::test_others_may_not"), 0.1),),
    )
    tries = [
        a_unit_proposal(source, "age > OF_AGE", text)
        for text in ("age >= OF_AGE", "age < OF_AGE", "age >= (", "citizen = True")
    ]
    async with bench.open() as sandbox:
        validator = CommandValidator(bench, (sandbox,), watched, first_s=30, longest_s=60)
        async with aclosing(validator.filter(map(Ask, tries))) as results:
            found = {one.proposal.after: one.result async for one in results}
        async with aclosing(validator.recheck(iter(tries[:1]))) as results:
            again = [one.result async for one in results]
        assert await sandbox.read_file("age.py", limit_bytes=10_000) == source.data
    assert found == {
        "age >= OF_AGE": Result.PASSES,
        "age < OF_AGE": Result.FAILS,
        "age >= (": Result.INVALID,
        "citizen = True": Result.INVALID,
    }
    assert again == [Result.PASSES]


RUNNER = """\
import sys
from xml.sax.saxutils import quoteattr

sys.path.insert(0, ".")
import test_shop

cases = []
for name in sorted(dir(test_shop)):
    if name.startswith("test_"):
        try:
            getattr(test_shop, name)()
            body = ""
        except Exception as error:
            body = "<failure message=%s/>" % quoteattr(repr(error))
        head = '<testcase classname="test_shop" name="%s" time="0.01">' % name
        cases.append(head + body + "</testcase>")
with open("out.xml", "w") as file:
    file.write('<testsuite name="all" tests="%d">%s</testsuite>' % (len(cases), "".join(cases)))
"""


async def test_a_command_of_the_user_is_searched_with_slowly(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.py").write_text("def total(price, count):\n    return price + count\n")
    (folder / "test_shop.py").write_text(
        "from shop import total\n\n\n"
        "def test_total():\n    assert total(3, 4) == 12\n\n\n"
        "def test_nothing():\n    assert total(0, 0) == 0\n"
    )
    (folder / "check.py").write_text(RUNNER)
    bench = a_bench(folder, test_command="python3 check.py", junit="out.xml")
    async with bench.open() as sandbox:
        report = await bench.runner.run(sandbox, Selection(), wall_s=30)
    assert isinstance(report, TestReport), report
    (target,) = report.failing
    found = await search_in(bench, await a_baseline(bench, (target,)), search_s=40)
    assert isinstance(found.first, Candidate), found.first
    assert patched(found.first.delta, "shop.py").endswith("return price * count\n")


async def test_a_search_that_has_no_time_for_a_handful_of_tries_is_not_begun(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.py").write_text("def total(price, count):\n    return price + count\n")
    bench = a_bench(folder, test_command="python3 check.py", junit="out.xml")
    target = TestId("test_shop::test_total")
    result = TestResult(id=target, outcome=Outcome.FAILED, duration_s=1.0)
    report = TestReport(results={target: result})
    baseline = Baseline(report=report, targets=(target,), flaky=(), wall_s=12.0)
    (folder / "test_shop.py").write_text("from shop import total\n")
    found = await search_in(bench, baseline, search_s=20)
    assert isinstance(found.first, GaveUp), found.first
    assert "one try takes about 12 s here, so that only 3 fit" in found.first.reason
    assert "--budget-s 130" in found.first.advice
    assert "narrower test command" in found.first.advice
    (planned,) = found.events
    assert isinstance(planned, SearchPlanned)
    assert (planned.how, planned.try_s, planned.tries) == ("command", 12.0, 3)


def with_like_places(tmp_path: Path) -> Path:
    folder = tmp_path / "sizes"
    folder.mkdir()
    (folder / "sizes.py").write_text(
        "def is_small(size, limit):\n    if size is None:\n        return limit > 0\n"
        "    return size < limit\n\n\n"
        "def is_tiny(size, limit):\n    return size < limit\n"
    )
    (folder / "test_sizes.py").write_text(
        "import pytest\n\nfrom sizes import is_small\n\n\n"
        "@pytest.mark.parametrize('size', [1, 2, 3, 4, 5, 6])\n"
        "def test_small(size):\n    assert is_small(size, 7)\n\n\n"
        "def test_unknown():\n    assert is_small(None, 7)\n\n\n"
        "def test_not_small():\n    assert not is_small(8, 7)\n\n\n"
        "def test_as_large():\n    assert is_small(7, 7)\n"
    )
    return folder


async def test_a_search_says_what_it_will_cost_how_it_goes_and_what_it_left_undone(
    tmp_path: Path,
) -> None:
    bench = a_bench(with_like_places(tmp_path))
    baseline = await a_baseline(bench, ("test_sizes.py::test_as_large",))
    found = await search_in(bench, baseline, search_s=45)
    planned, *told = found.events
    assert isinstance(planned, SearchPlanned)
    assert planned.how == "forked"
    assert planned.tries > 100
    progress = [event for event in told if isinstance(event, SearchProgress)]
    first = next(event for event in progress if event.plausible)
    assert first.best_diff.startswith("--- a/sizes.py\n+++ b/sizes.py\n@@ ")
    assert first.trying.startswith("sizes.py:")
    assert 0 < first.left_s < 45
    assert isinstance(found.first, Candidate), found.first
    assert "size <= limit" in patched(found.first.delta, "sizes.py")
    notes = "\n".join(found.first.notes)
    assert "2 tests kept from the search and run afterwards: " in notes
    assert "the same pattern stands at line 8 of sizes.py, left as it is" in notes
    assert "no passing test runs" not in notes
