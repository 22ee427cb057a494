"""One case measured: the product is run on it, and every patch it offers held against the fix."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.places.clones import Clone
from tests.bench.repair.cases import Fix
from tests.bench.repair.changes import changed_lines, code_form
from tests.bench.repair.environments import commit_tree, environment, lay_out
from tests.bench.repair.history import is_source
from tests.bench.repair.libraries import library_of
from tests.bench.repair.product import Said, fix
from tests.bench.repair.readings import Judged, Reading, patch_hash
from tests.bench.repair.running import run_tests


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One patch that the product showed, and how it stands beside the fix."""

    rank: int
    confidence: str
    why: str
    patch: str
    name: str
    """`patch_hash`."""
    is_same: bool
    """The patched files parse as those of the fix do, comments and docstrings aside."""
    passes: bool
    """All tests of the fix's test files pass with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a case came to."""

    case: str
    repository: str
    commit: str
    half: str
    lines: int
    verdict: str
    confidence: str
    message: str
    distinct: int
    tried: int
    first_s: float | None
    total_s: float
    phases_s: Mapping[str, float]
    offered: tuple[Offered, ...]

    @property
    def is_small(self) -> bool:
        """Whether it was in reach."""
        return self.lines <= 3

    @property
    def is_likely(self) -> bool:
        """Whether its first patch was called likely."""
        return self.confidence == "likely"

    def judged(self, offer: Offered, readings: Mapping[tuple[str, str], Reading]) -> Judged | None:
        """Return what a patch is; None where it cannot be told and nobody read it."""
        if offer.is_same:
            return Judged.RIGHT
        if not offer.passes:
            return Judged.WRONG
        reading = readings.get((self.case, offer.name))
        return reading.judged if reading else None

    def right_rank(self, readings: Mapping[tuple[str, str], Reading]) -> int | None:
        """Return the place of the first right patch; None where none is, or is known to be."""
        for offer in self.offered:
            if self.judged(offer, readings) in {Judged.RIGHT, Judged.EQUIVALENT}:
                return offer.rank
        return None

    def unread(self, readings: Mapping[tuple[str, str], Reading]) -> tuple[Offered, ...]:
        """Return the patches of which nothing is known."""
        return tuple(offer for offer in self.offered if self.judged(offer, readings) is None)


def sources_of(clone: Clone, case: Fix) -> tuple[str, ...]:
    """Return the files whose code the fix changed."""
    names = clone.git("diff", "--name-only", "--no-renames", f"{case.commit}^", case.commit)
    found = []
    for path in filter(is_source, names.splitlines()):
        old, new = (clone.file_at(each, path) for each in (f"{case.commit}^", case.commit))
        if old is not None and new is not None and changed_lines(old, new):
            found.append(path)
    return tuple(found)


def lay_out_case(clone: Clone, case: Fix, tree: Path, cache: Path) -> None:
    """Write the commit with the code of its parent, as a repository with an environment.

    Raises: EnvironmentUnusable.
    """
    installed = environment(cache, case.python, case.requirements)
    package = library_of(case.repository).package
    lay_out(clone, case.commit, tree, installed, package, old=sources_of(clone, case))
    commit_tree(tree)


def measure(
    clone: Clone, case: Fix, *, product: Path, budget_s: float, cache: Path, place: str
) -> Outcome:
    """Run the product on a case and judge what it offers; the work tree is taken away again.

    Raises: EnvironmentUnusable.
    """
    tree = cache / "work" / place / case.key
    state = cache / "state" / place / case.key
    lay_out_case(clone, case, tree, cache)
    targets = case.failing or case.files
    try:
        said = fix(product, tree, targets, case.suite, budget_s=budget_s, state=state)
        return _outcome(clone, case, said, tree)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
        shutil.rmtree(state, ignore_errors=True)


def _outcome(clone: Clone, case: Fix, said: Said, tree: Path) -> Outcome:
    fixed = {path: clone.file_at(case.commit, path) or b"" for path in sources_of(clone, case)}
    offered = []
    for offer in said.offers:
        is_same, passes = beside(offer.patch, fixed, case.files, tree)
        offered.append(
            Offered(
                rank=offer.rank,
                confidence=offer.confidence,
                why=offer.why,
                patch=offer.patch,
                name=patch_hash(offer.patch),
                is_same=is_same,
                passes=passes,
            )
        )
    return Outcome(
        case=case.key,
        repository=case.repository,
        commit=case.commit,
        half=case.half,
        lines=case.lines,
        verdict=said.verdict,
        confidence=said.confidence,
        message=said.message,
        distinct=said.distinct,
        tried=said.tried,
        first_s=said.first_s,
        total_s=round(sum(said.phases_s.values()), 1),
        phases_s=said.phases_s,
        offered=tuple(offered),
    )


def beside(
    patch: str, fixed: Mapping[str, bytes], files: Sequence[str], tree: Path
) -> tuple[bool, bool]:
    """Tell whether a patch says what the fix says, and whether the test files pass with it."""
    git = ["git", "-C", str(tree), "-c", "core.autocrlf=false"]
    applied = subprocess.run(
        [*git, "apply", "--whitespace=nowarn", "-"],
        input=patch.encode(),
        capture_output=True,
        check=False,
    )
    if applied.returncode:
        return False, False
    try:
        changed = subprocess.run(
            [*git, "diff", "--name-only"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        is_same = set(changed) == set(fixed) and all(
            code_form((tree / path).read_bytes()) == code_form(data) for path, data in fixed.items()
        )
        return is_same, is_same or run_tests(tree, files).is_green
    finally:
        subprocess.run([*git, "checkout", "-q", "--", "."], check=True)


def save_outcome(outcome: Outcome, file: Path) -> None:
    """Keep what a case came to."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(asdict(outcome), indent=1) + "\n", "utf-8")
    part.replace(file)


def load_outcome(file: Path) -> Outcome | None:
    """Return what was kept; None where nothing was."""
    if not file.exists():
        return None
    record: dict[str, Any] = json.loads(file.read_text("utf-8"))
    record["offered"] = tuple(Offered(**each) for each in record["offered"])
    return Outcome(**record)
