"""Drives the tries: best first, until nothing is left, time is up, or enough is known."""

from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import anyio

from agent.repair.proposal import Proposal
from agent.repair.queue import BestFirst
from agent.repair.validate.base import Result, Tried, Validator
from agent.task import TestId

LINGER_S: Final = (2.0, 15.0)
"""After the first plausible patch the search goes on as long as that took, within these bounds: the
number of alternatives decides how far the first can be trusted."""
LINGER_SLOW_S: Final = 40.0
"""The upper bound where a try takes about a second."""
ENOUGH_PLAUSIBLE: Final = 60
"""More alternatives say nothing new: it is ambiguous."""
MOST_DEEPENED: Final = 400
"""Proposals over their time limit that are tried again with more of it."""
PATIENCE: Final = 8.0
"""How much more."""


@dataclass(slots=True)
class Findings:
    """What the tries came to so far."""

    tried: int = 0
    invalid: int = 0
    hung: list[Proposal] = field(default_factory=list)
    plausible: list[Proposal] = field(default_factory=list)
    partial: list[tuple[Proposal, tuple[TestId, ...]]] = field(default_factory=list)
    exhausted: bool = False
    started: float | None = None
    """When the first try was asked for, in anyio's clock."""
    first_after_s: float | None = None
    """Seconds to the first plausible patch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """When to stop."""

    deadline: float
    """In anyio's clock."""
    candidates: int
    linger_s: tuple[float, float] = LINGER_S


async def search(
    queue: BestFirst,
    validator: Validator,
    findings: Findings,
    bounds: Bounds,
    on_progress: Callable[[Findings], None],
) -> None:
    """Try until a stop rule holds; calling it again goes on where it stopped.

    It stops when the space is exhausted, at the deadline, after so many candidates, with
    `ENOUGH_PLAUSIBLE` found, or when it has lingered long enough after the first.
    Raises: SandboxError.
    """
    if findings.started is None:
        findings.started = anyio.current_time()
    async with aclosing(validator.filter(_until(queue, findings, bounds))) as results:
        async for tried in results:
            if tried.result is Result.LATER:
                queue.put_back(tried.proposal)
            else:
                _note(findings, tried)
                on_progress(findings)
    if not queue.is_exhausted and not _is_over(findings, bounds):
        # What was put back last came after the validator had asked for more
        await search(queue, validator, findings, bounds, on_progress)
        return
    findings.exhausted = queue.is_exhausted
    if findings.exhausted and not findings.plausible and findings.hung:
        hung = sorted(findings.hung, key=lambda one: -one.score)[:MOST_DEEPENED]
        findings.hung = []
        again = _until(iter(hung), findings, bounds)
        async with aclosing(validator.filter(again, patience=PATIENCE)) as results:
            async for tried in results:
                _note(findings, tried)
                on_progress(findings)


def _note(findings: Findings, tried: Tried) -> None:
    findings.tried += 1
    match tried.result:
        case Result.PASSES:
            findings.plausible.append(tried.proposal)
            if findings.first_after_s is None:
                findings.first_after_s = _running_s(findings)
        case Result.PARTLY:
            findings.partial.append((tried.proposal, tried.fixed))
        case Result.HANGS:
            findings.hung.append(tried.proposal)
        case Result.INVALID:
            findings.invalid += 1
        case Result.FAILS | Result.LATER:
            pass


def _until(proposals: Iterator[Proposal], findings: Findings, bounds: Bounds) -> Iterator[Proposal]:
    """Hand on proposals until a stop rule holds."""
    while not _is_over(findings, bounds):
        proposal = next(proposals, None)
        if proposal is None:
            return
        yield proposal


def _is_over(findings: Findings, bounds: Bounds) -> bool:
    now = anyio.current_time()
    if now > bounds.deadline or findings.tried >= bounds.candidates:
        return True
    if findings.first_after_s is None:
        return False
    shortest, longest = bounds.linger_s
    linger_s = min(max(findings.first_after_s, shortest), longest)
    since_first = _running_s(findings) - findings.first_after_s
    return len(findings.plausible) >= ENOUGH_PLAUSIBLE or since_first > linger_s


def _running_s(findings: Findings) -> float:
    now = anyio.current_time()
    return now - (findings.started if findings.started is not None else now)
