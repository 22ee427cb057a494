"""Says what a search did not do, in a line each, so that nobody takes its silence for an answer."""

from collections.abc import Iterator
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.confirm import Patch
from agent.repair.hunt import Hunt
from agent.repair.proposal import Proposal
from agent.repair.source import Source
from agent.repair.templates.likes import like_places

MOST_LINES: Final = 5
"""Line numbers named in one note."""


def not_done(hunt: Hunt, patch: Patch) -> tuple[str, ...]:
    """Return what to know of a search and of one patch of it."""
    return (*_of_search(hunt), *_of_patch(hunt, patch))


def _of_search(hunt: Hunt) -> Iterator[str]:
    yield from hunt.notes
    findings, doubts = hunt.findings, hunt.doubts
    if not findings.exhausted:
        yield (
            f"the search was cut off after {findings.tried} edits; about {hunt.space_left} "
            "more were drawn and not tried"
        )
    if findings.hung:
        yield f"{_count(len(findings.hung), 'edit')} ran over the time limit"
    if doubts.held_back:
        fate = "no edit that pleased the search failed them"
        if doubts.overfit:
            fate = f"{_count(doubts.overfit, 'edit')} that pleased the search failed there"
        yield f"{_count(doubts.held_back, 'test')} kept from the search and run afterwards: {fate}"
    if not hunt.watched.passing:
        yield "no passing test runs the edited code, so nothing guards against overfitting"
    elif hunt.survey is None:
        yield "which lines the passing tests run is not known with this test runner"


def _of_patch(hunt: Hunt, patch: Patch) -> Iterator[str]:
    sources = {suspect.source.path: suspect.source for suspect in hunt.suspects}
    for proposal in patch:
        source = sources.get(proposal.path)
        if source is None:
            continue
        if hunt.survey and hunt.watched.passing:
            covered = hunt.survey.covered.get(proposal.path, frozenset())
            lines = [line for line in _lines_in_functions(source, proposal) if line not in covered]
            if lines:
                yield f"no passing test runs {_named(lines)} of {proposal.path}"
        likes = like_places(source, proposal.sketch)
        if likes:
            lines = sorted({_line(source, like.edits[0]) for like in likes})
            yield f"the same pattern stands at {_named(lines)} of {proposal.path}, left as it is"


def _lines_in_functions(source: Source, proposal: Proposal) -> list[int]:
    """Return the lines that an edit changes; what runs at import alone is no test's."""
    found: set[int] = set()
    for edit in proposal.sketch.edits:
        if source.unit((edit,)) is not None:
            last = source.data.count(b"\n", 0, max(edit.start, edit.end - 1)) + 1
            found.update(range(_line(source, edit), last + 1))
    rows = source.data.split(b"\n")
    return sorted(line for line in found if line > len(rows) or rows[line - 1].strip())


def _line(source: Source, edit: ByteEdit) -> int:
    return source.data.count(b"\n", 0, edit.start) + 1


def _named(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:MOST_LINES])
    more = f" and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
