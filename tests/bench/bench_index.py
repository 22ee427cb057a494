"""The index against bare parsing and bare stat: django's source release, and 40,000 files.

Downloads django's source release (11 MB) into `.cache/index/` once, by pip, and says so; without a
network that part is left out and the other is measured.
"""

import os
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.repo.index.open import open_index
from agent.repo.index.trees import TreeState
from agent.repo.index.view import View
from agent.repo.maps import draw_map
from agent.repo.ranking import rank
from agent.repo.ranking.clues import Clues
from agent.task import RepoPath
from agent.workspace.states import index_folder
from agent.workspace.work_tree import WorkTree, open_work_tree
from tests.bench.bench_workspace import seconds
from tests.support.repos import git

Row = tuple[str, float, float, str, str]

DJANGO = "django==5.2.19"
CACHE = Path(__file__).parents[2] / ".cache" / "index"
FILES = 40_000
ROUNDS = 5
EDITS = 15
QUESTIONS = 500
"""Files, and names that are drawn once each, however often they are defined."""
AIDER = Path(__file__).parents[2] / ".cache" / "aider" / "bin" / "python"
"""An interpreter with aider-chat 0.86.2, for the row beside it: left out where there is none."""
SETTLING_S = 2.5
"""A file younger than two seconds is read again: not what is measured here."""

PARSING = """
import sys, time
from multiprocessing import get_context
from pathlib import Path
from agent.repo.languages import built_in, load_grammar
from tree_sitter import Parser, Query, QueryCursor

DEFINITIONS = '''
(function_definition name: (identifier) @name) @function
(class_definition name: (identifier) @name) @class
'''

def read(paths):
    grammar = load_grammar(built_in().specs["python"])
    parser, query = Parser(grammar), Query(grammar, DEFINITIONS)
    found = 0
    for path in paths:
        tree = parser.parse(Path(path).read_bytes())
        found += sum(map(len, QueryCursor(query).captures(tree.root_node).values()))
    return found

if __name__ == "__main__":
    paths = sorted(map(str, Path(sys.argv[1]).rglob("*.py")))
    paths = [path for path in paths if Path(path).stat().st_size <= 1_000_000]
    with get_context("spawn").Pool(2) as pool:
        pool.map(read, [paths[:1], paths[1:2]], chunksize=1)
        began = time.perf_counter()
        sum(pool.map(read, [paths[at : at + 64] for at in range(0, len(paths), 64)], chunksize=1))
        print(time.perf_counter() - began)
"""
"""Bare parse and one query for definitions, in two processes that have started already."""


def run() -> list[Row]:
    """Rows of name, ours, floor, unit, goal."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-index-") as name:
        django = source_release(Path(name) / "django")
        if django is not None:
            rows += measure("django", django, Path(name) / "state")
            rows += beside_aider(django, Path(name) / "state")
        rows += measure("40,000 files", many_files(Path(name) / "many"), Path(name) / "state")
    return rows


def source_release(place: Path) -> Path | None:
    """Unpack django as a repository of one commit; None where it cannot be had."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob("django-*.tar.gz")):
        print(f"downloading {DJANGO} (11 MB) into {CACHE}")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*command, "--no-binary", "django", "--dest", str(CACHE), DJANGO], check=False
        )
        if done.returncode != 0:
            print("django cannot be had here: its rows are left out")
            return None
    with tarfile.open(next(CACHE.glob("django-*.tar.gz"))) as archive:
        archive.extractall(place, filter="data")
    (top,) = place.iterdir()
    return committed(top)


def many_files(repo: Path) -> Path:
    """Generate 40,000 Python files in 2,000 folders that import and call each other."""
    chance = random.Random(1)
    for number in range(FILES):
        folder = repo / f"area{number // 1000}" / f"part{number // 20 % 50}"
        folder.mkdir(parents=True, exist_ok=True)
        other = chance.randrange(FILES)
        (folder / f"mod{number}.py").write_text(
            f'"""Module {number}."""\n\n'
            f"from area{other // 1000}.part{other // 20 % 50}.mod{other} import make_{other}\n\n\n"
            f"class Thing{number}:\n"
            + "".join(
                f"    def step_{n}(self, value):\n        return make_{other}(value, {n})\n\n"
                for n in range(chance.randint(1, 5))
            )
            + f"\ndef make_{number}(*values):\n    return Thing{number}().step_0(values)\n"
        )
    return committed(repo)


def committed(repo: Path) -> Path:
    """Make a repository of a folder, all files committed and packed."""
    git(repo, "init", "--quiet")
    git(repo, "config", "gc.auto", "0")
    git(repo, "add", "--all", "--force")
    git(repo, "commit", "--quiet", "-m", "all")
    git(repo, "repack", "-adq")
    git(repo, "status")
    return repo


def measure(what: str, repo: Path, state: Path) -> list[Row]:
    """Every figure on one repository."""
    time.sleep(SETTLING_S)
    rows = [cold(what, repo, state), memory(what, repo, state)]
    time.sleep(SETTLING_S)
    rows += warm(what, repo, state)
    with opened(repo, state) as (tree, view, refresh):
        rows += edits(what, repo, tree, refresh)
        rows += questions(what, view)
    return rows


def cold(what: str, repo: Path, state: Path) -> Row:
    """First look, read and write of everything, taking turns with bare parsing."""
    ours, floor = [], []
    for number in range(2):
        floor.append(float(python(PARSING, str(repo)).split()[-1]))
        ours.append(seconds(lambda n=number: index(repo, state / f"cold{n}")))
    goal = "<= 1.67 x bare parse + definition query, two processes"
    return (f"{what}: cold index", min(ours), min(floor), "s", goal)


def beside_aider(repo: Path, state: Path) -> list[Row]:
    """A map of the Python files from nothing, ours with the index, once each."""
    if not AIDER.exists():
        return []
    took = float(python(AIDER_MAP, str(repo), interpreter=AIDER).split()[-1])
    ours = seconds(lambda: first_map(repo, state / "beside"))
    return [("django: index and map, floor: aider's map", ours, took, "s", "<= 0.125 x")]


def first_map(repo: Path, state: Path) -> None:
    """What the first `greenloop map` in a repository does."""
    with opened(repo, state) as (_, view, _):
        ranking = rank(view, Clues(text="wrong timezone of a lazy translation in a form field"))
        assert draw_map(view, ranking, budget_tokens=1_024)


AIDER_MAP = """
import os, shutil, sys, time
from pathlib import Path
from aider.repomap import RepoMap

class Quiet:
    def tool_output(self, *words): pass
    tool_warning = tool_error = tool_output
    def read_text(self, name):
        return Path(name).read_text(encoding="utf-8", errors="replace")

class Counter:
    def token_count(self, text):
        return len(text) // 4

root = sys.argv[1]
os.chdir(root)
names = sorted(map(str, Path(root).rglob("*.py")))
began = time.perf_counter()
there = RepoMap(map_tokens=1024, root=root, main_model=Counter(), io=Quiet(), refresh="always")
there.get_ranked_tags_map([], names, max_map_tokens=1024)
print(time.perf_counter() - began)
for kept in Path(root).glob(".aider.tags.cache*"):
    shutil.rmtree(kept)
"""


def index(repo: Path, state: Path) -> None:
    """What the first command in a repository does."""
    with opened(repo, state):
        pass


@contextmanager
def opened(repo: Path, state: Path) -> Iterator[tuple[WorkTree, View, Callable[[TreeState], View]]]:
    """Open and refresh as everybody does."""
    with (
        open_work_tree(repo, state_dir=state) as tree,
        open_index(index_folder(repo, state)) as kept,
    ):
        yield tree, kept.refresh(tree.look(), processes=2), kept.refresh


def memory(what: str, repo: Path, state: Path) -> Row:
    """Most memory of the command and its two workers together, at a cold index."""
    peak = float(python(MEMORY, str(repo), str(state / "memory")).split()[-1])
    return (f"{what}: memory of all processes, cold", peak, 0.0, "MB", "<= 200")


MEMORY = """
import sys, threading, time
from pathlib import Path
from tests.bench.bench_index import index, own_mb

peak, done = [0.0], threading.Event()

def watch():
    while not done.wait(0.1):
        peak[0] = max(peak[0], own_mb())

watcher = threading.Thread(target=watch)
watcher.start()
index(Path(sys.argv[1]), Path(sys.argv[2]))
done.set()
watcher.join()
print(peak[0])
"""


def own_mb() -> float:
    """Memory of this process and its children, each shared page counted once (PSS)."""
    total = 0
    children = Path(f"/proc/{os.getpid()}/task")
    pids = {os.getpid()}
    for task in children.iterdir():
        pids.update(int(pid) for pid in (task / "children").read_text().split())
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def warm(what: str, repo: Path, state: Path) -> list[Row]:
    """A command in a repository that has not changed since the last one."""
    index(repo, state)
    paths = [
        f"{folder}/{name}"
        for folder, folders, names in os.walk(repo)
        if not (".git" in folders and folders.remove(".git"))
        for name in names
    ]
    ours, floor, asked = [], [], []
    for _ in range(ROUNDS):
        floor.append(seconds(lambda: [os.lstat(path) for path in paths]))
        with open_work_tree(repo, state_dir=state) as tree:
            ours.append(seconds(lambda t=tree: look(t, repo, state)))
        asked.append(seconds(lambda: index(repo, state)))
    stat = min(floor) * 1000
    return [
        (f"{what}: warm start", min(ours) * 1000, stat, "ms", "<= 2 x a bare stat of every file"),
        (f"{what}: warm start with git's way to the repository", min(asked) * 1000, stat, "ms", ""),
    ]


def look(tree: WorkTree, repo: Path, state: Path) -> None:
    """Find out that nothing has changed."""
    with open_index(index_folder(repo, state)) as kept:
        kept.refresh(tree.look())


def edits(what: str, repo: Path, tree: WorkTree, refresh: Callable[[TreeState], View]) -> list[Row]:
    """One file saved, named by who saved it or not; one buffer unsaved."""
    place = next(iter(sorted(repo.rglob("mod777.py")))) if what[0] == "4" else None
    path = RepoPath(str(place.relative_to(repo)) if place else "django/utils/text.py")
    source = (repo / path).read_text()
    named, found, laid = [], [], []
    kept = refresh(tree.look())
    for number in range(EDITS):
        (repo / path).write_text(f"{source}\n\ndef edited_{number}():\n    pass\n")
        if number % 2:
            found.append(seconds(lambda n=number: expect(refresh(tree.look()), f"edited_{n}")))
        else:
            named.append(
                seconds(lambda n=number: expect(refresh(tree.look_at([path])), f"edited_{n}"))
            )
        changed = {path: f"{source}\n\ndef laid_{number}():\n    pass\n".encode()}
        laid.append(seconds(lambda c=changed, n=number: expect(kept.with_changes(c), f"laid_{n}")))
    (repo / path).write_text(source)
    refresh(tree.look())
    middle = statistics.median
    return [
        (f"{what}: a saved file, named", middle(named) * 1000, 0.0, "ms", "<= 30"),
        (f"{what}: a saved file, found by looking", middle(found) * 1000, 0.0, "ms", ""),
        (f"{what}: an unsaved buffer", middle(laid) * 1000, 0.0, "ms", "<= 30"),
    ]


def expect(view: View, name: str) -> None:
    """Ask for a definition that has to be there."""
    assert view.named(name), name


def questions(what: str, view: View) -> list[Row]:
    """The slow end of outlines and of symbol questions."""
    chance = random.Random(2)
    paths = [path for path in view.paths() if path.endswith(".py")]
    some = chance.sample(paths, min(QUESTIONS, len(paths)))
    counted = Counter(found.definition.name for found in view.symbols_in(some))
    names = chance.sample(sorted(counted), min(QUESTIONS, len(counted)))
    ((common, _),) = counted.most_common(1)
    view.holding("warm")
    outlines = [seconds(lambda p=path: view.facts(p)) for path in some]
    exact = [seconds(lambda n=name: view.named(n)) for name in names]
    like = [seconds(lambda n=name: view.names_like(n[:-1] + "x", most=5)) for name in names]
    using = [seconds(lambda n=name: view.files_using(n)) for name in names]
    words = [seconds(lambda n=name: view.holding(n)) for name in names]
    rows = [
        (f"{what}: {asked}, p99", p99(times) * 1000, 0.0, "ms", goal)
        for asked, times, goal in (
            ("outline of a file", outlines, "<= 5"),
            ("symbol by name", exact, "<= 5"),
            ("symbol spelled wrongly", like, "<= 5"),
            ("files that use a name", using, "<= 5"),
            ("files that hold a word", words, "<= 5"),
        )
    ]
    many = len(view.named(common))
    slowest = seconds(lambda: view.named(common)) * 1000
    return [*rows, (f"{what}: a name with {many:,} definitions", slowest, 0.0, "ms", "")]


def p99(times: list[float]) -> float:
    """The time that one of a hundred exceeds."""
    return statistics.quantiles(times, n=100)[98]


def python(code: str, *arguments: str, interpreter: Path = Path(sys.executable)) -> str:
    """Run a script in an interpreter of its own; return what it prints."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(code)
        script.flush()
        root = str(Path(__file__).parents[2])
        done = subprocess.run(
            [str(interpreter), script.name, *arguments],
            capture_output=True,
            check=True,
            text=True,
            env={**os.environ, "PYTHONPATH": root, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        )
    return done.stdout
