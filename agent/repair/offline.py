"""The offline strategy: looks for one small edit that makes the failing tests pass.

No model, no network. Edited programs run in sandboxes only. What is proposed was confirmed in a
fresh process; whether it is good is for the gate to say.
"""

from collections.abc import AsyncGenerator
from typing import Final

from agent.job import Candidate, GaveUp, Job
from agent.repair.confirm import confirm
from agent.repair.hunt import Hunt
from agent.repair.outcome import candidates, gave_up
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
        hunt = Hunt(job, search_s=self._search_s, candidates=self._candidates)
        await hunt.run()
        confirmed = await confirm(job.bench, job.baseline, hunt.watched, hunt.patches)
        offered = candidates(confirmed, hunt, job.bench.base)
        for candidate in offered:
            if isinstance((yield candidate), Green):
                return
        yield gave_up(hunt, len(offered))
