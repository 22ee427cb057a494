from hypothesis import given
from hypothesis import strategies as st

from agent.edits.changes import Content, Mode
from agent.edits.hunks import join_file, split_file
from agent.edits.merge import Conflict, Merged, merge_file
from agent.task import RepoPath
from tests.support.contents import contents, files

PATH = RepoPath("a.py")
LINES = [b"%d\n" % n for n in range(12)]


def every_id(file):
    return frozenset(hunk.id for hunk in file.hunks)


@given(contents, contents)
def test_over_an_unchanged_file_every_hunk_goes_in(old, new):
    file = split_file(PATH, old, new)
    assert merge_file(file, every_id(file), old) == Merged(content=new)


@given(contents, contents)
def test_over_the_result_nothing_changes(old, new):
    file = split_file(PATH, old, new)
    assert merge_file(file, every_id(file), new) == Merged(content=new)


changed_lines = st.dictionaries(st.integers(0, 11), st.sampled_from([b"", b"x\n", b"y\nz\n"]))


def edited(changes: dict[int, bytes]) -> bytes:
    return b"".join(changes.get(n, line) for n, line in enumerate(LINES))


@given(changed_lines, changed_lines)
def test_changes_far_from_each_other_are_both_there_and_near_ones_conflict(ours, theirs):
    old = Content(data=b"".join(LINES))
    file = split_file(PATH, old, Content(data=edited(ours)))
    now = Content(data=edited(theirs))
    merged = merge_file(file, every_id(file), now)
    gap = min((abs(a - b) for a in ours for b in theirs), default=99)
    if gap > 1:
        assert isinstance(merged, Merged)
        assert merged.content == Content(data=edited({**theirs, **ours}))
    elif isinstance(merged, tuple):
        assert all(isinstance(conflict, Conflict) and conflict.line for conflict in merged)
    elif ours != theirs:
        assert merged.content in (Content(data=edited({**theirs, **ours})), file.new, now)


@given(files, files, files)
def test_a_merge_is_a_value_whatever_there_is_now(old, new, now):
    file = split_file(PATH, old, new)
    merged = merge_file(file, every_id(file), now)
    assert isinstance(merged, Merged) or merged


def test_a_hunk_that_is_in_already_is_skipped_and_the_other_goes_in():
    old = Content(data=b"".join(LINES))
    file = split_file(PATH, old, Content(data=edited({2: b"x\n", 8: b"y\n"})))
    merged = merge_file(file, every_id(file), Content(data=b"top\n" + edited({2: b"x\n"})))
    assert merged == Merged(
        content=Content(data=b"top\n" + edited({2: b"x\n", 8: b"y\n"})),
        shifted=(file.hunks[1].id,),
    )


def test_mode_and_text_merge_with_a_text_that_changed_elsewhere():
    old = Content(data=b"".join(LINES))
    file = split_file(PATH, old, Content(data=edited({2: b"x\n"}), mode=Mode.EXECUTABLE))
    merged = merge_file(file, every_id(file), Content(data=edited({9: b"mine\n"})))
    assert merged == Merged(
        content=Content(data=edited({2: b"x\n", 9: b"mine\n"}), mode=Mode.EXECUTABLE)
    )
    only_text = frozenset([file.hunks[1].id])
    assert join_file(file, only_text) == Content(data=edited({2: b"x\n"}))
