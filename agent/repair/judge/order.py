"""In which order plausible edits are shown, and which of them are the same to a reader.

Ranking by anything cleverer than suspicion and prior did not help (QuixBugs with half of the tests
hidden, measured 2026-11); more tests did. Knows nothing of what the edited programs do.
"""

from collections.abc import Iterable, Mapping, Sequence

from agent.edits.spans import apply_edits
from agent.repair.forms import form
from agent.repair.proposal import Proposal
from agent.repo.languages import language_of
from agent.task import RepoPath


def ranked(plausible: Iterable[Proposal]) -> list[Proposal]:
    """Order by warning signs, then suspicion and prior, then size; smaller edits first."""
    return sorted(plausible, key=lambda one: (bool(one.sketch.flags), -one.score, one.size))


def distinct(plausible: Sequence[Proposal], data: Mapping[RepoPath, bytes]) -> list[Proposal]:
    """Leave out edits whose file parses like that of one before; keeps the order."""
    seen: set[object] = set()
    kept = []
    for proposal in plausible:
        key = _form(proposal, data[proposal.path])
        if key not in seen:
            seen.add(key)
            kept.append(proposal)
    return kept


def _form(proposal: Proposal, data: bytes) -> object:
    """Compare the edited function where there is one, else the file."""
    after = apply_edits(data, proposal.sketch.edits)
    language, unit = language_of(proposal.path), proposal.unit
    if language is None:
        return (proposal.path, 0, after)
    if unit is None:
        return (proposal.path, 0, form(language, after))
    end = unit.end + len(after) - len(data)
    return (proposal.path, unit.start, form(language, after[unit.start : end]))
