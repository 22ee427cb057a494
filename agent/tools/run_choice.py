"""Which tests a model means, and which are run where it names none. Pure.

Narrow first: what fails, then what may notice the change; the whole suite only when asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent.task import RepoPath, TestId
from agent.tools.run_lines import near_names
from agent.verify.bench import Selection
from agent.verify.protect import is_new_test
from agent.verify.report import Baseline, TestReport, TestResult
from agent.verify.sight import Noticing
from agent.workspace.attempt import Attempt

IMPACTED_S: Final = 60.0
"""Of tests that may notice a change so much is run, by their time on the base."""
MOST_BY_KEYWORD: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A selection, and how it came about."""

    selection: Selection
    how: str
    """For the model: `targets`, `2 files that import what changed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchTest:
    """A name that fits no test."""

    name: str
    near: tuple[str, ...]

    @property
    def message(self) -> str:
        """What is wrong, and what comes near."""
        near = f" Near: {', '.join(self.near)}." if self.near else ""
        return f"There is no test {self.name}. Name a test id, a test file, or a word of ids.{near}"


def named(
    names: Sequence[str],
    known: Mapping[TestId, TestResult],
    exists: Callable[[str], bool],
) -> Chosen | NoSuchTest:
    """Return what is meant by test ids, files, folders or words of ids.

    `exists` tells whether there is such a file now: tests may be newer than every report.
    """
    ids: dict[TestId, None] = {}
    files: dict[RepoPath, None] = {}
    for name in names:
        found_ids, found_files = _meant(name.strip().removeprefix("./"), known, exists)
        if not found_ids and not found_files:
            return NoSuchTest(name=name, near=near_names(name, known))
        ids.update(dict.fromkeys(found_ids))
        files.update(dict.fromkeys(found_files))
    return Chosen(selection=Selection(ids=tuple(ids), files=tuple(files)), how="as named")


def _meant(
    name: str, known: Mapping[TestId, TestResult], exists: Callable[[str], bool]
) -> tuple[list[TestId], list[RepoPath]]:
    if TestId(name) in known and "::" in name:
        return [TestId(name)], []
    if inside := [id_ for id_ in known if id_.startswith((f"{name}::", f"{name}["))]:
        return ([], [RepoPath(name)]) if exists(name) else (inside, [])
    path, colons, _ = name.partition("::")
    if exists(path):
        return ([TestId(name)], []) if colons and name.count("::") == 1 else ([], [RepoPath(path)])
    folder = f"{name.rstrip('/')}/"
    below = dict.fromkeys(result.path for result in known.values() if result.path)
    if files := [path for path in below if path.startswith(folder)]:
        return [], files
    word = name.casefold()
    return [id_ for id_ in known if word and word in id_.casefold()][:MOST_BY_KEYWORD], []


def what_fails(baseline: Baseline, last: TestReport | None) -> Chosen | None:
    """Return the targets, and what else failed in the last run and not on the base."""
    targets = baseline.targets
    expected = {*targets, *baseline.report.failing, *baseline.flaky}
    other = tuple(id_ for id_ in (last.failing if last else ()) if id_ not in expected)
    if not targets and not other:
        return None
    how = "targets" if targets else "what failed last"
    how += " and what failed last" if targets and other else ""
    return Chosen(selection=Selection(ids=(*targets, *other)), how=how)


def own_tests(attempt: Attempt) -> Chosen | None:
    """Return the test files that the attempt adds."""
    read = attempt.base.read
    added = [path for path, new in attempt.delta().items() if new and is_new_test(path, read)]
    if not added:
        return None
    return Chosen(selection=Selection(files=tuple(added)), how="your new tests")


def what_is_impacted(noticing: Noticing, already: Sequence[TestId]) -> Chosen | None:
    """Return the tests that may notice the changes."""
    if noticing.is_empty:
        return None
    count = noticing.tests + len(noticing.selection.files)
    tests = "1 test" if count == 1 else f"{count} tests"
    how = f"{tests} that may notice the change"
    if noticing.everything:
        how = f"{tests}, since {noticing.everything}"
    if noticing.left_out:
        how += f", {noticing.left_out} left out for time"
    return Chosen(selection=replace(noticing.selection, leave_out=tuple(already)), how=how)
