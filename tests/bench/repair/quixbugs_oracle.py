"""Judges a patched program of QuixBugs by what no search has seen: every case, random inputs.

The patched program runs on this machine in a process of its own, with limits on CPU and memory but
without a sandbox: it is one of 40 small known programs, an edit away.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.repair.quixbugs_programs import Program, tests_text

TOP: Final = Path(__file__).parents[3]
INPUTS: Final = 200
CALL_S: Final = 0.5
"""CPU seconds of one call; a case gets five times that."""
WHOLE_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a patched program does."""

    failed: tuple[str, ...]
    """Cases, whoever has seen them."""
    passed: tuple[str, ...]
    equal: int = 0
    """Random inputs on which it does what the right program does."""
    inputs: int = 0
    """Random inputs that were tried; it ends early with five differences."""
    first: str = ""
    """The first difference."""

    @property
    def passes_all(self) -> bool:
        """Every case of the benchmark passes."""
        return bool(self.passed) and not self.failed

    @property
    def is_equal(self) -> bool:
        """No random input tells it from the right program."""
        return self.passes_all and self.equal == self.inputs


def judge(program: Program, text: str, *, inputs: int = INPUTS) -> Judged:
    """Run the cases and the inputs. Blocking, bounded by two minutes."""
    with tempfile.TemporaryDirectory(prefix="greenloop-quixbugs-") as name:
        folder = Path(name)
        (folder / "correct").mkdir()
        (folder / program.path).write_text(text)
        (folder / "correct" / program.path).write_text(program.correct)
        (folder / "all_cases.py").write_text(tests_text(program, program.names))
        for helper, source in program.helpers:
            (folder / helper).write_text(source)
        argv = [sys.executable, "-B", "-m", "tests.bench.repair.quixbugs_driver"]
        argv += [name, program.name, str(inputs), str(CALL_S)]
        try:
            done = subprocess.run(
                argv, cwd=TOP, capture_output=True, text=True, timeout=WHOLE_S, check=False
            )
            answer = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            return Judged(failed=program.names, passed=())
    return Judged(
        failed=tuple(answer["failed"]),
        passed=tuple(answer["passed"]),
        equal=answer.get("equal", 0),
        inputs=answer.get("inputs", 0),
        first=answer.get("first", ""),
    )
