"""The `run_tests` tool: what passes and fails now, against the baseline; narrow first.

Narrow runs are forked from a warm process; the whole suite runs in a fresh sandbox. Either way the
result is for the model: a verdict is the gate's.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, TypeGuard

import anyio.to_thread

from agent.edits.changes import Delta
from agent.errors import TaskError
from agent.models.base import ToolSpec
from agent.task import TestId
from agent.tools.base import Kind, Outcome, ToolFailed, ToolOk
from agent.tools.clamp import handle_of
from agent.tools.desk import Desk
from agent.tools.rooms import rooms_of
from agent.tools.run_choice import (
    IMPACTED_S,
    Chosen,
    NoSuchTest,
    named,
    own_tests,
    what_fails,
    what_is_impacted,
)
from agent.tools.run_lines import (
    describe_all,
    describe_no_report,
    describe_tests,
    is_whole,
    known_results,
    sort_out,
)
from agent.tools.texts import STRING, make_spec
from agent.tools.warm_runs import Ran, run_chosen, run_everything, runs_everything
from agent.workspace.attempt import Attempt
from agent.workspace.paths import printable

BOOLEAN: Final[Mapping[str, object]] = {"type": "boolean"}
TESTS: Final[Mapping[str, object]] = {"type": "array", "items": STRING}
"""The argument that names tests, wherever tests can be named."""


class RunTests:
    """Implements `agent.tools.base.Tool`."""

    kind: Final = Kind.RUN

    def __init__(self) -> None:
        self.spec: ToolSpec = make_spec("run_tests", {"tests": TESTS, "all": BOOLEAN})

    async def call(self, arguments: Mapping[str, object], desk: Desk) -> Outcome:
        """See `Tool`."""
        names = names_of(arguments)
        delta = desk.attempt.delta()
        if arguments.get("all"):
            ran = await run_everything(desk, delta)
        elif names:
            chosen = chosen_by_name(names, desk)
            if isinstance(chosen, NoSuchTest):
                return ToolFailed(text=chosen.message, shown=f"no test {printable(chosen.name)}")
            ran = await run_chosen(chosen, desk, delta)
        else:
            ran = await narrow_first(desk, delta)
        if ran.is_empty:
            text = "Nothing is known to fail and no test is seen to notice it. Name tests, or all."
            return ToolFailed(text=text, shown="no tests to run")
        desk.report = ran.report
        return await _told(ran, desk)


def names_of(arguments: Mapping[str, object]) -> tuple[str, ...]:
    """Return the tests that a call names."""
    tests = arguments.get("tests")
    return tuple(str(name) for name in tests if str(name).strip()) if _is_list(tests) else ()


def chosen_by_name(names: Sequence[str], desk: Desk) -> Chosen | NoSuchTest:
    """Return what is meant by names, among the tests that were seen and those that are there."""
    known = known_results(desk.job.baseline, desk.report)
    return named(names, known, partial(_exists, desk.attempt))


async def narrow_first(desk: Desk, delta: Delta) -> Ran:
    """Run what fails; if that passes now, what may notice the changes as well."""
    first = what_fails(desk.job.baseline, desk.report) or own_tests(desk.attempt)
    ran = await run_chosen(first, desk, delta) if first else Ran()
    if ran.broke_off or ran.report.failing:
        return ran
    return ran.and_then(await run_impacted(desk, delta, already=tuple(ran.report.results)))


async def run_impacted(desk: Desk, delta: Delta, *, already: Sequence[TestId]) -> Ran:
    """Run what may notice the changes, likeliest first, but for what was run already."""
    if not delta or (already and runs_everything(desk)):
        return Ran()
    ask = partial(
        rooms_of(desk).sight.noticing,
        delta,
        desk.job.baseline,
        most_s=IMPACTED_S,
        leave_out=already,
    )
    chosen = what_is_impacted(await anyio.to_thread.run_sync(ask), already)
    return await run_chosen(chosen, desk, delta) if chosen else Ran()


async def _told(ran: Ran, desk: Desk) -> ToolOk:
    """Put what ran into words; what does not fit goes to the shelf."""
    baseline, report = desk.job.baseline, ran.report
    if ran.broke_off is not None:
        text = describe_no_report(ran.broke_off, baseline, so_far=report, how=ran.how)
        shown = f"no report: {ran.broke_off.why}"
        return ToolOk(text=text, shown=shown, protected=True)
    text = describe_tests(report, baseline, asked=ran.asked, how=ran.how, wall_s=ran.wall_s)
    if not is_whole(report):
        whole = desk.job.redact(describe_all(report)).encode("utf-8", "surrogateescape")
        name = await anyio.to_thread.run_sync(desk.shelf.put, whole)
        text += f'\nwhole errors: view path="{handle_of(name)}"'
    found = sort_out(report, baseline)
    return ToolOk(text=text, shown=found.shown, protected=bool(found.failing))


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)


def _exists(attempt: Attempt, path: str) -> bool:
    try:
        return attempt.read(path) is not None
    except TaskError:
        return False
