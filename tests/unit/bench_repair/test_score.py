"""Patches held against the fix, in a real work tree."""

import subprocess
from pathlib import Path

import pytest

from tests.bench.places.clones import Clone
from tests.bench.repair.environments import commit_tree, version_at
from tests.bench.repair.score import Outcome, beside, load_outcome, save_outcome
from tests.support.repos import a_repo, git
from tests.unit.bench_repair.outcomes import an_offer, an_outcome

CART = b"def total(rows):\n    return sum(rows) + 1\n"
FIXED = b'def total(rows):\n    """Add up."""\n    return sum(rows)  # and no more\n'
PATCH = """\
diff --git a/cart.py b/cart.py
--- a/cart.py
+++ b/cart.py
@@ -1,2 +1,2 @@
 def total(rows):
-    return sum(rows) + 1
+    return sum(rows)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / "cart.py").write_bytes(CART)
    (folder / ".gitignore").write_text("cart.py\n")
    commit_tree(folder)
    return folder


def test_a_patch_that_says_what_the_fix_says_is_the_same(tree: Path) -> None:
    assert beside(PATCH, {"cart.py": FIXED}, (), tree) == (True, True)
    assert (tree / "cart.py").read_bytes() == CART


def test_a_patch_that_leaves_out_a_file_of_the_fix_is_not_the_same(tree: Path) -> None:
    # No interpreter is there, so its tests cannot pass either
    assert beside(PATCH, {"cart.py": FIXED, "till.py": b""}, (), tree) == (False, False)


def test_a_patch_that_does_not_fit_is_wrong(tree: Path) -> None:
    assert beside(PATCH.replace("+ 1", "+ 2"), {"cart.py": FIXED}, (), tree) == (False, False)


def test_a_work_tree_holds_every_file_of_the_commit_and_no_environment(tree: Path) -> None:
    files = subprocess.run(
        ["git", "-C", str(tree), "ls-files"], check=True, capture_output=True, text=True
    ).stdout.split()
    assert files == [".gitignore", "cart.py"]
    status = subprocess.run(
        ["git", "-C", str(tree), "status", "--porcelain"], check=True, capture_output=True
    )
    assert status.stdout == b""


@pytest.mark.parametrize(
    ("tag", "version"), [("v1.2.3", "1.2.3"), ("2.0", "2.0"), ("nightly", "0.0.0"), ("", "0.0.0")]
)
def test_the_version_is_that_of_the_last_tag(tmp_path: Path, tag: str, version: str) -> None:
    repo = a_repo(tmp_path / "repo", {"cart.py": CART})
    if tag:
        git(repo, "tag", tag)
    assert version_at(Clone(repo / ".git", "shop/cart"), "HEAD") == version


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    outcome: Outcome = an_outcome("cart@1", an_offer(1, same=True), an_offer(2))
    save_outcome(outcome, tmp_path / "now" / "cart@1.json")
    assert load_outcome(tmp_path / "now" / "cart@1.json") == outcome
    assert load_outcome(tmp_path / "now" / "till@1.json") is None
