"""Groups of patches and the question about them, measured in real sandboxes."""

import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.edits.changes import Content, Delta, Mode
from agent.job import Candidate, Question
from agent.repair.confirm import Patch
from agent.repair.judge.behaviours import Behaviours, behaviours, unmeasured
from agent.repair.validate.base import Watched, edited
from agent.task import RepoPath, TestId
from agent.verify.bench import Bench, Selection
from agent.verify.report import Baseline, TestReport
from agent.verify.verdict import Confidence
from tests.support.repair import (
    a_baseline,
    a_bench,
    a_source,
    a_unit_proposal,
    load_case,
    search_in,
)

pytestmark = pytest.mark.docker

SECONDS = 20.0
"""The machine of these tests may be busy with others."""


def a_shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "tests").mkdir(parents=True)
    (folder / "conftest.py").write_text('"""Puts the project on the path."""\n')
    (folder / "shop.py").write_text(
        textwrap.dedent('''
            """A shop."""
            from dataclasses import dataclass


            @dataclass
            class Account:
                balance: int

                def withdraw(self, amount):
                    if amount < self.balance:
                        raise ValueError("not enough")
                    self.balance -= amount
                    return self.balance


            def total(price, count):
                return price + count
        ''').lstrip()
    )
    (folder / "tests" / "test_shop.py").write_text(
        textwrap.dedent("""
            from shop import Account, total


            def test_total():
                assert total(2, 3) == 6


            def test_nothing():
                assert total(0, 0) == 0


            def test_withdraw():
                assert Account(5).withdraw(3) == 2


            def test_all_of_it():
                assert Account(5).withdraw(5) == 0
        """).lstrip()
    )
    return folder


def an_id(name: str) -> TestId:
    return TestId(f"tests/test_shop.py::{name}")


async def seen_in(bench: Bench, target: str, passing: str, *edits: tuple[str, str]) -> Behaviours:
    patches = patches_in(bench, *edits)
    baseline = await a_baseline(bench, [an_id(target)])
    watched = Watched(targets=((an_id(target), 0.1),), passing=((an_id(passing), 0.1),))
    return await behaviours(bench, baseline, watched, patches, seconds=SECONDS)


def patches_in(bench: Bench, *edits: tuple[str, str]) -> list[Patch]:
    source = a_source((bench.base.dir / "shop.py").read_text(), "shop.py")
    return [(a_unit_proposal(source, before, after),) for before, after in edits]


async def passing(bench: Bench, question: Question, delta: Delta) -> list[bool]:
    """Run every answer's test with the repository's own pytest; tell which of them pass."""
    paths = [
        RepoPath(question.path.replace(".py", f"_kept_{number}.py"))
        for number, _answer in enumerate(question.answers)
    ]
    tests: Delta = {
        path: Content(data=answer.test.encode(), mode=Mode.FILE)
        for path, answer in zip(paths, question.answers, strict=True)
    }
    async with bench.open({**delta, **tests}) as sandbox:
        report = await bench.runner.run(sandbox, Selection(files=tuple(paths)), wall_s=60)
    assert isinstance(report, TestReport), report
    assert len(report.results) == len(paths)
    return [result.is_passing for _id, result in sorted(report.results.items())]


async def check(bench: Bench, question: Question, deltas: Sequence[Delta]) -> None:
    """Each answer's test passes with the patches that it names, and with no other."""
    for rank, delta in enumerate(deltas, 1):
        wanted = [rank in answer.ranks for answer in question.answers]
        assert await passing(bench, question, delta) == wanted
    wanted = [not answer.fails_now for answer in question.answers]
    assert await passing(bench, question, {}) == wanted


async def test_a_question_is_a_failing_test_that_its_patch_makes_pass(tmp_path: Path) -> None:
    bench = a_bench(a_shop(tmp_path))
    edits = [("price + count", text) for text in ("price * count", "count * price", "2 * count")]
    found = await seen_in(bench, "test_total", "test_nothing", *edits)
    assert (found.groups, found.note) == ((1, 1, 2), "")
    order = found.spread()
    assert order == [0, 2, 1]
    question = found.question(order)
    assert question is not None
    assert question.path == "tests/test_shop.py"
    assert [answer.ranks for answer in question.answers] == [(1, 3), (2,)]
    assert all(answer.fails_now for answer in question.answers)
    patches = patches_in(bench, *edits)
    await check(bench, question, [dict(edited(bench.base, patches[index])) for index in order[:2]])


async def test_methods_and_exceptions_are_asked_about(tmp_path: Path) -> None:
    bench = a_bench(a_shop(tmp_path))
    edits = [
        ("amount < self.balance", "amount > self.balance"),
        ("amount < self.balance", "amount > 2 * self.balance"),
    ]
    found = await seen_in(bench, "test_withdraw", "test_all_of_it", *edits)
    assert found.groups == (1, 2)
    question = found.question([0, 1])
    assert question is not None
    assert question.call.startswith("Account(")
    assert {answer.shown.split()[0] for answer in question.answers} == {"returns", "raises"}
    patches = patches_in(bench, *edits)
    await check(bench, question, [dict(edited(bench.base, patch)) for patch in patches])


async def test_a_search_tells_groups_and_asks(tmp_path: Path) -> None:
    case = load_case("weak_test")
    bench = a_bench(Path(shutil.copytree(case.project, tmp_path / case.name)))
    baseline = await a_baseline(bench, case.targets)
    found = await search_in(bench, baseline, search_s=45)
    first = found.first
    assert isinstance(first, Candidate), first
    assert first.confidence is Confidence.AMBIGUOUS
    shown = [first.group, *(other.group for other in first.alternatives)]
    assert len(set(shown)) == 5
    assert first.groups > 5
    assert first.question is not None
    assert {rank for one in first.question.answers for rank in one.ranks} == {1, 2, 3, 4, 5}


async def test_a_runner_without_sessions_measures_nothing(tmp_path: Path) -> None:
    bench = a_bench(a_shop(tmp_path), test_command="make check", junit="out.xml")
    patches = patches_in(bench, ("price + count", "price"), ("price + count", "count"))
    target = an_id("test_total")
    baseline = Baseline(report=TestReport(results={}), targets=(target,), flaky=(), wall_s=2.0)
    watched = Watched(targets=((target, 0.1),), passing=())
    assert await behaviours(bench, baseline, watched, patches) == unmeasured(2)
