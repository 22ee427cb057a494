"""Diff text is read back into the lines it was made of, whatever the file was called."""

from hypothesis import given
from hypothesis import strategies as st

from agent.cli.diffs import parse_diff
from agent.edits.changes import Content, Mode
from agent.edits.patch import make_patch
from agent.task import RepoPath
from tests.support.cli import a_patch, diff_of


def test_one_changed_word_is_one_hunk_with_the_word_marked() -> None:
    (file,) = parse_diff(diff_of(a_patch()))
    (hunk,) = file.hunks
    assert (file.path, file.added, file.removed, hunk.first_changed_line) == ("stats.py", 1, 1, 5)
    old = next(line for line in hunk.lines if line.sign == "-")
    new = next(line for line in hunk.lines if line.sign == "+")
    assert [old.text[start:end] for start, end in old.emphasis] == [" + 1"]
    assert new.emphasis == ()
    assert (old.old_line, old.new_line, new.old_line, new.new_line) == (5, None, None, 5)


def test_lines_that_share_little_are_not_marked() -> None:
    (file,) = parse_diff(diff_of(a_patch(b"alpha = 1\n", b"def f(): return\n")))
    assert all(line.emphasis == () for line in file.hunks[0].lines)


def test_more_lines_added_than_removed_are_not_paired() -> None:
    (file,) = parse_diff(diff_of(a_patch(b"a = 1\nb = 2\n", b"a = 2\nc = 1\nb = 2\n")))
    assert [line.sign for line in file.hunks[0].lines] == ["-", "+", "+", " "]
    assert all(line.emphasis == () for line in file.hunks[0].lines)


def test_content_that_looks_like_a_header_is_content() -> None:
    (file,) = parse_diff(diff_of(a_patch(b"-- x\n", b"++ y\n@@ -1 +1 @@\n")))
    assert file.path == "stats.py"
    assert [(line.sign, line.text) for line in file.hunks[0].lines] == [
        ("-", "-- x"),
        ("+", "++ y"),
        ("+", "@@ -1 +1 @@"),
    ]


def test_missing_line_end_is_a_remark() -> None:
    (file,) = parse_diff(diff_of(a_patch(b"a\nb", b"a\nc")))
    assert [line.sign for line in file.hunks[0].lines] == [" ", "-", "\\", "+", "\\"]


def test_carriage_returns_on_every_line_are_not_shown() -> None:
    (file,) = parse_diff(diff_of(a_patch(b"a\r\nb\r\n", b"a\r\nc\r\n")))
    assert [line.text for line in file.hunks[0].lines] == ["a", "b", "c"]


def test_carriage_returns_on_some_lines_stay() -> None:
    (file,) = parse_diff(diff_of(a_patch(b"a\r\n", b"a\n")))
    assert [line.text for line in file.hunks[0].lines] == ["a\r", "a"]


def test_new_deleted_and_binary_files_say_so() -> None:
    contents = {
        RepoPath("gone.py"): Content(data=b"x\n"),
        RepoPath("pic.bin"): Content(data=b"\0\1"),
        RepoPath("run.sh"): Content(data=b"#!/bin/sh\n"),
    }
    delta = {
        RepoPath("gone.py"): None,
        RepoPath("new.py"): Content(data=b"y\n"),
        RepoPath("pic.bin"): Content(data=b"\0\2"),
        RepoPath("run.sh"): Content(data=b"#!/bin/sh\n", mode=Mode.EXECUTABLE),
    }
    gone, new, picture, script = parse_diff(diff_of(make_patch(contents.get, delta)))
    assert gone.path == "gone.py"
    assert gone.remarks == ("deleted file mode 100644",)
    assert (new.path, new.added, new.hunks[0].first_changed_line) == ("new.py", 1, 1)
    assert picture.path == "pic.bin"
    assert "GIT binary patch" in picture.remarks
    assert script.path == "run.sh"
    assert script.remarks == ("old mode 100644", "new mode 100755")


def test_plain_diff_without_git_header_is_read() -> None:
    (file,) = parse_diff("--- a/x.py\t2026\n+++ b/x.py\t2026\n@@ -1 +1 @@\n-a\n+b\n")
    assert (file.path, file.added) == ("x.py", 1)


def test_diff_that_is_cut_off_shows_what_is_there() -> None:
    (file,) = parse_diff("--- a/x.py\n+++ b/x.py\n@@ -1,9 +1,9 @@ def f():\n a\n-b")
    assert [line.sign for line in file.hunks[0].lines] == [" ", "-"]
    assert file.hunks[0].section == "def f():"


def test_quoted_names_are_read() -> None:
    (file,) = parse_diff('diff --git "a/q\\"\\303\\251\\n.bin" "b/q\\"\\303\\251\\n.bin"\nBinary\n')
    assert file.path == 'q"\u00e9\n.bin'


def test_no_diff_has_no_files() -> None:
    assert parse_diff("") == ()


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12)
TEXTS = st.lists(st.sampled_from([b"a", b"b", b"- x", b"", b"\tc", b"+++ b"]), max_size=12)


@given(name=NAMES, old=TEXTS, new=TEXTS)
def test_added_and_removed_lines_are_found_again(
    name: str, old: list[bytes], new: list[bytes]
) -> None:
    before, after = (b"".join(line + b"\n" for line in lines) for lines in (old, new))
    patch = a_patch(before, after, path=f"d/{name}.txt")
    files = parse_diff(diff_of(patch))
    assert [file.path for file in files] == [str(file.path) for file in patch.files]
    for file in files:
        lines = [line for hunk in file.hunks for line in hunk.lines]
        for line in lines:
            if line.old_line is not None:
                assert line.text.encode() == old[line.old_line - 1]
            if line.new_line is not None:
                assert line.text.encode() == new[line.new_line - 1]
