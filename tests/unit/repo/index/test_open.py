"""An index over time: what is read again, what is kept, and what happens where it cannot be."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.errors import WorkspaceError
from agent.repo.facts import Unread
from agent.repo.index import filling, schema, store
from agent.repo.index.open import open_index
from agent.repo.index.trees import Progress
from agent.task import RepoPath
from tests.support.index import a_tree, database, told, told_afresh

FILES = {
    "a.py": b"def one():\n    return two()\n",
    "b.py": b"from a import one\n\n\ndef two():\n    one()\n",
    "c.txt": b"one two\n",
}


class Counted:
    """A tree state that counts the files that are read."""

    def __init__(self, files, **more):
        self.read_paths: list[str] = []
        state = a_tree(files, **more)
        original = state.read

        def read(path):
            self.read_paths.append(path)
            return original(path)

        from dataclasses import replace

        self.state = replace(state, read=read)


def test_nothing_is_read_twice(tmp_path):
    first, again, moved = (
        Counted(FILES),
        Counted(FILES),
        Counted({"z/" + path: data for path, data in FILES.items()}, name="another"),
    )
    with open_index(tmp_path) as index:
        index.refresh(first.state, processes=0)
    with open_index(tmp_path) as index:
        index.refresh(again.state, processes=0)
        view = index.refresh(moved.state, processes=0)
    assert sorted(first.read_paths) == ["a.py", "b.py"]
    assert again.read_paths == []
    assert moved.read_paths == []
    assert view


def test_equal_bytes_are_read_anew_where_the_path_tells_more():
    source = b"from a import one\n\n\ndef test_one():\n    one()\n"
    with open_index(None) as index:
        view = index.refresh(
            a_tree({"x.py": source, "tests/test_x.py": source, "p/__init__.py": source}),
            processes=0,
        )
        assert told(view) == told_afresh(
            a_tree({"x.py": source, "tests/test_x.py": source, "p/__init__.py": source})
        )
        assert view.imports_of(RepoPath("p/__init__.py"))[0].is_reexport
        assert not view.imports_of(RepoPath("x.py"))[0].is_reexport


def test_only_named_changes_are_looked_at():
    from dataclasses import replace

    before = a_tree(FILES)
    files = {**FILES, "a.py": b"def three(): ...\n"}
    del files["b.py"]
    after = Counted(files)
    near = replace(after.state, earlier=before.mark, changed=frozenset([b"a.py", b"b.py"]))
    with open_index(None) as index:
        index.refresh(before, processes=0)
        view = index.refresh(near, processes=0)
        assert after.read_paths == ["a.py"]
        assert told(view) == told_afresh(a_tree(files))


def test_branches_that_come_back_are_not_read_again():
    other = Counted({"a.py": b"def three(): ...\n"})
    back = Counted(FILES)
    with open_index(None) as index:
        index.refresh(a_tree(FILES), processes=0)
        assert told(index.refresh(other.state, processes=0)) == told_afresh(other.state)
        assert told(index.refresh(back.state, processes=0)) == told_afresh(a_tree(FILES))
    assert back.read_paths == []


def test_two_trees_are_kept_apart(tmp_path):
    with open_index(tmp_path) as index:
        first = index.refresh(a_tree(FILES, name="first"), processes=0)
        second = index.refresh(a_tree({"a.py": b"x = 1\n"}, name="second"), processes=0)
        assert told(first) == told_afresh(a_tree(FILES))
        assert second.named("one") == ()
        assert index.status().trees == 2


def test_a_file_that_changes_while_it_is_read_is_kept_as_it_was_read():
    from dataclasses import replace

    asked = a_tree({"a.py": b"def old(): ...\n"})
    moved = replace(asked, read=lambda _path: b"def new(): ...\n")
    with open_index(None) as index:
        view = index.refresh(moved, processes=0)
        assert view.named("new")
        assert view.named("old") == ()
        assert index.refresh(asked, processes=0).named("old")


def test_a_file_that_is_gone_when_it_is_read_is_not_in_the_tree():
    from dataclasses import replace

    asked = replace(a_tree({"a.py": b"x = 1\n", "b.txt": b""}), read=lambda _path: None)
    with open_index(None) as index:
        assert index.refresh(asked, processes=0).paths() == ("b.txt",)


def test_skipped_files_are_listed_with_the_reason_and_not_read():
    tree = Counted(FILES, skipped={"b.py": "vendored"})
    with open_index(None) as index:
        view = index.refresh(tree.state, processes=0)
        assert view.facts(RepoPath("b.py")) == Unread("vendored")
        assert tree.read_paths == ["a.py"]


@pytest.mark.parametrize(
    ("path", "data", "why"),
    [
        ("big.py", b"x = 1\n" * 200_000, "too large"),
        ("bin.py", b"a = 1\0\n", "binary"),
        ("app.min.js", b"a();\n", "minified"),
        ("gen.py", b"# @generated\nx = 1\n", "generated"),
        ("plain", b"text\n", "no grammar"),
    ],
)
def test_what_nobody_wrote_is_listed_with_the_reason(path, data, why):
    with open_index(None) as index:
        view = index.refresh(a_tree({path: data}), processes=0)
        assert view.facts(RepoPath(path)) == Unread(why)


def test_a_script_is_read_by_its_first_line():
    files = {"run": b"#!/usr/bin/env python3\ndef one(): ...\n", "other": b"def one(): ...\n"}
    with open_index(None) as index:
        view = index.refresh(a_tree(files), processes=0)
        assert [found.path for found in view.named("one")] == ["run"]


def test_processes_read_the_same_as_this_one(tmp_path):
    files = {f"m{n}.py": b"def one_%d():\n    return two(%d)\n" % (n, n) for n in range(120)}
    files |= {"same.py": files["m1.py"], "bad.py": b"def (:\n", "gone.txt": b""}
    heard: list[Progress] = []
    with open_index(tmp_path) as index:
        view = index.refresh(a_tree(files), on_progress=heard.append, processes=2)
        assert told(view) == told_afresh(a_tree(files))
        assert len(view.starting_with("one_", most=500)) == 121
    assert heard[0] == Progress(files=0, of=121)
    assert heard[-1] == Progress(files=121, of=121)


def test_whoever_watches_the_progress_can_stop_it(tmp_path):
    files = {f"m{n}.py": b"x = %d\n" % n for n in range(200)}

    class Stop(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.files:
            raise Stop

    with open_index(tmp_path) as index:
        with pytest.raises(Stop):
            index.refresh(a_tree(files), on_progress=stop, processes=2)
        assert told(index.refresh(a_tree(files), processes=2)) == told_afresh(a_tree(files))


@pytest.mark.parametrize("rubbish", [b"", b"no database at all" * 500, None])
def test_a_damaged_index_is_made_anew(tmp_path, rubbish):
    with open_index(tmp_path) as index:
        index.refresh(a_tree(FILES), processes=0)
    place = database(tmp_path)
    data = place.read_bytes()
    place.write_bytes(data[: len(data) // 2] if rubbish is None else rubbish)
    with open_index(tmp_path) as index:
        assert told(index.refresh(a_tree(FILES), processes=0)) == told_afresh(a_tree(FILES))


def test_an_index_of_another_version_is_made_anew(tmp_path, monkeypatch):
    with open_index(tmp_path) as index:
        index.refresh(a_tree(FILES), processes=0)
    monkeypatch.setattr(schema, "version", lambda: "other")
    tree = Counted(FILES)
    with open_index(tmp_path) as index:
        index.refresh(tree.state, processes=0)
    assert sorted(tree.read_paths) == ["a.py", "b.py"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE contents SET head = replace(head, 'python', 'pithon')",
        "UPDATE contents SET head = x'5b'",
        "UPDATE contents SET definitions = x'7b7d'",
        "UPDATE contents SET uses = x'77'",
        "UPDATE symbols SET place = 99",
        "DROP TABLE symbols",
        "DELETE FROM contents",
        "DROP TABLE about",
    ],
)
def test_damage_that_a_question_finds_is_mended_within_it(tmp_path, damage):
    with open_index(tmp_path) as index:
        view = index.refresh(a_tree(FILES), processes=0)
        before = told_afresh(a_tree(FILES))
        with sqlite3.connect(database(tmp_path)) as other:
            other.execute(damage)
        other.close()
        assert view.facts(RepoPath("a.py")) == before["facts"]["a.py"]
        assert view.named("two") == before["named"]["two"]


def test_a_question_without_end_ends_with_what_to_do_and_nothing_is_forgotten(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(store, "_STEPS", 1)
    with open_index(tmp_path) as index:
        view = index.refresh(a_tree(FILES), processes=0)
        before = index._store.generation
        with monkeypatch.context() as hurried:
            hurried.setattr(store, "QUESTION_S", -1.0)
            with pytest.raises(WorkspaceError, match="did not answer") as caught:
                view.named("two")
        assert "rarer name" in (caught.value.remedy or "")
        assert told(view) == told_afresh(a_tree(FILES))
        assert index._store.generation == before


def test_a_view_outlives_that_everything_was_forgotten(tmp_path):
    with open_index(tmp_path) as index:
        view = index.refresh(a_tree(FILES), processes=0)
        index.rebuild()
        assert index.status().contents == 0
        assert told(view) == told_afresh(a_tree(FILES))
        assert index.status().contents == 2


def test_a_folder_that_cannot_be_written_is_said_and_does_without(tmp_path):
    place = tmp_path / "file"
    place.write_bytes(b"")
    with open_index(place / "index") as index:
        assert told(index.refresh(a_tree(FILES), processes=0)) == told_afresh(a_tree(FILES))
        (note,) = index.notes
    assert "in memory" in note
    assert str(place) in note


def test_a_full_disk_is_said_and_does_without(tmp_path):
    files = {f"m{n}.py": b"def one_%d(): ...\n" % n for n in range(400)}
    with open_index(tmp_path) as index:
        index.refresh(a_tree(FILES), processes=0)
        with index._store.writing() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages + 1}")
        assert told(index.refresh(a_tree(files), processes=0)) == told_afresh(a_tree(files))
        assert "full" in index.notes[0]


def test_a_lock_that_is_never_given_back_is_said_and_does_without(tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr(store, "LOCK_WAIT_S", 0.05)
    with open_index(tmp_path):
        pass
    fd = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        with open_index(tmp_path) as index:
            assert told(index.refresh(a_tree(FILES), processes=0)) == told_afresh(a_tree(FILES))
            assert "another process" in index.notes[0]
    finally:
        os.close(fd)


def test_an_index_thrown_away_by_another_process_is_found_again(tmp_path):
    with open_index(tmp_path) as first, open_index(tmp_path) as second:
        first.refresh(a_tree(FILES), processes=0)
        second.rebuild()
        files = {**FILES, "d.py": b"def four(): ...\n"}
        assert told(first.refresh(a_tree(files), processes=0)) == told_afresh(a_tree(files))
        tree = Counted(files)
        second.refresh(tree.state, processes=0)
        assert tree.read_paths == []


def test_two_writers_at_once_read_every_file_once(tmp_path):
    files = {f"m{n}.py": b"def one_%d(): ...\n" % n for n in range(60)}
    trees = [Counted(files), Counted(files)]

    def work(tree: Counted) -> None:
        with open_index(tmp_path) as index:
            found.append(told(index.refresh(tree.state, processes=0)))

    found: list[object] = []
    threads = [threading.Thread(target=work, args=(tree,)) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [told_afresh(a_tree(files))] * 2
    assert sorted(len(tree.read_paths) for tree in trees) == [0, 60]


def test_trees_that_nobody_asks_for_are_forgotten(monkeypatch):
    with open_index(None) as index:
        index.refresh(a_tree(FILES, name="old"), processes=0)
        monkeypatch.setattr(filling, "FORGOTTEN_S", -10)
        index.refresh(a_tree(FILES, name="new"), processes=0)
        assert index.status().trees == 1


def test_an_index_full_of_what_nobody_holds_is_emptied(monkeypatch):
    monkeypatch.setattr(filling, "SPARE_CONTENTS", 2)
    monkeypatch.setattr(filling, "SPARE_TIMES", 1)
    with open_index(None) as index:
        for n in range(8):
            files = {"a.py": b"x = %d\n" % n}
            view = index.refresh(a_tree(files), processes=0)
            assert told(view) == told_afresh(a_tree(files))
        assert index.status().contents <= 4


KILLED = """
import os, sys, signal
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.support.index import a_tree
from agent.repo.index import filling
from agent.repo.index.open import open_index
filling.COMMIT_FILES = 10
files = {f"m{n}.py": b"def one_%d(): ...\\n" % n for n in range(60)}
left = [int(sys.argv[3])]
class Dying:
    def __init__(self, db): self.db = db
    def __getattr__(self, name):
        def call(*args):
            left[0] -= 1
            if left[0] == 0: os.kill(os.getpid(), signal.SIGKILL)
            return getattr(self.db, name)(*args)
        return call
bring = filling.bring
import agent.repo.index.open as opened
opened.bring = lambda db, *args, **more: bring(Dying(db), *args, **more)
with open_index(Path(sys.argv[2])) as index:
    index.refresh(a_tree(files), processes=0)
"""


@pytest.mark.parametrize("call", [1, 4, 60, 75, 100, 130, 155, 162])
def test_killed_at_any_moment_it_goes_on_right(tmp_path, call):
    root = str(Path(__file__).parents[4])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, root, str(tmp_path), str(call)], check=False
    )
    assert done.returncode == -signal.SIGKILL
    files = {f"m{n}.py": b"def one_%d(): ...\n" % n for n in range(60)}
    with open_index(tmp_path) as index:
        assert told(index.refresh(a_tree(files), processes=0)) == told_afresh(a_tree(files))
        assert index.notes == ()


def test_an_index_that_is_damaged_again_and_again_is_kept_in_memory(tmp_path, monkeypatch):
    from agent.repo.index import open as opened
    from agent.repo.index.packing import Damaged

    left = [opened._TRIES]
    bring = opened.bring

    def failing(*arguments, **more):
        if left[0]:
            left[0] -= 1
            raise Damaged
        return bring(*arguments, **more)

    monkeypatch.setattr(opened, "bring", failing)
    with open_index(tmp_path) as index:
        assert told(index.refresh(a_tree(FILES), processes=0)) == told_afresh(a_tree(FILES))
        assert "again and again" in index.notes[0]
        assert index.status().file is None


def test_a_question_that_never_gets_an_answer_ends_with_an_error(monkeypatch):
    from agent.errors import WorkspaceError
    from agent.repo.index import queries
    from agent.repo.index.packing import Damaged

    def damaged(*_arguments):
        raise Damaged

    with open_index(None) as index:
        view = index.refresh(a_tree(FILES), processes=0)
        monkeypatch.setattr(queries, "entry", damaged)
        with pytest.raises(WorkspaceError, match="damaged"):
            view.facts(RepoPath("a.py"))


def test_a_file_that_breaks_while_it_is_written_is_made_anew(tmp_path):
    with open_index(tmp_path) as index:
        index.refresh(a_tree(FILES), processes=0)
        with sqlite3.connect(database(tmp_path)) as other:
            other.execute("DROP TABLE names")
        other.close()
        files = {**FILES, "d.py": b"def helper(): ...\n"}
        assert told(index.refresh(a_tree(files), processes=0)) == told_afresh(a_tree(files))
        assert index.notes == ()


def test_a_place_that_cannot_be_made_anew_is_said(tmp_path):
    with open_index(tmp_path / "index") as index:
        database(tmp_path / "index").unlink()
        (database(tmp_path / "index")).mkdir()
        index.rebuild()
        assert "in memory" in index.notes[0]
        assert told(index.refresh(a_tree(FILES), processes=0)) == told_afresh(a_tree(FILES))
