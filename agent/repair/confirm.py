"""Runs plausible patches again in a fresh process of a fresh sandbox, as the gate will.

The tries shared processes with other edits; what passed there may have passed for their sake.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from agent.repair.proposal import Proposal
from agent.repair.validate.base import Result, Watched, edited
from agent.repair.validate.command import CommandValidator
from agent.verify.bench import Bench
from agent.verify.report import Baseline

Patch = tuple[Proposal, ...]
"""One edit, or several that only together make all targets pass."""

MOST_CONFIRMED: Final = 5
"""The candidate and four alternatives."""
MOST_REFUTED: Final = 12
"""After so many that do not hold the rest is not believed either."""


async def confirm(
    bench: Bench, baseline: Baseline, watched: Watched, patches: Sequence[Patch]
) -> list[Patch]:
    """Return the best patches that hold, in the order given. Raises: SandboxError."""
    if not patches:
        return []
    wall_s = baseline.timeout_for(watched.ids)
    held: list[Patch] = []
    refuted = 0
    async with bench.open() as sandbox:
        runner = CommandValidator(bench, sandbox, watched, wall_s=wall_s)
        for patch in _applicable(patches):
            result, _fixed = await runner.run(edited(bench.base, patch), wall_s)
            if result is Result.PASSES:
                held.append(patch)
            else:
                refuted += 1
            if len(held) == MOST_CONFIRMED or refuted == MOST_REFUTED:
                break
    return held


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
