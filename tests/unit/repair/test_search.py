"""The order of tries, the stop rules, and what is made of the results."""

from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

import anyio
import pytest

from agent.edits.changes import Content
from agent.edits.spans import ByteEdit, apply_edits
from agent.repair.forms import form
from agent.repair.judge.labels import Extent, confidence, explain
from agent.repair.judge.order import distinct, ranked
from agent.repair.partial import best_for_each, combinations
from agent.repair.proposal import Flag, Proposal, Sketch
from agent.repair.queue import BestFirst
from agent.repair.search import ENOUGH_PLAUSIBLE, Bounds, Findings, search
from agent.repair.suspects import Suspect
from agent.repair.validate.base import Ask, Result, Tried, Watched, edited
from agent.repo.languages import Language
from agent.repo.syntax import tokens
from agent.task import RepoPath, TestId
from agent.verify.verdict import Confidence
from tests.support.repair import a_source, base_of

PATH = RepoPath("module.py")


def a_proposal(
    start: int = 0, text: str = "x", *, prior: float = 0.5, flags: frozenset[Flag] = frozenset()
) -> Proposal:
    sketch = Sketch((ByteEdit(start, start + 1, text.encode()),), "test", prior, 1, flags)
    return Proposal(
        path=PATH, sketch=sketch, line=1, suspicion=1.0, unit=None, before="a", after=text
    )


def a_queue(text: str, scores: dict[int, float]) -> BestFirst:
    source = a_source(text)
    found = [
        Suspect(source=source, region=region, score=scores[region.first_row], failure=None)
        for region in source.regions
        if region.first_row in scores
    ]
    return BestFirst(sorted(found, key=lambda one: -one.score))


class Scripted:
    """A validator that answers by a function, at once."""

    is_quick = True

    def __init__(self, answer: Callable[[Proposal], Result]) -> None:
        self._answer = answer
        self.asked: list[Proposal] = []
        self.watched: list[Watched] = []

    async def watch(self, watched: Watched) -> None:
        self.watched.append(watched)

    async def filter(self, asked: Iterator[Ask]) -> AsyncGenerator[Tried, None]:
        for ask in asked:
            self.asked.append(ask.proposal)
            await anyio.lowlevel.checkpoint()
            yield Tried(
                proposal=ask.proposal,
                result=self._answer(ask.proposal),
                patience=ask.patience,
                fixed=(TestId("t"),),
            )

    def recheck(self, proposals: Iterator[Proposal]) -> AsyncGenerator[Tried, None]:
        return self.filter(map(Ask, proposals))


def bounds(candidates: int = 10_000, seconds: float = 60.0) -> Bounds:
    return Bounds(deadline=anyio.current_time() + seconds, candidates=candidates)


def ignore(_findings: Findings) -> None:
    pass


def test_proposals_come_best_first() -> None:
    queue = a_queue("a = b < c\nd = e\n", {0: 1.0, 1: 0.2})
    first = next(queue).proposal
    assert (first.after, first.line) == ("a = b <= c", 1)
    scores = [ask.proposal.score for ask in queue if ask.proposal.unit]
    assert scores == sorted(scores, reverse=True)
    assert queue.is_exhausted
    assert queue.left == 0


def test_edits_that_parse_alike_are_tried_once() -> None:
    found = [ask.proposal for ask in a_queue("a = list(b)\n", {0: 1.0})]
    forms = [tokens(a_source("").grammar.language, proposal.after.encode()) for proposal in found]
    assert len(forms) == len(set(forms))


def test_a_line_put_in_behind_a_block_is_handed_out() -> None:
    loop = "        while a:\n            a.pop()\n"
    before = f"def f(a, b):\n    b.append(a)\n    b.sort()\n    if b:\n{loop}    return b\n"
    data = before.encode()
    queue = a_queue(before, {4: 1.0})
    handed = {apply_edits(data, ask.proposal.sketch.edits).decode() for ask in queue}
    for after in (f"        b.append(a)\n{loop}", f"{loop}        b.append(a)\n"):
        assert before.replace(loop, after) in handed


def test_a_statement_is_drawn_only_when_its_turn_comes() -> None:
    queue = a_queue("a = b < c\nd = e < f\n", {0: 1.0, 1: 0.1})
    next(queue)
    assert all(drawn.sketch.edits[0].start < len("a = b < c\n") for *_rest, drawn in queue._heap)


def test_what_is_put_back_comes_again_without_its_unit() -> None:
    queue = a_queue("def f(a):\n    return a < 1\n", {1: 1.0})
    first = next(queue).proposal
    assert first.unit is not None
    queue.put_back(first)
    again = [ask.proposal for ask in queue if ask.proposal.sketch == first.sketch]
    assert [proposal.unit for proposal in again] == [None]


async def test_the_search_exhausts_the_space() -> None:
    queue, validator, findings = a_queue("a = b < c\n", {0: 1.0}), Scripted(fails), Findings()
    await search(queue, validator, findings, bounds(), ignore)
    assert findings.exhausted
    assert findings.tried == len(validator.asked) > 10
    assert findings.plausible == []


def fails(_proposal: Proposal) -> Result:
    return Result.FAILS


async def test_the_search_stops_after_so_many_candidates() -> None:
    findings = Findings()
    await search(a_queue("a = b < c\n", {0: 1.0}), Scripted(fails), findings, bounds(3), ignore)
    assert (findings.tried, findings.exhausted) == (3, False)


async def test_the_search_stops_at_the_deadline() -> None:
    findings = Findings()
    queue = a_queue("a = b < c\n", {0: 1.0})
    await search(queue, Scripted(fails), findings, bounds(seconds=-1), ignore)
    assert findings.tried == 0


async def test_enough_alternatives_end_the_search() -> None:
    text = "def f(a, b, c, d, e):\n    return (a + b) * (c - d) < e[a]\n"
    findings = Findings()
    queue = a_queue(text, {1: 1.0})
    await search(queue, Scripted(lambda _one: Result.PASSES), findings, bounds(), ignore)
    assert len(findings.plausible) == ENOUGH_PLAUSIBLE
    assert not findings.exhausted
    assert findings.first_after_s is not None


async def test_what_hung_is_tried_again_with_more_time() -> None:
    first = True

    def hangs_once(proposal: Proposal) -> Result:
        nonlocal first
        if proposal.after == "a = b <= c":
            first = not first
            return Result.PASSES if first else Result.HANGS
        return Result.INVALID

    findings = Findings()
    await search(a_queue("a = b < c\n", {0: 1.0}), Scripted(hangs_once), findings, bounds(), ignore)
    assert [one.after for one in findings.plausible] == ["a = b <= c"]
    assert not findings.hung
    assert findings.invalid == findings.tried - 1


async def test_what_cannot_be_swapped_is_tried_by_reimport() -> None:
    def later(proposal: Proposal) -> Result:
        return Result.LATER if proposal.unit else Result.PARTLY

    findings = Findings()
    validator = Scripted(later)
    queue = a_queue("def f(a):\n    return a\n", {1: 1.0})
    await search(queue, validator, findings, bounds(), ignore)
    assert findings.exhausted
    assert findings.tried == len(findings.partial) == len(validator.asked) / 2


def test_warning_signs_rank_last_and_small_edits_first() -> None:
    flagged = a_proposal(text="a", prior=0.9, flags=frozenset({Flag.DELETES}))
    large, small = a_proposal(text="long"), a_proposal(text="b")
    assert ranked([flagged, large, small]) == [small, large, flagged]


def test_patches_that_parse_alike_count_once() -> None:
    data = {PATH: b"a = b\n"}
    same = [a_proposal(4, "(c)"), a_proposal(4, "( c )"), a_proposal(4, "d")]
    assert distinct(same, data) == [same[0], same[2]]


@pytest.mark.parametrize(
    ("count", "extent", "flags", "label"),
    [
        (1, Extent(tried=50, exhausted=True, passing_tests=3), (), Confidence.LIKELY),
        (8, Extent(tried=5_000, exhausted=False, passing_tests=3), (), Confidence.LIKELY),
        (9, Extent(tried=5_000, exhausted=True, passing_tests=3), (), Confidence.AMBIGUOUS),
        (4, Extent(tried=500, exhausted=False, passing_tests=3), (), Confidence.PLAUSIBLE),
        (3, Extent(tried=500, exhausted=False, passing_tests=3), (), Confidence.LIKELY),
        (1, Extent(tried=50, exhausted=False, passing_tests=3), (), Confidence.PLAUSIBLE),
        (1, Extent(tried=50, exhausted=True, passing_tests=0), (), Confidence.PLAUSIBLE),
        (1, Extent(tried=50, exhausted=True, passing_tests=3), (Flag.CONSTANT,), "plausible"),
    ],
)
def test_labels(count: int, extent: Extent, flags: tuple[Flag, ...], label: str) -> None:
    assert confidence(a_proposal(flags=frozenset(flags)), count, extent) == label


def test_the_reason_names_alternatives_and_warning_signs() -> None:
    extent = Extent(tried=50, exhausted=True, passing_tests=3)
    assert explain(a_proposal(), 1, extent) == "no other edit does the same (all 50 tried)"
    doubtful = a_proposal(flags=frozenset({Flag.DELETES}))
    cut_off = Extent(tried=50, exhausted=False, passing_tests=3)
    assert (
        explain(doubtful, 2, cut_off)
        == "1 other edit does the same (the first 50 tried); it takes code away"
    )


def test_edits_that_mend_different_tests_are_joined() -> None:
    one, two = TestId("one"), TestId("two")
    first, second, worse = a_proposal(0), a_proposal(5), a_proposal(7, prior=0.1)
    partial = [(first, (one,)), (worse, (two,)), (second, (two,))]
    assert combinations(partial, frozenset({one, two})) == [(first, second), (first, worse)]
    assert combinations(partial[:1], frozenset({one, two})) == []
    assert best_for_each(partial) == {one: first, two: second}
    assert best_for_each([]) == {}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a = (b + 0)", "a = (b)", True),
        ("a = b * 1", "a = b", True),
        ("a = b - 1 + 1", "a = b", True),
        ("a = b + 0 * c", "a = b * c", False),
        ("a = b + 1 - 1 * c", "a = b * c", False),
        ("a = b + 1", "a = b", False),
        ("a = -0", "a = 0", False),
    ],
)
def test_neutral_arithmetic_does_not_make_another_edit(one: str, other: str, same: bool) -> None:
    forms = [form(Language.PYTHON, text.encode()) for text in (one, other)]
    assert (forms[0] == forms[1]) is same


def test_edited_files_keep_their_mode(tmp_path: Path) -> None:
    folder = base_of(tmp_path)
    file = folder.dir / "module.py"
    file.write_bytes(b"a = b\n")
    file.chmod(0o755)
    before = folder.read(PATH)
    assert before is not None
    assert edited(folder, (a_proposal(4, "c"),)) == {
        PATH: Content(data=b"a = c\n", mode=before.mode)
    }
    with pytest.raises(ValueError, match="overlaps"):
        edited(folder, (a_proposal(4, "c"), a_proposal(4, "d")))
    gone = a_proposal()
    with pytest.raises(ValueError, match="not in the base"):
        edited(base_of(folder.dir / "nowhere"), (gone,))
