"""Builders of test reports and baselines, for tests that judge them."""

from pathlib import Path

from agent.task import RepoPath, TestId
from agent.verify.report import (
    Baseline,
    CollectionError,
    Frame,
    Outcome,
    TestReport,
    TestResult,
)
from agent.workspace.base import Base


def a_result(id_: str, outcome: str = "passed", **more: object) -> TestResult:
    """Return a result; path from the id, `frames` as (path, line) pairs."""
    frames = more.pop("frames", ())
    return TestResult(
        id=TestId(id_),
        outcome=Outcome(outcome),
        duration_s=more.pop("duration_s", 0.01),
        path=RepoPath(more.pop("path", id_.partition("::")[0])),
        frames=tuple(Frame(path=RepoPath(p), line=n, function="f") for p, n in frames),
        **more,
    )


def a_report(*results: TestResult) -> TestReport:
    """Return a report of these results, in this order."""
    return TestReport(results={result.id: result for result in results})


def outcomes(**by_name: str) -> TestReport:
    """Return a report of `tests/test_a.py::test_<name>`, each with its outcome."""
    return a_report(*(a_result(an_id(name), outcome) for name, outcome in by_name.items()))


def an_id(name: str) -> TestId:
    return TestId(f"tests/test_a.py::test_{name}")


def a_baseline(report: TestReport, *targets: str, flaky: tuple[str, ...] = ()) -> Baseline:
    """Return a baseline; targets are names, by default everything that fails."""
    chosen = tuple(an_id(name) for name in targets) or report.failing
    return Baseline(report=report, targets=chosen, flaky=tuple(an_id(n) for n in flaky), wall_s=1.0)


def uncollected(path: str) -> CollectionError:
    return CollectionError(path=RepoPath(path), message="no")


def a_folder_base(folder: Path) -> Base:
    return Base(repo=folder, dir=folder, commit="c" * 40, tree="0" * 40, dirty_files=0)
