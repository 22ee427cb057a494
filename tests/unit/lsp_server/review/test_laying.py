from hypothesis import given
from hypothesis import strategies as st

from agent.edits.changes import Content, Mode
from agent.edits.hunks import split_file
from agent.edits.merge import Merged
from agent.task import RepoPath
from lsp_server.review.laying import Place, lay, places, take_out
from lsp_server.review.reviewed import ReviewedFile
from tests.support.contents import contents, files

PATH = RepoPath("a.py")
OLD = [b"%d\n" % n for n in range(12)]


def reviewed(old: Content | None, new: Content | None) -> ReviewedFile:
    file = split_file(PATH, old, new)
    return ReviewedFile(path=PATH, base=old, new=new, hunks=file.hunks)


def with_lines(changes: dict[int, bytes]) -> Content:
    return Content(data=b"".join(changes.get(n, line) for n, line in enumerate(OLD)))


def subset(data: st.DataObject, file: ReviewedFile) -> frozenset[str]:
    ids = sorted(file.ids)
    return frozenset(data.draw(st.sets(st.sampled_from(ids)))) if ids else frozenset()


@given(files, files, st.data())
def test_accepted_in_any_order_each_hunk_changes_exactly_its_bytes(old, new, data):
    file = reviewed(old, new)
    now: Content | None = old
    inside: set[str] = set()
    for id_ in data.draw(st.permutations(sorted(file.ids))):
        laid = lay(file, inside=inside, chosen=[id_], now=now)
        assert (laid.hunks, laid.conflicts) == ((id_,), ())
        inside.add(id_)
        now = laid.content
        assert now == file.just(inside)
    assert now == new


@given(contents, contents, st.data())
def test_taking_out_what_was_laid_gives_back_what_was_there(old, new, data):
    file = reviewed(old, new)
    inside = subset(data, file)
    laid = lay(file, inside=(), chosen=inside, now=old)
    assert take_out(file, inside=inside, now=laid.content) == Merged(content=old)


@given(contents, contents, contents)
def test_over_anything_else_hunks_go_in_or_are_named_as_conflicts(old, new, now):
    file = reviewed(old, new)
    laid = lay(file, inside=(), chosen=file.ids, now=now)
    refused = [id_ for conflict in laid.conflicts for id_ in conflict.hunks]
    assert sorted([*laid.hunks, *refused]) == sorted(file.ids)
    if not laid.hunks:
        assert laid.content == now


changed_lines = st.dictionaries(st.integers(0, 11), st.sampled_from([b"", b"x\n", b"y\nz\n"]))
typed_lines = st.dictionaries(st.integers(0, 11), st.sampled_from([b"t1\n", b"t2\nt3\n"]))


@given(changed_lines, typed_lines, st.data())
def test_typing_is_never_lost_and_far_hunks_go_in(ours, typed, data):
    file = reviewed(with_lines({}), with_lines(ours))
    first = subset(data, file)
    laid = lay(file, inside=(), chosen=first, now=with_lines(typed))
    second = lay(file, inside=laid.hunks, chosen=file.ids - first, now=laid.content)
    out = take_out(file, inside=[*laid.hunks, *second.hunks], now=second.content)
    results = [laid.content, second.content]
    results += [out.content] if isinstance(out, Merged) else []
    for content in results:
        assert content
        assert all(text in content.data for text in typed.values())
    if min((abs(a - b) for a in ours for b in typed), default=99) > 1:
        assert second.content == with_lines({**typed, **ours})
        assert isinstance(out, Merged)
        assert out.content == with_lines(typed)


def test_one_conflict_does_not_stop_the_other_hunks_of_the_file():
    file = reviewed(with_lines({}), with_lines({1: b"x\n", 8: b"y\n"}))
    first, last = file.hunks
    laid = lay(file, inside=(), chosen=file.ids, now=with_lines({1: b"mine\n"}))
    assert laid.content == with_lines({1: b"mine\n", 8: b"y\n"})
    assert laid.hunks == (last.id,)
    assert [(c.hunks, c.line, c.found) for c in laid.conflicts] == [((first.id,), 2, b"mine\n")]


def test_a_hunk_beside_an_accepted_one_goes_in_after_it():
    file = reviewed(with_lines({}), with_lines({3: b"3\nx\n", 5: b"y\n"}))
    first, second = file.hunks
    laid = lay(file, inside=[first.id], chosen=[second.id], now=file.just([first.id]))
    assert (laid.content, laid.conflicts) == (file.new, ())


def test_an_accepted_hunk_that_the_editor_undid_goes_in_again():
    file = reviewed(with_lines({}), with_lines({3: b"x\n"}))
    (hunk,) = file.hunks
    laid = lay(file, inside=[hunk.id], chosen=[hunk.id], now=file.base)
    assert laid.content == file.new


def test_a_file_that_changed_still_gets_its_executable_bit():
    file = reviewed(Content(data=b"\0a"), Content(data=b"\0b", mode=Mode.EXECUTABLE))
    mode, whole = file.hunks
    laid = lay(file, inside=(), chosen=file.ids, now=Content(data=b"\0c"))
    assert laid.content == Content(data=b"\0c", mode=Mode.EXECUTABLE)
    assert laid.hunks == (mode.id,)
    assert [conflict.hunks for conflict in laid.conflicts] == [(whole.id,)]


def test_taking_out_refuses_where_the_lines_have_changed_since():
    file = reviewed(with_lines({}), with_lines({3: b"x\n"}))
    out = take_out(file, inside=file.ids, now=with_lines({3: b"x more\n"}))
    assert isinstance(out, tuple)
    assert [(conflict.line, conflict.found) for conflict in out] == [(4, b"x more\n")]


def test_taking_out_a_new_file_that_was_written_in_is_refused():
    file = reviewed(None, Content(data=b"a\n"))
    out = take_out(file, inside=file.ids, now=Content(data=b"a\nb\n"))
    assert isinstance(out, tuple)


def test_places_follow_what_was_typed_above():
    file = reviewed(with_lines({}), with_lines({3: b"x\n", 8: b""}))
    first, last = file.hunks
    now = with_lines({1: b"1\ntyped\n"})
    assert places(file, inside=(), now=now) == {
        first.id: Place(line0=4, count=1),
        last.id: Place(line0=9, count=1),
    }


def test_places_of_accepted_hunks_are_those_of_their_new_lines():
    file = reviewed(with_lines({}), with_lines({3: b"x\ny\n", 8: b""}))
    first, last = file.hunks
    now = with_lines({0: b"typed\n0\n", 3: b"x\ny\n", 8: b""})
    assert places(file, inside=file.ids, now=now) == {
        first.id: Place(line0=4, count=2),
        last.id: Place(line0=10, count=0),
    }


def test_lines_typed_right_beside_a_place_do_not_belong_to_it():
    file = reviewed(with_lines({}), with_lines({3: b"3\nx\n"}))
    now = with_lines({3: b"3\ntyped\n"})
    assert places(file, inside=(), now=now)[file.hunks[0].id].count == 0
