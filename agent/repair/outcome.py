"""Puts what a search found, or did not find, into the words and records of a job."""

from collections.abc import Sequence
from typing import Final

from agent.edits.changes import Delta
from agent.job import Alternative, Candidate, GaveUp
from agent.repair.confirm import Patch
from agent.repair.hunt import Hunt
from agent.repair.judge import confidence, explain
from agent.repair.partial import best_alone
from agent.repair.validate.base import edited
from agent.verify.verdict import Confidence
from agent.workspace.base import Base

MOST_ALTERNATIVES: Final = 4


def candidates(confirmed: Sequence[Patch], hunt: Hunt, base: Base) -> list[Candidate]:
    """Return a candidate for each confirmed patch, in rank order, each with those behind it."""
    refuted = sum(1 for patch in hunt.patches[: len(confirmed)] if patch not in confirmed)
    count = max(len(confirmed), len(hunt.patches) - refuted)
    found: list[Candidate] = []
    for rank, patch in enumerate(confirmed, 1):
        found.append(
            Candidate(
                delta=_delta(patch, base),
                why=_why(patch, hunt, count),
                confidence=_confidence(patch, hunt, count),
                distinct=count,
                alternatives=tuple(
                    Alternative(
                        delta=_delta(other, base),
                        why=" and ".join(one.why for one in other),
                        confidence=_confidence(other, hunt, count),
                        rank=other_rank,
                    )
                    for other_rank, other in enumerate(confirmed[rank:], 2)
                )[:MOST_ALTERNATIVES],
                notes=_notes(hunt),
            )
        )
    return found


def _delta(patch: Patch, base: Base) -> Delta:
    return dict(edited(base, patch))


def _why(patch: Patch, hunt: Hunt, count: int) -> str:
    what = " and ".join(one.why for one in patch)
    return f"{what}; {explain(patch[0], count, hunt.extent)}"


def _confidence(patch: Patch, hunt: Hunt, count: int) -> Confidence:
    """Several edits at once are at best plausible: each alone is held by fewer tests."""
    label = confidence(patch[0], count, hunt.extent)
    if len(patch) > 1 and label is Confidence.LIKELY:
        return Confidence.PLAUSIBLE
    return label


def _notes(hunt: Hunt) -> tuple[str, ...]:
    notes = list(hunt.notes)
    if not hunt.findings.exhausted:
        notes.append(f"the search was cut off; at least {hunt.space_left} edits were not tried")
    if not hunt.watched.passing:
        notes.append("no passing test runs the edited code, so nothing guards against overfitting")
    if hunt.findings.hung:
        notes.append(f"{len(hunt.findings.hung)} edits ran over their time limit")
    return tuple(notes)


def gave_up(hunt: Hunt, offered: int) -> GaveUp:
    """Say what was searched, how far, and what may help."""
    if offered:
        return GaveUp(
            reason=f"None of the {offered} edits that were confirmed stood up to the whole suite.",
            advice="Add a test that says more exactly what is wanted, or use a model.",
        )
    findings = hunt.findings
    if not hunt.statements:
        return GaveUp(
            reason="No line outside of the tests could be tied to the failing tests.",
            advice="Look at the failing tests' own set-up; the search edits only what they run.",
        )
    how_far = (
        "that is every edit it knows"
        if findings.exhausted
        else f"it was cut off with at least {hunt.space_left} edits left"
    )
    reason = (
        f"No single small edit of the {hunt.statements} suspected statements makes the failing "
        f"tests pass: {findings.tried} tried, {how_far}."
    )
    if alone := best_alone(findings.partial):
        proposal, fixed = alone
        return GaveUp(
            reason=f"{reason} {len(fixed)} of {len(hunt.watched.targets)} of them can be mended.",
            advice=f"Name that test alone: greenloop fix '{fixed[0]}' ({proposal.why}).",
        )
    if findings.exhausted:
        return GaveUp(reason=reason, advice="The fix is larger than that; use a model.")
    return GaveUp(reason=reason, advice="Give it more time with --budget-s, or name fewer tests.")
