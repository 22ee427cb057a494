"""Which lines changed of late, in real repositories."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.repair.locate import Line, Suspicions, boosted
from agent.repair.recent import FRESHNESS, MOST_FILES, freshness_of, recent_changes, suspected_files
from agent.task import RepoPath
from agent.workspace.base import Base
from agent.workspace.open import open_workspace
from tests.support.repair import base_of
from tests.support.repos import a_repo, commit_all, git, write

A, B = RepoPath("a.py"), RepoPath("b.py")
TEN = b"".join(b"line %d\n" % number for number in range(1, 11))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return a_repo(tmp_path / "repo", {"a.py": TEN, "b.py": TEN})


class Taken:
    """Takes bases that live as long as the test."""

    def __init__(self, stack: ExitStack, state_dir: Path) -> None:
        self._stack = stack
        self._state_dir = state_dir

    def __call__(self, repo: Path, overlay: Mapping[RepoPath, bytes] | None = None) -> Base:
        return self._stack.enter_context(
            open_workspace(repo, state_dir=self._state_dir, overlay=overlay or {})
        )


@pytest.fixture
def take(tmp_path: Path) -> Iterator[Taken]:
    with ExitStack() as stack:
        yield Taken(stack, tmp_path / "state")


def edited(number: int, text: bytes = b"changed") -> bytes:
    return TEN.replace(b"line %d\n" % number, text + b"\n", 1)


def all_lines(*paths: RepoPath) -> Suspicions:
    return Suspicions(lines={(path, line): 0.5 for path in paths for line in range(1, 11)})


async def recent(base: Base, found: Suspicions | None = None) -> Mapping[Line, float]:
    return await recent_changes(base, found or all_lines(A, B))


async def test_what_is_not_committed_is_fresh(repo: Path, take: Taken) -> None:
    write(repo, {"a.py": edited(4)})
    assert await recent(take(repo)) == {(A, 4): FRESHNESS[0]}


async def test_what_is_not_even_saved_is_fresh(repo: Path, take: Taken) -> None:
    assert await recent(take(repo, {B: edited(7)})) == {(B, 7): FRESHNESS[0]}


async def test_lines_around_a_deletion_are_fresh(repo: Path, take: Taken) -> None:
    write(repo, {"a.py": TEN.replace(b"line 4\nline 5\n", b"")})
    assert await recent(take(repo)) == {(A, 3): FRESHNESS[0], (A, 4): FRESHNESS[0]}


async def test_the_last_commits_count_less_the_older_they_are(repo: Path, take: Taken) -> None:
    write(repo, {"a.py": edited(2)})
    commit_all(repo)
    for _ in range(3):
        commit_all(repo)
    write(repo, {"b.py": edited(9)})
    commit_all(repo)
    assert await recent(take(repo)) == {(A, 2): FRESHNESS[5], (B, 9): FRESHNESS[1]}


async def test_a_change_that_no_failing_test_runs_is_not_told(repo: Path, take: Taken) -> None:
    write(repo, {"a.py": edited(4)})
    found = Suspicions(lines={(A, 3): 1.0, (B, 4): 1.0})
    assert await recent(take(repo), found) == {}


async def test_whoever_just_broke_a_line_sees_it_first(repo: Path, take: Taken) -> None:
    write(repo, {"b.py": edited(6)})
    scores = {(A, 3): 1.0, (A, 4): 0.85, (B, 5): 0.7, (B, 6): 0.7, (B, 7): 0.7}
    found = boosted(Suspicions(lines=scores), await recent(take(repo)))
    assert max(found.lines, key=lambda line: found.lines[line]) == (B, 6)


async def test_a_new_file_says_nothing_of_its_lines(repo: Path, take: Taken) -> None:
    write(repo, {"c.py": TEN})
    assert await recent(take(repo), all_lines(RepoPath("c.py"))) == {}


async def test_line_ends_that_git_changed_are_no_change(repo: Path, take: Taken) -> None:
    write(repo, {"a.py": edited(4).replace(b"\n", b"\r\n")})
    assert await recent(take(repo)) == {(A, 4): FRESHNESS[0]}


async def test_without_a_history_nothing_is_recent(tmp_path: Path, take: Taken) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.py").write_bytes(TEN)
    assert await recent(base_of(tmp_path / "plain")) == {}
    unborn = a_repo(tmp_path / "unborn", {})
    git(unborn, "update-ref", "-d", "HEAD")
    write(unborn, {"a.py": TEN})
    assert await recent(take(unborn)) == {}


async def test_a_shallow_clone_is_asked_only_for_what_it_has(
    repo: Path, tmp_path: Path, take: Taken
) -> None:
    write(repo, {"a.py": edited(2)})
    commit_all(repo)
    git(repo, "clone", "--quiet", "--depth", "1", repo.as_uri(), str(tmp_path / "shallow"))
    write(tmp_path / "shallow", {"b.py": edited(9)})
    assert await recent(take(tmp_path / "shallow")) == {(B, 9): FRESHNESS[0]}


def test_the_most_suspected_files_are_looked_at() -> None:
    lines = {(RepoPath(f"{number:03}.py"), 1): number / 1000 for number in range(40)}
    files = suspected_files(Suspicions(lines=lines))
    assert files[:2] == ["039.py", "038.py"]
    assert len(files) > MOST_FILES


def test_the_newest_change_of_a_line_decides() -> None:
    past = {0: TEN, 1: edited(3), 5: edited(3), 20: None}
    assert freshness_of(TEN, past) == {3: FRESHNESS[1]}
    assert freshness_of(TEN, {}) == {}
