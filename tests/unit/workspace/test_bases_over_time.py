"""Any history of changes, and any number of takers at once, gives the right base each time."""

import shutil
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.workspace.open import open_workspace
from tests.support.kills import is_killed_at
from tests.support.repos import a_repo, commit_all, files_in, git, tree_by_git, write

pytestmark = pytest.mark.slow

NAMES = st.sampled_from(["a", "b/c", "b/d", "e/f/g", "e"])


def put(repo: Path, name: str, data: bytes) -> None:
    place = repo / name
    for above in reversed(place.relative_to(repo).parents):
        if (repo / above).is_file() or (repo / above).is_symlink():
            (repo / above).unlink()
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    write(repo, {name: data})


def remove(repo: Path, name: str) -> None:
    place = repo / name
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    elif (repo / name).parent.is_dir():
        place.unlink(missing_ok=True)


def link(repo: Path, name: str) -> None:
    put(repo, name, b"")
    (repo / name).unlink()
    (repo / name).symlink_to("a")


STEPS = {
    "put": put,
    "remove": lambda repo, name, _: remove(repo, name),
    "link": lambda repo, name, _: link(repo, name),
    "mode": lambda repo, name, _: (repo / name).is_file() and (repo / name).chmod(0o755),
    "mode back": lambda repo, name, _: (repo / name).is_file() and (repo / name).chmod(0o644),
    "add": lambda repo, *_: git(repo, "add", "--all"),
    "commit": lambda repo, *_: commit_all(repo),
    "restore": lambda repo, *_: git(repo, "reset", "--quiet", "--hard"),
    "status": lambda repo, *_: git(repo, "status"),
    "take": lambda *_: None,
}
steps = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), NAMES, st.binary(max_size=4), st.booleans()),
    min_size=1,
    max_size=8,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps, st.sampled_from([0, 10**10]))
def test_after_any_history_the_base_is_what_is_on_disk(
    tmp_path_factory, monkeypatch, history, settling_ns
):
    monkeypatch.setattr("agent.workspace.intake.SETTLING_NS", settling_ns)
    top = tmp_path_factory.mktemp("history")
    repo = a_repo(top / "repo", {"a": b"1", "b/c": b"2"})
    with ExitStack() as kept_open:
        for number, (step, name, data, is_kept) in enumerate(history):
            STEPS[step](repo, name, data)
            opening = open_workspace(repo, state_dir=top / "state", overlay={})
            with opening as base:
                assert files_in(base.dir) == files_in(repo)
                assert base.tree == tree_by_git(base.dir, top / f"scratch{number}")
            if is_kept:
                kept_open.enter_context(open_workspace(repo, state_dir=top / "state", overlay={}))


@pytest.mark.parametrize("takers", [4])
def test_takers_at_once_each_get_a_base_that_stays_while_the_user_types(tmp_path, takers):
    repo = a_repo(tmp_path / "repo", {f"f{n}.py": b"%d\n" % n for n in range(20)})
    failures: list[str] = []
    is_over = threading.Event()

    def type_on() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            write(repo, {f"f{number % 20}.py": b"%d\n" % number, f"new{number % 5}.py": b"n"})

    def take(taker: int) -> None:
        for turn in range(4):
            with open_workspace(repo, state_dir=tmp_path / "state", overlay={}) as base:
                content = files_in(base.dir)
                tree = tree_by_git(base.dir, tmp_path / f"scratch{taker}-{turn}")
                if tree != base.tree or files_in(base.dir) != content:
                    failures.append(f"taker {taker}, turn {turn}")

    typing = threading.Thread(target=type_on)
    threads = [threading.Thread(target=take, args=(n,)) for n in range(takers)]
    for thread in (typing, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    is_over.set()
    typing.join()
    assert failures == []


def test_after_a_kill_at_any_moment_the_next_base_is_right(tmp_path):
    repo = a_repo(tmp_path / "repo", {"a": b"1", "b/c": b"2", "b/d": b"3"})
    state_dir = tmp_path / "state"
    call, is_killed = 0, True
    while is_killed:
        call += 1
        put(repo, "a", b"%d" % call)
        put(repo, f"new{call % 3}/e", b"%d" % call)
        remove(repo, f"new{(call + 1) % 3}")

        def take() -> None:
            with open_workspace(repo, state_dir=state_dir, overlay={}):
                pass

        is_killed = is_killed_at(call, take)
        with open_workspace(repo, state_dir=state_dir, overlay={}) as base:
            assert files_in(base.dir) == files_in(repo)
    assert call > 20
