from collections import Counter
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.edits.changes import Content
from agent.edits.diff import split_lines
from agent.edits.merge import Merged
from agent.edits.patch import Patch, make_patch
from agent.task import RepoPath, RunId
from lsp_server.review.laying import lay, take_out
from lsp_server.review.reviewed import NotEditable
from lsp_server.review.state import (
    NOTHING_LEFT,
    HunkState,
    Measured,
    Review,
    accepted,
    choice,
    measurement,
    rejected,
    reopened,
    retyped,
    review_of,
    taken_back,
    with_measured,
)

A, B = RepoPath("a.py"), RepoPath("b.py")
GREEN = Measured(verdict="green", message="1 test fixed", receipt="/r.json")
BASE = [b"%d\n" % n for n in range(14)]

letters = st.sampled_from([b"x\n", b"y\n", b"z\n", b"\n"])
edits_of_lines = st.dictionaries(
    st.integers(0, 13), st.lists(letters, max_size=2).map(b"".join), max_size=4
)


def with_lines(changes: dict[int, bytes], lines: list[bytes] = BASE) -> bytes:
    return b"".join(changes.get(n, line) for n, line in enumerate(lines))


def patch_of(new: bytes) -> Patch:
    old = {A: Content(data=b"".join(BASE))}
    return make_patch(old.get, {A: Content(data=new)})


class Reviewing(RuleBasedStateMachine):
    """One file, decided, edited and typed in, in any order."""

    @initialize(changes=edits_of_lines.filter(bool))
    def begin(self, changes):
        self.numbers = count()
        self.now = Content(data=b"".join(BASE))
        self.typed: set[bytes] = set()
        self.review: Review = review_of(RunId("r"), patch_of(with_lines(changes)), GREEN)
        self.untouched = True
        """Nobody typed since the last accept or undo."""

    @property
    def file(self):
        return self.review.file(A)

    @rule(line=st.integers(0, 20))
    def type_a_line(self, line):
        token = b"typed %d\n" % next(self.numbers)
        lines = split_lines(self.now.data)
        lines.insert(min(line, len(lines)), token)
        self.typed.add(token)
        self.now = Content(data=b"".join(lines))
        self.untouched = False

    @precondition(lambda self: self.file)
    @rule(data=st.data())
    def accept(self, data):
        chosen = self._some(data, HunkState.OPEN)
        inside = self.review.ids(HunkState.ACCEPTED)
        before = self.now
        laid = lay(self.file, inside=inside, chosen=chosen, now=before)
        refused = [id_ for conflict in laid.conflicts for id_ in conflict.hunks]
        assert sorted([*laid.hunks, *refused]) == sorted(chosen)
        if laid.hunks:
            assert laid.content
            self._check_only_hunks_changed(before, laid.content, laid.hunks)
            self.now = laid.content
            self.review = accepted(self.review, A, laid.hunks, before=before, after=self.now)
            self.untouched = True

    def _check_only_hunks_changed(self, before, after, ids):
        hunks = [hunk for hunk in self.file.hunks if hunk.id in ids]
        lines = Counter(split_lines(before.data))
        lines.update(line for hunk in hunks for line in split_lines(hunk.new))
        lines.subtract(line for hunk in hunks for line in split_lines(hunk.old))
        already = Counter(split_lines(after.data)) == Counter(split_lines(before.data))
        assert already or +lines == Counter(split_lines(after.data))

    @precondition(lambda self: self.file)
    @rule(data=st.data())
    def reject(self, data):
        self.review = rejected(self.review, self._some(data, HunkState.OPEN))

    @precondition(lambda self: self.file)
    @rule(data=st.data())
    def reopen(self, data):
        self.review = reopened(self.review, self._some(data, HunkState.REJECTED))

    @precondition(lambda self: self.file)
    @rule(changes=edits_of_lines)
    def edit_the_proposal(self, changes):
        shown = self.file.without(self.review.ids(HunkState.REJECTED))
        text = with_lines(changes, split_lines(shown.data))
        was_accepted = self.review.ids(HunkState.ACCEPTED)
        outcome = retyped(self.review, A, text)
        if isinstance(outcome, NotEditable):
            return
        self.review = outcome
        assert self.file.without(self.review.ids(HunkState.REJECTED)).data == text
        assert self.review.ids(HunkState.ACCEPTED) == was_accepted

    @precondition(lambda self: self.review.can_undo)
    @rule()
    def undo(self):
        taken = self.review.taken[A]
        inside = self.review.ids(HunkState.ACCEPTED)
        if taken.unbroken and self.now == taken.after:
            self.now = taken.before
        else:
            outcome = take_out(self.file, inside=inside, now=self.now)
            if not isinstance(outcome, Merged):
                return
            self.now = outcome.content
        self.review = taken_back(self.review, [A])
        assert not self.review.can_undo
        assert not self.review.ids(HunkState.ACCEPTED)
        if not self.typed:
            assert self.now.data == b"".join(BASE)

    @invariant()
    def nothing_typed_is_lost(self):
        if hasattr(self, "now"):
            assert self.typed <= set(split_lines(self.now.data))

    @invariant()
    def what_is_accepted_is_in_the_file(self):
        if hasattr(self, "now") and not self.typed and self.review.files:
            assert self.now == self.file.just(self.review.ids(HunkState.ACCEPTED))

    def _some(self, data, state):
        ids = sorted(self.review.ids(state))
        return frozenset(data.draw(st.sets(st.sampled_from(ids)))) if ids else frozenset()


TestReviewing = Reviewing.TestCase
TestReviewing.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def a_review() -> Review:
    return review_of(RunId("r"), patch_of(with_lines({2: b"x\n", 9: b"y\n"})), GREEN)


def test_the_whole_is_measured_by_the_run_and_nothing_needs_no_measurement():
    review = a_review()
    first, second = review.hunks(HunkState.OPEN)
    assert measurement(review) == GREEN
    one_less = rejected(review, [first.id])
    assert measurement(one_less) is None
    assert measurement(rejected(one_less, [second.id])) == NOTHING_LEFT
    assert measurement(reopened(one_less, [first.id])) == GREEN


def test_a_measurement_is_known_for_equal_contents_only():
    review = a_review()
    first, second = review.hunks(HunkState.OPEN)
    red = Measured(verdict="unchanged", message="", receipt="")
    without_first = rejected(review, [first.id])
    known = with_measured(without_first, without_first.left, red)
    assert measurement(known) == red
    other = rejected(reopened(known, [first.id]), [second.id])
    assert measurement(other) is None
    assert choice(other.left) != choice(without_first.left)
    assert measurement(rejected(reopened(other, [second.id]), [first.id])) == red


def test_an_accept_changes_nothing_of_what_is_left():
    review = a_review()
    first, _ = review.hunks(HunkState.OPEN)
    assert accepted(review, A, [first.id], before=None, after=None).left == review.left


def test_typing_a_file_back_to_what_the_run_proposed_is_no_edit():
    review = a_review()
    proposed = review.files[0].new.data
    edited = retyped(review, A, proposed.replace(b"x\n", b"X\n"))
    assert edited.files[0].edited
    back = retyped(edited, A, proposed)
    assert back.files[0].new.data == proposed
    assert measurement(back) == GREEN


def test_a_file_that_is_not_in_the_proposal_is_not_edited():
    assert retyped(a_review(), B, b"") == NotEditable(why="it is not part of this proposal")


def test_undo_knows_whether_somebody_typed_between_two_accepts():
    review = a_review()
    first, second = review.hunks(HunkState.OPEN)
    one, two, three, four = (Content(data=data) for data in (b"1", b"2", b"3", b"4"))
    once = accepted(review, A, [first.id], before=one, after=two)
    in_a_row = accepted(once, A, [second.id], before=two, after=three).taken[A]
    assert (in_a_row.before, in_a_row.after, in_a_row.unbroken) == (one, three, True)
    typed = accepted(once, A, [second.id], before=three, after=four).taken[A]
    assert (typed.before, typed.after, typed.unbroken) == (one, four, False)
