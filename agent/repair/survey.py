"""Measures what the tests run: the targets, and passing tests near them as far as time allows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from agent.repair.locate import Suspicions, Trace, relevant_passing, suspicions
from agent.repair.validate.base import Watched
from agent.repair.validate.fork_server import Covered, ForkServer
from agent.task import RepoPath, TestId
from agent.verify.doctests import is_doctest
from agent.verify.report import Baseline, Outcome, TestResult

MOST_FILES: Final = 60
"""Test files collected beside the targets' own; collecting is what they cost."""
MOST_TESTS: Final = 600
"""Passing tests looked at."""
LONGEST_TEST_S: Final = 10.0
"""Seconds of CPU after which a surveyed test is taken to hang; its lines until then count."""
SHORTEST_LIMIT_S: Final = 1.0
HANGING_S: Final = 0.5
"""The same for a target that did not end on the base either: its first lines tell enough."""
MOST_HANGING: Final = 3
"""So many of these are looked at."""
TIMES_TRACED: Final = 1.5
"""How much longer a passing test is taken to last under the line collector."""
TIMES_TRACED_SLOWLY: Final = 20.0
"""How much longer a failing one may last, where every file counts and the Python is old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was measured before the search."""

    suspicions: Suspicions
    watched: Watched
    passing_seen: int
    """Passing tests whose lines are known."""
    target_lines: Mapping[RepoPath, frozenset[int]]
    """Lines of tests and other files out of reach that the targets ran."""
    targets_passed: tuple[TestId, ...] = ()
    """Targets that passed here, against the baseline."""
    covered: Mapping[RepoPath, frozenset[int]] = field(default_factory=dict)
    """Lines that some passing test was seen to run, of the files that the targets run. What runs
    at import alone (module and class level, signatures) is not among them."""


def file_of(result: TestResult) -> RepoPath:
    """Return the test's file, by what the runner says or else by the id."""
    return result.path or RepoPath(result.id.split("::", 1)[0])


def files_of_tests(results: Iterable[TestResult]) -> frozenset[RepoPath]:
    """Return the files in which tests stand; code whose docstring is one is none of them."""
    return frozenset(file_of(result) for result in results if not is_doctest(result))


def _files_of_targets(baseline: Baseline) -> frozenset[RepoPath]:
    results = baseline.report.results
    return files_of_tests(results[id_] for id_ in baseline.targets if id_ in results)


def plan_survey(
    baseline: Baseline, *, seconds: float
) -> tuple[tuple[TestId, ...], tuple[RepoPath, ...]]:
    """Return passing tests nearest to the targets, and every file to collect.

    Nearest: the same file, then files whose paths share most with a target's. Tests are taken
    until their time on the base adds up to `seconds`.
    """
    results = baseline.report.results
    targets = [results[id_] for id_ in baseline.targets if id_ in results]
    target_files = dict.fromkeys(file_of(result) for result in targets)
    target_files.update(dict.fromkeys(RepoPath(t) for t in baseline.targets if "::" not in t))
    files = dict.fromkeys(target_files)
    chosen: list[TestId] = []
    left_s = seconds
    plain = [r for r in map(results.__getitem__, baseline.passing) if r.outcome is Outcome.PASSED]
    for result in sorted(plain, key=lambda one: _distance(file_of(one), tuple(target_files))):
        path = file_of(result)
        if result.duration_s * TIMES_TRACED > left_s or len(chosen) >= MOST_TESTS:
            continue
        if path not in files and len(files) >= MOST_FILES:
            continue
        files[path] = None
        chosen.append(result.id)
        left_s -= result.duration_s * TIMES_TRACED
    return tuple(chosen), tuple(files)


def _distance(path: RepoPath, targets: Sequence[RepoPath]) -> int:
    """Return 0 for a target's own file, more for each folder that lies between."""
    parts = PurePosixPath(path).parts
    nearest = 1000
    for target in targets:
        other = PurePosixPath(target).parts
        shared = sum(
            1 for index, part in enumerate(parts[:-1]) if other[index : index + 1] == (part,)
        )
        apart = 0 if path == target else 1 + len(parts) + len(other) - 2 * shared
        nearest = min(nearest, apart)
    return nearest


async def survey(
    server: ForkServer,
    baseline: Baseline,
    passing: Sequence[TestId],
    targets_of_edits: frozenset[RepoPath],
    *,
    seconds: float,
) -> Survey:
    """Run the tests under the line collector and rank the lines. Raises: SandboxLost."""
    seen = await cover_tests(server, baseline, passing, targets_of_edits, seconds=seconds)
    traces = [trace_of(one) for one in seen]
    found = suspicions(with_report(traces, baseline), targets_of_edits.__contains__)
    results = baseline.report.results
    cpu_s = {id_: 0.0 for id_ in baseline.targets if id_ in results and _hangs(results[id_])}
    cpu_s |= {one.test: 0.0 if _hung(one) else one.cpu_s for one in seen}
    wanted = frozenset(baseline.targets)
    near = [one for one in traces if one.test not in wanted]
    relevant = sorted(relevant_passing(near, found.lines), key=lambda test: cpu_s[test])
    return Survey(
        suspicions=found,
        watched=Watched(
            targets=tuple(
                (id_, cpu_s.get(id_, 1.0))
                for id_ in sorted(baseline.targets, key=lambda id_: cpu_s.get(id_, 1.0))
            ),
            passing=tuple((id_, cpu_s[id_]) for id_ in relevant),
        ),
        target_lines=_lines_elsewhere(
            traces, wanted, targets_of_edits - _files_of_targets(baseline)
        ),
        passing_seen=sum(one.passed for one in near),
        targets_passed=tuple(one.test for one in traces if one.passed and one.test in wanted),
        covered=lines_of(trace for trace in traces if trace.passed),
    )


async def cover_tests(
    server: ForkServer,
    baseline: Baseline,
    passing: Sequence[TestId],
    targets_of_edits: frozenset[RepoPath],
    *,
    seconds: float,
) -> list[Covered]:
    """Run the targets and then as many of the passing tests as time allows, under the collector.

    Raises: SandboxLost.
    """
    results = baseline.report.results
    targets = [results[id_] for id_ in baseline.targets if id_ in server.tests and id_ in results]
    hanging = [one.id for one in targets if _hangs(one)][:MOST_HANGING]
    ending = [one for one in targets if not _hangs(one)]
    limit_s = max((TIMES_TRACED_SLOWLY * one.duration_s for one in ending), default=0.0)
    limit_s = min(LONGEST_TEST_S, max(SHORTEST_LIMIT_S, limit_s))
    seen = await _cover(server, [one.id for one in ending], seconds=seconds, limit_s=limit_s)
    seen += await _cover(server, hanging, seconds=seconds, limit_s=HANGING_S)
    # What no target runs is not suspected, so nobody needs to know who else runs it
    suspected = {path for one in seen for path in one.lines} & targets_of_edits
    others = [id_ for id_ in passing if id_ in server.tests]
    return seen + await _cover(
        server, others, seconds=seconds, limit_s=LONGEST_TEST_S, files=suspected
    )


def _hangs(result: TestResult) -> bool:
    """Tell whether a test was ended by a time limit, the sandbox's or the repository's own."""
    return result.error_type == "Timeout" or "Timeout >" in result.message


def trace_of(covered: Covered) -> Trace:
    """Return what matters for ranking."""
    return Trace(
        test=covered.test, passed=covered.passed, lines=covered.lines, errors=covered.errors
    )


def _hung(covered: Covered) -> bool:
    return any(error["type"] == "Hung" for error in covered.errors)


def lines_of(traces: Iterable[Trace]) -> dict[RepoPath, frozenset[int]]:
    """Return every line that ran in one of the traces, by file."""
    lines: dict[RepoPath, set[int]] = {}
    for trace in traces:
        for path, numbers in trace.lines.items():
            lines.setdefault(path, set()).update(numbers)
    return {path: frozenset(numbers) for path, numbers in lines.items()}


def _lines_elsewhere(
    traces: Sequence[Trace], wanted: frozenset[TestId], targets_of_edits: frozenset[RepoPath]
) -> dict[RepoPath, frozenset[int]]:
    ran = lines_of(trace for trace in traces if trace.test in wanted)
    return {path: lines for path, lines in ran.items() if path not in targets_of_edits}


async def _cover(
    server: ForkServer,
    tests: Sequence[TestId],
    *,
    seconds: float,
    limit_s: float,
    files: Collection[RepoPath] | None = None,
) -> list[Covered]:
    ran = server.cover(tests, seconds=seconds, limit_s=limit_s, files=files)
    async with aclosing(ran) as stream:
        return [covered async for covered in stream]


def with_report(traces: Sequence[Trace], baseline: Baseline) -> list[Trace]:
    """Add failing targets that could not be traced, with the frames that the baseline saw."""
    known = {trace.test for trace in traces}
    missing = [id_ for id_ in baseline.targets if id_ not in known]
    return [*traces, *(trace for id_ in missing for trace in from_report(baseline, id_))]


def from_report(baseline: Baseline, target: TestId) -> list[Trace]:
    """Return what the baseline's report alone says of a target: the lines of its traceback."""
    result = baseline.report.results.get(target)
    if result is None:
        return []
    lines: dict[RepoPath, list[int]] = {}
    for frame in result.frames:
        lines.setdefault(frame.path, []).append(frame.line)
    error = {
        "type": result.error_type,
        "message": result.message,
        "frames": [[frame.path, frame.line, frame.function] for frame in result.frames],
    }
    return [Trace(test=target, passed=False, lines=lines, errors=(error,))]
