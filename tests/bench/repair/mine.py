"""`python -m tests.bench.repair mine --clones DIR`: small fixes out of libraries' histories.

A commit is a case if with the code of its parent some of its tests fail, and with its own code all
tests of the test files it touched pass: both are seen by running them, each library in an
environment of its time. Only names are kept: repository, commit, tests, interpreter and
requirements. What was tried is kept below the cache, so that an interrupted mining goes on.
"""

import argparse
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.bench.places.clones import Clone, find_clones, write_out
from tests.bench.repair.cases import FIXES, REACH_LINES, Fix, fix_of, load_fixes, save_fixes
from tests.bench.repair.environments import EnvironmentUnusable, environment, lay_out
from tests.bench.repair.history import Change, changes
from tests.bench.repair.libraries import LIBRARIES, Library, interpreter_for, requirements_for
from tests.bench.repair.running import TIMEOUT_S, Ran, run_tests

CACHE: Final = Path(__file__).parents[3] / ".cache" / "repair"
SMALL: Final = 14
"""Small fixes of one library at most, so that no large one decides."""
LARGE: Final = 4
"""Fixes of one library that are out of reach."""
MOST_RUN: Final = 150
"""Commits of one library whose tests are run."""
SUITE_S: Final = 15.0
"""A whole suite that takes longer is not run for each case; its touched files stand for it."""
MOST_IDS: Final = 8
"""Failing tests that are named one by one; more are meant by their files."""


@dataclass(slots=True)
class _Kept:
    """What was tried of one library."""

    file: Path
    tried: dict[str, Fix | None]

    def note(self, commit: str, fix: Fix | None) -> None:
        """Keep what a commit came to."""
        self.tried[commit] = fix
        record = {"commit": commit, "fix": asdict(fix) if fix else None}
        with self.file.open("a", encoding="utf-8") as output:
            output.write(json.dumps(record) + "\n")


def main(arguments: Sequence[str]) -> int:
    """Mine and write the cases; those of libraries that are not asked for stay."""
    options = _options(arguments)
    clones = find_clones(options.clones)
    chosen = [
        library
        for library in LIBRARIES
        if not options.only or any(name in library.repository for name in options.only)
    ]
    for library in chosen:
        if library.repository not in clones:
            sys.stderr.write(f"left out, no clone below {options.clones}: {library.repository}\n")
    chosen = [library for library in chosen if library.repository in clones]
    writing = threading.Lock()

    def work(library: Library) -> None:
        found: list[Fix] = []
        for fix in mined(clones[library.repository], library, options):
            found.append(fix)
            with writing:
                _merge(library.repository, found)
        with writing:
            _merge(library.repository, found)
        small = sum(fix.is_small for fix in found)
        sys.stdout.write(f"{library.repository}: {small} small, {len(found) - small} larger\n")
        sys.stdout.flush()

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(work, chosen))
    fixes = load_fixes()
    for half in ("A", "B"):
        of_half = [fix for fix in fixes if fix.half == half]
        small = sum(fix.is_small for fix in of_half)
        names = len({fix.repository for fix in of_half})
        sys.stdout.write(
            f"half {half}: {small} small and {len(of_half) - small} larger fixes "
            f"of {names} libraries\n"
        )
    return 0


def mined(clone: Clone, library: Library, options: argparse.Namespace) -> Iterator[Fix]:
    """Give the cases of one library as they are found, the newest first."""
    kept = _load(options.cache / "mined" / f"{library.repository.replace('/', '+')}.jsonl")
    small = large = 0
    for change in changes(clone, library):
        is_small = change.lines <= REACH_LINES
        if (small >= options.small) if is_small else (large >= options.large):
            continue
        if change.commit not in kept.tried:
            if len(kept.tried) >= options.run:
                return
            try:
                kept.note(change.commit, verified(clone, library, change, options.cache))
            except EnvironmentUnusable as unusable:
                sys.stderr.write(f"{library.repository} {change.commit[:10]}: {unusable}\n")
                continue
        fix = kept.tried[change.commit]
        if fix is not None:
            small, large = small + is_small, large + (not is_small)
            yield fix
        if small >= options.small and large >= options.large:
            return


def verified(clone: Clone, library: Library, change: Change, cache: Path) -> Fix | None:
    """Return the case if its tests tell the two versions apart; None where they do not.

    Raises: EnvironmentUnusable.
    """
    python = interpreter_for(change.year)
    requirements = requirements_for(library, change.year)
    installed = environment(cache, python, requirements)
    tree = cache / "mining" / library.repository.replace("/", "+")
    lay_out(clone, change.commit, tree, installed, library.package, old=change.sources)
    if change.names and _run(tree, change.names).is_green:
        return None  # by far the most: their tests do not need the change
    before = _run(tree, change.tests)
    broken_files = [test for test in before.failed if "::" not in test]
    if not before.failed or broken_files or not before.passed or before.status != 1:
        return None
    write_out(clone, change.commit, tree)
    after = _run(tree, change.tests)
    failing = tuple(sorted(before.failed & after.passed))
    if not after.is_green or not failing or before.failed - after.passed:
        return None
    suite = change.tests
    if library.whole_suite:
        whole = run_tests(tree, (), timeout_s=SUITE_S)
        is_whole = whole.status in {0, 1} and all("::" in test for test in whole.failed)
        if is_whole and after.passed <= whole.passed:
            suite = ()
    return Fix(
        repository=library.repository,
        commit=change.commit,
        lines=change.lines,
        failing=failing if len(failing) <= MOST_IDS else (),
        files=change.tests,
        suite=suite,
        python=python,
        requirements=requirements,
    )


def _run(tree: Path, paths: Sequence[str]) -> Ran:
    ran = run_tests(tree, paths)
    if not ran.is_over:
        raise EnvironmentUnusable(f"the tests did not end in {TIMEOUT_S} s")
    return ran


def _load(file: Path) -> _Kept:
    file.parent.mkdir(parents=True, exist_ok=True)
    tried: dict[str, Fix | None] = {}
    if file.exists():
        for line in file.read_text("utf-8").splitlines():
            record = json.loads(line)
            fix = record["fix"]
            tried[record["commit"]] = fix_of(fix) if fix else None
    return _Kept(file, tried)


def _merge(repository: str, found: Sequence[Fix]) -> None:
    known = load_fixes() if FIXES.exists() else ()
    save_fixes([*(fix for fix in known if fix.repository != repository), *found])


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.repair mine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clones", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", action="append", metavar="NAME", help="part of owner/name")
    parser.add_argument("--small", type=int, default=SMALL, metavar="N", help="of each library")
    parser.add_argument("--large", type=int, default=LARGE, metavar="N", help="of each library")
    parser.add_argument("--run", type=int, default=MOST_RUN, metavar="N", help="of each library")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="libraries at a time")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR")
    return parser.parse_args(arguments)
