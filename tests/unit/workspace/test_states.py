"""The state of a work tree and of a base: as git sees the files now, whatever happened to them."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent.edits.changes import Content
from agent.errors import WorkspaceError
from agent.repo.index.open import open_index
from agent.repo.index.trees import READ_BYTES, TreeState
from agent.task import RepoPath
from agent.workspace.attempt import Attempt
from agent.workspace.open import open_workspace
from agent.workspace.states import base_state, index_folder
from agent.workspace.work_tree import open_work_tree, work_tree_state
from tests.support.index import blob, told, told_afresh
from tests.support.repos import a_repo, commit_all, fingerprint, git, write


def keys_of(state: TreeState) -> dict[str, bytes | None]:
    return {os.fsdecode(path): state.keys.get(path) for path in state.keys}


def by_git(repo: Path) -> dict[str, bytes]:
    """Files of the work tree by the user's own git: tracked and untracked, not ignored."""
    listed = git(repo, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    places = {name: repo / name for name in listed.split("\0") if name}
    return {
        name: blob(place.read_bytes())
        for name, place in places.items()
        if place.is_file() and not place.is_symlink()
    }


def test_files_are_those_of_git_and_ids_those_of_the_bytes(tmp_path):
    files = {"a.py": b"a = 1\n", "p/b.py": b"b\r\n", ".gitignore": b"*.log\n"}
    repo = a_repo(tmp_path / "repo", files)
    git(repo, "config", "core.autocrlf", "true")
    write(repo, {"new/c.py": b"", "x.log": b"no", "p/deep/er/d.py": b"d"})
    (repo / "link.py").symlink_to("a.py")
    state = work_tree_state(repo, state_dir=tmp_path / "state")
    assert keys_of(state) == by_git(repo)
    assert state.read(RepoPath("p/b.py")) == b"b\r\n"


def test_looking_changes_nothing_of_the_repository(tmp_path):
    repo = a_repo(tmp_path / "repo")
    write(repo, {"a.py": b"a = 2\n", "new.py": b""})
    before = fingerprint(repo)
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        tree.look()
        tree.look()
    assert fingerprint(repo) == before


def test_equal_trees_have_equal_marks_and_git_is_not_asked(tmp_path, monkeypatch):
    repo = a_repo(tmp_path / "repo")
    first = work_tree_state(repo, state_dir=tmp_path / "state")
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        monkeypatch.setattr("agent.workspace.work_tree.open_trusted", None)
        assert tree.look().mark == first.mark
        write(repo, {"a.py": b"changed\n"})
        second = tree.look()
        assert (second.earlier, second.changed) == (first.mark, frozenset([b"a.py"]))
        assert second.mark != first.mark
        (repo / "src" / "b.py").unlink()
        assert keys_of(tree.look()) == {"a.py": blob(b"changed\n")}


def test_a_file_saved_by_renaming_over_it_needs_no_git(tmp_path, monkeypatch):
    repo = a_repo(tmp_path / "repo")
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        tree.look()
        monkeypatch.setattr("agent.workspace.work_tree.open_trusted", None)
        (repo / "a.py.tmp").write_bytes(b"saved\n")
        (repo / "a.py.tmp").replace(repo / "a.py")
        assert tree.look().keys.get(b"a.py") == blob(b"saved\n")


def test_named_files_alone_are_looked_at(tmp_path):
    repo = a_repo(tmp_path / "repo")
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        tree.look()
        write(repo, {"a.py": b"one\n", "src/b.py": b"two\n"})
        state = tree.look_at([RepoPath("a.py")])
        assert state.changed == {b"a.py"}
        assert keys_of(state) == {"a.py": blob(b"one\n"), "src/b.py": blob(b"b = 2\n")}
        assert keys_of(tree.look_at([RepoPath("new.py")])) == by_git(repo)


def test_where_our_folder_is_full_or_gone_the_tree_is_looked_at_all_the_same(tmp_path, monkeypatch):
    repo = a_repo(tmp_path / "repo")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        folder = tree.folder
        shutil.rmtree(folder)
        folder.write_bytes(b"nothing can be written below this")
        assert keys_of(tree.look()) == by_git(repo)
        assert tree.folder.parent == tmp_path
        write(repo, {"new.py": b""})
        assert keys_of(tree.look()) == by_git(repo)
    assert not tree.folder.exists()


def test_a_new_rule_in_gitignore_or_outside_takes_files_away(tmp_path):
    repo = a_repo(tmp_path / "repo")
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        write(repo, {"x.log": b"", "y.tmp": b""})
        assert {"x.log", "y.tmp"} <= keys_of(tree.look()).keys()
        write(repo, {".gitignore": b"*.log\n"})
        assert "x.log" not in keys_of(tree.look())
        write(repo, {".git/info/exclude": b"*.tmp\n"})
        assert keys_of(tree.look()) == by_git(repo)
        write(repo, {".gitignore": b""})
        assert keys_of(tree.look_at([RepoPath(".gitignore")])) == by_git(repo)


def test_a_file_in_a_folder_that_held_nothing_is_seen(tmp_path):
    repo = a_repo(tmp_path / "repo", {"a.py": b"", ".gitignore": b"out/\n"})
    (repo / "empty" / "deep" / "er").mkdir(parents=True)
    (repo / "out" / "deep").mkdir(parents=True)
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        tree.look()
        write(repo, {"empty/deep/er/new.py": b"x", "out/deep/not.py": b"x"})
        assert "empty/deep/er/new.py" in keys_of(tree.look())
        assert "out/deep/not.py" not in keys_of(tree.look())


def test_a_file_becomes_a_folder_and_a_folder_a_link(tmp_path):
    repo = a_repo(tmp_path / "repo", {"a": b"file", "d/x.py": b"x", "e/y.py": b"y"})
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        tree.look()
        (repo / "a").unlink()
        write(repo, {"a/in.py": b"in"})
        shutil.rmtree(repo / "d")
        (repo / "d").symlink_to("e")
        assert keys_of(tree.look()) == {"a/in.py": blob(b"in"), "e/y.py": blob(b"y")}
        assert tree.look().read(RepoPath("d/y.py")) is None


def test_links_that_go_in_circles_are_no_files(tmp_path):
    repo = a_repo(tmp_path / "repo")
    (repo / "loop").symlink_to(".")
    (repo / "src" / "up").symlink_to("..")
    (repo / "self").symlink_to("self")
    commit_all(repo)
    state = work_tree_state(repo, state_dir=tmp_path / "state")
    assert keys_of(state).keys() == {"a.py", "src/b.py"}
    assert state.read(RepoPath("loop/a.py")) is None


@pytest.mark.parametrize("name", ["new\nline.py", "\udcff\udcfe.py", ":(top)x.py", "-x.py", "*.py"])
def test_odd_names_are_files_like_others(tmp_path, name):
    repo = a_repo(tmp_path / "repo", {"a.py": b"", name: b"odd = 1\n"})
    write(repo, {f"new/{name}": b"new = 1\n"})
    state = work_tree_state(repo, state_dir=tmp_path / "state")
    assert keys_of(state).keys() == {"a.py", name, f"new/{name}"}
    assert state.read(RepoPath(f"new/{name}")) == b"new = 1\n"


def test_generated_and_vendored_files_are_told_by_attributes(tmp_path):
    files = {
        ".gitattributes": b"gen/** linguist-generated\nlib/* linguist-vendored=true\n"
        b"lib/own.py -linguist-vendored\n",
        "gen/a/b.py": b"",
        "lib/x.py": b"",
        "lib/own.py": b"",
        "a.py": b"",
    }
    repo = a_repo(tmp_path / "repo", files)
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        first = tree.look()
        assert first.skipped == {b"gen/a/b.py": "generated", b"lib/x.py": "vendored"}
        with open_workspace(repo, state_dir=tmp_path / "state", overlay={}) as base:
            assert base_state(base).skipped == first.skipped
        write(repo, {".gitattributes": b"a.py linguist-generated\n"})
        second = tree.look()
        assert second.skipped == {b"a.py": "generated"}
        assert second.mark != first.mark
        assert second.earlier == ""


def test_files_of_submodules_are_files_and_stay_fresh(tmp_path):
    inner = a_repo(tmp_path / "inner", {"in.py": b"in = 1\n", ".gitignore": b"*.log\n"})
    repo = a_repo(tmp_path / "repo")
    git(repo, "submodule", "--quiet", "add", str(inner), "sub")
    commit_all(repo)
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        assert "sub/in.py" in keys_of(tree.look())
        write(repo, {"sub/new.py": b"new", "sub/x.log": b"", "sub/in.py": b"in = 2\n"})
        keys = keys_of(tree.look())
    assert keys["sub/new.py"] == blob(b"new")
    assert keys["sub/in.py"] == blob(b"in = 2\n")
    assert "sub/x.log" not in keys


def test_sparse_checkouts_hold_what_is_there(tmp_path):
    repo = a_repo(tmp_path / "repo", {"in/a.py": b"a", "out/b.py": b"b", "top.py": b"t"})
    git(repo, "sparse-checkout", "set", "in")
    with open_work_tree(repo, state_dir=tmp_path / "state") as tree:
        assert keys_of(tree.look()).keys() == {"in/a.py", "top.py"}
        git(repo, "sparse-checkout", "disable")
        assert keys_of(tree.look()).keys() == {"in/a.py", "out/b.py", "top.py"}


def test_work_trees_of_a_repository_share_one_index(tmp_path):
    repo = a_repo(tmp_path / "repo")
    git(repo, "worktree", "add", "--quiet", str(tmp_path / "other"))
    state_dir = tmp_path / "state"
    folder = index_folder(repo, state_dir)
    assert index_folder(tmp_path / "other", state_dir) == folder
    assert index_folder(a_repo(tmp_path / "third"), state_dir) != folder
    with open_index(folder) as index:
        index.refresh(work_tree_state(repo, state_dir=state_dir), processes=0)
        other = work_tree_state(tmp_path / "other", state_dir=state_dir)
        contents = index.status().contents
        assert index.refresh(other, processes=0).paths() == ("a.py", "src/b.py")
        assert (index.status().contents, index.status().trees) == (contents, 2)


def test_our_own_state_inside_the_repository_is_not_of_the_tree(tmp_path):
    repo = a_repo(tmp_path / "repo")
    state_dir = repo / "state"
    with open_work_tree(repo, state_dir=state_dir) as tree:
        tree.look()
        assert keys_of(tree.look()).keys() == {"a.py", "src/b.py"}


def test_a_state_folder_that_cannot_be_written_costs_a_whole_look(tmp_path):
    repo = a_repo(tmp_path / "repo")
    (tmp_path / "file").write_bytes(b"")
    for _ in range(2):
        state = work_tree_state(repo, state_dir=tmp_path / "file")
        assert keys_of(state) == by_git(repo)


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_kept_looks_that_are_damaged_are_not_believed(tmp_path, damage):
    repo = a_repo(tmp_path / "repo")
    work_tree_state(repo, state_dir=tmp_path / "state")
    (kept,) = (tmp_path / "state" / "index").glob("*/*.seen")
    data = kept.read_bytes()
    kept.write_bytes(data[:-3] + b"xyz" if damage is None else damage)
    assert keys_of(work_tree_state(repo, state_dir=tmp_path / "state")) == by_git(repo)


def test_a_large_file_is_read_no_further_than_needed(tmp_path):
    repo = a_repo(tmp_path / "repo", {"big.py": b"x" * (READ_BYTES + 10)})
    state = work_tree_state(repo, state_dir=tmp_path / "state")
    assert len(state.read(RepoPath("big.py")) or b"") == READ_BYTES + 1
    assert state.read(RepoPath("src")) is None
    assert state.read(RepoPath("src/none.py")) is None


def test_a_base_has_the_ids_that_its_manifest_knows(tmp_path):
    repo = a_repo(tmp_path / "repo", {"a.py": b"a = 1\n", "b.py": b"b = 1\n"})
    (repo / "l.py").symlink_to("a.py")
    overlay = {RepoPath("b.py"): b"b = 2\n", RepoPath("new.py"): b"n\n"}
    with open_workspace(repo, state_dir=tmp_path / "state", overlay=overlay) as base:
        state = base_state(base)
        assert keys_of(state) == {
            "a.py": blob(b"a = 1\n"),
            "b.py": blob(b"b = 2\n"),
            "new.py": blob(b"n\n"),
        }
        assert state.mark == base.tree
        assert state.read(RepoPath("b.py")) == b"b = 2\n"


def test_a_base_without_its_manifest_is_read(tmp_path):
    repo = a_repo(tmp_path / "repo")
    with open_workspace(repo, state_dir=tmp_path / "state", overlay={}) as base:
        expected = keys_of(base_state(base))
        (base.dir.parent / "content").unlink()
        assert keys_of(base_state(base)) == expected


def test_edits_over_a_base_are_in_its_state(tmp_path):
    from dataclasses import replace

    repo = a_repo(tmp_path / "repo")
    with open_workspace(repo, state_dir=tmp_path / "state", overlay={}) as base:
        attempt = Attempt(base)
        attempt.write("new.py", Content(data=b"new\n"))
        attempt.delete("a.py")
        edited = replace(base, edits=attempt.delta())
        state = base_state(edited)
        assert keys_of(state) == {"new.py": blob(b"new\n"), "src/b.py": blob(b"b = 2\n")}
        assert state.read(RepoPath("new.py")) == b"new\n"
        assert state.read(RepoPath("a.py")) is None
        assert state.mark != base.tree
        with open_index(None) as index:
            before = index.refresh(base_state(base), processes=0)
            laid = before.with_changes(
                {path: content and content.data for path, content in edited.edits.items()}
            )
            assert laid.paths() == index.refresh(state, processes=0).paths()


NAMES = st.sampled_from(["a.py", "p/b.py", "p/q/c.py", "d.txt", "x.log", "p/x.log", "new/e.py"])
SOURCES = st.sampled_from(
    [
        b"",
        b"def total():\n    return helper(1)\n",
        b"from cart import total, helper\nclass Cart:\n    def one(self): ...\n",
        b"import util.two as two\n\n\ndef helper(x):\n    return two(x)\n",
    ]
)


class LivingRepository(RuleBasedStateMachine):
    """Whatever a developer does, a look at what changed tells the same as a look at everything."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="states-"))
        self.repo = a_repo(self.folder / "repo", {"a.py": b"one = 1\n", ".gitignore": b"*.log\n"})
        git(self.repo, "branch", "other")
        self.state_dir = self.folder / "state"
        self.opened = open_work_tree(self.repo, state_dir=self.state_dir)
        self.tree = self.opened.__enter__()
        self.index_opened = open_index(self.folder / "index")
        self.index = self.index_opened.__enter__()

    @rule(name=NAMES, data=SOURCES)
    def edit(self, name: str, data: bytes) -> None:
        place = self.repo / name
        if not any(parent.is_file() for parent in place.parents) and not place.is_dir():
            write(self.repo, {name: data})

    @rule(name=NAMES, other=NAMES)
    def rename(self, name: str, other: str) -> None:
        if (self.repo / name).is_file() and not (self.repo / other).exists():
            (self.repo / other).parent.mkdir(parents=True, exist_ok=True)
            (self.repo / name).rename(self.repo / other)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.repo / name).unlink(missing_ok=True)

    @rule(name=st.sampled_from(["p", "p/q", "new"]))
    def delete_folder(self, name: str) -> None:
        shutil.rmtree(self.repo / name, ignore_errors=True)

    @rule(rules=st.sampled_from([b"", b"*.log\n", b"p/\n", b"*.py\n!a.py\n"]))
    def ignore(self, rules: bytes) -> None:
        write(self.repo, {".gitignore": rules})

    @rule()
    def commit(self) -> None:
        git(self.repo, "add", "--all")
        git(self.repo, "commit", "--quiet", "--allow-empty", "-m", "work")

    @rule(branch=st.sampled_from(["main", "other"]))
    def switch(self, branch: str) -> None:
        git(self.repo, "checkout", "--quiet", "--force", branch, fails=True)

    @rule()
    def start_again(self) -> None:
        self.opened.__exit__(None, None, None)
        self.opened = open_work_tree(self.repo, state_dir=self.state_dir)
        self.tree = self.opened.__enter__()

    @invariant()
    def is_as_fresh(self) -> None:
        if not hasattr(self, "tree"):
            return
        state = self.tree.look()
        assert keys_of(state) == by_git(self.repo)
        assert told(self.index.refresh(state, processes=0)) == told_afresh(state)

    def teardown(self) -> None:
        if hasattr(self, "tree"):
            self.index_opened.__exit__(None, None, None)
            self.opened.__exit__(None, None, None)
            shutil.rmtree(self.folder)


LivingRepository.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLivingRepository = LivingRepository.TestCase


def test_a_state_folder_that_fills_up_is_said(tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    repo = a_repo(tmp_path / "repo")
    monkeypatch.setattr("agent.workspace.work_tree.open_trusted", full)
    with pytest.raises(WorkspaceError, match="No space left") as caught:
        work_tree_state(repo, state_dir=tmp_path / "state")
    assert str(tmp_path / "state") in caught.value.remedy


def test_a_file_that_may_not_be_read_is_none(tmp_path, monkeypatch):
    repo = a_repo(tmp_path / "repo")
    state = work_tree_state(repo, state_dir=tmp_path / "state")
    (repo / "a.py").unlink()
    os.mkfifo(repo / "a.py")
    assert state.read(RepoPath("a.py")) is None
    (repo / "a.py").unlink()
    (repo / "a.py").mkdir()
    assert state.read(RepoPath("a.py")) is None
