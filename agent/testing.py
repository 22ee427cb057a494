"""Runs tests of a repository as it is, once, and tells how each ended. Judges and edits nothing."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.errors import TaskError
from agent.events import Phase
from agent.ground import Announcement, Ground, Phases, Start, make_bench, open_base
from agent.result import RunResult
from agent.task import RepoPath, TestId
from agent.verify.baseline import Progress, failures_of, measured_of, unmeasurable
from agent.verify.bench import Bench, Selection
from agent.verify.report import NoReport, Outcome, TestReport
from agent.workspace.base import Base

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_PLACE: Final = re.compile(r"(?P<path>[^:]+):(?P<line>\d+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsAsked:
    """Which tests, on which content."""

    __test__ = False

    repo: Path
    """Anything inside the repository."""
    targets: tuple[str, ...] = ()
    """Test ids, files, folders, or `path:line`; none: the whole suite."""
    overlay: Mapping[RepoPath, bytes] = field(default_factory=dict)


async def run_tests(asked: TestsAsked, ground: Ground) -> RunResult:
    """Run them and return `passed` or `failed`. Raises: AgentError, SandboxError."""
    phases = Phases(ground.emit)
    start = Start(repo=asked.repo, overlay=asked.overlay)
    async with open_base(start, ground, phases) as base:
        with phases.run(Phase.ENVIRONMENT):
            announcement = Announcement(ground.emit)
            bench = await make_bench(base, ground, announcement)
        with phases.run(Phase.BASELINE):
            report = await _run(bench, asked.targets, ground)
    for failure in failures_of(report, ground.redact):
        ground.emit(failure)
    ground.emit(measured_of(report, whole=not asked.targets))
    return RunResult(
        run=ground.run,
        strategy="",
        verdict="failed" if report.failing else "passed",
        message=_summary(report),
        failing_before=report.failing,
        failing_after=report.failing,
        notes=announcement.notes,
        durations_s=phases.durations_s,
    )


async def _run(bench: Bench, targets: Sequence[str], ground: Ground) -> TestReport:
    limit_s = ground.settings.test_wall_s
    selection = selection_of(targets, bench.base)
    async with bench.open() as sandbox:
        progress = Progress(ground.emit)
        outcome = await bench.runner.run(
            sandbox,
            selection,
            wall_s=limit_s,
            on_result=progress.on_result,
            on_slow=progress.on_slow,
        )
        progress.tell()
    if isinstance(outcome, NoReport):
        raise unmeasurable(outcome, limit_s)
    if not outcome.results:
        raise TaskError(
            f"no tests were found in {', '.join(targets[:3]) or bench.base.repo}",
            remedy="name a test file, or how tests are run, with test_command in .greenloop.toml",
        )
    return outcome


def selection_of(targets: Sequence[str], base: Base) -> Selection:
    """Return what to run; a line stands for the test around it, else for its whole file.

    Raises: TaskError for a file that the repository does not have.
    """
    ids: dict[TestId, None] = {}
    files: dict[RepoPath, None] = {}
    for target in targets:
        id_ = _id_of(target, base)
        path = RepoPath(id_.partition("::")[0])
        if base.read(path) is not None:
            ids[id_] = None
        elif below := base.below(path):
            files.update(dict.fromkeys(below))
        else:
            raise TaskError(
                f"there is no {path} in this repository", remedy="name a test file or a test id"
            )
    return Selection(ids=tuple(ids), files=tuple(files))


def _id_of(target: str, base: Base) -> TestId:
    place = _PLACE.fullmatch(target)
    path = Path(place["path"] if place else target)
    if path.is_absolute() and path.is_relative_to(base.repo):
        path = path.relative_to(base.repo)
    if place is None:
        return TestId(path.as_posix())
    content = base.read(RepoPath(path.as_posix()))
    inner = _test_at(content.data, int(place["line"])) if content and path.suffix == ".py" else ""
    return TestId(f"{path.as_posix()}::{inner}" if inner else path.as_posix())


def _test_at(source: bytes, line: int) -> str:
    """Return the test class or function around a line, as pytest names it; empty: there is none."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    names: list[str] = []
    body: Sequence[ast.stmt] = tree.body
    while (node := _around(body, line)) is not None:
        names.append(node.name)
        body = node.body if isinstance(node, ast.ClassDef) else ()
    return "::".join(names)


def _around(body: Sequence[ast.stmt], line: int) -> _Definition | None:
    """Return the test among these that the line is in, its decorators included."""
    for node in body:
        if isinstance(node, _Definition) and node.name.lower().startswith("test"):
            first = min((node.lineno, *(one.lineno for one in node.decorator_list)))
            if first <= line <= (node.end_lineno or node.lineno):
                return node
    return None


def _summary(report: TestReport) -> str:
    """Return how they ended, in a line."""
    ended = [result.outcome for result in report.results.values()]
    counts = {outcome: ended.count(outcome) for outcome in Outcome}
    told = [f"{count} {outcome.value}" for outcome, count in counts.items() if count]
    return ", ".join(told)
