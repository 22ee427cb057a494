"""A base and an attempt on a repository of 20,000 files, against what git and cp take for it."""

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent.edits.changes import Content
from agent.workspace.attempt import Attempt
from agent.workspace.open import open_workspace
from tests.support.repos import IDENTITY, git

Row = tuple[str, float, float, str, str]

FILES = 20_000
ROUNDS = 7
TURNS = 2


def run() -> list[Row]:
    """Rows of name, ours, floor, unit, goal."""
    with tempfile.TemporaryDirectory(prefix="bench-workspace-") as name:
        folder = Path(name)
        repo = make_repository(folder / "repo")
        time.sleep(2.5)  # a file younger than two seconds is read again: not what is measured here
        rows = first_base(folder, repo)
        state = folder / "state0"
        rows += later_bases(repo, state)
        rows.append(one_more_attempt(repo, state))
        rows.append(memory(repo, state))
        return rows


def make_repository(repo: Path) -> Path:
    """Generate a repository of 20,000 small files in 1,000 folders, one commit, packed."""
    chance = random.Random(1)
    for number in range(FILES):
        place = repo / f"pkg{number // 1000}" / f"mod{number // 20 % 50}" / f"f{number % 20}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        lines = chance.randint(5, 120)
        place.write_text("".join(f"value_{n} = {chance.random()}\n" for n in range(lines)))
    git(repo, "init", "--quiet")
    git(repo, "config", "gc.auto", "0")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "-m", "all")
    git(repo, "repack", "-adq")
    git(repo, "status")
    return repo


def first_base(folder: Path, repo: Path) -> list[Row]:
    """Take turns, so that a busy machine is busy for each."""
    ours, worktree, copy = [], [], []
    for number in range(TURNS):
        os.sync()
        worktree.append(seconds(lambda n=number: add_worktree(repo, folder / f"worktree{n}")))
        os.sync()
        ours.append(seconds(lambda n=number: take(repo, folder / f"state{n}")))
        os.sync()
        copy.append(seconds(lambda n=number: copy_all(repo, folder / f"copy{n}")))
        for left in (f"worktree{number}", f"copy{number}"):
            shutil.rmtree(folder / left)
    git(repo, "worktree", "prune")
    return [
        ("first base against git worktree add", min(ours), min(worktree), "s", "<= 1.1 x"),
        ("first base against cp -a", min(ours), min(copy), "s", "for comparison"),
    ]


def later_bases(repo: Path, state: Path) -> list[Row]:
    """A base with nothing changed, and one with one file edited, against one git status."""
    take(repo, state)
    edited = repo / "pkg3" / "mod7" / "f1.py"

    same, after_edit, status = [], [], []
    for number in range(ROUNDS):
        status.append(seconds(lambda: look(repo)))
        same.append(seconds(lambda: take(repo, state)))
        edited.write_text(f"value = {number}\n")
        after_edit.append(seconds(lambda: take(repo, state)))
        status.append(seconds(lambda: look(repo)))
    floor = statistics.median(status) * 1000
    goal = f"<= {floor + 50:.0f} ms = git status + 50"
    return [
        ("later base, nothing changed", statistics.median(same) * 1000, floor, "ms", goal),
        ("later base, one file edited", statistics.median(after_edit) * 1000, floor, "ms", goal),
    ]


def one_more_attempt(repo: Path, state: Path) -> Row:
    """Another attempt over an open base: opened, one file read and edited, its delta taken."""
    with open_workspace(repo, state_dir=state, overlay={}) as base:
        first = Attempt(base)
        first.write("pkg1/mod1/f1.py", Content(data=b"changed\n"))

        def attempt() -> None:
            other = first.fork()
            other.read("pkg2/mod2/f2.py")
            other.write("pkg2/mod2/f2.py", Content(data=b"changed\n"))
            other.delta()

        times = [seconds(attempt) for _ in range(ROUNDS * 10)]
    worktree = seconds(
        lambda: git(repo, "worktree", "add", "--no-checkout", "-q", str(state / "w"))
    )
    git(repo, "worktree", "remove", "--force", str(state / "w"))
    return ("one more attempt", statistics.median(times) * 1000, worktree * 1000, "ms", "< 20")


def memory(repo: Path, state: Path) -> Row:
    """Most memory of a process that takes a first and a later base, against bare Python's."""
    ours = peak_mb(
        "from pathlib import Path; from agent.workspace.open import open_workspace\n"
        f"for _ in range(2):\n with open_workspace(Path({str(repo)!r}), "
        f"state_dir=Path({str(state / 'memory')!r}), overlay={{}}) as base: base.paths()"
    )
    return ("memory with the repository open", ours, peak_mb("pass"), "MB", "<= 100")


def peak_mb(code: str) -> float:
    """Most resident memory of a Python process of its own (VmHWM begins anew at exec)."""
    report = "\nprint(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    done = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, check=True, text=True
    )
    return int(done.stdout) / 1024


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def take(repo: Path, state: Path) -> None:
    """Open a base and give it back."""
    with open_workspace(repo, state_dir=state, overlay={}):
        pass


def look(repo: Path) -> None:
    """What an editor does after each save."""
    subprocess.run(
        ["git", "status", "--porcelain"],
        cwd=repo,
        env=IDENTITY | {"GIT_OPTIONAL_LOCKS": "0"},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def add_worktree(repo: Path, place: Path) -> None:
    """The usual way of other tools to work beside the user."""
    git(repo, "worktree", "add", "--quiet", "--detach", str(place))


def copy_all(repo: Path, place: Path) -> None:
    """The plain way."""
    subprocess.run(["cp", "-a", str(repo), str(place)], check=True)
