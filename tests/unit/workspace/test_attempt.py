import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.edits.changes import Content, Mode
from agent.errors import TaskError
from agent.task import RepoPath
from agent.workspace.attempt import Attempt
from agent.workspace.base import Base
from tests.support.repos import write

A, B = RepoPath("a.py"), RepoPath("src/b.py")
FILES = {"a.py": b"a\n", "src/b.py": b"b\n", "src/c.py": b"c\n"}


def a_base(folder) -> Base:
    write(folder, FILES)
    (folder / "link").symlink_to("src")
    return Base(repo=folder, dir=folder, commit="", tree="", dirty_files=0)


@pytest.fixture
def attempt(tmp_path):
    return Attempt(a_base(tmp_path))


def text(data: bytes) -> Content:
    return Content(data=data)


def test_edits_are_read_back_and_are_the_delta(attempt):
    attempt.write("src//b.py", text(b"new\n"))
    attempt.write("deep/er/d.py", text(b"d\n"))
    attempt.delete("a.py")
    assert attempt.read("src/b.py") == text(b"new\n")
    assert attempt.read("a.py") is None
    assert attempt.read("src/c.py") == text(b"c\n")
    assert attempt.delta() == {A: None, "deep/er/d.py": text(b"d\n"), B: text(b"new\n")}
    assert list(attempt.delta()) == [A, "deep/er/d.py", B]


def test_a_change_back_to_the_base_is_no_change(attempt):
    attempt.write("a.py", text(b"new\n"))
    attempt.write("a.py", text(b"a\n"))
    attempt.write("x", text(b""))
    attempt.delete("x")
    attempt.delete("never was")
    assert attempt.delta() == {}


def test_the_base_is_never_written(attempt, tmp_path):
    attempt.write("a.py", text(b"new\n"))
    attempt.delete("src/b.py")
    assert (tmp_path / "a.py").read_bytes() == b"a\n"
    assert attempt.base.read(B) == text(b"b\n")


def test_a_fork_goes_its_own_way(attempt):
    attempt.write("a.py", text(b"both\n"))
    fork = attempt.fork()
    fork.write("a.py", text(b"fork\n"))
    attempt.delete("src/b.py")
    assert attempt.read("a.py") == text(b"both\n")
    assert fork.read("src/b.py") == text(b"b\n")


def test_reset_goes_back_to_the_base_or_to_an_earlier_delta(attempt):
    attempt.write("a.py", text(b"1\n"))
    earlier = attempt.delta()
    attempt.write("a.py", text(b"2\n"))
    attempt.reset(earlier)
    assert attempt.read("a.py") == text(b"1\n")
    attempt.reset()
    assert attempt.delta() == {}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../out", "goes up"),
        (".git/hooks/x", "belongs to git"),
        ("link/b.py", "link is a file or a symlink"),
        ("a.py/below", "a.py is a file or a symlink"),
        ("src", "it is a folder"),
    ],
)
def test_a_path_where_no_file_can_be_is_refused(attempt, path, why):
    with pytest.raises(TaskError, match=why):
        attempt.write(path, text(b"x"))
    assert attempt.delta() == {}


def test_a_folder_whose_files_are_deleted_can_become_a_file(attempt):
    attempt.delete("src/b.py")
    attempt.delete("src/c.py")
    attempt.write("src", text(b"a file now"))
    assert attempt.read("src/b.py") is None


def test_a_folder_made_by_the_attempt_is_a_folder(attempt):
    attempt.write("new/x.py", text(b""))
    with pytest.raises(TaskError, match="it is a folder"):
        attempt.write("new", text(b""))
    attempt.write("lnk", Content(data=b"src", mode=Mode.LINK))
    assert attempt.read("lnk/b.py") is None


names = st.sampled_from(
    ["a.py", "src/b.py", "src/c.py", "src", "a.py/x", "new/y", "new", "link/b.py"]
)
edits = st.lists(st.tuples(names, st.one_of(st.none(), st.binary(max_size=3))), max_size=8)


@given(edits)
def test_whatever_is_edited_the_delta_can_be_laid_out_as_files(tmp_path_factory, steps):
    attempt = Attempt(a_base(tmp_path_factory.mktemp("base")))
    for name, data in steps:
        try:
            attempt.delete(name) if data is None else attempt.write(name, text(data))
        except TaskError:
            continue
    files = {path for path in (*attempt.base.paths(), *attempt.delta()) if attempt.read(path)}
    for path in files:
        assert not any(other.startswith(f"{path}/") for other in files)
