"""Compares what was measured on the base with what was measured on a candidate. Pure.

Strict in one direction: a test counts as passing only if it ran and passed. Skipped, expected to
fail, missing or hanging is not passing for a test that passed on the base, nor for a target.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from agent.task import RepoPath, TestId
from agent.verify.report import Baseline, Outcome, TestReport

_STILL_GOOD: Mapping[Outcome, Set[Outcome]] = {
    Outcome.PASSED: frozenset({Outcome.PASSED}),
    Outcome.XFAILED: frozenset({Outcome.XFAILED, Outcome.XPASSED, Outcome.PASSED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How the candidate's run differs from the base's; ids in run order of the base."""

    fixed: tuple[TestId, ...]
    """Failed on the base, pass now, and are not flaky."""
    still_failing: tuple[TestId, ...]
    """Targets that do not pass."""
    other_failing: tuple[TestId, ...]
    """Failed on the base and do now, and were not asked for."""
    broken: tuple[TestId, ...]
    """Passed on the base and do not now, or are new and fail."""
    missing: tuple[TestId, ...]
    """Ran on the base and are no longer there, without an error that explains it."""
    altered: tuple[str, ...]
    """Parts of the test runner replaced during this run and not during the base's."""
    plugins: tuple[RepoPath, ...]
    """Files that became plugins of the test runner and were none on the base."""


def compare(baseline: Baseline, after: TestReport, *, may_go: Set[RepoPath]) -> Comparison:
    """Compare a whole run with the baseline; tests in `may_go` files may disappear."""
    flaky = frozenset(baseline.flaky)
    before = baseline.report
    gone = _gone(before, after, flaky, may_go)
    unexplained, uncollected = _split_explained(gone, after)
    targets = frozenset(baseline.targets)
    return Comparison(
        fixed=tuple(i for i in before.failing if i not in flaky and is_fixed(after, i)),
        still_failing=tuple(i for i in baseline.targets if not is_fixed(after, i)),
        other_failing=tuple(
            i for i in before.failing if i not in targets and not is_fixed(after, i)
        ),
        broken=(*_broken(baseline, after, frozenset(gone)), *uncollected),
        missing=unexplained,
        altered=tuple(sorted(set(after.altered) - set(before.altered))),
        plugins=tuple(sorted(set(after.plugins) - set(before.plugins))),
    )


def is_fixed(after: TestReport, id_: TestId) -> bool:
    """Look whether a test that failed on the base really passes now."""
    return after.outcome(id_) is Outcome.PASSED


def _broken(baseline: Baseline, after: TestReport, gone: Set[TestId]) -> tuple[TestId, ...]:
    before = baseline.report.results
    flaky = frozenset(baseline.flaky)
    worse = [
        id_
        for id_ in baseline.passing
        if id_ not in gone
        and id_ in after.results
        and after.results[id_].outcome not in _STILL_GOOD[before[id_].outcome]
    ]
    uncollected_before = {id_ for id_ in before if "::" not in id_}
    new = [
        id_
        for id_ in after.failing
        if id_ not in before
        and id_ not in flaky
        and id_.partition("::")[0] not in uncollected_before
    ]
    return (*worse, *new)


def _gone(
    before: TestReport, after: TestReport, flaky: Set[TestId], may_go: Set[RepoPath]
) -> tuple[TestId, ...]:
    """Return tests that no longer run; parameters that only changed their names do not count."""
    absent = [
        id_
        for id_, result in before.results.items()
        if id_ not in after.results
        and "::" in id_
        and id_ not in flaky
        and result.path not in may_go
    ]
    spare = _count_by_function(id_ for id_ in after.results if id_ not in before.results)
    lost = _count_by_function(absent)
    return tuple(id_ for id_ in absent if lost[_function(id_)] > spare.get(_function(id_), 0))


def _split_explained(
    gone: tuple[TestId, ...], after: TestReport
) -> tuple[tuple[TestId, ...], tuple[TestId, ...]]:
    """Part what is gone without a word from what is gone since its file no longer imports."""
    broken_files = {error.path for error in after.collection_errors}
    silent = tuple(id_ for id_ in gone if id_.partition("::")[0] not in broken_files)
    return silent, tuple(id_ for id_ in gone if id_ not in set(silent))


def _count_by_function(ids: Iterable[TestId]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for id_ in ids:
        counts[_function(id_)] = counts.get(_function(id_), 0) + 1
    return counts


def _function(id_: TestId) -> str:
    return id_.partition("[")[0]
