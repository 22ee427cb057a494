"""Which tests are looked at, which files may be edited, and what is said at the end."""

from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from agent.events import Event
from agent.job import Job
from agent.repair.hunt import Hunt
from agent.repair.lang import grammar_for
from agent.repair.locate import Trace
from agent.repair.outcome import gave_up
from agent.repair.source import Source
from agent.repair.survey import files_of_tests, from_report, lines_of, plan_survey, survey
from agent.repair.suspects import Suspect, named_lines
from agent.repair.territory import LARGEST_FILE_BYTES, territory
from agent.repo.languages import Language
from agent.task import RepoPath, TaskSpec, TestId, TestPolicy
from agent.verify.bench import Bench
from agent.verify.pytest_runner import PytestRunner
from agent.verify.report import Baseline, Frame, Outcome, TestReport, TestResult
from sandbox.base import Environment
from sandbox.docker.engine import DockerEngine
from tests.support.repair import a_local_server, base_of
from tests.support.runs import not_measured

RED = TestId("tests/core/test_a.py::test_red")


def a_result(id_: str, outcome: Outcome = Outcome.PASSED, duration_s: float = 0.1) -> TestResult:
    return TestResult(id=TestId(id_), outcome=outcome, duration_s=duration_s)


def a_baseline(*results: TestResult, targets: tuple[TestId, ...] = (RED,)) -> Baseline:
    report = TestReport(results={result.id: result for result in results})
    return Baseline(report=report, targets=targets, flaky=(), wall_s=1.0)


NEAR = [
    a_result(RED, Outcome.FAILED),
    a_result("tests/other/test_c.py::test_far"),
    a_result("tests/core/test_b.py::test_near"),
    a_result("tests/core/test_a.py::test_same"),
    a_result("tests/core/test_a.py::test_known", Outcome.XFAILED),
    a_result("tests/core/test_b.py::test_slow", duration_s=50),
]


def test_the_nearest_passing_tests_are_surveyed_first() -> None:
    tests, files = plan_survey(a_baseline(*NEAR), seconds=10)
    assert tests == (
        "tests/core/test_a.py::test_same",
        "tests/core/test_b.py::test_near",
        "tests/other/test_c.py::test_far",
    )
    assert files == ("tests/core/test_a.py", "tests/core/test_b.py", "tests/other/test_c.py")


def test_the_survey_ends_with_its_time() -> None:
    tests, files = plan_survey(a_baseline(*NEAR), seconds=0.2)
    assert tests == ("tests/core/test_a.py::test_same",)
    assert files == ("tests/core/test_a.py",)


LOOPING = """
def ends(value):
    return value


def loops(value):
    while value:
        value = value + 0
    return value
"""
TESTS_OF_LOOPING = """
import looping


def test_ends():
    assert looping.ends(1) == 2


def test_passes():
    assert looping.ends(1) == 1
""" + "\n".join(
    f"\n\ndef test_loops_{number}():\n    assert looping.loops(1)\n" for number in range(5)
)


async def test_targets_that_hang_cost_little_and_tell_their_lines(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "looping.py").write_text(LOOPING)
    (project / "test_looping.py").write_text(TESTS_OF_LOOPING)
    hanging = [
        TestResult(
            id=TestId(f"test_looping.py::test_loops_{number}"),
            outcome=Outcome.FAILED,
            duration_s=30,
            error_type="Timeout",
        )
        for number in range(5)
    ]
    red = a_result("test_looping.py::test_ends", Outcome.FAILED)
    green = a_result("test_looping.py::test_passes")
    baseline = a_baseline(red, green, *hanging, targets=(red.id, *(one.id for one in hanging)))
    editable = frozenset({RepoPath("looping.py")})
    async with a_local_server(project, ["test_looping.py"]) as server:
        found = await survey(server, baseline, [green.id], editable, seconds=20)
    assert {line for _path, line in found.suspicions.lines} == {3, 7, 8}
    limits = dict(found.watched.targets)
    assert [limits[one.id] for one in hanging] == [0.0] * 5
    assert found.covered == {RepoPath("looping.py"): {3}}


def test_a_report_alone_gives_the_lines_of_the_traceback() -> None:
    result = TestResult(
        id=RED,
        outcome=Outcome.FAILED,
        duration_s=0.1,
        message="'k'",
        error_type="KeyError",
        frames=(
            Frame(path=RepoPath("tests/a.py"), line=3, function="test_red"),
            Frame(path=RepoPath("a.py"), line=7, function="f"),
        ),
    )
    (trace,) = from_report(a_baseline(result), RED)
    assert trace == Trace(
        test=RED,
        passed=False,
        lines={RepoPath("tests/a.py"): [3], RepoPath("a.py"): [7]},
        errors=(
            {
                "type": "KeyError",
                "message": "'k'",
                "frames": [["tests/a.py", 3, "test_red"], ["a.py", 7, "f"]],
            },
        ),
    )
    assert from_report(a_baseline(result), TestId("gone")) == []


def test_lines_of_several_tests_are_taken_together() -> None:
    a, b = RepoPath("a.py"), RepoPath("b.py")
    traces = [
        Trace(test=TestId("one"), passed=True, lines={a: [1, 2]}),
        Trace(test=TestId("two"), passed=True, lines={a: [2, 4], b: [7]}),
    ]
    assert lines_of(traces) == {a: {1, 2, 4}, b: {7}}
    assert lines_of([]) == {}


def test_tests_and_other_languages_are_no_territory(tmp_path: Path) -> None:
    for name in ("a.py", "tests/test_a.py", "check_a.py", "a.txt", "conftest.py", "big.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("value = name\n")
    (tmp_path / "big.py").write_bytes(b"#" * (LARGEST_FILE_BYTES + 1))
    (tmp_path / "link.py").symlink_to("a.py")
    ground = territory(base_of(tmp_path), frozenset({RepoPath("check_a.py")}))
    assert ground.paths == {"a.py", "big.py", "link.py"}
    assert ground.tests == {"tests/test_a.py", "check_a.py", "conftest.py"}
    assert ground.read(RepoPath("a.py")) == b"value = name\n"
    assert ground.read(RepoPath("big.py")) is None
    assert ground.read(RepoPath("link.py")) is None
    assert ground.read(RepoPath("gone.py")) is None
    assert ground.grammar(RepoPath("a.py")) is not None
    assert ground.grammar(RepoPath("conftest.py")) is None
    assert ground.words({RepoPath("a.py"): [1, 9]}) == {"value", "name"}
    assert ground.words_of([RepoPath("a.py")]) == {"value", "name"}


def test_helpers_of_tests_are_territory_where_the_task_allows_it(tmp_path: Path) -> None:
    for name in ("a.py", "conftest.py", "tests/helpers.py", "tests/test_a.py", "check_a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("value = 1\n")
    with_tests = frozenset({RepoPath("check_a.py"), RepoPath("tests/test_a.py")})
    base = base_of(tmp_path)
    assert territory(base, with_tests).paths == {"a.py"}
    assert territory(base, with_tests, TestPolicy(may_add=True)).paths == {"a.py"}
    ground = territory(base, with_tests, TestPolicy(may_edit=True))
    assert ground.paths == {"a.py", "conftest.py", "tests/helpers.py"}
    assert ground.tests == {"conftest.py", "tests/helpers.py", "tests/test_a.py", "check_a.py"}
    assert ground.grammar(RepoPath("conftest.py")) is not None


def test_code_with_a_test_in_its_docstring_is_no_file_of_tests() -> None:
    results = [
        a_result("shop/cart.py::shop.cart.total"),
        a_result("shop/__init__.py::shop.VERSION"),
        a_result("shop/price.py::price.of[1.5]"),
        a_result("tests/test_cart.py::test_total[1.5]"),
        a_result("tests/test_cart.py::TestCart::test_sum"),
        a_result("cart.test.js::cart.total"),
    ]
    assert files_of_tests(results) == {"tests/test_cart.py", "cart.test.js"}


def test_functions_that_a_test_names_are_suspected_for_want_of_better() -> None:
    files: Mapping[RepoPath, bytes] = {
        RepoPath("a.py"): b"def total(a):\n    b = a\n    return b\n\n\ndef other():\n    pass\n",
        RepoPath("b.py"): b"value = 1\n",
    }
    found = named_lines(
        frozenset({"total"}), files.get, files, lambda _path: grammar_for(Language.PYTHON)
    )
    assert set(found) == {("a.py", 2), ("a.py", 3)}


@pytest.fixture
async def hunt(tmp_path: Path) -> Hunt:
    environment = Environment(kind="host", interpreter="/usr/bin/python3", why="", identity="")
    bench = Bench(
        base=base_of(tmp_path),
        engine=DockerEngine(variables={}),
        environment=environment,
        runner=PytestRunner(interpreter="/usr/bin/python3"),
    )
    events: list[Event] = []
    job = Job(
        task=TaskSpec(repo=tmp_path),
        bench=bench,
        baseline=a_baseline(
            TestResult(
                id=RED, outcome=Outcome.FAILED, duration_s=0.1, message="f\nE  no such thing"
            )
        ),
        emit=events.append,
        measure=not_measured,
        run_dir=tmp_path,
    )
    await anyio.lowlevel.checkpoint()
    return Hunt(job, search_s=5, candidates=5)


async def test_giving_up_says_that_nothing_was_suspected(hunt: Hunt) -> None:
    said = gave_up(hunt, 0)
    assert said.reason == (
        "No line outside of the tests could be tied to the failing tests (E  no such thing)."
    )


async def test_giving_up_says_how_far_the_search_went(hunt: Hunt) -> None:
    source = Source(RepoPath("shop.py"), b"price = 1\n", grammar_for(Language.PYTHON))
    suspect = Suspect(source=source, region=source.regions[0], score=0.5, failure=None)
    hunt.suspects = (suspect,) * 7
    hunt.findings.tried = 120
    cut_off = gave_up(hunt, 0)
    assert "7 suspected statements" in cut_off.reason
    assert "120 tried, it was cut off" in cut_off.reason
    hunt.findings.exhausted = True
    done = gave_up(hunt, 0)
    assert "that is every edit it knows" in done.reason
    assert done.advice != cut_off.advice
    assert done.clues == ("suspect shop.py:1 (0.50): price = 1",) * 5
