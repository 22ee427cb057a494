import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.errors import TaskError
from agent.workspace.paths import is_git_name, printable, repo_path, why_not_repo_path

pieces = st.one_of(
    st.sampled_from(["..", ".", "", "a", ".git", ".GIT", "git~1", "~", "C:", "\\", "\u200c.git"]),
    st.text(max_size=8),
)


@given(st.lists(pieces, max_size=6).map("/".join))
@example("a/../../b")
def test_no_path_leads_out_of_the_repository_or_into_its_git_folder(text):
    if why_not_repo_path(text):
        with pytest.raises(TaskError):
            repo_path(text)
        return
    path = repo_path(text)
    place = os.path.normpath(f"/top/{path}")
    assert place == f"/top/{path}"
    assert not any(name.casefold() == ".git" for name in Path(path).parts)
    assert repo_path(path) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [("a//b", "a/b"), ("./a/./b", "a/b"), ("a/b/", "a/b"), (".gitignore", ".gitignore")],
)
def test_each_path_has_one_spelling(text, path):
    assert repo_path(text) == path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it names no file"),
        ("./", "it names no file"),
        ("/etc/passwd", "it is absolute"),
        ("a/../b", "it goes up"),
        ("a\0b", "NUL"),
        ("sub/.git/hooks/x", "belongs to git"),
        ("x" * 256, "a name in it is too long"),
        ("a/" * 3000, "it is too long"),
        ("\ud800", "no file name can hold"),
    ],
)
def test_what_is_no_path_is_refused_with_the_reason(text, why):
    with pytest.raises(TaskError, match=why):
        repo_path(text)


@pytest.mark.parametrize(
    "name",
    [".git", ".GIT", ".Git.", ".git ", ".git. .", ".git::$INDEX_ALLOCATION", "git~1", "GIT~12",
     ".g\u200cit", "\ufeff.git"],
)  # fmt: skip
def test_every_spelling_of_the_git_folder_is_known(name):
    assert is_git_name(name)


@pytest.mark.parametrize("name", [".gitignore", ".github", "git", "x.git", "git~", "git~x"])
def test_names_that_only_resemble_it_are_free(name):
    assert not is_git_name(name)


def test_control_characters_and_odd_bytes_are_shown_escaped():
    assert printable("a\x1b[1m\n\udce9\u202e ü") == "a\\x1b[1m\\x0a\\xe9\\u202e ü"
    assert len(printable("x" * 500)) == 200
