"""Edits that a swap of live code cannot try rightly: re-imported, each, and never believed early.

Real pytest in processes of this machine, through the same server that runs in sandboxes.
"""

import textwrap
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest

from agent.repair.confirm import confirm
from agent.repair.proposal import Proposal
from agent.repair.queue import BestFirst
from agent.repair.search import Bounds, Findings
from agent.repair.source import Source
from agent.repair.sure import Doubts, search_until_sure
from agent.repair.suspects import Suspect
from agent.repair.validate.base import Ask, Result, Watched
from agent.task import TestId
from tests.support.repair import (
    a_baseline,
    a_bench,
    a_local_server,
    a_source,
    a_unit_proposal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A file, a test of it, and the text that has to be replaced."""

    code: str
    test: str
    before: str
    after: str
    at_first: Result | None
    """What the quick try says; None: there is no function whose code could be swapped."""


BUGS = {
    "a value of the module": Bug(
        code="LIMIT = 3\n\n\ndef over(value):\n    return value > LIMIT\n",
        test="from shelf import over\n\n\ndef test_it(): assert not over(4)\n",
        before="LIMIT = 3",
        after="LIMIT = 4",
        at_first=None,
    ),
    "a table filled at import": Bug(
        code="def squares():\n    return {n: n + n for n in range(9)}\n\n\nTABLE = squares()\n",
        test="from shelf import TABLE\n\n\ndef test_it(): assert TABLE[3] == 9\n",
        before="n + n",
        after="n * n",
        at_first=Result.DOUBTFUL,
    ),
    "a class body": Bug(
        code="class Retry:\n    times = 2\n\n    def left(self, tried):\n"
        "        return self.times - tried\n",
        test="from shelf import Retry\n\n\ndef test_it(): assert Retry().left(1) == 2\n",
        before="times = 2",
        after="times = 3",
        at_first=None,
    ),
    "a decorator": Bug(
        code="NAMES = []\n\n\ndef known(function):\n    NAMES.append(function.__module__)\n"
        "    return function\n\n\n@known\ndef run():\n    return 1\n",
        test="from shelf import NAMES\n\n\ndef test_it(): assert NAMES == ['run']\n",
        before="function.__module__",
        after="function.__name__",
        at_first=Result.DOUBTFUL,
    ),
    "a closure": Bug(
        code="def times(factor):\n    half = factor / 2\n\n    def multiply(value):\n"
        "        return value * half\n\n    return multiply\n\n\ndouble = times(2)\n",
        test="from shelf import double\n\n\ndef test_it(): assert double(5) == 10\n",
        before="factor / 2",
        after="factor / 1",
        at_first=Result.DOUBTFUL,
    ),
    "a closure with other free variables": Bug(
        code="def times(factor, offset):\n    def multiply(value):\n"
        "        return value * factor + offset - offset\n\n    return multiply\n\n\n"
        "double = times(2, 1)\n",
        test="from shelf import double\n\n\ndef test_it(): assert double(5) == 11\n",
        before="factor + offset - offset",
        after="2 + offset",
        at_first=Result.LATER,
    ),
    "a generator in flight": Bug(
        code="def numbers():\n    number = 0\n    while True:\n        yield number\n"
        "        number += 2\n\n\nids = numbers()\nFIRST = next(ids)\n",
        test="from shelf import ids\n\n\ndef test_it(): assert [next(ids), next(ids)] == [1, 2]\n",
        before="number += 2",
        after="number += 1",
        at_first=Result.LATER,
    ),
    "a dataclass": Bug(
        code="from dataclasses import dataclass\n\n\n@dataclass\nclass Line:\n    price: int\n"
        "    count: int = 0\n\n    def total(self):\n        return self.price * self.count\n",
        test="from shelf import Line\n\n\ndef test_it(): assert Line(3).total() == 3\n",
        before="count: int = 0",
        after="count: int = 1",
        at_first=None,
    ),
}


def a_project(tmp_path: Path, bug: Bug, **files: str) -> tuple[Path, Source]:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shelf.py").write_text(bug.code)
    (folder / "test_shelf.py").write_text(bug.test)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return folder, a_source(bug.code, "shelf.py")


WATCHED = Watched(targets=((TestId("test_shelf.py::test_it"), 0.0),), passing=())


async def found_by(
    folder: Path, proposals: Sequence[Proposal], watched: Watched = WATCHED
) -> tuple[Findings, Doubts]:
    """Search with nothing but these edits."""
    queue, findings, doubts = BestFirst([]), Findings(), Doubts()
    queue.add(proposals)
    async with a_local_server(folder, ["test_shelf.py"]) as server:
        bounds = Bounds(deadline=anyio.current_time() + 60, candidates=1_000)
        await search_until_sure(
            queue, server, watched, findings, doubts, bounds, lambda _findings: None
        )
    return findings, doubts


@pytest.mark.parametrize("name", sorted(BUGS))
async def test_what_ran_at_import_is_tried_by_importing_it_anew(name: str, tmp_path: Path) -> None:
    bug = BUGS[name]
    folder, source = a_project(tmp_path, bug)
    right = a_unit_proposal(source, bug.before, bug.after)
    assert (right.unit is None) is (bug.at_first is None)
    if right.unit is not None:
        async with a_local_server(folder, ["test_shelf.py"]) as server:
            await server.watch(WATCHED)
            async with aclosing(server.filter(iter([Ask(right)]))) as results:
                assert [one.result async for one in results] == [bug.at_first]
    findings, doubts = await found_by(folder, [right])
    assert [one.after for one in findings.plausible] == [bug.after]
    assert doubts.leaked == 0
    assert findings.tried == 1
    assert (folder / "shelf.py").read_bytes() == source.data


async def test_an_edit_reaches_every_name_under_which_a_function_was_imported(
    tmp_path: Path,
) -> None:
    bug = Bug(
        code="RATE = 2\n\n\ndef price(count):\n    return count + RATE\n",
        test="from shop import bill, RATE as rate\n\n\n"
        "def test_it(): assert bill(3) == 6\ndef test_rate(): assert rate == 3\n",
        before="count + RATE",
        after="count * RATE",
        at_first=None,
    )
    shop = """
        from shelf import RATE, price as bill
    """
    folder, source = a_project(tmp_path, bug, shop=shop)
    findings, _doubts = await found_by(folder, [a_unit_proposal(source, bug.before, bug.after)])
    assert [one.after for one in findings.plausible] == ["count * RATE"]
    bound = Watched(targets=((TestId("test_shelf.py::test_rate"), 0.0),), passing=())
    value = a_unit_proposal(source, "RATE = 2", "RATE = 3")
    findings, _doubts = await found_by(folder, [value], bound)
    assert [one.after for one in findings.plausible] == ["RATE = 3"]


async def test_an_edit_that_would_break_the_import_does_not_pass_for_being_swapped_in(
    tmp_path: Path,
) -> None:
    bug = Bug(
        code="def is_fine(value):\n    return value > 0\n\n\n"
        "if not is_fine(1):\n    raise ImportError('no')\n",
        test="from shelf import is_fine\n\n\ndef test_it(): assert is_fine(-1)\n",
        before="value > 0",
        after="value < 0",
        at_first=None,
    )
    folder, source = a_project(tmp_path, bug)
    wrong = a_unit_proposal(source, bug.before, bug.after)
    async with a_local_server(folder, ["test_shelf.py"]) as server:
        await server.watch(WATCHED)
        async with aclosing(server.filter(iter([Ask(wrong)]))) as results:
            assert [one.result async for one in results] == [Result.PASSES]
    findings, doubts = await found_by(folder, [wrong])
    assert findings.plausible == []
    assert doubts.leaked == 1


LEAKY = Bug(
    code="STATE = []\n\n\ndef ready(flag):\n    if flag:\n        STATE.clear()\n    return flag\n",
    test="from shelf import ready\n\n\ndef test_it(): assert ready(False)\n",
    before="return flag",
    after="return bool(STATE)",
    at_first=None,
)


async def test_what_passes_thanks_to_an_earlier_try_is_dropped_by_a_fresh_fork(
    tmp_path: Path,
) -> None:
    folder, source = a_project(tmp_path, LEAKY)
    spoils = a_unit_proposal(source, LEAKY.before, "return STATE.append(1)")
    lucky = a_unit_proposal(source, LEAKY.before, LEAKY.after)
    async with a_local_server(folder, ["test_shelf.py"]) as server:
        await server.watch(WATCHED)
        async with aclosing(server.filter(map(Ask, [spoils, lucky]))) as results:
            assert [one.result async for one in results] == [Result.FAILS, Result.PASSES]
        async with aclosing(server.recheck(iter([lucky]))) as results:
            assert [one.result async for one in results] == [Result.FAILS]
    first = replace(spoils, suspicion=2.0)
    findings, doubts = await found_by(folder, [first, lucky])
    assert findings.plausible == []
    assert doubts.leaked == 1


@pytest.mark.docker
async def test_what_passes_only_in_a_fork_is_dropped_by_a_fresh_process(tmp_path: Path) -> None:
    bug = Bug(
        code="import resource\n\n\ndef capped():\n    return False\n",
        test="from shelf import capped\n\n\ndef test_it(): assert capped()\n",
        before="return False",
        after="return resource.getrlimit(resource.RLIMIT_FSIZE)[0] == 64 << 20",
        at_first=None,
    )
    folder, source = a_project(tmp_path, bug)
    lucky = a_unit_proposal(source, bug.before, bug.after)
    findings, _doubts = await found_by(folder, [lucky])
    assert findings.plausible == [lucky]
    bench = a_bench(folder)
    baseline = await a_baseline(bench, ["test_shelf.py::test_it"])
    assert await confirm(bench, baseline, WATCHED, [(lucky,)]) == []


KINDS = """
    import pytest

    from shelf import clamp, later

    calls = []


    @pytest.fixture(scope="module")
    def limits():
        calls.append(1)
        return 0, 5


    @pytest.fixture
    def anyio_backend():
        return "asyncio"


    @pytest.mark.parametrize(("value", "wanted"), [(-1, 0), (3, 3), (9, 5)], ids=["a", "b", "c c"])
    def test_each(value, wanted, limits):
        assert clamp(value, *limits) == wanted


    @pytest.mark.anyio
    async def test_later():
        assert await later(9) == 5
"""


async def test_parametrised_async_and_fixture_tests_decide_like_any_other(tmp_path: Path) -> None:
    bug = Bug(
        code="def clamp(value, low, high):\n    return max(low, min(value, low))\n\n\n"
        "async def later(value):\n    return clamp(value, 0, 5)\n",
        test=textwrap.dedent(KINDS).lstrip(),
        before="min(value, low)",
        after="min(value, high)",
        at_first=None,
    )
    folder, source = a_project(tmp_path, bug)
    names = ("test_each[b]", "test_each[c c]", "test_later")
    watched = Watched(
        targets=tuple((TestId(f"test_shelf.py::{name}"), 0.0) for name in names),
        passing=((TestId("test_shelf.py::test_each[a]"), 0.0),),
    )
    right = a_unit_proposal(source, bug.before, bug.after)
    wrong = a_unit_proposal(source, bug.before, "min(value, 3)")
    findings, _doubts = await found_by(folder, [wrong, right], watched)
    assert [one.after for one in findings.plausible] == [bug.after]
    assert [fixed for _proposal, fixed in findings.partial] == [
        (TestId("test_shelf.py::test_each[b]"),)
    ]


async def test_two_edits_are_found_where_one_of_them_brings_the_test_further(
    tmp_path: Path,
) -> None:
    bug = Bug(
        code="def clamp(value, low, high):\n    if value < low:\n        return high\n"
        "    if value > high:\n        return low\n    return value\n",
        test="from shelf import clamp\n\n\ndef test_it():\n    assert clamp(-1, 0, 5) == 0\n"
        "    assert clamp(9, 0, 5) == 5\n    assert clamp(3, 0, 5) == 3\n"
        "    assert clamp(0, -2, 5) == 0\n",
        before="",
        after="",
        at_first=None,
    )
    folder, source = a_project(tmp_path, bug)
    suspected = [
        Suspect(source=source, region=region, score=1.0, failure=None)
        for region in source.regions
        if region.first_row in {2, 4}
    ]
    queue, findings, doubts = BestFirst(suspected), Findings(), Doubts()
    async with a_local_server(folder, ["test_shelf.py"], workers=2) as server:
        async with aclosing(server.cover(WATCHED.ids, seconds=20, limit_s=10)) as covered:
            assert [one.passed async for one in covered] == [False]
        bounds = Bounds(deadline=anyio.current_time() + 120, candidates=10_000)
        await search_until_sure(
            queue, server, WATCHED, findings, doubts, bounds, lambda _findings: None
        )
    assert findings.exhausted
    assert {proposal.after for proposal, much in findings.further if much == 2} >= {"return low"}
    assert "return low … return high" in {one.after for one in findings.plausible}
    assert {one.sketch.tier for one in findings.plausible} == {4}
