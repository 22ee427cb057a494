"""Turns what a person names as targets into test ids of the baseline. Pure."""

import ast
import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from agent.errors import TaskError
from agent.task import RepoPath, TestId
from agent.verify.report import Outcome, TestReport, TestResult
from agent.workspace.base import Base

_PLACE = re.compile(r"(?P<path>[^:]+):(?P<line>\d+)$")


def resolve_targets(report: TestReport, targets: Sequence[str], base: Base) -> tuple[TestId, ...]:
    """Return the failing tests that are meant, in run order; no target means all of them.

    A target is a test id (or the function without its parameters, or a class), a file or folder,
    or `path:line` for the test around that line.
    Raises: TaskError (no such test, or it passes on the base).
    """
    if not targets:
        return report.failing
    chosen: set[TestId] = set()
    for target in targets:
        chosen.update(_failing_of(target, _meant(report, target, base), report))
    return tuple(id_ for id_ in report.results if id_ in chosen)


def _failing_of(target: str, ids: Sequence[TestId], report: TestReport) -> list[TestId]:
    failing = [id_ for id_ in ids if report.results[id_].is_failing]
    if failing:
        return failing
    if all(report.results[id_].outcome is Outcome.SKIPPED for id_ in ids):
        raise TaskError(
            f"{target} is skipped on the base, so nothing can be measured by it",
            remedy="name a test that fails",
        )
    raise TaskError(
        f"{target} passes on the base; there is nothing to fix",
        remedy="name a test that fails, or write one that shows the bug",
    )


def _meant(report: TestReport, target: str, base: Base) -> list[TestId]:
    """Return every test that a target names. Raises: TaskError."""
    ids = list(report.results)
    if TestId(target) in report.results:
        return [TestId(target)]
    if found := [id_ for id_ in ids if id_.startswith((f"{target}[", f"{target}::"))]:
        return found
    if place := _PLACE.fullmatch(target):
        return _around(report, _repo_path(place["path"], base), int(place["line"]), target, base)
    path = _repo_path(target.partition("::")[0], base)
    if "::" not in target:
        return _in_file(report, path, target, base)
    name = f"{path}::{target.partition('::')[2]}"
    found = [id_ for id_ in ids if id_ == name or id_.startswith((f"{name}[", f"{name}::"))]
    if found:
        return found
    raise _unknown(target, ids)


def _in_file(report: TestReport, path: RepoPath, target: str, base: Base) -> list[TestId]:
    folder = f"{path.rstrip('/')}/" if path not in {"", "."} else ""
    found = [
        id_
        for id_, result in report.results.items()
        if _file(result) == path or (_file(result).startswith(folder))
    ]
    if found:
        return found
    if base.read(path) is not None:
        raise TaskError(
            f"no test was found in {target}",
            remedy="name a file that the test runner collects, or a test id",
        )
    raise _unknown(target, [*report.results, *dict.fromkeys(map(_file, report.results.values()))])


def _around(report: TestReport, path: RepoPath, line: int, target: str, base: Base) -> list[TestId]:
    """Return the tests (one function, all its parameters) that begin last before a line."""
    here = {id_: r for id_, r in report.results.items() if _file(r) == path}
    if not here:
        files = dict.fromkeys(_file(result) for result in report.results.values())
        raise _unknown(target, [RepoPath(file) for file in files if file])
    content = base.read(path)
    lines = content.data.count(b"\n") + 1 if content else line
    if line > lines:
        raise TaskError(f"there is no line {line} in {path}", remedy=f"it has {lines - 1} lines")
    if content and (class_ := _class_at(content.data, line)):
        prefix = f"{path}::{class_}::"
        if found := [id_ for id_ in here if id_.startswith(prefix)]:
            return found
    starts = [result.line for result in here.values() if result.line <= line]
    if not starts:
        first = min(result.line for result in here.values())
        raise TaskError(
            f"no test begins at or before {target}",
            remedy=f"the first test of that file is at line {first}",
        )
    return [id_ for id_, result in here.items() if result.line == max(starts)]


def _class_at(source: bytes, line: int) -> str:
    """Return the class whose own first line, or decorator, this is; editors send that line."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            first = min((node.lineno, *(one.lineno for one in node.decorator_list)))
            if first <= line <= node.lineno:
                return node.name
    return ""


def _file(result: TestResult) -> RepoPath:
    return result.path or RepoPath(result.id.partition("::")[0])


def _repo_path(text: str, base: Base) -> RepoPath:
    """Return a path of the repository from what was typed, absolute or relative to its top."""
    path = Path(text)
    if path.is_absolute() and path.is_relative_to(base.repo):
        path = path.relative_to(base.repo)
    return RepoPath(PurePosixPath(path).as_posix())


def _unknown(target: str, known: Iterable[str]) -> TaskError:
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(target, names, n=3, cutoff=0.5)
    if not near:
        last = re.split(r"::|/", target)[-1]
        near = [name for name in names if last and last in name][:3]
    remedy = f"did you mean {', '.join(near)}?" if near else "the baseline has no test like it"
    return TaskError(f"there is no test {target} in this repository", remedy=remedy)
