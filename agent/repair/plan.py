"""Tells before a search what it will cost, and whether it is worth beginning.

Pure: the durations are what the baseline measured. The first limit of a slow try is set here too.
"""

from dataclasses import dataclass
from typing import Final

from agent.events import SearchPlanned
from agent.repair.validate.base import Watched
from agent.verify.bench import Runner
from agent.verify.command_runner import CommandRunner
from agent.verify.report import Baseline, TestResult

HANDFUL: Final = 5
"""With fewer tries a search is a lottery, and is not begun."""
FORKED_S: Final = 0.0012
"""Seconds that a try through a fork server costs beside the tests; measured 2026-11."""
TIMES_SLOWER: Final = 4.0
"""A slow try may at first take this many times what is expected."""
SPARE_S: Final = 2.0
"""And so much more, for the machine may be busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one try takes and how many fit."""

    is_forked: bool
    try_s: float
    budget_s: float
    """What is left of it."""
    side_by_side: int = 1
    """Tries at once."""
    selects: bool = True
    """The runner can be told which tests to run."""

    @property
    def tries(self) -> int:
        """How many fit."""
        return int(max(0.0, self.budget_s) * self.side_by_side / self.try_s)

    @property
    def is_hopeless(self) -> bool:
        """Too few fit."""
        return self.tries < HANDFUL

    @property
    def event(self) -> SearchPlanned:
        """What a person is told."""
        return SearchPlanned(
            how="forked" if self.is_forked else "command",
            try_s=round(self.try_s, 4),
            tries=self.tries,
            budget_s=round(max(0.0, self.budget_s), 1),
        )

    @property
    def refusal(self) -> str:
        """Say why it is not begun."""
        left = f"the {max(0.0, self.budget_s):.0f} s that are left for it"
        if self.try_s < 1:
            return (
                "The offline search was not begun: opening a sandbox and measuring the tests took "
                f"so long that only {self.tries} tries fit into {left}."
            )
        return (
            f"The offline search was not begun: one try takes about {self.try_s:.0f} s here, so "
            f"that only {self.tries} fit into {left}."
        )

    @property
    def advice(self) -> str:
        """Say what would help."""
        narrower = "name fewer tests" if self.selects else "name a narrower test command"
        if self.try_s < 1:
            return f"Give it more time with --budget-s, or {narrower}."
        wanted = 10 * int(2 * HANDFUL * self.try_s / 10 + 1)
        return f"Give it more time (--budget-s {wanted} or more), or {narrower}."


def plan_forked(baseline: Baseline, watched: Watched, *, workers: int, budget_s: float) -> Plan:
    """Expect that most edits fail by the first target, or by all of them where there are few."""
    results = baseline.report.results
    seconds = [
        min(cpu_s, results[id_].duration_s) if id_ in results else cpu_s
        for id_, cpu_s in watched.targets
    ]
    needed = sum(seconds) if watched.runs_each else sum(seconds[:1])
    try_s = FORKED_S + needed
    return Plan(is_forked=True, try_s=try_s, budget_s=budget_s, side_by_side=workers)


def plan_by_command(
    runner: Runner,
    baseline: Baseline,
    watched: Watched,
    *,
    budget_s: float,
    try_s: float | None = None,
    side_by_side: int = 1,
) -> Plan:
    """Expect what one run of the targets took, where that was measured.

    Else the runner's own start and the targets; all of its tests where it cannot select.
    """
    selects = not isinstance(runner, CommandRunner)
    if try_s is None:
        try_s = max(baseline.wall_s, 0.1)
        if selects:
            results = baseline.report.results
            tests_s = sum(result.duration_s for result in results.values())
            known = [results[id_] for id_, _ in watched.targets if id_ in results]
            needed = sum(1.0 if never_ends(one) else one.duration_s for one in known)
            try_s = min(try_s, max(0.1, try_s - tests_s) + needed)
    return Plan(
        is_forked=False,
        try_s=try_s,
        budget_s=budget_s,
        selects=selects,
        side_by_side=side_by_side,
    )


def never_ends(result: TestResult) -> bool:
    """Tell whether a test was ended on the base for its time; then that says nothing of a try."""
    return result.error_type == "Timeout"


def first_limit_s(plan: Plan, longest_s: float) -> float:
    """How long a slow try may take at first; at most what the tests may take on a candidate."""
    return min(longest_s, TIMES_SLOWER * plan.try_s + SPARE_S)
