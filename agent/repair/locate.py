"""Ranks lines by how much speaks for an error there, from what ran in which test.

A formula over the lines of each test; lines that the tracebacks of failing tests passed come first,
and lines that changed of late before others. Pure; see `agent.repair.survey` for the measuring.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from agent.repair.formulas import Formula, dstar
from agent.repair.source import Failure
from agent.task import RepoPath, TestId

Line = tuple[RepoPath, int]
"""A file and a 1-based line of it."""

CRASH: Final = 1.0
"""Suspicion of the innermost line of a traceback."""
PASSED_BY: Final = 0.85
"""Suspicion of the line above it in the traceback, if only failing tests run it. Each further one
has less, and so has plumbing that passing tests run as well."""
LONG_UNCHANGED: Final = 0.4
"""Share of its suspicion that a line keeps which did not change, where one that the failing tests
run did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one test ran and how it ended."""

    test: TestId
    passed: bool
    lines: Mapping[RepoPath, Sequence[int]]
    errors: Sequence[Mapping[str, Any]] = ()
    """`{type, message, frames: [[path, line, function]], locals}`, the cause of each after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicions:
    """Where to look."""

    lines: Mapping[Line, float]
    """From 0 to 1; lines that no failing test runs are not in it."""
    failures: Mapping[Line, Failure] = field(default_factory=dict)
    """The exception, for lines that its traceback passed."""


def suspicions(
    traces: Iterable[Trace],
    is_target: Callable[[RepoPath], bool],
    *,
    formula: Formula = dstar,
) -> Suspicions:
    """Score every line that a failing test ran; files that are no target are left out."""
    traces = list(traces)
    failing = [trace for trace in traces if not trace.passed]
    in_failing, in_passing = Counter[Line](), Counter[Line]()
    for trace in traces:
        counter = in_passing if trace.passed else in_failing
        counter.update(
            (path, line) for path, lines in trace.lines.items() if is_target(path) for line in lines
        )
    passing = len(traces) - len(failing)
    scores = {
        line: formula(count, in_passing[line], len(failing), passing)
        for line, count in in_failing.items()
    }
    failures: dict[Line, Failure] = {}
    for trace in failing:
        for error in trace.errors:
            _add_traceback(error, is_target, scores, failures)
    return Suspicions(lines=scores, failures=failures)


def boosted(
    found: Suspicions, recent: Mapping[Line, float], *, unchanged: float = LONG_UNCHANGED
) -> Suspicions:
    """Let recently changed lines keep their suspicion and lower that of all others.

    `recent` tells how fresh a change is, from 0 to 1. Lines that no failing test runs do not come
    in by it, and where none of the suspected lines is recent, nothing changes.
    """
    fresh = {line: recent[line] for line in found.lines if recent.get(line, 0.0) > 0}
    if not fresh:
        return found
    lines = {
        line: score * (unchanged + (1 - unchanged) * fresh.get(line, 0.0))
        for line, score in found.lines.items()
    }
    return replace(found, lines=lines)


def _add_traceback(
    error: Mapping[str, Any],
    is_target: Callable[[RepoPath], bool],
    scores: dict[Line, float],
    failures: dict[Line, Failure],
) -> None:
    frames = [(RepoPath(path), int(line)) for path, line, *_function in error["frames"]]
    ours = [frame for frame in reversed(frames) if is_target(frame[0])]
    if not ours:
        return
    for place, line in enumerate(dict.fromkeys(ours)):
        alone = scores.get(line, 0.0)
        passed_by = PASSED_BY * 0.9 ** (place - 1) * (0.5 + 0.5 * alone)
        scores[line] = CRASH if place == 0 else max(alone, passed_by)
        is_crash = place == 0
        if is_crash or line not in failures:
            failures[line] = Failure(
                error=str(error["type"]),
                message=str(error["message"]),
                is_crash=is_crash,
                local_types=error.get("locals", {}) if is_crash else {},
            )


def relevant_passing(
    traces: Iterable[Trace], lines: Mapping[Line, float], *, most: int = 200
) -> tuple[TestId, ...]:
    """Return the passing tests that run suspicious lines, those that share most suspicion first."""
    shared: dict[TestId, float] = {}
    for trace in traces:
        if trace.passed:
            shared[trace.test] = sum(
                lines.get((path, line), 0.0)
                for path, numbers in trace.lines.items()
                for line in numbers
            )
    ranked = sorted(shared, key=lambda test: -shared[test])
    return tuple(test for test in ranked if shared[test] > 0)[:most]
