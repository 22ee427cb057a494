import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.edits.changes import Content, Mode
from agent.edits.patch import Patch, delta_of, make_patch
from agent.errors import TaskError, WorkspaceError
from agent.task import HunkId, RepoPath
from agent.workspace.placing import find
from agent.workspace.review import Applied, Stale, Undone, apply_patch, undo
from tests.support.contents import contents, paths
from tests.support.repos import snapshot

A = RepoPath("src/a.py")
BASE = b"".join(b"line %d\n" % n for n in range(1, 21))
FIXED = BASE.replace(b"line 10\n", b"line ten\n").replace(b"line 18\n", b"line eighteen\n")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    top = tmp_path / "repo"
    (top / "src").mkdir(parents=True)
    (top / A).write_bytes(BASE)
    return top


@pytest.fixture
def undo_dir(tmp_path: Path) -> Path:
    return tmp_path / "run" / "undo"


def patch_of(**files: tuple[bytes | None, bytes | None]) -> Patch:
    """A patch of regular files, named with `__` for the slash and `_` before the suffix."""
    named = {
        RepoPath(name.replace("__", "/").replace("_", ".")): pair for name, pair in files.items()
    }
    old = {path: Content(data=a) if a is not None else None for path, (a, _) in named.items()}
    new = {path: Content(data=b) if b is not None else None for path, (_, b) in named.items()}
    return make_patch(old.get, new)


FIX = patch_of(src__a_py=(BASE, FIXED))


def test_all_hunks_land_in_an_unchanged_file(repo, undo_dir):
    assert apply_patch(repo, FIX, None, undo_dir=undo_dir) == Applied(files=(A,))
    assert (repo / A).read_bytes() == FIXED


def test_one_accepted_hunk_changes_only_its_line(repo, undo_dir):
    apply_patch(repo, FIX, frozenset([FIX.hunks[1].id]), undo_dir=undo_dir)
    assert (repo / A).read_bytes() == BASE.replace(b"line 18\n", b"line eighteen\n")


def test_a_hunk_shifts_when_the_user_changed_lines_elsewhere(repo, undo_dir):
    mine = b"new first line\nanother\n" + BASE.replace(b"line 14\n", b"")
    (repo / A).write_bytes(mine)
    done = apply_patch(repo, FIX, None, undo_dir=undo_dir)
    assert done == Applied(files=(A,), shifted=(FIX.hunks[0].id, FIX.hunks[1].id))
    assert (repo / A).read_bytes() == mine.replace(b"line 10", b"line ten").replace(
        b"line 18", b"line eighteen"
    )


def test_overlapping_change_is_shown_and_nothing_is_written(repo, undo_dir):
    (repo / A).write_bytes(b"first\n" + BASE.replace(b"line 10\n", b"line X\n"))
    (repo / "b.py").write_bytes(b"b\n")
    before = snapshot(repo)
    patch = patch_of(b_py=(b"b\n", b"c\n"), src__a_py=(BASE, FIXED))
    done = apply_patch(repo, patch, None, undo_dir=undo_dir)
    assert isinstance(done, Stale)
    (conflict,) = done.conflicts
    assert (conflict.path, conflict.line) == (A, 11)
    assert (conflict.expected, conflict.found) == (b"line 10\n", b"line X\n")
    assert conflict.hunks == (FIX.hunks[0].id,)
    assert done.paths == (A,)
    assert snapshot(repo) == before


def test_the_hunk_beside_a_conflict_can_still_be_accepted(repo, undo_dir):
    (repo / A).write_bytes(BASE.replace(b"line 10\n", b"line X\n"))
    done = apply_patch(repo, FIX, frozenset([FIX.hunks[1].id]), undo_dir=undo_dir)
    assert isinstance(done, Applied)
    assert (repo / A).read_bytes() == BASE.replace(b"line 10\n", b"line X\n").replace(
        b"line 18", b"line eighteen"
    )


def test_a_change_right_beside_the_hunk_is_a_conflict(repo, undo_dir):
    (repo / A).write_bytes(BASE.replace(b"line 11\n", b"line 11\nmine\n").replace(b"line 9\n", b""))
    assert isinstance(apply_patch(repo, FIX, None, undo_dir=undo_dir), Stale)


def test_a_change_that_is_there_already_is_not_made_twice(repo, undo_dir):
    (repo / A).write_bytes(b"top\n" + BASE.replace(b"line 10\n", b"line ten\n"))
    apply_patch(repo, FIX, None, undo_dir=undo_dir)
    assert (repo / A).read_bytes() == b"top\n" + FIXED


def test_applying_twice_writes_nothing_the_second_time(repo, undo_dir):
    apply_patch(repo, FIX, None, undo_dir=undo_dir)
    assert apply_patch(repo, FIX, None, undo_dir=undo_dir) == Applied(files=())


def test_undo_restores_bytes_and_rights(repo, undo_dir):
    (repo / A).chmod(0o640)
    (repo / "old.txt").write_bytes(b"gone soon")
    before = snapshot(repo)
    patch = patch_of(
        src__a_py=(BASE, FIXED), new__deep__b_py=(None, b"new\n"), old_txt=(b"gone soon", None)
    )
    apply_patch(repo, patch, None, undo_dir=undo_dir)
    assert stat.S_IMODE((repo / A).stat().st_mode) == 0o640
    assert (repo / "new/deep/b.py").read_bytes() == b"new\n"
    assert not (repo / "old.txt").exists()
    done = undo(repo, undo_dir)
    assert done == Undone(files=(RepoPath("new/deep/b.py"), RepoPath("old.txt"), A))
    assert snapshot(repo) == before


def test_undo_goes_back_through_several_applies(repo, undo_dir):
    before = snapshot(repo)
    for hunk in FIX.hunks:
        apply_patch(repo, FIX, frozenset([hunk.id]), undo_dir=undo_dir)
    assert (repo / A).read_bytes() == FIXED
    undo(repo, undo_dir)
    assert snapshot(repo) == before


def test_undo_refuses_when_the_file_was_changed_since(repo, undo_dir):
    apply_patch(repo, FIX, None, undo_dir=undo_dir)
    (repo / A).write_bytes(FIXED + b"mine\n")
    done = undo(repo, undo_dir)
    assert isinstance(done, Stale)
    assert done.paths == (A,)
    assert "undoing would lose that" in done.conflicts[0].why
    assert (repo / A).read_bytes() == FIXED + b"mine\n"


def test_undo_refuses_when_the_user_wrote_between_two_applies(repo, undo_dir):
    apply_patch(repo, FIX, frozenset([FIX.hunks[0].id]), undo_dir=undo_dir)
    (repo / A).write_bytes(b"mine\n" + (repo / A).read_bytes())
    apply_patch(repo, FIX, frozenset([FIX.hunks[1].id]), undo_dir=undo_dir)
    now = (repo / A).read_bytes()
    assert isinstance(undo(repo, undo_dir), Stale)
    assert (repo / A).read_bytes() == now


@pytest.mark.parametrize("prepared", [True, False])
def test_undo_without_an_apply_says_so(repo, undo_dir, prepared):
    if prepared:
        undo_dir.mkdir(parents=True)
    with pytest.raises(TaskError, match="nothing to undo"):
        undo(repo, undo_dir)


def test_a_second_undo_finds_nothing(repo, undo_dir):
    apply_patch(repo, FIX, None, undo_dir=undo_dir)
    undo(repo, undo_dir)
    with pytest.raises(TaskError, match="nothing to undo"):
        undo(repo, undo_dir)


def test_the_executable_bit_goes_where_reading_is_allowed(repo, undo_dir):
    (repo / A).chmod(0o640)
    new = Content(data=BASE, mode=Mode.EXECUTABLE)
    patch = make_patch(lambda _: Content(data=BASE), {A: new})
    apply_patch(repo, patch, None, undo_dir=undo_dir)
    assert stat.S_IMODE((repo / A).stat().st_mode) == 0o750
    undo(repo, undo_dir)
    assert stat.S_IMODE((repo / A).stat().st_mode) == 0o640


def test_a_new_executable_gets_the_usual_rights(repo, undo_dir):
    patch = make_patch(lambda _: None, {A: Content(data=b"#!", mode=Mode.EXECUTABLE)})
    (repo / A).unlink()
    umask = os.umask(0o027)
    try:
        apply_patch(repo, patch, None, undo_dir=undo_dir)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((repo / A).stat().st_mode) == 0o750


def prepare_nothing(top: Path) -> None:
    (top / A).unlink()


def prepare_file(top: Path) -> None:
    (top / "new.py").write_bytes(b"mine")


def prepare_folder(top: Path) -> None:
    (top / A).unlink()
    (top / A).mkdir()


def prepare_link(top: Path) -> None:
    (top / A).rename(top / "elsewhere.py")
    (top / A).symlink_to("../elsewhere.py")


def prepare_linked_folder(top: Path) -> None:
    (top / "src").rename(top / "real")
    (top / "src").symlink_to("real")


def prepare_read_only(top: Path) -> None:
    (top / A).chmod(0o444)


def prepare_changed(top: Path) -> None:
    (top / A).write_bytes(BASE + b"more\n")


CREATE = patch_of(new_py=(None, b"new\n"))
DELETE = patch_of(src__a_py=(BASE, None))
BINARY = patch_of(src__a_py=(b"\0" + BASE, b"\0" + FIXED))


@pytest.mark.parametrize(
    ("patch", "prepare", "why"),
    [
        (FIX, prepare_nothing, "the file is gone"),
        (CREATE, prepare_file, "there is a file of that name by now"),
        (FIX, prepare_folder, "there is a folder of that name by now"),
        (FIX, prepare_link, "the file has become a symlink"),
        (FIX, prepare_linked_folder, "a folder above it is a symlink or a file by now"),
        (FIX, prepare_read_only, "it is read-only; make it writable first: chmod u+w"),
        (DELETE, prepare_changed, "the file has changed since; deleting it would lose that"),
        (BINARY, prepare_changed, "it can only be replaced as a whole"),
    ],
)
def test_what_cannot_be_written_is_said_and_left_alone(repo, undo_dir, patch, prepare, why):
    prepare(repo)
    before = snapshot(repo)
    done = apply_patch(repo, patch, None, undo_dir=undo_dir)
    assert isinstance(done, Stale)
    assert why in done.conflicts[0].why
    assert snapshot(repo) == before


def test_a_file_deleted_by_the_user_too_is_no_conflict(repo, undo_dir):
    (repo / A).unlink()
    assert apply_patch(repo, DELETE, None, undo_dir=undo_dir) == Applied(files=())


def test_a_link_is_replaced_and_never_written_through(repo, undo_dir):
    (repo / "target").write_bytes(b"kept")
    (repo / "link").symlink_to("target")
    old, new = Content(data=b"target", mode=Mode.LINK), Content(data=b"../out", mode=Mode.LINK)
    before = snapshot(repo)
    patch = make_patch(lambda _: old, {RepoPath("link"): new})
    apply_patch(repo, patch, None, undo_dir=undo_dir)
    assert (repo / "link").readlink() == Path("../out")
    assert (repo / "target").read_bytes() == b"kept"
    undo(repo, undo_dir)
    assert snapshot(repo) == before


def test_when_one_file_cannot_be_written_the_others_are_put_back(repo, undo_dir):
    before = snapshot(repo)
    patch = make_patch(
        {A: Content(data=BASE)}.get,
        {
            A: Content(data=FIXED),
            RepoPath("x"): Content(data=b"a file"),
            RepoPath("x/y"): Content(data=b"below a file"),
        },
    )
    done = apply_patch(repo, patch, None, undo_dir=undo_dir)
    assert isinstance(done, Stale)
    assert done.paths == ("x/y",)
    assert "cannot be written: Not a directory" in done.conflicts[0].why
    assert snapshot(repo) == before


def test_a_path_that_escapes_is_refused(repo, undo_dir):
    for path in ("../out", ".git/config", "/etc/x"):
        patch = make_patch(lambda _: None, {RepoPath(path): Content(data=b"x")})
        with pytest.raises(TaskError, match="cannot be written"):
            apply_patch(repo, patch, None, undo_dir=undo_dir)


def test_an_unknown_hunk_is_refused(repo, undo_dir):
    with pytest.raises(TaskError, match="no hunk 0123"):
        apply_patch(repo, FIX, frozenset([HunkId("0123")]), undo_dir=undo_dir)


def test_a_repository_that_is_gone_is_said(tmp_path, undo_dir):
    with pytest.raises(WorkspaceError, match="is gone"):
        apply_patch(tmp_path / "nowhere", FIX, None, undo_dir=undo_dir)


def test_an_undo_folder_that_cannot_be_made_is_said_before_anything_is_written(repo, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    before = snapshot(repo)
    with pytest.raises(WorkspaceError, match="cannot be noted"):
        apply_patch(repo, FIX, None, undo_dir=tmp_path / "file" / "undo")
    assert snapshot(repo) == before


def test_a_damaged_undo_record_is_said(repo, undo_dir):
    apply_patch(repo, FIX, None, undo_dir=undo_dir)
    (undo_dir / "0001" / "plan.json").write_bytes(b"{")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        undo(repo, undo_dir)


trees = st.dictionaries(paths, st.tuples(contents, contents), max_size=4)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees, st.data())
def test_undo_after_apply_is_identity_for_any_hunks(tmp_path_factory, tree, data):
    top = tmp_path_factory.mktemp("repo")
    for path, (old, _) in tree.items():
        if old:
            place = top / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if old.mode is Mode.LINK:
                place.symlink_to(os.fsdecode(old.data))
            else:
                place.write_bytes(old.data)
                place.chmod(0o744 if old.mode is Mode.EXECUTABLE else 0o604)
    patch = make_patch(lambda path: tree[path][0], {p: new for p, (_, new) in tree.items()})
    ids = [hunk.id for hunk in patch.hunks]
    accepted = frozenset(data.draw(st.sets(st.sampled_from(ids)) if ids else st.just(set())))
    undo_dir = tmp_path_factory.mktemp("undo")
    before = snapshot(top)
    done = apply_patch(top, patch, accepted, undo_dir=undo_dir)
    wanted = delta_of(patch, accepted)
    assert done == Applied(files=tuple(sorted(wanted)))
    for path, (old, _) in tree.items():
        assert find(top, path).content == wanted.get(path, old)
    if wanted:
        undo(top, undo_dir)
        assert snapshot(top) == before
