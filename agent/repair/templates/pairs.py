"""Tier 4: two edits of one file at once. Which pairs are worth a try is the search's to say."""

from itertools import pairwise

from agent.edits.spans import ByteEdit
from agent.repair.proposal import Proposal, Sketch


def joined(one: Proposal, other: Proposal) -> Proposal | None:
    """Return both edits as one proposal; None for two files or where they touch the same bytes."""
    if one.path != other.path:
        return None
    first, second = sorted((one, other), key=lambda each: min(each.sketch.edits))
    edits = tuple(sorted((*first.sketch.edits, *second.sketch.edits)))
    if any(_collide(before, after) for before, after in pairwise(edits)):
        return None
    names = dict.fromkeys((first.sketch.template, second.sketch.template))
    return Proposal(
        path=one.path,
        sketch=Sketch(
            edits,
            " and ".join(names),
            one.sketch.prior * other.sketch.prior,
            4,
            one.sketch.flags | other.sketch.flags,
        ),
        line=first.line,
        suspicion=min(one.suspicion, other.suspicion),
        unit=one.unit if one.unit == other.unit else None,
        before=f"{first.before} … {second.before}",
        after=f"{first.after} … {second.after}",
    )


def _collide(before: ByteEdit, after: ByteEdit) -> bool:
    """Tell whether two edits in order share bytes, or the order of what they put in is open."""
    return after.start < before.end or after.start == before.start
