"""Splits the hunks of a green patch into those that green needs and those it does not.

Delta debugging over hunks (Zeller 1999, ddmin): halves, quarters, … are taken away as long as the
targets go on passing, in one warm sandbox and within a time budget. What remains is then run as
a whole suite; only if nothing that passed breaks do the others count as optional.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.edits.patch import Patch, delta_of
from agent.task import HunkId, TestId
from agent.verify.bench import Bench, Selection
from agent.verify.judgement import compare, is_fixed
from agent.verify.protect import is_new_test
from agent.verify.report import Baseline, NoReport, TestReport
from agent.verify.warm import open_warm


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimised:
    """Every hunk is in exactly one of the two."""

    needed: frozenset[HunkId]
    """Without any one of these the targets fail, as far as `complete` goes."""
    optional: frozenset[HunkId]
    """Green without all of these; a person decides whether they belong."""
    complete: bool
    """False: the budget was spent first, and fewer hunks might be needed."""
    needed_for: Mapping[HunkId, tuple[TestId, ...]] = field(default_factory=dict)
    """Which targets fail without just that one of the needed hunks, where it was measured."""


async def minimise(
    bench: Bench,
    baseline: Baseline,
    patch: Patch,
    *,
    own_tests: Sequence[TestId] = (),
    budget_s: float,
    wall_s: float,
) -> Minimised:
    """Return which hunks of a patch that was measured green are needed.

    `own_tests` came with the patch: the hunks that add them stay, and they must go on passing.
    Raises: SandboxError.
    """
    every = tuple(hunk.id for hunk in patch.hunks)
    tests = frozenset(h.id for h in patch.hunks if is_new_test(h.path, bench.base.read))
    code = tuple(id_ for id_ in every if id_ not in tests)
    targets = (*baseline.targets, *own_tests)
    if len(code) < 2:
        return Minimised(
            needed=frozenset(every),
            optional=frozenset(),
            complete=True,
            needed_for=dict.fromkeys(code, targets),
        )
    until_s = time.monotonic() + budget_s
    seen: dict[frozenset[HunkId], tuple[TestId, ...]] = {}
    limit_s = min(wall_s, baseline.timeout_for(targets))
    async with open_warm(bench) as warm:

        async def is_enough(hunks: Sequence[HunkId]) -> bool:
            delta = delta_of(patch, tests | frozenset(hunks))
            outcome = await warm.run(Selection(ids=targets), delta=delta, wall_s=limit_s)
            failing = _failing(outcome, targets)
            seen[frozenset(hunks)] = failing
            return not failing

        kept, complete = await smallest(code, is_enough, lambda: time.monotonic() < until_s)
    needed = tests | frozenset(kept)
    everything = Minimised(
        needed=frozenset(every),
        optional=frozenset(),
        complete=complete,
        needed_for=_needed_for(code, seen, targets),
    )
    if len(needed) == len(every):
        return everything
    if not await _is_green(bench, baseline, patch, needed, wall_s):
        return everything
    return Minimised(
        needed=needed,
        optional=frozenset(every) - needed,
        complete=complete,
        needed_for=_needed_for(kept, seen, targets),
    )


def _failing(outcome: TestReport | NoReport, targets: Sequence[TestId]) -> tuple[TestId, ...]:
    """Return the targets that do not pass; all of them where the run did not come to its end."""
    if isinstance(outcome, NoReport):
        return tuple(targets)
    return tuple(id_ for id_ in targets if not is_fixed(outcome, id_))


def _needed_for(
    kept: Sequence[HunkId],
    seen: Mapping[frozenset[HunkId], tuple[TestId, ...]],
    targets: tuple[TestId, ...],
) -> dict[HunkId, tuple[TestId, ...]]:
    """Return what fails without one of these, from the runs that had just all the others.

    Without the only one there is nothing but the base, on which every target fails.
    """
    if len(kept) == 1:
        return dict.fromkeys(kept, targets)
    without = {id_: frozenset(kept) - {id_} for id_ in kept}
    return {id_: seen[rest] for id_, rest in without.items() if seen.get(rest)}


async def smallest(
    items: Sequence[HunkId],
    is_enough: Callable[[Sequence[HunkId]], Awaitable[bool]],
    may_go_on: Callable[[], bool],
) -> tuple[tuple[HunkId, ...], bool]:
    """Return a subset that is enough and loses that without any one of its members.

    The second value is False when it was stopped before that was certain. All items together
    are taken to be enough.
    """
    kept = list(items)
    parts = 2
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        chunks = [kept[start : start + size] for start in range(0, len(kept), size)]
        for chunk in chunks:
            if not may_go_on():
                return tuple(kept), False
            rest = [item for item in kept if item not in chunk]
            if rest and await is_enough(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                return tuple(kept), True
            parts = min(parts * 2, len(kept))
    return tuple(kept), True


async def _is_green(
    bench: Bench, baseline: Baseline, patch: Patch, needed: frozenset[HunkId], wall_s: float
) -> bool:
    """Run the whole suite on the needed hunks alone, in a fresh sandbox."""
    async with bench.open(delta_of(patch, needed)) as sandbox:
        limit_s = min(wall_s, baseline.timeout_s)
        outcome = await bench.runner.run(sandbox, Selection(), wall_s=limit_s)
    if isinstance(outcome, NoReport):
        return False
    compared = compare(baseline, outcome, may_go=frozenset())
    return not (compared.broken or compared.missing or compared.still_failing)
