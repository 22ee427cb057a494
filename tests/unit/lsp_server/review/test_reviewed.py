from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.edits.changes import Content, Mode
from agent.edits.hunks import HunkKind, join_file, split_file
from agent.task import RepoPath
from lsp_server.review.reviewed import NotEditable, Retyped, ReviewedFile, retype
from tests.support.contents import contents, files, texts

PATH = RepoPath("a.py")


def reviewed(old: Content | None, new: Content | None) -> ReviewedFile:
    file = split_file(PATH, old, new)
    return ReviewedFile(path=PATH, base=old, new=new, hunks=file.hunks)


def of_lines(old: bytes, new: bytes) -> ReviewedFile:
    """A file of one letter a line."""
    return reviewed(Content(data=lined(old)), Content(data=lined(new)))


def lined(letters: bytes) -> bytes:
    return b"".join(bytes([letter, 10]) for letter in letters)


def retyped(file: ReviewedFile, data: bytes, *, accepted=(), rejected=()) -> Retyped:
    outcome = retype(file, data, accepted=frozenset(accepted), rejected=frozenset(rejected))
    assert isinstance(outcome, Retyped)
    return outcome


def subset(data: st.DataObject, file: ReviewedFile) -> frozenset[str]:
    ids = sorted(file.ids)
    return frozenset(data.draw(st.sets(st.sampled_from(ids)))) if ids else frozenset()


def check_is_sound(file: ReviewedFile) -> None:
    """Every subset of the hunks can be laid over the base, and ids name one hunk each."""
    assert len(file.ids) == len(file.hunks)
    assert file.without(()) == file.new
    assert file.just(()) == file.base
    lines = [hunk for hunk in file.hunks if hunk.kind is HunkKind.TEXT]
    for one, next_one in pairwise(lines):
        assert one.start + len(one.old) < next_one.start
    for hunk in lines:
        assert file.base
        assert file.base.data[hunk.start :].startswith(hunk.old)
        assert file.base.data[: hunk.start].count(b"\n") == hunk.old_start_line - 1
        assert hunk.old != hunk.new


@given(files, files, texts, st.data())
def test_the_proposed_text_is_what_was_typed(old, new, typed, data):
    file = reviewed(old, new)
    rejected = subset(data, file)
    outcome = retype(file, typed, accepted=frozenset(), rejected=rejected)
    if isinstance(outcome, NotEditable):
        assert b"\0" in old.data + new.data or old.data[:2] in (b"\xff\xfe", b"\xfe\xff")
        return
    check_is_sound(outcome.file)
    shown = outcome.file.without(outcome.rejected)
    assert shown
    assert shown.data == typed


@given(contents, contents, texts, st.data())
def test_any_file_is_retyped_or_refused(old, new, typed, data):
    file = reviewed(old, new)
    rejected = subset(data, file)
    outcome = retype(file, typed, accepted=frozenset(), rejected=rejected)
    if isinstance(outcome, Retyped):
        shown = outcome.file.without(outcome.rejected)
        assert (shown.data if shown else b"") == typed


small = st.lists(st.sampled_from(b"abcdefgh"), max_size=9).map(bytes)


@given(small, small, small, small, st.data())
def test_typing_again_and_again_stays_sound(old, new, first, second, data):
    file = of_lines(old, new)
    rejected = subset(data, file)
    for typed in (first, second):
        outcome = retyped(file, lined(typed), rejected=rejected)
        file, rejected = outcome.file, outcome.rejected
        check_is_sound(file)
        assert file.without(rejected) == Content(data=lined(typed))


@given(small, small, small, st.data())
def test_what_is_accepted_is_never_typed_over(old, new, typed, data):
    file = of_lines(old, new)
    accepted = subset(data, file)
    outcome = retype(file, lined(typed), accepted=accepted, rejected=frozenset())
    if isinstance(outcome, Retyped):
        hunks = {hunk.id: hunk for hunk in outcome.file.hunks}
        assert all(hunks[hunk.id] == hunk for hunk in file.hunks if hunk.id in accepted)


def test_a_hunk_that_typing_does_not_touch_keeps_its_id():
    file = of_lines(b"abcdefghij", b"aBcdefghIj")
    first, last = file.hunks
    outcome = retyped(file, lined(b"aXYcdefghIj"))
    changed, kept = outcome.file.hunks
    assert kept.id == last.id
    assert changed.id != first.id
    assert (changed.old, changed.new) == (b"b\n", b"X\nY\n")


def test_a_rejected_hunk_can_be_reopened_after_typing_elsewhere():
    file = of_lines(b"abcdefghij", b"aBcdefghIj")
    first, _ = file.hunks
    outcome = retyped(file, lined(b"abcdefghZj"), rejected=[first.id])
    assert outcome.rejected == {first.id}
    assert outcome.file.without(()) == Content(data=lined(b"aBcdefghZj"))


def test_typing_on_the_lines_of_a_rejected_hunk_replaces_it():
    file = of_lines(b"abcdefghij", b"aBcdefghIj")
    first, last = file.hunks
    outcome = retyped(file, lined(b"aXcdefghIj"), rejected=[first.id])
    assert [hunk.new for hunk in outcome.file.hunks] == [b"X\n", b"I\n"]
    assert outcome.rejected == frozenset()
    assert outcome.file.hunks[1].id == last.id


def test_taking_the_lines_of_a_hunk_out_again_rejects_it():
    file = of_lines(b"abcdefghij", b"aBcdefghIj")
    first, _ = file.hunks
    outcome = retyped(file, lined(b"abcdefghIj"))
    assert (outcome.file.hunks, outcome.rejected) == (file.hunks, {first.id})


def test_typing_the_lines_of_a_rejected_hunk_in_again_opens_it():
    file = of_lines(b"abcdefghij", b"aBcdefghIj")
    first, _ = file.hunks
    outcome = retyped(file, lined(b"aBcdefghIj"), rejected=[first.id])
    assert (outcome.file.hunks, outcome.rejected) == (file.hunks, frozenset())


def test_two_equal_hunks_stay_two_when_one_is_rejected():
    file = of_lines(b"axbcdexf", b"abcdef")
    first, second = file.hunks
    outcome = retyped(file, lined(b"axbcdefg"), rejected=[first.id])
    assert [hunk.id for hunk in outcome.file.hunks][:2] == [first.id, second.id]
    assert outcome.rejected == {first.id}


def test_an_accepted_hunk_is_edited_in_the_users_file_only():
    file = of_lines(b"abcdefghij", b"aBcdefghIj")
    first, _ = file.hunks
    outcome = retype(file, lined(b"aXcdefghIj"), accepted=[first.id], rejected=[])
    assert outcome == NotEditable(
        why="these lines are accepted and stand in your file by now; edit them there"
    )


def test_a_binary_file_is_not_edited():
    file = reviewed(Content(data=b"\0a"), Content(data=b"\0b"))
    outcome = retype(file, b"text", accepted=[], rejected=[])
    assert outcome == NotEditable(why="it is binary, so it is accepted or rejected as a whole")


def test_the_executable_bit_stays_a_decision_of_its_own():
    file = reviewed(Content(data=b"a\n"), Content(data=b"b\n", mode=Mode.EXECUTABLE))
    outcome = retyped(file, b"c\n")
    mode, text = outcome.file.hunks
    assert mode == file.hunks[0]
    assert join_file(outcome.file.patch, {mode.id}) == Content(data=b"a\n", mode=Mode.EXECUTABLE)
    assert join_file(outcome.file.patch, {text.id}) == Content(data=b"c\n")


def test_a_new_file_can_be_typed_over():
    outcome = retyped(reviewed(None, Content(data=b"a\n")), b"b\n")
    (hunk,) = outcome.file.hunks
    assert (hunk.kind, hunk.new) == (HunkKind.CREATE, b"b\n")


def test_a_deleted_file_that_is_typed_in_again_is_modified():
    outcome = retyped(reviewed(Content(data=b"a\n"), None), b"a\nb\n")
    (hunk,) = outcome.file.hunks
    assert (hunk.kind, hunk.new) == (HunkKind.TEXT, b"b\n")
