"""Runs plausible patches again in a fresh process of a fresh sandbox, as the gate will.

The tries shared processes with other edits; what passed there may have passed for their sake.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import anyio

from agent.repair.proposal import Proposal
from agent.repair.validate.base import Watched, edited
from agent.verify.bench import Bench, Selection, file_changes
from agent.verify.report import Baseline, TestReport
from sandbox.base import Sandbox

Patch = tuple[Proposal, ...]
"""One edit, or several that only together make all targets pass."""

MOST_CONFIRMED: Final = 5
"""The candidate and four alternatives."""
ALTERNATIVES_S: Final = 5.0
"""When this is over and one patch has held, the others are taken as they came out of the search."""
MOST_REFUTED: Final = 12
"""After so many that do not hold the rest is not believed either."""


async def confirm(
    bench: Bench, baseline: Baseline, watched: Watched, patches: Sequence[Patch]
) -> list[Patch]:
    """Return the best patches that hold, in the order given. Raises: SandboxError."""
    if not patches:
        return []
    wall_s = baseline.timeout_for(watched.ids)
    until = anyio.current_time() + ALTERNATIVES_S
    held: list[Patch] = []
    refuted = 0
    async with bench.open() as sandbox:
        for patch in _applicable(patches):
            is_late = bool(held) and anyio.current_time() > until
            if is_late or await _holds(bench, sandbox, patch, watched, wall_s):
                held.append(patch)
            else:
                refuted += 1
            if len(held) == MOST_CONFIRMED or refuted == MOST_REFUTED:
                break
    return held


async def _holds(
    bench: Bench, sandbox: Sandbox, patch: Patch, watched: Watched, wall_s: float
) -> bool:
    delta = edited(bench.base, patch)
    before = {path: bench.base.read(path) for path in delta}
    await sandbox.sync(file_changes(delta))
    report = await bench.runner.run(sandbox, Selection(ids=watched.ids), wall_s=wall_s)
    await sandbox.sync(file_changes(before))
    return isinstance(report, TestReport) and _all_pass(report, watched)


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
