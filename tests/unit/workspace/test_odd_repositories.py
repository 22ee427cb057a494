"""Every odd kind of repository gives a right base or a clear refusal."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from agent.edits.changes import Content, Mode
from agent.errors import TaskError, WorkspaceError
from agent.task import RepoPath
from agent.workspace.open import open_workspace
from tests.support.repos import a_repo, commit_all, files_in, fingerprint, git, tree_by_git, write

LFS_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


@pytest.fixture
def repo(tmp_path):
    return a_repo(tmp_path / "repo")


def refused(start: Path, state_dir: Path) -> TaskError | WorkspaceError:
    opening = open_workspace(start, state_dir=state_dir, overlay={})
    with pytest.raises((TaskError, WorkspaceError)) as caught, opening:
        pass
    assert caught.value.remedy
    assert "\n" not in caught.value.message
    return caught.value


def test_an_empty_repository_is_an_empty_base(tmp_path, take):
    repo = tmp_path / "empty"
    git(repo, "init", "--quiet")
    base = take(repo)
    assert (base.commit, base.paths(), base.dirty_files) == ("", (), 0)
    assert base.tree == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_an_unborn_branch_holds_its_untracked_and_staged_files(tmp_path, take):
    repo = tmp_path / "unborn"
    git(repo, "init", "--quiet")
    write(repo, {"staged.py": b"s", "untracked.py": b"u"})
    git(repo, "add", "staged.py")
    base = take(repo)
    assert (base.commit, base.dirty_files) == ("", 2)
    assert files_in(base.dir) == files_in(repo)


def test_a_detached_head_names_its_commit(repo, take):
    first = git(repo, "rev-parse", "HEAD")
    write(repo, {"a.py": b"later\n"})
    commit_all(repo)
    git(repo, "checkout", "--quiet", first)
    base = take(repo)
    assert (base.commit, base.dirty_files) == (first, 0)


def test_a_merge_with_conflicts_is_taken_as_on_disk_and_said(repo, take):
    git(repo, "checkout", "--quiet", "-b", "other")
    write(repo, {"a.py": b"theirs\n"})
    commit_all(repo)
    git(repo, "checkout", "--quiet", "main")
    write(repo, {"a.py": b"ours\n"})
    commit_all(repo)
    git(repo, "merge", "other", fails=True)
    base = take(repo)
    assert b"<<<<<<<" in base.read(RepoPath("a.py")).data
    assert base.notes == ("a merge is in progress; taken as on disk, markers included: a.py",)
    assert base.dirty_files == 1


def test_a_linked_worktree_is_a_repository_of_its_own(repo, take, tmp_path):
    git(repo, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    write(tmp_path / "side", {"a.py": b"side\n"})
    write(repo, {"b.py": b"main\n"})
    base = take(tmp_path / "side")
    assert base.repo == tmp_path / "side"
    assert files_in(base.dir) == {"a.py": b"side\n", "src/b.py": b"b = 2\n"}
    assert base.dirty_files == 1


def test_a_separate_git_dir_is_found(tmp_path, take):
    repo = tmp_path / "work"
    git(repo, "init", "--quiet", "--separate-git-dir", str(tmp_path / "elsewhere"))
    write(repo, {"a": b"a"})
    commit_all(repo)
    assert files_in(take(repo).dir) == {"a": b"a"}


def test_a_bare_repository_is_refused(tmp_path, state_dir):
    git(tmp_path / "bare.git", "init", "--quiet", "--bare")
    assert "bare repository" in refused(tmp_path / "bare.git", state_dir).message


def test_the_git_folder_itself_is_refused(repo, state_dir):
    assert "it holds no files" in refused(repo / ".git", state_dir).message


def test_no_repository_at_all_is_refused(tmp_path, state_dir):
    assert "is not inside a git repository" in refused(tmp_path, state_dir).message


def test_a_folder_that_is_not_there_is_refused(tmp_path, state_dir):
    assert "does not exist" in refused(tmp_path / "no" / "where", state_dir).message


def test_a_path_with_a_line_break_is_refused(tmp_path, state_dir):
    repo = a_repo(tmp_path / "line\nbreak")
    assert "line break" in refused(repo, state_dir).message


def test_a_damaged_repository_is_refused_with_what_git_says(repo, state_dir):
    (repo / ".git/index").write_bytes(b"garbage that is no index at all, not even nearly so")
    assert "git" in refused(repo, state_dir).message
    (repo / ".git/config").write_bytes(b"[core\n")
    assert "bad config" in refused(repo, state_dir).message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user_is_refused_with_the_remedy(repo, state_dir):
    for place in (repo, *repo.rglob("*")):
        os.chown(place, 4242, 4242)
    error = refused(repo, state_dir)
    assert "belongs to another user" in error.message
    assert "safe.directory" in error.remedy


def test_a_submodule_is_taken_as_plain_files(repo, take, tmp_path):
    inner = a_repo(tmp_path / "inner", {"lib.py": b"lib\n", ".gitignore": b"*.o\n"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(inner), "sub")
    commit_all(repo)
    write(repo, {"sub/lib.py": b"changed\n", "sub/new.py": b"new\n", "sub/x.o": b""})
    base = take(repo)
    assert files_in(base.dir / "sub") == {
        "lib.py": b"changed\n",
        "new.py": b"new\n",
        ".gitignore": b"*.o\n",
    }
    assert base.dirty_files == 0
    write(repo, {"sub/lib.py": b"changed again\n"})
    assert take(repo).read(RepoPath("sub/lib.py")) == Content(data=b"changed again\n")


def test_a_submodule_that_is_not_checked_out_is_empty(repo, take, tmp_path):
    inner = a_repo(tmp_path / "inner")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(inner), "sub")
    commit_all(repo)
    git(repo, "submodule", "deinit", "--quiet", "--force", "sub")
    assert take(repo).below(RepoPath("sub")) == ()


def test_a_broken_submodule_is_left_out_and_said(repo, take, tmp_path):
    inner = a_repo(tmp_path / "inner")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(inner), "sub")
    commit_all(repo)
    (repo / "sub/.git").write_text("gitdir: /nowhere\n")
    base = take(repo)
    assert base.below(RepoPath("sub")) == ()
    assert base.notes[0].startswith("submodule sub is left out")


def test_a_repository_inside_that_git_does_not_know_is_left_out_and_said(repo, take):
    a_repo(repo / "nested", {"x": b""})
    base = take(repo)
    assert base.notes == ("repositories inside the repository are left out: nested",)
    assert base.below(RepoPath("nested")) == ()


def test_lfs_pointers_and_lfs_content_stay_as_on_disk(repo, take):
    write(repo, {".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    write(repo, {"pointer.bin": LFS_POINTER, "content.bin": b"\0" * 99})
    commit_all(repo)
    git(repo, "config", "filter.lfs.clean", "false")
    git(repo, "config", "filter.lfs.required", "true")
    assert files_in(take(repo).dir) == files_in(repo)


def test_line_end_settings_alter_no_byte(repo, take):
    git(repo, "config", "core.autocrlf", "true")
    write(repo, {".gitattributes": b"*.txt text eol=crlf\n*.ps1 working-tree-encoding=UTF-16\n"})
    write(
        repo, {"a.txt": b"1\r\n2\r\n", "mixed.py": b"1\r\n2\n", "x.ps1": "héllo\n".encode("utf-16")}
    )
    commit_all(repo)
    assert files_in(take(repo).dir) == files_in(repo)
    write(repo, {"a.txt": b"1\n2\n"})
    git(repo, "add", "a.txt")
    assert files_in(take(repo).dir) == files_in(repo)
    write(repo, {"mixed.py": b"1\n2\n"})
    assert files_in(take(repo).dir) == files_in(repo)


@pytest.mark.parametrize(
    "kind", ["--index-version=4", "--split-index", "--untracked-cache", "--force-write-index"]
)
def test_every_kind_of_index_is_read(repo, take, kind):
    git(repo, "update-index", kind)
    write(repo, {"a.py": b"dirty\n", "new/x.py": b"x\n"})
    assert files_in(take(repo).dir) == files_in(repo)
    git(repo, "add", "--all")
    write(repo, {"new/x.py": b"changed\n"})
    git(repo, "status")
    base = take(repo)
    assert files_in(base.dir) == files_in(repo)
    assert base.dirty_files == 2


def test_a_sparse_checkout_holds_what_is_on_disk(repo, take):
    write(repo, {"big/c.py": b"c", "big/d.py": b"d"})
    commit_all(repo)
    git(repo, "sparse-checkout", "set", "--cone", "--sparse-index", "src")
    base = take(repo)
    assert files_in(base.dir) == {"a.py": b"a = 1\n", "src/b.py": b"b = 2\n"}
    assert base.dirty_files == 0


def test_a_shallow_clone_is_taken(repo, take, tmp_path):
    write(repo, {"a.py": b"later\n"})
    commit_all(repo)
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repo}", "shallow")
    write(tmp_path / "shallow", {"new": b"n"})
    base = take(tmp_path / "shallow")
    assert files_in(base.dir) == files_in(tmp_path / "shallow")
    assert base.dirty_files == 1


@pytest.mark.parametrize("kept_back", ["blob:none", "tree:0"])
def test_a_partial_clone_is_taken_without_fetching(repo, take, tmp_path, kept_back):
    git(repo, "config", "uploadpack.allowFilter", "true")
    write(repo, {"a.py": b"later\n"})
    commit_all(repo)
    git(tmp_path, "clone", "--quiet", f"--filter={kept_back}", f"file://{repo}", "partial")
    repo.rename(tmp_path / "origin is gone")
    write(tmp_path / "partial", {"a.py": b"dirty\n"})
    base = take(tmp_path / "partial")
    assert files_in(base.dir) == files_in(tmp_path / "partial")
    assert base.dirty_files == 1


def test_a_clone_that_borrows_objects_is_taken(repo, take, tmp_path):
    git(tmp_path, "clone", "--quiet", "--shared", str(repo), "borrower")
    write(tmp_path / "borrower", {"a.py": b"dirty\n"})
    base = take(tmp_path / "borrower")
    assert files_in(base.dir) == files_in(tmp_path / "borrower")
    assert base.dirty_files == 1


def test_a_sha256_repository_is_taken(tmp_path, take):
    repo = tmp_path / "sha256"
    git(repo, "init", "--quiet", "--object-format=sha256")
    write(repo, {"a": b"a", "d/b": b"b"})
    commit_all(repo)
    base = take(repo)
    assert base.tree == git(repo, "rev-parse", "HEAD^{tree}")
    write(repo, {"a": b"dirty"})
    assert take(repo).dirty_files == 1


ODD_NAMES = [
    "line\nbreak",
    'quote"s',
    "tab\t",
    "back\\slash",
    "byte\udce9",
    "ünï",
    "-dash",
    " space ",
    "a:b,c",
    "\x01\x1b[31m",
    "CASE",
    "case",
    "Case/x",
    "x" * 250,
]


def test_odd_and_case_colliding_names_survive(tmp_path, take):
    repo = a_repo(tmp_path / "repo", {name: name.encode("utf-8", "replace") for name in ODD_NAMES})
    write(repo, {name + ".new": b"untracked" for name in ODD_NAMES[:-1]})
    base = take(repo)
    assert files_in(base.dir) == files_in(repo)
    assert {str(path) for path in base.paths()} == set(files_in(repo))
    assert base.tree == tree_by_git(repo, tmp_path / "scratch")


@pytest.mark.parametrize(
    "name", ["with space", "col:on", "com,ma", "q'uo\"te", "ünï", "by\udce9te"]
)
def test_odd_paths_of_the_repository_itself_work(tmp_path, take, name):
    repo = a_repo(tmp_path / name)
    write(repo, {"new": b""})
    base = take(repo / "src")
    assert (base.repo, base.dirty_files) == (repo, 1)
    assert files_in(base.dir) == files_in(repo)


def test_symlinks_of_every_kind_are_kept_as_text(repo, take, tmp_path):
    targets = {
        "in": "a.py",
        "out": "/etc/passwd",
        "up": "../../..",
        "cycle": "cycle",
        "dangling": "nowhere",
        "folder": "src",
        "odd": "byte\udce9",
    }
    for name, target in targets.items():
        (repo / name).symlink_to(target)
    commit_all(repo)
    (repo / "untracked-link").symlink_to("/etc")
    base = take(repo)
    assert files_in(base.dir) == files_in(repo)
    for name, target in targets.items():
        data = target.encode("utf-8", "surrogateescape")
        assert base.read(RepoPath(name)) == Content(data=data, mode=Mode.LINK)


def test_a_tracked_folder_that_became_a_link_is_not_followed(repo, take, tmp_path):
    (tmp_path / "outside").mkdir()
    write(tmp_path / "outside", {"b.py": b"secret"})
    take(repo)
    (repo / "src/b.py").unlink()
    (repo / "src").rmdir()
    (repo / "src").symlink_to(tmp_path / "outside")
    base = take(repo)
    assert base.paths() == ("a.py", "src")
    assert base.read(RepoPath("src/b.py")) is None


def test_files_and_folders_that_changed_places_are_as_on_disk(repo, take):
    (repo / "a.py").unlink()
    write(repo, {"a.py/now": b"a folder"})
    (repo / "src/b.py").unlink()
    (repo / "src").rmdir()
    write(repo, {"src": b"now a file"})
    assert files_in(take(repo).dir) == {"a.py/now": b"a folder", "src": b"now a file"}


def test_flags_that_hide_changes_from_git_hide_nothing_from_the_base(repo, take, monkeypatch):
    monkeypatch.setattr("agent.workspace.intake.SETTLING_NS", 0)
    write(repo, {"c.py": b"c"})
    commit_all(repo)
    git(repo, "update-index", "--assume-unchanged", "a.py")
    git(repo, "update-index", "--skip-worktree", "src/b.py")
    take(repo)
    write(repo, {"a.py": b"hidden one\n", "src/b.py": b"hidden two\n", "later.py": b""})
    git(repo, "add", "--intent-to-add", "later.py")
    assert files_in(take(repo).dir) == files_in(repo)
    write(repo, {"a.py": b"hidden three\n", "later.py": b"now with text\n"})
    assert files_in(take(repo).dir) == files_in(repo)


def test_huge_and_binary_files_are_taken_whole(repo, take, monkeypatch):
    monkeypatch.setattr("agent.workspace.intake.PIECE_BYTES", 1000)
    monkeypatch.setattr("agent.workspace.record.LARGEST_BLOB_BYTES", 5000)
    write(repo, {"huge.bin": bytes(range(256)) * 40, "large.bin": b"\0\xff" * 1000})
    commit_all(repo)
    base = take(repo)
    assert base.tree == git(repo, "rev-parse", "HEAD^{tree}")
    write(repo, {"huge.bin": bytes(range(256)) * 41})
    assert files_in(take(repo).dir) == files_in(repo)


def test_fifos_and_sockets_are_no_files(repo, take):
    os.mkfifo(repo / "fifo")
    (repo / "a.py").unlink()
    os.mkfifo(repo / "a.py")
    assert take(repo).paths() == ("src/b.py",)


def test_modes_are_those_on_disk(repo, take):
    write(repo, {"run.sh": b"#!/bin/sh\n"})
    (repo / "run.sh").chmod(0o744)
    (repo / "a.py").chmod(0o600)
    base = take(repo)
    assert base.read(RepoPath("run.sh")).mode is Mode.EXECUTABLE
    assert base.read(RepoPath("a.py")).mode is Mode.FILE
    assert stat.S_IMODE((base.dir / "a.py").stat().st_mode) == 0o444


def test_a_read_only_repository_is_taken(repo, take):
    for place in (*repo.rglob("*"), repo):
        place.chmod(0o555 if place.is_dir() else 0o444)
    before = fingerprint(repo)
    assert files_in(take(repo).dir) == files_in(repo)
    assert fingerprint(repo) == before
    for place in (repo, *repo.rglob("*")):
        place.chmod(0o755)


def test_files_that_may_not_be_read_are_left_out_and_said(monkeypatch):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        repo = a_repo(folder / "repo", {"a.py": b"a", "secret.py": b"s", "closed/x.py": b"x"})
        (folder / "state").mkdir()
        monkeypatch.setenv("HOME", name)
        (repo / "secret.py").chmod(0)
        (repo / "closed").chmod(0)
        is_root = os.geteuid() == 0
        if is_root:
            for place in (repo, *repo.rglob("*"), folder / "state"):
                os.chown(place, 4242, 4242, follow_symlinks=False)
            os.seteuid(4242)
        try:
            with open_workspace(repo, state_dir=folder / "state", overlay={}) as base:
                assert base.paths() == ("a.py",)
                assert base.notes == ("left out, not readable: closed/x.py, secret.py",)
        finally:
            if is_root:
                os.seteuid(0)
            (repo / "closed").chmod(0o755)


def test_git_variables_of_the_environment_are_not_seen(repo, take, tmp_path, monkeypatch):
    other = a_repo(tmp_path / "other", {"other": b""})
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_INDEX_FILE": other / ".git/index",
        "GIT_OBJECT_DIRECTORY": other / ".git/objects",
        "GIT_NAMESPACE": "x",
        "GIT_CEILING_DIRECTORIES": tmp_path,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.excludesFile",
        "GIT_CONFIG_VALUE_0": "/dev/null",
    }.items():
        monkeypatch.setenv(name, str(value))
    assert files_in(take(repo).dir) == {"a.py": b"a = 1\n", "src/b.py": b"b = 2\n"}


def test_nothing_that_a_repository_configures_is_run(repo, take, tmp_path):
    canary = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 $* >> {canary}\n")
    program.chmod(0o755)
    for name in (
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "merge.evil.driver",
        "credential.helper",
        "uploadpack.packObjectsHook",
        "alias.status",
        "alias.rev-parse",
        "pager.status",
        "interactive.diffFilter",
        "gpg.program",
    ):
        git(repo, "config", name, str(program))
    write(repo, {".gitattributes": b"* filter=evil diff=evil merge=evil\n"})
    hooks = repo / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "post-checkout", "pre-commit", "reference-transaction"):
        (hooks / hook).write_text(program.read_text())
        (hooks / hook).chmod(0o755)
    git(repo, "config", "core.hooksPath", str(hooks))
    inner = repo / "nested"
    a_repo(inner, {"x": b""})
    git(inner, "config", "core.fsmonitor", str(program))
    canary.unlink(missing_ok=True)
    before = fingerprint(repo)
    write(repo, {})
    base = take(repo, a_py=b"unsaved")
    assert base.dirty_files == 2
    assert not canary.exists()
    assert fingerprint(repo) == before


def test_a_malicious_submodule_runs_nothing(repo, take, tmp_path):
    canary = tmp_path / "ran"
    inner = a_repo(tmp_path / "inner", {"x": b"1"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(inner), "sub")
    commit_all(repo)
    git(repo / "sub", "config", "core.fsmonitor", f"touch {canary}; false")
    git(repo / "sub", "config", "filter.evil.clean", f"touch {canary}; cat")
    write(repo, {"sub/.gitattributes": b"* filter=evil\n", "sub/x": b"2"})
    assert take(repo).read(RepoPath("sub/x")) == Content(data=b"2")
    assert not canary.exists()
