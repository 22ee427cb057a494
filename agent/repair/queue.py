"""Hands out proposals best first, drawing those of a statement only when its turn comes."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from agent.edits.spans import ByteEdit, apply_edits
from agent.repair.forms import form
from agent.repair.proposal import Proposal, Sketch
from agent.repair.source import Site
from agent.repair.suspects import Suspect
from agent.repair.templates import HIGHEST_PRIOR, HIGHEST_UNGUIDED, sketches, statement_sketches

ENOUGH_DRAWN = 2_000
"""With so many in hand one more statement a step is drawn, so that the first try comes soon."""


DEAR = 0.4
"""Share of its score at which an edit that needs a re-import is tried."""


class BestFirst:
    """An iterator over every proposal for the suspects, by suspicion times prior.

    Of proposals that parse alike only the best comes out. Reading on after a pause goes on where it
    stopped.
    """

    def __init__(self, suspects: Sequence[Suspect]) -> None:
        self._suspects = list(reversed(suspects))
        self._heap: list[tuple[float, int, int, Proposal]] = []
        self._order = count()
        self._seen: set[object] = set()

    @property
    def left(self) -> int:
        """Proposals drawn and not handed out; more may come."""
        return len(self._heap)

    @property
    def is_exhausted(self) -> bool:
        """Tell whether everything was handed out."""
        return not self._heap and not self._suspects

    def put_back(self, proposal: Proposal) -> None:
        """Take a proposal again, to be tried by re-import when its turn comes."""
        again = replace(proposal, unit=None)
        heapq.heappush(self._heap, (-_worth(again), again.size, next(self._order), again))

    def __iter__(self) -> Iterator[Proposal]:
        return self

    def __next__(self) -> Proposal:
        while self._suspects and self._highest() <= _bound(self._suspects[-1]):
            self._draw(self._suspects.pop())
            if len(self._heap) > ENOUGH_DRAWN:
                break
        if not self._heap:
            raise StopIteration
        return heapq.heappop(self._heap)[-1]

    def _highest(self) -> float:
        return -self._heap[0][0] if self._heap else 0.0

    def _draw(self, suspect: Suspect) -> None:
        for sketch in _sketches(suspect):
            key = _form(suspect, sketch)
            if key is None or key in self._seen:
                continue
            self._seen.add(key)
            proposal = _proposal(suspect, sketch)
            heapq.heappush(
                self._heap, (-_worth(proposal), proposal.size, next(self._order), proposal)
            )


def _bound(suspect: Suspect) -> float:
    return suspect.score * (HIGHEST_PRIOR if suspect.failure else HIGHEST_UNGUIDED)


def _worth(proposal: Proposal) -> float:
    """Weigh in that a try by re-import takes as long as dozens of others."""
    return proposal.score if proposal.unit else DEAR * proposal.score


def _sketches(suspect: Suspect) -> list[Sketch]:
    source, failure = suspect.source, suspect.failure
    kind = source.grammar.kind
    found = list(
        statement_sketches(Site(source, suspect.region.node, kind(suspect.region.node), failure))
    )
    for node in suspect.region.nodes:
        found.extend(sketches(Site(source, node, kind(node), failure)))
    return sorted(found, key=lambda sketch: -sketch.prior)


def _form(suspect: Suspect, sketch: Sketch) -> object:
    """Return what is equal for edits that parse alike; None for an edit that changes nothing."""
    source, region = suspect.source, suspect.region
    start = source.line_starts[region.first_row]
    end = source.line_starts[min(region.last_row + 1, len(source.line_starts) - 1)]
    if any(edit.start < start or edit.end > end for edit in sketch.edits):
        return (source.path, sketch.edits)
    text = source.data[start:end]
    moved = [ByteEdit(edit.start - start, edit.end - start, edit.text) for edit in sketch.edits]
    after = form(source.grammar.language, apply_edits(text, moved))
    if after == form(source.grammar.language, text):
        return None
    return (source.path, start, after)


def _proposal(suspect: Suspect, sketch: Sketch) -> Proposal:
    source = suspect.source
    first = min(edit.start for edit in sketch.edits)
    last = max(edit.end for edit in sketch.edits)
    start = source.data.rfind(b"\n", 0, first) + 1
    end = source.data.find(b"\n", last)
    end = len(source.data) if end < 0 else end
    moved = [ByteEdit(edit.start - start, edit.end - start, edit.text) for edit in sketch.edits]
    before = source.data[start:end]
    return Proposal(
        path=source.path,
        sketch=sketch,
        line=source.data.count(b"\n", 0, first) + 1,
        suspicion=suspect.score,
        unit=source.unit(sketch.edits),
        before=_one_line(before),
        after=_one_line(apply_edits(before, moved)),
    )


def _one_line(text: bytes) -> str:
    return " ".join(text.decode("utf-8", "replace").split())[:160]
