"""Runs test files of a work tree with pytest behind walls, and says how every test ended.

Foreign code, hence bubblewrap: all read-only but the tree, no network, nothing survives. The
product itself is measured in its own sandbox; this only tells what a fix is.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.places.frames import PLUGIN, read_told

TIMEOUT_S: Final = 240
_ROOT: Final = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How tests ended."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    """By test id: `passed`, `failed`, `skipped`."""
    status: int = -1
    """Of pytest; -1: it did not end in time."""
    output: str = ""

    @property
    def passed(self) -> frozenset[str]:
        """Tests that passed."""
        return frozenset(test for test, how in self.outcomes.items() if how == "passed")

    @property
    def failed(self) -> frozenset[str]:
        """Tests that failed, or could not be set up."""
        return frozenset(test for test, how in self.outcomes.items() if how == "failed")

    @property
    def is_over(self) -> bool:
        """Whether it came to its own end."""
        return self.status != -1

    @property
    def is_green(self) -> bool:
        """Whether everything that was asked for passes and something did."""
        return self.status == 0 and bool(self.passed) and not self.failed


def run_tests(tree: Path, paths: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> Ran:
    """Run paths (files, folders or test ids; none: the whole suite) as the repository says."""
    with tempfile.TemporaryDirectory(prefix="greenloop-bench-") as name:
        folder = Path(name)
        told = folder / "told.jsonl"
        told.touch()
        argv = [*_walls(tree, folder), str(tree / ".venv/bin/python"), "-m", "pytest", "-q"]
        argv += ["-p", "greenloop_frames", "-p", "no:cacheprovider", *paths]
        variables = {
            "PATH": os.defpath,
            "HOME": name,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(PLUGIN),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GREENLOOP_FRAMES": str(told),
        }
        try:
            done = subprocess.run(
                argv,
                cwd=tree,
                env=variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Ran()
        outcomes = read_told(told.read_text("utf-8"), tree).outcomes
        return Ran(outcomes=_ended(outcomes), status=done.returncode, output=done.stdout[-2000:])


def _ended(outcomes: Mapping[str, str]) -> Mapping[str, str]:
    return {test: how for test, how in outcomes.items() if "::" in test or how == "failed"}


def _walls(tree: Path, folder: Path) -> list[str]:
    argv = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    # Whatever lies above the tree would be taken for its configuration
    argv += ["--tmpfs", str(_ROOT), "--ro-bind", str(PLUGIN), str(PLUGIN)]
    argv += ["--bind", str(tree), str(tree), "--bind", str(folder), str(folder)]
    return [*argv, "--unshare-all", "--die-with-parent"]
