"""Turns what the runners of JavaScript write into results of tests. The text may be hostile.

Two forms: lines of JSON of our own reporters (node, mocha), and the JSON report that jest began and
vitest writes too. Caps on size, tests and texts; one value for whatever cannot be used.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from agent.task import RepoPath, TestId
from agent.verify.javascript.stack import TEXT_CHARS, Thrown, read_crash, read_stack, repo_path
from agent.verify.report import CollectionError, Outcome, TestResult

MOST_TESTS: Final = 50_000
_BAD: Final = frozenset({Outcome.FAILED, Outcome.ERROR})
_OF_JEST: Final = {"passed": Outcome.PASSED, "failed": Outcome.FAILED}
"""Everything else did not run: pending, skipped, todo, disabled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a run of test files told."""

    results: dict[TestId, TestResult] = field(default_factory=dict)
    collection_errors: tuple[CollectionError, ...] = ()
    is_whole: bool = True
    """The runner came to its own end."""
    running: TestId | None = None
    """A test that began and did not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Useless:
    """The report says nothing that can be relied on."""

    why: str


def read_lines(data: bytes, root: str) -> Script | Useless:
    """Return what one of our own reporters wrote; never raises."""
    gathered = _Gathered(root)
    begun: dict[TestId, None] = {}
    is_whole = False
    for number, line in enumerate(data.splitlines()):
        if number > 3 * MOST_TESTS:
            return Useless(why=f"the report has more than {MOST_TESTS} tests")
        told = _record(line)
        if told is None:
            return Useless(why="the report is not readable")
        match told.get("at"):
            case "start":
                begun[_id_of(told, root)] = None
            case "end":
                begun.pop(_id_of(told, root), None)
                if not (told.get("suite") is True and told.get("kind") != "hookFailed"):
                    gathered.add(_result_of(told, root))
            case "over":
                is_whole = True
            case _:
                return Useless(why="the report holds what our reporter does not write")
    running = [id_ for id_ in begun if "::" in id_]
    return gathered.told(is_whole=is_whole, running=running[-1] if running else None)


def read_jest(data: bytes, root: str) -> Script | Useless:
    """Return what a JSON report of jest or vitest says; never raises."""
    told = _record(data)
    files = told.get("testResults") if told is not None else None
    if not isinstance(files, list):
        return Useless(why="the report is not readable")
    gathered = _Gathered(root)
    for file in files:
        if not isinstance(file, dict) or len(gathered.results) > MOST_TESTS:
            return Useless(why="the report is not of the form that jest and vitest write")
        for result in _results_of_file(file, root):
            gathered.add(result)
    return gathered.told(is_whole=told is not None and told.get("wasInterrupted") is not True)


class _Gathered:
    """Results by id; of several with one id the worst counts."""

    def __init__(self, root: str) -> None:
        self.results: dict[TestId, TestResult] = {}
        self._root = root

    def add(self, result: TestResult) -> None:
        known = self.results.get(result.id)
        if known is None or (result.outcome in _BAD and known.outcome not in _BAD):
            self.results[result.id] = result

    def told(self, *, is_whole: bool, running: TestId | None = None) -> Script:
        errors = tuple(
            CollectionError(path=result.path, message=result.message)
            for id_, result in self.results.items()
            if "::" not in id_ and result.outcome is Outcome.ERROR
        )
        return Script(
            results=self.results, collection_errors=errors, is_whole=is_whole, running=running
        )


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _id_of(told: dict[str, Any], root: str) -> TestId:
    path = _path_of(told.get("file"), root)
    names = told.get("names")
    return _id(path, names if isinstance(names, list) else [])


def _id(path: RepoPath, names: list[Any]) -> TestId:
    """Name a test by its file and the titles around it; white space in titles becomes plain."""
    return TestId("::".join([path, *(" ".join(str(name).split())[:TEXT_CHARS] for name in names)]))


def _path_of(place: object, root: str) -> RepoPath:
    return (repo_path(place, root) if isinstance(place, str) else None) or RepoPath("")


def _result_of(told: dict[str, Any], root: str) -> TestResult:
    id_ = _id_of(told, root)
    outcome = Outcome(text) if (text := told.get("outcome")) in set(Outcome) else Outcome.FAILED
    is_file = "::" not in id_
    if is_file and outcome is Outcome.FAILED:
        outcome = Outcome.ERROR
    thrown = _thrown(told, root) if outcome in _BAD | {Outcome.XFAILED} else _NOTHING
    is_late = told.get("kind") == "testTimeoutFailure"
    return TestResult(
        id=id_,
        outcome=outcome,
        duration_s=_seconds(told.get("seconds")),
        message=thrown.message,
        error_type="Timeout" if is_late else thrown.type,
        frames=thrown.frames,
        path=_path_of(told.get("file"), root),
        line=_line(told.get("line")),
    )


_NOTHING: Final = Thrown(type="", message="", frames=())


def _thrown(told: dict[str, Any], root: str) -> Thrown:
    if isinstance(output := told.get("output"), str) and output.strip():
        return read_crash(output, root)
    thrown = read_stack(_text(told.get("stack")), root)
    type_, message = _text(told.get("type")), _text(told.get("message"))
    return Thrown(
        type=(type_ or thrown.type)[:200],
        message=(message or thrown.message)[:TEXT_CHARS],
        frames=thrown.frames,
    )


def _results_of_file(file: dict[str, Any], root: str) -> Iterator[TestResult]:
    path = _path_of(file.get("name"), root)
    listed = file.get("assertionResults")
    cases = [case for case in listed if isinstance(case, dict)] if isinstance(listed, list) else []
    for case in cases:
        yield _result_of_case(case, path, root)
    is_bad = file.get("status") == "failed"
    if is_bad and not any(case.get("status") == "failed" for case in cases):
        thrown = read_crash(_without_dots(_text(file.get("message"))), root)
        yield TestResult(
            id=TestId(path),
            outcome=Outcome.ERROR,
            duration_s=0.0,
            message=thrown.message,
            error_type=thrown.type,
            frames=thrown.frames,
            path=path,
        )


def _result_of_case(case: dict[str, Any], path: RepoPath, root: str) -> TestResult:
    titles = case.get("ancestorTitles")
    names = [*(titles if isinstance(titles, list) else []), case.get("title", "")]
    outcome = _OF_JEST.get(_text(case.get("status")), Outcome.SKIPPED)
    said = case.get("failureMessages")
    first = said[0] if isinstance(said, list) and said else ""
    thrown = read_stack(_text(first), root) if outcome is Outcome.FAILED else _NOTHING
    place = case.get("location")
    return TestResult(
        id=_id(path, names),
        outcome=outcome,
        duration_s=_seconds(case.get("duration"), scale=1000.0),
        message=thrown.message,
        error_type=thrown.type,
        frames=thrown.frames,
        path=path,
        line=_line(place.get("line")) if isinstance(place, dict) else 0,
    )


def _without_dots(message: str) -> str:
    """Take jest's heading and its margin off what it says of a file that did not load."""
    lines = message.splitlines()
    if lines and lines[0].lstrip().startswith("●"):
        lines = lines[1:]
    return "\n".join(line.removeprefix("    ") for line in lines)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _line(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 10_000_000 else 0


def _seconds(value: object, *, scale: float = 1.0) -> float:
    if not isinstance(value, int | float) or not 0 <= value < 1e12:
        return 0.0
    return float(value) / scale
