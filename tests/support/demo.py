"""`make demo`: a real bug of a published library, fixed by Greenloop in front of you.

The library's source release is fetched at run time and is no part of this repository. Without
network a small library of our own serves, which lies in tests/data/demo.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.projects import git, make_environment, make_repository

ROOT = Path(__file__).parents[2]
DOWNLOADS = ROOT / ".cache" / "demo"
BUNDLED = ROOT / "tests" / "data" / "demo" / "parcel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A repository with a failing test, ready to be fixed."""

    repo: Path
    story: str
    test_command: str


NETWORKX = "networkx-3.0"
NETWORKX_SHA256 = "9a9992345353618ae98339c2b63d8201c381c2944f38a2ab49cb45a4c667e412"
NETWORKX_STORY = """\
networkx 3.0, as published. Its edge_betweenness_centrality(G, k=...) raises a TypeError on
Python 3.11 and newer, where random.sample no longer takes sets. Upstream had mended the same
mistake for nodes after issue 1860, overlooked it for edges, and fixed it in 3.1 (pull 6380)."""
NETWORKX_TEST = "networkx/algorithms/centrality/tests/test_edge_betweenness_sampled.py"
NETWORKX_TEST_TEXT = '''\
"""Sampling the nodes of edge_betweenness_centrality; see networkx issue 1860 and pull 6380."""

import networkx as nx


def test_a_sample_of_all_nodes_gives_the_exact_edge_betweenness():
    graph = nx.krackhardt_kite_graph()
    exact = nx.edge_betweenness_centrality(graph, normalized=False)
    sampled = nx.edge_betweenness_centrality(graph, k=len(graph), normalized=False, seed=1)
    assert sampled == exact


def test_a_sample_of_some_nodes_names_every_edge():
    graph = nx.path_graph(5)
    sampled = nx.edge_betweenness_centrality(graph, k=2, seed=1)
    assert set(sampled) == set(graph.edges())
'''
PARCEL_STORY = """\
parcel, a small library that comes with Greenloop. One of its tests fails: a size of exactly
1024 bytes is written as "1024 B" instead of "1.0 KiB"."""


def main() -> int:
    """Prepare, let Greenloop fix, say how to look further; return Greenloop's exit code."""
    archive = fetch_networkx()
    folder = Path(tempfile.mkdtemp(prefix="greenloop-demo-"))
    subject = prepare_networkx(archive, folder) if archive else prepare_parcel(folder)
    say(subject.story)
    failing = subprocess.run(
        [*test_argv(subject), "-q", "--no-header", "--tb=no"], cwd=subject.repo, check=False
    )
    if failing.returncode != 1:
        say("The test that should fail does not; the demo has nothing to fix.")
        return 1
    command = ["greenloop", "fix", "--test-command", subject.test_command]
    say(f"$ cd {subject.repo}\n$ {shlex.join(command)}")
    greenloop = Path(sys.executable).with_name("greenloop")
    done = subprocess.run(
        [str(greenloop), *command[1:]], cwd=subject.repo, env=environment(), check=False
    )
    say(
        f"Nothing in {subject.repo} has changed so far. Look further with:\n"
        f"  export PATH={shlex.quote(str(greenloop.parent))}:$PATH\n"
        f"  cd {shlex.quote(str(subject.repo))}\n"
        "  greenloop runs                        the runs so far, newest first\n"
        "  greenloop show last                   the verdict and its evidence\n"
        "  greenloop show last --html page.html  the whole run as one page\n"
        "  greenloop apply last && git diff       take the fix into the working tree"
    )
    return done.returncode


def say(text: str) -> None:
    """Print a paragraph at once, in order with what child processes print."""
    print(f"\n{text}\n", flush=True)


def environment() -> dict[str, str]:
    """Return the caller's variables, but for an activated environment that is not the subject's."""
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


def test_argv(subject: Subject) -> list[str]:
    """Return the subject's test command with the subject's own interpreter."""
    program, *rest = shlex.split(subject.test_command)
    return [str(subject.repo / ".venv" / "bin" / program), *rest]


def fetch_networkx() -> Path | None:
    """Return the source release, downloaded once and checked; None where there is no network."""
    archive = DOWNLOADS / f"{NETWORKX}.tar.gz"
    if not archive.exists():
        say("Fetching the source release of networkx 3.0 (2 MB) ...")
        DOWNLOADS.mkdir(parents=True, exist_ok=True)
        requirement = DOWNLOADS / "requirement.txt"
        requirement.write_text(f"networkx==3.0 --hash=sha256:{NETWORKX_SHA256}\n")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "-qq", "--no-input", "--no-deps"),
                *("--disable-pip-version-check", "--retries", "1", "--timeout", "15"),
                *("--no-binary", ":all:", "--require-hashes", "--dest", str(DOWNLOADS)),
                *("-r", str(requirement)),
            ],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            say("It cannot be fetched; is there no network? The bundled example serves instead.")
            return None
    if hashlib.sha256(archive.read_bytes()).hexdigest() != NETWORKX_SHA256:
        archive.unlink()
        say("What was fetched is not what was published; the bundled example serves instead.")
        return None
    return archive


def prepare_networkx(archive: Path, folder: Path) -> Subject:
    """Return a fresh repository of the release, with a failing test for the reported bug."""
    repo = folder / NETWORKX
    with tarfile.open(archive) as members:
        members.extractall(folder, filter="data")
    (repo / ".gitignore").write_text(".venv/\n__pycache__/\n.pytest_cache/\n")
    make_repository(repo, "networkx 3.0 as published")
    (repo / NETWORKX_TEST).write_text(NETWORKX_TEST_TEXT)
    git(repo, "add", NETWORKX_TEST)
    git(repo, "commit", "--quiet", "--message", "Show that sampling edges fails on Python 3.11")
    make_environment(repo)
    return Subject(
        repo=repo,
        story=NETWORKX_STORY,
        test_command="python -m pytest networkx/algorithms/centrality",
    )


def prepare_parcel(folder: Path) -> Subject:
    """Return a fresh repository of the bundled library."""
    repo = folder / "parcel"
    shutil.copytree(BUNDLED, repo)
    make_repository(repo, "parcel as bundled")
    make_environment(repo)
    return Subject(repo=repo, story=PARCEL_STORY, test_command="python -m pytest")


if __name__ == "__main__":
    sys.exit(main())
