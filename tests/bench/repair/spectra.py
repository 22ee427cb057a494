"""What the tests of a mined case run, line by line: measured by the product's own survey, and kept.

A case is laid out as for the product, its tests run once in a sandbox, then the survey of the
offline search looks at them. Knows nothing of formulas.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio

from agent.repair.locate import Trace
from agent.repair.survey import cover_tests, files_of_tests, plan_survey, trace_of, with_report
from agent.repair.territory import territory
from agent.repair.validate.fork_server import ServerEnded, open_fork_server
from agent.task import RepoPath, TestId
from agent.verify.bench import Bench, Selection
from agent.verify.pytest_runner import PytestRunner
from agent.verify.report import Baseline, NoReport
from agent.verify.runners import choose_runner
from agent.workspace.open import open_workspace
from sandbox.docker.engine import DockerEngine
from sandbox.environments import resolve_environment
from tests.bench.places.clones import Clone
from tests.bench.repair.cases import Fix
from tests.bench.repair.score import lay_out_case

SURVEY_S: Final = 12.0
"""As in a run with the usual budget of two minutes."""
BASELINE_S: Final = 300.0


class NotMeasured(Exception):
    """A case whose tests could not be looked at; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """One case."""

    traces: tuple[Trace, ...]
    paths: tuple[RepoPath, ...]
    """What the search could have edited."""
    words: frozenset[str]
    """Names that the failing tests use."""


def spectrum(clone: Clone, case: Fix, cache: Path, *, again: bool) -> Spectrum:
    """Return what is kept of a case, else measure it. Raises: NotMeasured, EnvironmentUnusable."""
    kept = kept_file(cache, case)
    if kept.exists() and not again:
        return _spectrum_of(json.loads(kept.read_text("utf-8")))
    tree = (cache / "work" / "formulas" / case.key).absolute()
    state = (cache / "state" / "formulas" / case.key).absolute()
    lay_out_case(clone, case, tree, cache.absolute())
    try:
        record = anyio.run(_measured, tree, state, case)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
        shutil.rmtree(state, ignore_errors=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(record), "utf-8")
    return _spectrum_of(record)


def kept_file(cache: Path, case: Fix) -> Path:
    """Return where a case is kept, measured or not."""
    return cache / "spectra" / f"{case.key}.json"


async def _measured(tree: Path, state: Path, case: Fix) -> dict[str, Any]:
    with open_workspace(tree, state_dir=state, overlay={}) as base:
        environment = resolve_environment(tree, image=None, variables=os.environ)
        command = " ".join(["python -m pytest", *case.suite]) if case.suite else None
        bench = Bench(
            base=base,
            engine=DockerEngine(variables=os.environ),
            environment=environment,
            runner=choose_runner(base, environment, test_command=command, junit_path=None),
        )
        baseline = await _baseline(bench, case)
        ground = territory(base, files_of_tests(baseline.report.results.values()))
        traces = await _traces(bench, baseline, ground.paths)
        lines = {
            path: frozenset(trace.lines[path])
            for trace in traces
            if not trace.passed
            for path in trace.lines
            if path not in ground.paths
        }
        return {
            "traces": [
                {
                    "test": trace.test,
                    "passed": trace.passed,
                    "lines": {path: list(numbers) for path, numbers in trace.lines.items()},
                    "errors": list(trace.errors),
                }
                for trace in traces
            ],
            "paths": sorted(ground.paths),
            "words": sorted(ground.words(lines)),
        }


async def _baseline(bench: Bench, case: Fix) -> Baseline:
    async with bench.open() as sandbox:
        report = await bench.runner.run(sandbox, Selection(), wall_s=BASELINE_S)
    if isinstance(report, NoReport):
        raise NotMeasured(f"the tests gave no report: {report}"[:300])
    wanted: Sequence[str] = case.failing or case.files
    targets = tuple(
        id_
        for id_ in report.failing
        if id_ in wanted or id_.partition("::")[0] in wanted or id_.partition("[")[0] in wanted
    )
    if not targets:
        raise NotMeasured("none of its tests failed")
    return Baseline(report=report, targets=targets, flaky=(), wall_s=1.0)


async def _traces(
    bench: Bench, baseline: Baseline, editable: frozenset[RepoPath]
) -> tuple[Trace, ...]:
    runner = bench.runner
    if not isinstance(runner, PytestRunner):
        raise NotMeasured("it is not run by pytest")
    passing, files = plan_survey(baseline, seconds=SURVEY_S)
    try:
        async with open_fork_server(bench, runner, files, workers=2, wall_s=BASELINE_S) as server:
            seen = await cover_tests(server, baseline, passing, editable, seconds=SURVEY_S)
    except ServerEnded as ended:
        raise NotMeasured(ended.why) from ended
    return tuple(with_report([trace_of(one) for one in seen], baseline))


def _spectrum_of(record: Mapping[str, Any]) -> Spectrum:
    return Spectrum(
        traces=tuple(
            Trace(
                test=TestId(one["test"]),
                passed=one["passed"],
                lines={RepoPath(path): tuple(lines) for path, lines in one["lines"].items()},
                errors=tuple(one["errors"]),
            )
            for one in record["traces"]
        ),
        paths=tuple(map(RepoPath, record["paths"])),
        words=frozenset(record["words"]),
    )
