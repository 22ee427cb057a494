"""Learns which lines each test runs from edited sources, where the runner cannot tell.

Each file of the repository gets probes (see `Grammar.probes`), test files are run one by one, and
what was told between two lines of tests belongs to the test in which the first of them stands.
The search can do without: no probes, or tests that they break, and there is no survey.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

import anyio

from agent.edits.changes import Content, Delta
from agent.edits.spans import apply_edits
from agent.repair.lang import grammar_for
from agent.repair.lang.base import PROBED
from agent.repair.locate import Trace, relevant_passing, suspicions
from agent.repair.source import Source
from agent.repair.survey import Survey, file_of, from_report, lines_of
from agent.repair.territory import Territory
from agent.repair.validate.base import Watched
from agent.repo.languages import language_of
from agent.repo.syntax import walk
from agent.task import RepoPath, TestId
from agent.verify.bench import Bench, Selection
from agent.verify.report import Baseline, NoReport, TestResult
from sandbox.base import Command, Sandbox

MOST_FILES: Final = 600
"""Files that get probes; those near the tests' own come first."""
MOST_BYTES: Final = 32 * 1024**2
"""Of what the probes told in one run."""
HANGING_S: Final = 5.0
"""For a file that is known not to end: what it runs until then is what it runs."""
MOST_PASSING: Final = 50
"""Passing tests that every try is held against; the gate runs all of them."""


async def survey_by_probes(
    bench: Bench, baseline: Baseline, ground: Territory, *, seconds: float
) -> Survey | None:
    """Run the targets' files, then those near them as far as time allows; None: nothing learnt.

    Raises: SandboxError.
    """
    files = _test_files(baseline)
    delta = await anyio.to_thread.run_sync(_with_probes, ground, files)
    if not delta:
        return None
    until = anyio.current_time() + seconds
    wanted = frozenset(baseline.targets)
    known = [baseline.report.results.get(id_) for id_ in baseline.targets]
    hanging = {file_of(one) for one in known if one is not None and one.error_type == "Timeout"}
    traces: list[Trace] = []
    marked: dict[RepoPath, set[int]] = {}
    async with bench.open(delta) as sandbox:
        for path, is_wanted in files.items():
            left_s = until - anyio.current_time()
            if not is_wanted and left_s <= 0:
                break
            wall_s = HANGING_S if path in hanging else max(left_s, 30.0)
            told = await _run(bench, sandbox, path, ground, baseline, wall_s=wall_s)
            traces += told.traces
            for trace, lines in zip(told.traces, told.own_lines, strict=True):
                if trace.test in wanted:
                    marked.setdefault(path, set()).update(lines)
    failing = [trace for trace in traces if trace.test in wanted and not trace.passed]
    if not any(trace.lines for trace in failing):
        return None
    return _survey(baseline, traces, marked, ground)


def _survey(
    baseline: Baseline,
    traces: Sequence[Trace],
    marked: Mapping[RepoPath, set[int]],
    ground: Territory,
) -> Survey:
    known = {trace.test for trace in traces}
    wanted = frozenset(baseline.targets)
    unseen = [id_ for id_ in baseline.targets if id_ not in known]
    # What failed already and nobody asked about says nothing of where the error is
    usable = frozenset((*baseline.passing, *baseline.targets))
    traces = [trace for trace in traces if trace.test in usable]
    everything = [*traces, *(trace for id_ in unseen for trace in from_report(baseline, id_))]
    found = suspicions(everything, ground.paths.__contains__)
    near = [trace for trace in traces if trace.test not in wanted]
    relevant = relevant_passing(near, found.lines, most=MOST_PASSING)
    return Survey(
        suspicions=found,
        watched=Watched(
            targets=tuple((id_, 1.0) for id_ in baseline.targets),
            passing=tuple((id_, 1.0) for id_ in relevant),
        ),
        passing_seen=sum(trace.passed for trace in near),
        target_lines={path: frozenset(lines) for path, lines in marked.items()},
        targets_passed=tuple(one.test for one in traces if one.passed and one.test in wanted),
        covered=lines_of(trace for trace in traces if trace.passed),
    )


def _test_files(baseline: Baseline) -> dict[RepoPath, bool]:
    """Return the files of all tests, those of targets (True) first, then those with near paths."""
    results = baseline.report.results
    targets = {file_of(results[id_]): True for id_ in baseline.targets if id_ in results}
    others = {file_of(results[id_]): False for id_ in baseline.passing}
    folders = {path.rpartition("/")[0] for path in targets}
    near = sorted(others, key=lambda path: path.rpartition("/")[0] not in folders)
    return {**targets, **{path: False for path in near if path not in targets}}


def _with_probes(ground: Territory, tests: Iterable[RepoPath]) -> Delta:
    """Return every file that tells what it runs; blocking, a millisecond for some kilobytes."""
    tests = [path for path in tests if path in ground.tests or path in ground.paths]
    tops = {path.split("/", 1)[0] for path in tests}
    code = sorted(ground.paths, key=lambda path: (path.split("/", 1)[0] not in tops, path))
    delta: dict[RepoPath, Content | None] = {}
    for path in dict.fromkeys([*tests, *code][:MOST_FILES]):
        data, content = ground.read(path), ground.base.read(path)
        source = _source(path, data)
        if source is None or content is None:
            continue
        probes = source.grammar.probes(path, source.tree, is_test=path in tests)
        if probes:
            text = apply_edits(source.data, probes)
            delta[path] = Content(data=text, mode=content.mode)
    return delta


def _source(path: RepoPath, data: bytes | None) -> Source | None:
    language = language_of(path)
    if language is None or data is None:
        return None
    return Source(path, data, grammar_for(language))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What one test file's run told."""

    traces: tuple[Trace, ...] = ()
    own_lines: tuple[frozenset[int], ...] = ()
    """Lines of the test file that each of them ran."""


async def _run(
    bench: Bench,
    sandbox: Sandbox,
    path: RepoPath,
    ground: Territory,
    baseline: Baseline,
    *,
    wall_s: float,
) -> _Told:
    await sandbox.run(Command(argv=("rm", "-f", PROBED)))
    report = await bench.runner.run(sandbox, Selection(files=(path,)), wall_s=wall_s)
    data = await sandbox.read_file(PROBED, limit_bytes=MOST_BYTES)
    source = _source(path, ground.read(path))
    if data is None or source is None:
        return _Told()
    if isinstance(report, NoReport):
        return _of_hanging(data, path, baseline) if report.hung else _Told()
    results = [result for result in report.results.values() if file_of(result) == path]
    turns = _turns(data, path, _spans(source, results), _helper_lines(source))
    parts = _parted(turns, results)
    return _Told(
        traces=tuple(_trace(result, parts[result.id]) for result in results if result.id in parts),
        own_lines=tuple(
            frozenset(line for turn in parts[result.id] for line in turn.marks)
            for result in results
            if result.id in parts
        ),
    )


def _of_hanging(data: bytes, path: RepoPath, baseline: Baseline) -> _Told:
    """Give the targets of a file that did not end all that ran."""
    turns = _turns(data, path, {}, frozenset())
    results = baseline.report.results
    here = [id_ for id_ in baseline.targets if file_of(results[id_]) == path]
    lines = frozenset(line for turn in turns for line in turn.marks)
    return _Told(
        traces=tuple(_trace(results[id_], turns) for id_ in here),
        own_lines=tuple(lines for _id in here),
    )


@dataclass(slots=True)
class _Turn:
    """What ran from a test's first line on, until another test's."""

    starts: int
    """Line at which the test is made; 0 for what runs before and between tests."""
    marks: list[int] = field(default_factory=list)
    lines: dict[RepoPath, set[int]] = field(default_factory=dict)


def _spans(source: Source, results: Iterable[TestResult]) -> dict[int, int]:
    """Return for each line at which tests are made the last line of that statement."""
    spans = dict.fromkeys((result.line for result in results if result.line), 0)
    for region in source.regions:
        first, last = region.first_row + 1, region.node.end_point.row + 1
        if first in spans:
            spans[first] = max(spans[first], last)
    return spans


def _helper_lines(source: Source) -> frozenset[int]:
    """Return the lines of functions with a name: tests call them, no runner does."""
    grammar = source.grammar
    named = (
        node
        for node in walk(source.tree.root_node)
        if grammar.is_function(node) and grammar.function_name(node)
    )
    rows = (range(node.start_point.row, node.end_point.row + 1) for node in named)
    return frozenset(row + 1 for lines in rows for row in lines)


def _turns(data: bytes, path: RepoPath, spans: Mapping[int, int], helpers: Set[int]) -> list[_Turn]:
    """Part what was told by the tests' own lines; a helper belongs to the test that calls it."""
    turns = [_Turn(starts=0)]
    for text in data.decode("utf-8", "replace").splitlines():
        place, _, number = text.rpartition(":")
        if not number.isdecimal():
            continue
        line, current = int(number), turns[-1]
        if place != path:
            current.lines.setdefault(RepoPath(place), set()).add(line)
            continue
        starts = max((one for one, last in spans.items() if one <= line <= last), default=0)
        is_helper = not starts and line in helpers
        if not is_helper and (starts != current.starts or current.marks[:1] == [line]):
            turns.append(_Turn(starts=starts))
        turns[-1].marks.append(line)
    return turns


def _parted(turns: Sequence[_Turn], results: Sequence[TestResult]) -> dict[TestId, list[_Turn]]:
    """Give each test its turns: the n-th of several that are made at one line the n-th.

    What runs between two tests, in hooks, belongs to both.
    """
    ran = [result for result in results if result.is_passing or result.is_failing]
    found: dict[TestId, list[_Turn]] = {}
    for line in dict.fromkeys(result.line for result in ran if result.line):
        here = [result.id for result in ran if result.line == line]
        own = [place for place, turn in enumerate(turns) if turn.starts == line]
        is_even = len(own) == len(here)
        for number, id_ in enumerate(here):
            places = [own[number]] if is_even else own
            if places:
                found[id_] = [turn for place in places for turn in _around(turns, place)]
    return found


def _around(turns: Sequence[_Turn], place: int) -> list[_Turn]:
    near = turns[max(0, place - 1) : place + 2]
    return [turn for turn in near if turn.starts == 0 or turn is turns[place]]


def _trace(result: TestResult, turns: Iterable[_Turn]) -> Trace:
    lines: dict[RepoPath, set[int]] = {}
    for turn in turns:
        for path, numbers in turn.lines.items():
            lines.setdefault(path, set()).update(numbers)
    error = {
        "type": result.error_type,
        "message": result.message,
        "frames": [[frame.path, frame.line, frame.function] for frame in result.frames],
    }
    return Trace(
        test=result.id,
        passed=result.is_passing,
        lines={path: sorted(numbers) for path, numbers in lines.items()},
        errors=() if result.is_passing else (error,),
    )
