"""The offline strategy: looks for one small edit that makes the failing tests pass.

No model, no network. Edited programs run in sandboxes only. What is proposed was confirmed in a
fresh process; whether it is good is for the gate to say.
"""

from collections.abc import AsyncGenerator
from typing import Final

from agent.job import Candidate, GaveUp, Job
from agent.repair import outcome
from agent.repair.confirm import confirm
from agent.repair.hunt import Hunt
from agent.repair.judge.behaviours import OBSERVE_S, OBSERVE_SHARE, behaviours
from agent.task import Kind
from agent.verify.verdict import Green, Verdict


class OfflineSearch:
    """Implements `agent.job.Strategy`."""

    name: Final = "offline"

    def __init__(self, *, search_s: float, candidates: int) -> None:
        self._search_s = search_s
        self._candidates = candidates

    async def propose(self, job: Job) -> AsyncGenerator[Candidate | GaveUp, Verdict | None]:
        """See `agent.job.Strategy`. All searching is over before the first candidate is given."""
        if job.task.kind is Kind.IMPLEMENT:
            yield GaveUp(
                reason="The offline search only repairs what a failing test shows.",
                advice="Configure a model to implement something new.",
            )
            return
        hunt, offered = await search_for_edits(
            job, search_s=self._search_s, candidates=self._candidates
        )
        for candidate in offered:
            if isinstance((yield candidate), Green):
                return
        yield outcome.gave_up(hunt, len(offered))


async def search_for_edits(
    job: Job, *, search_s: float, candidates: int
) -> tuple[Hunt, list[Candidate]]:
    """Search, and return what was done with what held, best first. Raises: SandboxError.

    Where patches do different things, the best of each kind is confirmed and listed before the
    second of any.
    """
    hunt = Hunt(job, search_s=search_s, candidates=candidates)
    await hunt.run()
    seconds = min(OBSERVE_S, OBSERVE_SHARE * search_s)
    seen = await behaviours(job.bench, job.baseline, hunt.watched, hunt.patches, seconds=seconds)
    order = seen.spread()
    patches = [hunt.patches[index] for index in order]
    held = await confirm(job.bench, job.baseline, hunt.watched, patches)
    return hunt, outcome.candidates(held, hunt, seen, order, job.bench.base)
