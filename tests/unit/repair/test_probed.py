"""Lines of each test, told by edited sources: parted by the tests' own lines."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.edits.changes import Delta
from agent.repair.probed import survey_by_probes
from agent.repair.territory import territory
from agent.task import RepoPath, TestId
from agent.verify.bench import Bench, Selection
from agent.verify.report import Baseline, Frame, NoReport, Outcome, TestReport, TestResult
from tests.support.repair import base_of
from tests.support.verify import an_environment

CODE = """export function total(list) {
  let sum = 1;
  for (const one of list) sum += one;
  return sum;
}
export const first = (list) => list[0];
"""
TESTS = """import { total, first } from './cart.js';
const some = () => [1, 2];

test('adds', () => {
  expect(total(some())).toBe(3);
});
test('first', () => {
  expect(first(some())).toBe(1);
});
for (const n of [0, 1]) test('each ' + n, () => {
  total([n]);
});
"""
PATH = RepoPath("cart.test.js")


def result(name: str, outcome: str, line: int, **more: object) -> TestResult:
    return TestResult(
        id=TestId(f"{PATH}::{name}" if name else PATH),
        outcome=Outcome(outcome),
        duration_s=0.1,
        path=PATH,
        line=line,
        **more,
    )


ADDS = result(
    "adds",
    "failed",
    4,
    error_type="Error",
    message="no",
    frames=(Frame(path=PATH, line=5, function=""),),
)
REPORT = TestReport(
    results={
        one.id: one
        for one in (
            ADDS,
            result("first", "passed", 7),
            result("each 0", "failed", 10),
            result("each 1", "passed", 10),
        )
    }
)
TOLD = """cart.test.js:5
cart.test.js:2
cart.js:2
cart.js:3
cart.js:4
cart.test.js:8
cart.test.js:2
cart.js:6
cart.test.js:11
cart.js:2
cart.js:4
cart.test.js:11
cart.js:3
nonsense
"""


class Played:
    """A runner and the sandbox in which it runs; each run tells the same."""

    name = "played"

    def __init__(self, report: TestReport | NoReport, told: str | None = TOLD) -> None:
        self.report = report
        self.told = told
        self.deltas: list[Delta] = []
        self.selections: list[Selection] = []

    async def run(self, *parts: object, **_more: object) -> TestReport | NoReport:
        if len(parts) == 2:
            selection = parts[1]
            assert isinstance(selection, Selection)
            self.selections.append(selection)
        return self.report

    async def read_file(self, path: str, *, limit_bytes: int) -> bytes | None:
        assert path == "/run/greenloop/probed"
        assert limit_bytes
        return None if self.told is None else self.told.encode()


@pytest.fixture
def surveyed(tmp_path: Path) -> Callable[..., object]:
    (tmp_path / "cart.js").write_text(CODE)
    (tmp_path / PATH).write_text(TESTS)

    async def survey(played: Played, *targets: str, report: TestReport = REPORT):
        base = base_of(tmp_path)

        class Opened(Bench):
            @asynccontextmanager
            async def open(self, delta: Delta | None = None) -> AsyncGenerator[Played, None]:
                played.deltas.append(delta or {})
                yield played

        bench = Opened(base=base, engine=played, environment=an_environment(), runner=played)
        wanted = tuple(TestId(f"{PATH}::{name}" if name else PATH) for name in targets)
        baseline = Baseline(report=report, targets=wanted, flaky=(), wall_s=1.0)
        return await survey_by_probes(
            bench, baseline, territory(base, frozenset({PATH})), seconds=5
        )

    return survey


async def test_each_test_has_the_lines_that_ran_between_its_own(surveyed) -> None:
    played = Played(REPORT)
    found = await surveyed(played, "adds")
    assert set(found.suspicions.lines) == {("cart.js", line) for line in (2, 3, 4)}
    assert found.covered == {"cart.js": frozenset({3, 6})}
    assert found.target_lines == {PATH: frozenset({2, 5})}
    assert [id_ for id_, _s in found.watched.passing] == [f"{PATH}::each 1"]
    assert found.passing_seen == 2
    assert played.selections == [Selection(files=(PATH,))]


async def test_code_and_tests_get_probes(surveyed) -> None:
    played = Played(REPORT)
    await surveyed(played, "adds")
    (delta,) = played.deltas
    assert set(delta) == {"cart.js", PATH}
    assert all(content and b"__greenloop_ran(" in content.data for content in delta.values())


async def test_the_cases_of_a_table_are_told_apart_by_their_order(surveyed) -> None:
    found = await surveyed(Played(REPORT), "each 0")
    assert set(found.suspicions.lines) == {("cart.js", 2), ("cart.js", 4)}


@pytest.mark.parametrize(
    "played",
    [
        Played(REPORT, None),
        Played(REPORT, ""),
        Played(NoReport(why="the probes broke it", infrastructure=False)),
        Played(TestReport(results={})),
        Played(TestReport(results={ADDS.id: result("adds", "passed", 4)})),
    ],
)
async def test_where_nothing_is_learnt_there_is_no_survey(played: Played, surveyed) -> None:
    assert await surveyed(played, "adds") is None


async def test_a_file_that_does_not_end_is_given_all_that_ran(surveyed) -> None:
    hanging = result("", "error", 0, error_type="Timeout")
    report = TestReport(results={hanging.id: hanging})
    played = Played(NoReport(why="late", infrastructure=False, hung=True))
    found = await surveyed(played, "", report=report)
    assert set(found.suspicions.lines) == {("cart.js", line) for line in (2, 3, 4, 6)}
    assert found.passing_seen == 0


async def test_sources_without_probes_are_not_run(surveyed, tmp_path: Path) -> None:
    (tmp_path / "cart.js").unlink()
    (tmp_path / PATH).unlink()
    played = Played(REPORT)
    assert await surveyed(played, "adds") is None
    assert played.deltas == []
