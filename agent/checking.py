"""Measures a change of a run's base just as the run's own patch was measured, and nothing else.

For a person who leaves out hunks, or edits them: the verdict has to follow. The run's journal and
result stay as they are; a green leaves a receipt of its own below the run's folder.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.edits.changes import Delta
from agent.events import BaseTaken
from agent.ground import Announcement, Ground, Phases, Start, make_bench, open_base
from agent.task import RunId, TaskSpec
from agent.verify.baseline import measure_baseline
from agent.verify.bench import Bench
from agent.verify.gate import gate
from agent.verify.report import Baseline
from agent.verify.verdict import Green, Tampered, Verdict

CHECKS: Final = "checks"
"""Folder of a run for the receipts of later measurements."""
REMEMBERED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A run, and the change of its base that shall be measured."""

    task: TaskSpec
    taken: BaseTaken
    run_dir: Path
    delta: Delta


_Key = tuple[str, str, tuple[tuple[str, str], ...]]


class Baselines:
    """Baselines of the last few runs; only good for the same base, environment and runner."""

    def __init__(self) -> None:
        self._kept: OrderedDict[RunId, tuple[_Key, Baseline]] = OrderedDict()

    def remember(self, run: RunId, bench: Bench, baseline: Baseline) -> None:
        """Keep one, and forget the one that was asked for the longest ago."""
        self._kept[run] = _key(bench), baseline
        self._kept.move_to_end(run)
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

    def recall(self, run: RunId, bench: Bench) -> Baseline | None:
        """Return what was measured, if it would be measured the same way now."""
        key, baseline = self._kept.get(run, (None, None))
        if baseline is None or key != _key(bench):
            return None
        self._kept.move_to_end(run)
        return baseline


def _key(bench: Bench) -> _Key:
    runner = tuple(sorted(bench.runner.identity().items()))
    return bench.base.tree, bench.environment.identity, runner


async def check(case: Case, ground: Ground, baselines: Baselines) -> Verdict:
    """Measure the change; a green leaves its receipt.

    A change of files that decide what is measured is no green: it cannot be measured by them.
    Raises: AgentError (the base is gone, its tests cannot be measured any more), SandboxError.
    """
    start = Start(repo=case.task.repo, taken=case.taken)
    async with open_base(start, ground, Phases(ground.emit)) as base:
        bench = await make_bench(base, ground, Announcement(ground.emit))
        baseline = baselines.recall(ground.run, bench)
        if baseline is None:
            baseline = await _measured(bench, case.task, ground)
            baselines.remember(ground.run, bench, baseline)
        verdict = await gate(
            bench,
            baseline,
            case.delta,
            policy=case.task.test_policy,
            wall_s=ground.settings.test_wall_s,
            receipt=case.run_dir / CHECKS / f"{short_hash(case.delta)}.json",
            on_event=ground.emit,
        )
        return _of_all(verdict)


def _of_all(verdict: Verdict) -> Verdict:
    """Take no green of a part for one of all: the rest of the change would go in unmeasured."""
    if not isinstance(verdict, Green) or not verdict.restored:
        return verdict
    path = verdict.restored[0]
    why = f"{path} decides what is measured, so its change was left out; all else is green"
    return Tampered(why=why, paths=verdict.restored)


async def _measured(bench: Bench, task: TaskSpec, ground: Ground) -> Baseline:
    return await measure_baseline(
        bench,
        task.targets,
        wall_s=ground.settings.test_wall_s,
        on_event=ground.emit,
        kind=task.kind,
    )


def short_hash(delta: Delta) -> str:
    """Return a name for a change: the same for the same change."""
    digest = hashlib.sha256()
    for path, content in sorted(delta.items()):
        name = path.encode("utf-8", "surrogateescape")
        data = content.data if content else b""
        mode = content.mode.value if content else "gone"
        digest.update(b"%d %s %s %d " % (len(name), name, mode.encode(), len(data)) + data)
    return digest.hexdigest()[:12]
