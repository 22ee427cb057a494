"""Hands out proposals best first, drawing those of a statement only when its turn comes."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from agent.edits.spans import ByteEdit, apply_edits
from agent.repair.forms import form
from agent.repair.priors import weighed
from agent.repair.proposal import Proposal, Sketch
from agent.repair.suspects import Suspect
from agent.repair.templates import HIGHEST_PRIOR, HIGHEST_UNGUIDED, drawn
from agent.repair.validate.base import Ask

ENOUGH_DRAWN: Final = 2_000
"""With so many in hand one more statement a step is drawn, so that the first try comes soon."""
DEAR: Final = 0.4
"""Share of its score at which an edit that needs a re-import is tried."""
DOUBTFUL: Final = 0.05
"""The same for one that failed when it was swapped in, and may do better when imported."""
PATIENCES: Final = (1.0, 5.0, 40.0)
"""How many times the first limits an edit gets, one after the other, while it runs over them."""
LATE: Final = {1.0: 1.0, 5.0: 0.3, 40.0: 0.05}
"""Share of its score at which it is tried with each."""


class BestFirst:
    """An iterator over every proposal for the suspects, by suspicion times prior.

    Of proposals that parse alike only the best comes out. Reading on after a pause goes on where it
    stopped.
    """

    def __init__(self, suspects: Sequence[Suspect]) -> None:
        self._suspects = list(reversed(suspects))
        self._heap: list[tuple[float, int, int, Ask]] = []
        self._order = count()
        self._seen: set[object] = set()
        self._slow = 0
        self.last: Proposal | None = None
        """Handed out last."""

    @property
    def left(self) -> int:
        """Proposals drawn and not handed out; more may come."""
        return len(self._heap)

    @property
    def is_exhausted(self) -> bool:
        """Tell whether everything was handed out."""
        return not self._heap and not self._suspects

    @property
    def is_slow(self) -> bool:
        """Tell whether all that is left ran over its time limits before."""
        return not self._suspects and self._slow == len(self._heap)

    def put_back(self, proposal: Proposal, *, share: float = DEAR) -> None:
        """Take a proposal again, to be tried by re-import when its turn comes."""
        again = replace(proposal, unit=None)
        self._push(Ask(again), share * proposal.score)

    def put_back_slow(self, proposal: Proposal, patience: float, passed: float) -> bool:
        """Take one that ran over its limits, to be tried with more; False where it had the most.

        `passed` is the share of the tests that had passed: what passed most comes first.
        """
        longer = [one for one in PATIENCES if one > patience]
        if longer:
            ask = Ask(proposal, longer[0])
            self._slow += 1
            self._push(ask, LATE[longer[0]] * (0.5 + 0.5 * passed) * _worth(proposal))
        return bool(longer)

    def add(self, proposals: Iterable[Proposal]) -> None:
        """Take proposals that no suspect draws."""
        for proposal in proposals:
            self._push(Ask(proposal), _worth(proposal))

    def _push(self, ask: Ask, worth: float) -> None:
        heapq.heappush(self._heap, (-worth, ask.proposal.size, next(self._order), ask))

    def __iter__(self) -> Iterator[Ask]:
        return self

    def __next__(self) -> Ask:
        while self._suspects and self._highest() <= _bound(self._suspects[-1]):
            self._draw(self._suspects.pop())
            if len(self._heap) > ENOUGH_DRAWN:
                break
        if not self._heap:
            raise StopIteration
        ask = heapq.heappop(self._heap)[-1]
        self.last = ask.proposal
        self._slow -= ask.patience > 1
        return ask

    def _highest(self) -> float:
        return -self._heap[0][0] if self._heap else 0.0

    def _draw(self, suspect: Suspect) -> None:
        for sketch in _sketches(suspect):
            key = _form(suspect, sketch)
            if key is None or key in self._seen:
                continue
            self._seen.add(key)
            proposal = _proposal(suspect, sketch)
            self._push(Ask(proposal), _worth(proposal))


def _bound(suspect: Suspect) -> float:
    return suspect.score * (HIGHEST_PRIOR if suspect.failure else HIGHEST_UNGUIDED)


def _worth(proposal: Proposal) -> float:
    """Weigh in that a try by re-import takes as long as dozens of others."""
    return proposal.score if proposal.unit else DEAR * proposal.score


def _sketches(suspect: Suspect) -> list[Sketch]:
    found = drawn(suspect.source, suspect.region, suspect.failure)
    return sorted(map(_with_prior, found), key=lambda sketch: -sketch.prior)


def _with_prior(sketch: Sketch) -> Sketch:
    prior = weighed(sketch)
    return sketch if prior == sketch.prior else replace(sketch, prior=prior)


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
