"""Hands out proposals best first, drawing those of a statement only when its turn comes."""

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from agent.edits.spans import ByteEdit, apply_edits
from agent.repair.forms import form
from agent.repair.priors import weighed
from agent.repair.proposal import Proposal, Sketch, Unit
from agent.repair.suspects import Suspect
from agent.repair.templates import HIGHEST_PRIOR, HIGHEST_UNGUIDED, drawn
from agent.repair.validate.base import Ask

ENOUGH_DRAWN: Final = 2_000
"""With so many in hand further statements are drawn at the queue's pace, for drawing all that one
takes as long as dozens of quick tries."""
DRAWING_S: Final = 0.025
"""Seconds that it takes to draw all edits of a statement; measured 2026-11."""
SLOWEST_PACE: Final = 25
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
        self._heap: list[tuple[float, int, int, Ask | _Drawn]] = []
        self._order = count()
        self._drawn: set[object] = set()
        """Edits, to the byte."""
        self._seen: set[object] = set()
        """What was handed out, by how it parses."""
        self._slow = 0
        self._undrawn = 0
        self._popped, self._made = 1, 1
        self._pace = SLOWEST_PACE
        """With enough in hand, one statement is drawn each time that so many were handed out."""
        self.last: Proposal | None = None
        """Handed out last."""

    @property
    def left(self) -> int:
        """About how many proposals are drawn and not handed out; more may come."""
        share = self._made / self._popped  # of what was drawn, the rest turned out to be the same
        return math.ceil(share * len(self._heap))

    @property
    def is_exhausted(self) -> bool:
        """Tell whether everything was handed out."""
        return not self._heap and not self._suspects

    @property
    def is_slow(self) -> bool:
        """Tell whether all that is left ran over its time limits before."""
        return not self._suspects and self._slow == len(self._heap)

    def keep_pace(self, try_s: float) -> None:
        """Spend about as long on drawing as on tries that take so long each."""
        self._pace = min(SLOWEST_PACE, int(DRAWING_S / try_s))

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
        while True:
            self._draw_more()
            if not self._heap:
                raise StopIteration
            _worth_of, _size, _order, found = heapq.heappop(self._heap)
            ask = found if isinstance(found, Ask) else self._ask(found)
            if ask is not None:
                self.last = ask.proposal
                self._slow -= ask.patience > 1
                return ask

    def _draw_more(self) -> None:
        """Draw statements of which an edit may be better than the best in hand."""
        while self._suspects and self._highest() <= _bound(self._suspects[-1]):
            if len(self._heap) > ENOUGH_DRAWN and self._undrawn < self._pace:
                self._undrawn += 1
                return
            self._undrawn = 0
            self._draw(self._suspects.pop())

    def _highest(self) -> float:
        return -self._heap[0][0] if self._heap else 0.0

    def _draw(self, suspect: Suspect) -> None:
        is_swapped = _unit_of(suspect) is not None
        for sketch in _sketches(suspect):
            key = (suspect.source.path, sketch.edits)
            if key not in self._drawn:
                self._drawn.add(key)
                worth = suspect.score * sketch.prior * (1.0 if is_swapped else DEAR)
                drawn_ = _Drawn(suspect, sketch, is_swapped)
                entry = (-worth, _size(sketch), next(self._order), drawn_)
                heapq.heappush(self._heap, entry)

    def _ask(self, found: "_Drawn") -> Ask | None:
        """Make a proposal of what was drawn; None for one that parses like another."""
        self._popped += 1
        key = _form(found.suspect, found.sketch)
        if key is None or key in self._seen:
            return None
        proposal = _proposal(found.suspect, found.sketch)
        self._seen.add(key)
        self._made += 1
        if found.is_swapped and proposal.unit is None:  # against what its statement let expect
            self._push(Ask(proposal), _worth(proposal))
            return None
        return Ask(proposal)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An edit that nobody has looked at more closely: most never have their turn."""

    suspect: Suspect
    sketch: Sketch
    is_swapped: bool


def _unit_of(suspect: Suspect) -> Unit | None:
    node = suspect.region.node
    return suspect.source.unit((ByteEdit(node.start_byte, node.start_byte, b""),))


def _size(sketch: Sketch) -> int:
    return sum(edit.end - edit.start + len(edit.text) for edit in sketch.edits)


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
    is_beyond = any(edit.start < start or edit.end > end for edit in sketch.edits)
    if is_beyond or any(b"\n" in edit.text for edit in sketch.edits):
        return (source.path, sketch.edits)  # the form of a statement tells no indentation
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
