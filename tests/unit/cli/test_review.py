"""Accepting and taking back: exactly the named hunks, or a conflict and not a byte."""

from pathlib import Path

import pytest

from agent.cli.patches import chosen_hunks, hunk_places
from agent.edits.changes import Content, Mode
from agent.edits.patch import make_patch
from agent.errors import TaskError
from agent.journal.store import RunStore
from agent.task import RepoPath, TaskSpec
from tests.support.cli import NEW, OLD, a_patch, a_stored_run
from tests.unit.cli.conftest import Greenloop

FAR = b"".join(b"line %d\n" % number for number in range(40))
FAR_NEW = FAR.replace(b"line 3\n", b"LINE 3\n").replace(b"line 30\n", b"LINE 30\n")


def test_apply_writes_and_undo_restores(greenloop: Greenloop, state_dir: Path, repo: Path) -> None:
    stored = a_stored_run(state_dir, repo)
    answer = greenloop("apply", stored.run)
    assert answer.out == (f"applied: stats.py\ntake it back with: greenloop undo {stored.run}\n")
    assert (repo / "stats.py").read_bytes() == NEW
    assert greenloop("apply", "last").out == "your files hold it already; nothing to do.\n"
    assert greenloop("undo", "last").out == "undone: stats.py\n"
    assert (repo / "stats.py").read_bytes() == OLD


def test_json_says_what_was_done(greenloop: Greenloop, state_dir: Path, repo: Path) -> None:
    run = a_stored_run(state_dir, repo).run
    expected = {"run": run, "applied": True, "files": ["stats.py"], "notes": []}
    assert greenloop("apply", "last", "--json").json == expected
    expected = {"run": run, "undone": True, "files": ["stats.py"], "notes": []}
    assert greenloop("undo", "last", "--json").json == expected


def test_single_hunk_is_applied_alone(greenloop: Greenloop, state_dir: Path, repo: Path) -> None:
    patch = a_patch(FAR, FAR_NEW, path="far.txt")
    (repo / "far.txt").write_bytes(FAR)
    a_stored_run(state_dir, repo, patch=patch)
    first, second = patch.hunks
    assert greenloop("apply", "last", "--hunk", second.id[:6]).code == 0
    assert (repo / "far.txt").read_bytes() == FAR.replace(b"line 30\n", b"LINE 30\n")
    assert greenloop("apply", "last", "--hunk", first.id, "--hunk", second.id).code == 0
    assert (repo / "far.txt").read_bytes() == FAR_NEW


def test_conflict_is_shown_and_nothing_written(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    run = a_stored_run(state_dir, repo).run
    typed = OLD.replace(b"middle + 1", b"middle + 7")
    (repo / "stats.py").write_bytes(typed)
    answer = greenloop("apply", "last")
    assert answer.code == 1
    assert answer.out.startswith("conflict: stats.py:5: ")
    assert "  expected:         return ordered[middle + 1]\n" in answer.out
    assert "  found:         return ordered[middle + 7]\n" in answer.out
    assert answer.out.endswith("nothing was applied: your files have changed since.\n")
    assert (repo / "stats.py").read_bytes() == typed
    told = greenloop("apply", "last", "--json").json
    assert (told["run"], told["applied"]) == (run, False)
    (conflict,) = told["conflicts"]
    assert (conflict["path"], conflict["line"]) == ("stats.py", 5)
    assert conflict["found"] == "        return ordered[middle + 7]\n"


def test_run_without_patch_cannot_be_applied(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    with RunStore(state_dir).new_run(TaskSpec(repo=repo)):
        pass
    answer = greenloop("apply", "last")
    assert answer.code == 2
    assert "has no patch" in answer.err


def test_damaged_patch_is_refused(greenloop: Greenloop, state_dir: Path, repo: Path) -> None:
    stored = a_stored_run(state_dir, repo)
    (stored.path / "patch.json").write_text('{"version": 1}')
    answer = greenloop("apply", "last")
    assert answer.code == 2
    assert "the patch is damaged" in answer.err


def test_run_that_died_at_once_has_no_repository(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    stored = a_stored_run(state_dir, repo)
    (stored.path / "journal.jsonl").write_bytes(b"")
    assert "died before its first record" in greenloop("apply", "last").err


def test_repository_that_moved_is_named(
    greenloop: Greenloop, state_dir: Path, tmp_path: Path
) -> None:
    stored = a_stored_run(state_dir, tmp_path / "gone")
    answer = greenloop("undo", stored.run)
    assert answer.code == 2
    assert f"no longer at {tmp_path / 'gone'}" in answer.err


def test_nothing_applied_is_nothing_to_undo(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    a_stored_run(state_dir, repo)
    assert greenloop("undo", "last").code == 2


def test_no_hunk_named_means_all_of_them() -> None:
    assert chosen_hunks(a_patch(), []) is None


@pytest.mark.parametrize("beginning", ["", "zz"])
def test_hunk_that_is_not_there_is_refused_with_those_that_are(beginning: str) -> None:
    (hunk,) = a_patch().hunks
    with pytest.raises(TaskError) as caught:
        chosen_hunks(a_patch(), [beginning])
    assert caught.value.remedy == f"Choose one of: {hunk.id[:8]}."


def test_places_name_the_shown_hunk_of_each_hunk() -> None:
    near = a_patch(FAR, FAR.replace(b"line 3\n", b"X\n").replace(b"line 5\n", b"Y\n"), path="f")
    first, second = near.hunks
    assert list(hunk_places(near).values()) == [f"{first.id[:8]} {second.id[:8]}"]
    assert len(hunk_places(a_patch(FAR, FAR_NEW))) == 2


def test_change_of_mode_alone_has_no_place() -> None:
    old, new = Content(data=b"x\n"), Content(data=b"x\n", mode=Mode.EXECUTABLE)
    patch = make_patch(lambda _: old, {RepoPath("run.sh"): new})
    assert len(patch.hunks) == 1
    assert hunk_places(patch) == {}
