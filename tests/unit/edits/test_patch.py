import json
import re
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.edits.changes import Content, Mode
from agent.edits.hunks import HunkKind
from agent.edits.patch import (
    Patch,
    delta_of,
    make_patch,
    patch_from_json,
    patch_to_json,
    render_unified,
)
from agent.edits.spans import ByteEdit, apply_edits
from agent.task import HunkId, RepoPath
from tests.support.contents import contents, files, paths

A = RepoPath("a.py")


def patch_of(old: Content | None, new: Content | None, path: RepoPath = A) -> Patch:
    return make_patch({path: old}.get, {path: new})


def text(data: bytes, mode: Mode = Mode.FILE) -> Content:
    return Content(data=data, mode=mode)


trees = st.dictionaries(paths, st.tuples(contents, contents), max_size=4)


@given(trees)
def test_all_hunks_together_are_the_delta_again(tree):
    patch = make_patch(lambda path: tree[path][0], {path: new for path, (_, new) in tree.items()})
    assert delta_of(patch) == {path: new for path, (old, new) in tree.items() if old != new}


@given(trees)
def test_no_hunk_is_no_delta(tree):
    patch = make_patch(lambda path: tree[path][0], {path: new for path, (_, new) in tree.items()})
    assert delta_of(patch, frozenset()) == {}


@given(files, files, st.data())
def test_any_subset_of_hunks_changes_exactly_its_bytes(old, new, data):
    patch = patch_of(old, new)
    chosen = data.draw(st.sets(st.sampled_from(patch.hunks)) if patch.hunks else st.just(set()))
    result = delta_of(patch, frozenset(hunk.id for hunk in chosen)).get(A, old)
    edits = [
        ByteEdit(h.start, h.start + len(h.old), h.new)
        for h in chosen
        if h.kind is not HunkKind.MODE
    ]
    mode = new.mode if any(h.kind is HunkKind.MODE for h in chosen) else old.mode
    assert result == Content(data=apply_edits(old.data, edits), mode=mode)


@given(files, files)
def test_every_hunk_names_the_bytes_it_replaces(old, new):
    for hunk in patch_of(old, new).hunks:
        if hunk.kind is HunkKind.TEXT:
            assert old.data[hunk.start :].startswith(hunk.old)
            assert old.data[: hunk.start].count(b"\n") == hunk.old_start_line - 1
            assert hunk.old != hunk.new


@given(trees)
def test_hunk_ids_are_unique(tree):
    patch = make_patch(lambda path: tree[path][0], {path: new for path, (_, new) in tree.items()})
    ids = [hunk.id for hunk in patch.hunks]
    assert len(set(ids)) == len(ids)


@given(trees)
def test_storing_as_json_loses_nothing(tree):
    patch = make_patch(lambda path: tree[path][0], {path: new for path, (_, new) in tree.items()})
    assert patch_from_json(json.loads(json.dumps(patch_to_json(patch)))) == patch


def test_hunk_id_does_not_change_when_another_part_of_the_file_does():
    old = b"one\ntwo\nthree\nfour\nfive\n"
    small = patch_of(text(old), text(old.replace(b"four", b"4")))
    large = patch_of(text(old), text(old.replace(b"four", b"4").replace(b"one", b"1\n1")))
    assert small.hunks[0].id == large.hunks[1].id


def test_equal_changes_at_two_places_have_two_ids():
    patch = patch_of(text(b"x\na\nx\n"), text(b"y\na\ny\n"))
    assert [hunk.old_start_line for hunk in patch.hunks] == [1, 3]
    first, second = patch.hunks
    assert first.id != second.id
    assert delta_of(patch, frozenset([second.id])) == {A: text(b"x\na\ny\n")}


def test_one_token_in_a_file_with_crlf_bom_and_no_final_newline_is_one_small_hunk():
    old = b"\xef\xbb\xbfdef f(a):\r\n    return a - 1\r\n\r\nf(1)"
    patch = patch_of(text(old), text(old.replace(b"-", b"+")))
    (hunk,) = patch.hunks
    assert (hunk.old_start_line, hunk.old, hunk.new) == (
        2,
        b"    return a - 1\r\n",
        b"    return a + 1\r\n",
    )


def test_the_executable_bit_is_a_hunk_of_its_own():
    patch = patch_of(text(b"a\nb\n"), text(b"a\nc\n", Mode.EXECUTABLE))
    mode, line = patch.hunks
    assert (mode.kind, line.kind) == (HunkKind.MODE, HunkKind.TEXT)
    assert delta_of(patch, frozenset([mode.id])) == {A: text(b"a\nb\n", Mode.EXECUTABLE)}
    assert delta_of(patch, frozenset([line.id])) == {A: text(b"a\nc\n")}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (None, text(b""), HunkKind.CREATE),
        (text(b""), None, HunkKind.DELETE),
        (text(b"a"), text(b"a", Mode.LINK), HunkKind.REPLACE),
        (text(b"a", Mode.LINK), text(b"b", Mode.LINK), HunkKind.REPLACE),
        (text(b"\0a\nb\nc"), text(b"\0a\nx\nc"), HunkKind.REPLACE),
    ],
)
def test_what_has_no_lines_is_one_hunk(old, new, kind):
    patch = patch_of(old, new)
    assert [hunk.kind for hunk in patch.hunks] == [kind]
    assert delta_of(patch, frozenset(hunk.id for hunk in patch.hunks)) == {A: new}


def test_an_unknown_hunk_is_named():
    with pytest.raises(ValueError, match="no hunk nonsense"):
        delta_of(patch_of(text(b"a"), text(b"b")), frozenset([HunkId("nonsense")]))


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"version": 2, "files": []},
        {"version": 1, "files": [{"path": "a"}]},
        {"version": 1, "files": [{"path": "a", "old": None, "new": {"mode": "7", "data": ""}}]},
        {"version": 1, "files": [{"path": {"base64": "%"}, "old": None, "new": None}]},
        {"version": 1, "files": 3},
    ],
)
def test_a_broken_stored_patch_is_a_value_error(stored):
    with pytest.raises(ValueError, match=r".+"):
        patch_from_json(stored)


def lay(folder, path, content):
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if content.mode is Mode.LINK:
        place.symlink_to(content.data.decode("utf-8", "surrogateescape"))
        return
    place.write_bytes(content.data)
    place.chmod(0o755 if content.mode is Mode.EXECUTABLE else 0o644)


def found(folder, path):
    place = folder / path
    if place.is_symlink():
        target = str(place.readlink()).encode("utf-8", "surrogateescape")
        return Content(data=target, mode=Mode.LINK)
    if not place.exists():
        return None
    executable = place.stat().st_mode & 0o100
    return Content(data=place.read_bytes(), mode=Mode.EXECUTABLE if executable else Mode.FILE)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees)
def test_git_applies_the_rendered_diff(tmp_path_factory, tree):
    patch = make_patch(lambda path: tree[path][0], {path: new for path, (_, new) in tree.items()})
    if not patch.files:
        assert render_unified(patch) == b""
        return
    folder = tmp_path_factory.mktemp("apply")
    for path, (old, _) in tree.items():
        if old:
            lay(folder, path, old)
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        check=False,
        cwd=folder,
        input=render_unified(patch),
        capture_output=True,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CEILING_DIRECTORIES": str(folder.parent)},
    )
    assert done.returncode == 0, done.stderr
    assert {path: found(folder, path) for path in tree} == {p: new for p, (_, new) in tree.items()}


def test_rendered_diff_of_two_changed_lines_reads_as_git_writes_it(tmp_path):
    old = b"".join(b"line %d\n" % n for n in range(1, 30)) + b"end"
    new = old.replace(b"line 5\n", b"line five\n").replace(b"end", b"END")
    for side, data in (("a", old), ("b", new)):
        lay(tmp_path, f"{side}/a.py", text(data))
    git = ["git", "diff", "--no-index", "--no-prefix", "--full-index", "a/a.py", "b/a.py"]
    by_git = subprocess.run(git, cwd=tmp_path, capture_output=True, check=False).stdout
    assert render_unified(patch_of(text(old), text(new))) == re.sub(rb"@@ line.*", b"@@", by_git)
