"""Drives the tries: best first, until nothing is left, time is up, or enough is known.

What an edit needs more of (time, a re-import) is asked for again through the queue, when nothing
better is left to be tried in its place.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import anyio

from agent.repair.proposal import Proposal
from agent.repair.queue import DOUBTFUL, BestFirst
from agent.repair.validate.base import Ask, Result, Tried, Validator
from agent.task import TestId

LINGER_S: Final = (2.0, 15.0)
"""After the first plausible patch the search goes on as long as that took, within these bounds: the
number of alternatives decides how far the first can be trusted."""
LINGER_SLOW_S: Final = 40.0
"""The upper bound where a try takes about a second."""
ENOUGH_PLAUSIBLE: Final = 60
"""More alternatives say nothing new: it is ambiguous."""
MOST_DEEPENED: Final = 1_000
"""Proposals over their time limit that are tried again with more of it."""
MOST_NEAR: Final = 60
"""Failed edits that are kept to be paired, best first; and so many that did something good."""


@dataclass(slots=True)
class Findings:
    """What the tries came to so far."""

    tried: int = 0
    """Edits, each counted once, however often it was tried."""
    invalid: int = 0
    hung: set[Proposal] = field(default_factory=set)
    """Over their time limit, however much they were given so far."""
    plausible: list[Proposal] = field(default_factory=list)
    partial: list[tuple[Proposal, tuple[TestId, ...]]] = field(default_factory=list)
    """Mend some targets and break nothing."""
    further: list[tuple[Proposal, int]] = field(default_factory=list)
    """Mend no target, but have one fail later than before; by how much."""
    exhausted: bool = False
    started: float | None = None
    """When the first try was asked for, in anyio's clock."""
    first_after_s: float | None = None
    """Seconds to the first plausible patch."""
    deepened: int = 0
    _near: list[tuple[float, int, Proposal]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    @property
    def near(self) -> list[Proposal]:
        """The best scored edits that could be tried and failed, best first."""
        return [proposal for _score, _tried, proposal in sorted(self._near, reverse=True)]

    def keep(self, proposal: Proposal) -> None:
        """Remember a failed edit as long as there are not enough better scored ones."""
        entry = (proposal.score, -next(self._order), proposal)
        if len(self._near) < MOST_NEAR:
            heapq.heappush(self._near, entry)
        elif entry[:2] > self._near[0][:2]:
            heapq.heapreplace(self._near, entry)


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
    *,
    tests: int = 0,
) -> None:
    """Try until a stop rule holds; calling it again goes on where it stopped.

    It stops when the space is exhausted, at the deadline, after so many candidates, with
    `ENOUGH_PLAUSIBLE` found, or when it has lingered long enough after the first. `tests` is how
    many tests decide, to tell how far an edit got that ran over its time.
    Raises: SandboxError.
    """
    if findings.started is None:
        findings.started = anyio.current_time()
    while True:
        async with aclosing(validator.filter(_until(queue, findings, bounds))) as results:
            async for tried in results:
                _take(tried, queue, findings, tests)
                on_progress(findings)
        # What is put back last comes after the validator has asked for more
        if _is_done(queue, findings) or _is_over(findings, bounds):
            break
    findings.exhausted = _is_done(queue, findings)


def _take(tried: Tried, queue: BestFirst, findings: Findings, tests: int) -> None:
    if tried.result is Result.LATER:
        queue.put_back(tried.proposal)
        return
    if tried.patience == 1.0 or tried.proposal not in findings.hung:
        findings.tried += 1
    if tried.result is Result.HANGS:
        findings.hung.add(tried.proposal)
        if findings.deepened < MOST_DEEPENED:
            share = min(1.0, tried.passed / tests) if tests else 0.0
            findings.deepened += queue.put_back_slow(tried.proposal, tried.patience, share)
        return
    findings.hung.discard(tried.proposal)
    _note(findings, tried)
    if tried.result is Result.DOUBTFUL:
        findings.tried -= 1
        queue.put_back(tried.proposal, share=DOUBTFUL)


def _note(findings: Findings, tried: Tried) -> None:
    match tried.result:
        case Result.PASSES:
            findings.plausible.append(tried.proposal)
            if findings.first_after_s is None:
                findings.first_after_s = _running_s(findings)
        case Result.PARTLY:
            findings.partial.append((tried.proposal, tried.fixed))
        case Result.INVALID:
            findings.invalid += 1
        case Result.FAILS | Result.DOUBTFUL:
            findings.keep(tried.proposal)
            if tried.further:
                findings.further.append((tried.proposal, tried.further))
        case Result.HANGS | Result.LATER:
            pass


def _until(queue: BestFirst, findings: Findings, bounds: Bounds) -> Iterator[Ask]:
    """Hand on proposals until a stop rule holds."""
    while not _is_over(findings, bounds) and not _is_done(queue, findings):
        ask = next(queue, None)
        if ask is None:
            return
        yield ask


def _is_done(queue: BestFirst, findings: Findings) -> bool:
    """Tell whether nothing is left; where something was found, slow edits need no second chance."""
    return queue.is_exhausted or (bool(findings.plausible) and queue.is_slow)


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
