"""Runs plausible patches again in a fresh process of a fresh sandbox, as the gate will.

The tries shared processes with other edits; what passed there may have passed for their sake.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from agent.repair.proposal import Proposal
from agent.repair.validate.base import Watched, edited
from agent.task import TestId
from agent.verify.bench import Bench, Selection, file_changes
from agent.verify.report import Baseline, NoReport, TestReport
from sandbox.base import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A patch that holds."""

    patch: "Patch"
    others_fixed: int = 0
    """Failing tests that nobody asked about and that pass with it."""
    others_left: int = 0
    """Failing tests that still fail."""


Patch = tuple[Proposal, ...]
"""One edit, or several that only together make all targets pass."""

MOST_OTHERS: Final = 50
"""Failing tests besides the targets that are looked at."""
MOST_CONFIRMED: Final = 5
"""The candidate and four alternatives."""
ALTERNATIVES_S: Final = 5.0
"""When this is over and one patch has held, the others are taken as they came out of the search."""
MOST_REFUTED: Final = 12
"""After so many that do not hold the rest is not believed either."""


async def confirm(
    bench: Bench, baseline: Baseline, watched: Watched, patches: Sequence[Patch]
) -> list[Held]:
    """Return the best patches that hold, in the order given. Raises: SandboxError.

    Those that make other failing tests pass as well come before the rest.
    """
    if not patches:
        return []
    asked = {*baseline.targets, *baseline.flaky}
    others = tuple(id_ for id_ in baseline.report.failing if id_ not in asked)[:MOST_OTHERS]
    wall_s = baseline.timeout_for([*watched.ids, *others])
    until = anyio.current_time() + ALTERNATIVES_S
    held: list[Held] = []
    refuted = 0
    async with bench.open() as sandbox:
        for patch in _applicable(patches):
            is_late = bool(held) and anyio.current_time() > until
            found: Held | None = Held(patch=patch, others_left=len(others))
            if not is_late:
                ids = (*watched.ids, *others)
                report = await _run(bench, sandbox, patch, Selection(ids=ids), wall_s)
                found = _judge(report, patch, watched, others)
            if found:
                held.append(found)
            else:
                refuted += 1
            if len(held) == MOST_CONFIRMED or refuted == MOST_REFUTED:
                break
    return sorted(held, key=lambda one: -one.others_fixed)


async def _run(
    bench: Bench, sandbox: Sandbox, patch: Patch, selection: Selection, wall_s: float
) -> TestReport | NoReport:
    delta = edited(bench.base, patch)
    before = {path: bench.base.read(path) for path in delta}
    await sandbox.sync(file_changes(delta))
    report = await bench.runner.run(sandbox, selection, wall_s=wall_s)
    await sandbox.sync(file_changes(before))
    return report


def _judge(
    report: TestReport | NoReport, patch: Patch, watched: Watched, others: Sequence[TestId]
) -> Held | None:
    if isinstance(report, NoReport) or not _all_pass(report, watched):
        return None
    fixed = sum(report.outcome(id_) in {"passed", "xfailed"} for id_ in others)
    return Held(patch=patch, others_fixed=fixed, others_left=len(others) - fixed)


def _all_pass(report: TestReport, watched: Watched) -> bool:
    return all(report.outcome(id_) in {"passed", "xfailed"} for id_ in watched.ids)


def _applicable(patches: Iterable[Patch]) -> Iterable[Patch]:
    """Leave out patches whose parts overlap."""
    for patch in patches:
        spans = sorted((one.path, e.start, e.end) for one in patch for e in one.sketch.edits)
        clash = any(
            spans[index][0] == path and spans[index][2] > start
            for index, (path, start, _end) in enumerate(spans[1:])
        )
        if not clash:
            yield patch
