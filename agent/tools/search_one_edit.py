"""The `search_one_edit` tool: small edits that make what fails pass, found without a model.

Searches from where the attempt stands and applies nothing; what it finds are suggestions.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import anyio.to_thread

from agent.edits.patch import make_patch, render_unified
from agent.job import Candidate, Job
from agent.models.base import ToolSpec
from agent.repair.offline import search_for_edits
from agent.repair.outcome import gave_up
from agent.tools.base import Kind, Outcome, ToolOk
from agent.tools.desk import Desk
from agent.tools.now_failing import job_of_now
from agent.tools.run_tests import TESTS
from agent.tools.texts import make_spec

SEARCH_S: Final = 20.0
"""Where nothing else is asked for: a model costs more than waiting for the second half."""
MOST_SEARCH_S: Final = 120.0
SHOWN: Final = 5


class SearchOneEdit:
    """Implements `agent.tools.base.Tool`."""

    kind: Final = Kind.RUN

    def __init__(self) -> None:
        seconds: Mapping[str, object] = {"type": "number"}
        self.spec: ToolSpec = make_spec("search_one_edit", {"tests": TESTS, "seconds": seconds})

    async def call(self, arguments: Mapping[str, object], desk: Desk) -> Outcome:
        """See `Tool`."""
        job = await job_of_now(arguments, desk)
        if not isinstance(job, Job):
            return job
        asked = arguments.get("seconds")
        wanted_s = float(asked) if isinstance(asked, int | float) else SEARCH_S
        search_s = min(max(wanted_s, 1.0), MOST_SEARCH_S)
        hunt, found = await search_for_edits(
            job, search_s=search_s, candidates=desk.job.task.budget.candidates
        )
        if found:
            return await anyio.to_thread.run_sync(_told, found, job)
        nothing = gave_up(hunt, 0)
        text = "\n".join((f"Nothing found. {nothing.reason}", *nothing.clues))
        return ToolOk(text=text, shown=f"nothing found, {hunt.findings.tried} tried")


def _told(found: Sequence[Candidate], job: Job) -> ToolOk:
    count = found[0].distinct
    diff = _diff(found[0], job)
    lines = [
        f"{'1 edit makes' if count == 1 else f'{count} edits make'} the tests near pass, "
        "which need not be right; nothing was changed.",
        *(f"{rank}. {one.confidence}: {one.why}" for rank, one in enumerate(found[:SHOWN], 1)),
        "the first as a diff:",
        *(line for line in diff.splitlines() if not line.startswith(("diff --git", "index "))),
    ]
    shown = f"{count} found, first {found[0].why}"
    return ToolOk(text="\n".join(lines), shown=shown, diff=diff)


def _diff(candidate: Candidate, job: Job) -> str:
    patch = make_patch(job.bench.base.read, candidate.delta)
    return render_unified(patch).decode("utf-8", "replace")
