"""Puts what a search found, or did not find, into the words and records of a job."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from agent.edits.changes import Delta
from agent.job import Alternative, Candidate, GaveUp
from agent.repair.confirm import Held, Patch
from agent.repair.hunt import Hunt
from agent.repair.judge.behaviours import Behaviours
from agent.repair.judge.labels import confidence, explain
from agent.repair.partial import best_for_each
from agent.repair.undone import not_done
from agent.repair.validate.base import edited
from agent.verify.report import Baseline
from agent.verify.verdict import Confidence
from agent.workspace.base import Base

MOST_ALTERNATIVES: Final = 4
MOST_CLUES: Final = 5
"""Of each kind."""
LAST_SINGLE_TIER: Final = 3
"""Above it are pairs of edits."""


def candidates(
    held: Sequence[Held], hunt: Hunt, seen: Behaviours, order: Sequence[int], base: Base
) -> list[Candidate]:
    """Return a candidate for each confirmed patch, in rank order, each with those behind it.

    `order` is in which order the hunt's patches, by index, were to be confirmed.
    """
    index_of = {patch: index for index, patch in enumerate(hunt.patches)}
    confirmed = [index_of[one.patch] for one in held]
    looked_at = max((order.index(index) + 1 for index in confirmed), default=0)
    refuted = set(order[:looked_at]) - set(confirmed)
    count = seen.alternatives([index for index in order if index not in refuted])
    found: list[Candidate] = []
    for rank, (one, index) in enumerate(zip(held, confirmed, strict=True), 1):
        others = list(zip(held, confirmed, strict=True))[rank : rank + MOST_ALTERNATIVES]
        found.append(
            Candidate(
                delta=_delta(one.patch, base),
                why=_why(one.patch, hunt, seen, count),
                confidence=_confidence(one, hunt, seen, count),
                distinct=count,
                alternatives=tuple(
                    Alternative(
                        delta=_delta(other.patch, base),
                        why=" and ".join(part.why for part in other.patch),
                        confidence=_confidence(other, hunt, seen, count),
                        rank=other_rank,
                        group=seen.groups[other_index],
                    )
                    for other_rank, (other, other_index) in enumerate(others, 2)
                ),
                group=seen.groups[index],
                groups=seen.count,
                question=seen.question([index, *(other for _held, other in others)]),
                notes=(*not_done(hunt, one.patch), *filter(None, (seen.note,))),
            )
        )
    return found


def _delta(patch: Patch, base: Base) -> Delta:
    return dict(edited(base, patch))


def _why(patch: Patch, hunt: Hunt, seen: Behaviours, count: int) -> str:
    what = " and ".join(one.why for one in patch)
    told = explain(patch[0], count, hunt.extent, is_observed=seen.count > 0)
    return f"{what}; {told}"


def _confidence(held: Held, hunt: Hunt, seen: Behaviours, count: int) -> Confidence:
    """Several edits at once, or a test that still fails, are at best plausible."""
    label = confidence(held.patch[0], count, hunt.extent, is_observed=seen.count > 0)
    is_pair = len(held.patch) > 1 or held.patch[0].sketch.tier > LAST_SINGLE_TIER
    if (is_pair or held.others_left) and label is Confidence.LIKELY:
        return Confidence.PLAUSIBLE
    return label


def gave_up(hunt: Hunt, offered: int) -> GaveUp:
    """Say what was searched, how far, what may help, and where to look next."""
    return replace(_reason(hunt, offered), clues=clues(hunt))


def clues(hunt: Hunt) -> tuple[str, ...]:
    """Return the best suspects and the edits that mend some of the tests, a line each."""
    places = [
        f"suspect {one.source.path}:{one.line} ({one.score:.2f}): {one.code}"
        for one in hunt.suspects[:MOST_CLUES]
    ]
    targets = len(hunt.watched.targets)
    best = sorted(hunt.findings.partial, key=lambda one: (-len(one[1]), -one[0].score))
    near = [
        f"mends {len(fixed)} of {targets} alone: {proposal.why}"
        for proposal, fixed in best[:MOST_CLUES]
    ]
    return (*places, *near)


def _reason(hunt: Hunt, offered: int) -> GaveUp:
    if offered:
        return GaveUp(
            reason=f"None of the {offered} edits that were confirmed stood up to the whole suite.",
            advice="Add a test that says more exactly what is wanted, or use a model.",
        )
    if hunt.plan is not None and hunt.is_refused:
        return GaveUp(reason=hunt.plan.refusal, advice=hunt.plan.advice, how="budget")
    findings = hunt.findings
    if not hunt.suspects:
        return GaveUp(
            reason="No line outside of the tests could be tied to the failing tests"
            f"{_first_error(hunt.baseline)}.",
            advice="Look at the failing tests' own set-up; the search edits only what they run.",
        )
    how_far = (
        "that is every edit it knows"
        if findings.exhausted
        else f"it was cut off with about {hunt.space_left} edits in hand"
    )
    what = "No small edit, and no two of them at once," if hunt.doubts.pairs else "No small edit"
    reason = (
        f"{what} of the {len(hunt.suspects)} suspected statements makes the failing "
        f"tests pass: {findings.tried} tried, {how_far}.{_refuted(hunt)}"
    )
    if mendable := best_for_each(findings.partial):
        count = len(mendable)
        name = "Name it" if count == 1 else "Name them"
        if count == len(hunt.watched.targets):  # each, but no two by the same edit
            mendable = dict(islice(mendable.items(), 1))
            name = "Go on with one at a time"
        tests = " ".join(f"'{test}'" for test in mendable)
        edits = "; ".join(dict.fromkeys(proposal.why for proposal in mendable.values()))
        return GaveUp(
            reason=f"{reason} {count} of {len(hunt.watched.targets)} can be mended alone.",
            advice=f"{name}: greenloop fix {tests} ({edits}).",
        )
    if findings.exhausted:
        return GaveUp(reason=reason, advice="The fix is larger than that; use a model.")
    return GaveUp(reason=reason, advice="Give it more time with --budget-s, or name fewer tests.")


def _refuted(hunt: Hunt) -> str:
    """Say how many edits pleased the search and did not hold; empty for none."""
    doubts = hunt.doubts
    said = []
    if doubts.overfit:
        said.append(f"{doubts.overfit} failed tests that were kept from the search")
    if doubts.leaked:
        said.append(f"{doubts.leaked} passed only thanks to what earlier tries left behind")
    unconfirmed = len(hunt.patches) if hunt.findings.plausible else 0
    if unconfirmed:
        said.append(f"{unconfirmed} did not pass in a process of their own")
    return f" Of those that seemed to, {', '.join(said)}." if said else ""


def _first_error(baseline: Baseline) -> str:
    """Return what the first target failed with, in brackets; empty where nobody said."""
    result = baseline.report.results.get(baseline.targets[0])
    lines = result.message.strip().splitlines() if result else []
    return f" ({lines[-1].strip()[:200]})" if lines else ""
