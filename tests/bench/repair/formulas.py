"""Compare formulas of suspicion by where they put the statements that the real fix changed.

For each mined fix the tests run once under the product's own survey; what they ran is kept, and
every formula ranks the same lines. Printed are the rank of the first statement that the fix
changed, how often it is among the first few, and how much a search tries before it comes to the
right edit there (see `formulas_work`).
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from math import exp, inf, log
from pathlib import Path
from statistics import fmean, median
from typing import Final

from rich.console import Console
from rich.table import Table

from agent.edits.diff import split_lines
from agent.errors import AgentError
from agent.repair.formulas import FORMULAS, Formula, dstar
from agent.repair.lang import grammar_for
from agent.repair.lang.base import Grammar
from agent.repair.locate import LONG_UNCHANGED, Line, boosted, suspicions
from agent.repair.recent import FRESHNESS, changed_lines, freshness_of
from agent.repair.suspects import suspects
from agent.repo.languages import language_of
from agent.task import RepoPath
from tests.bench.places.clones import Clone, find_clones
from tests.bench.repair.cases import Fix, load_fixes
from tests.bench.repair.environments import EnvironmentUnusable
from tests.bench.repair.formulas_work import Placed, placed
from tests.bench.repair.score import sources_of
from tests.bench.repair.spectra import NotMeasured, Spectrum, kept_file, spectrum

ROOT: Final = Path(__file__).parents[3]
FIRST: Final = (1, 5, 10, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A case with what its tests run and what its fix changed."""

    case: Fix
    clone: Clone
    seen: Spectrum
    changed: Mapping[RepoPath, frozenset[int]]
    """Lines of the state before the fix."""

    def read(self, path: RepoPath) -> bytes | None:
        """Return a file as it was when the tests failed."""
        commit = f"{self.case.commit}^" if path in self.changed else self.case.commit
        return _file_at(self.clone, commit, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to rank."""

    name: str
    formula: Formula = dstar
    with_frames: bool = True
    history: str = ""
    """`commits`: the repository's last commits count; `broken`: the fix is what was committed, and
    what it mends was just typed; empty: nothing is recent."""
    unchanged: float = LONG_UNCHANGED


WAYS: Final = (
    *(
        Way(name=f"{name}, no traceback", formula=f, with_frames=False)
        for name, f in FORMULAS.items()
    ),
    *(Way(name=name, formula=formula) for name, formula in FORMULAS.items()),
    *(
        Way(name=f"{told}, rest at {share}", history=history, unchanged=share)
        for history, told in (("commits", "D*, last commits"), ("broken", "D*, just typed"))
        for share in (0.8, 0.6, 0.4)
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Measure what is not kept yet and print the table; return 1 where nothing could be."""
    options = _options(arguments)
    console = Console(width=options.width)
    found = list(_measured(options))
    if not found:
        console.print("nothing measured: no mined case has a clone below --clones")
        return 1
    places = {way.name: [place(one, way) for one in found] for way in WAYS}
    console.print(table(places, f"half {options.half}: {len(found)} fixes"))
    if options.json:
        record = {name: [asdict(each) for each in all_] for name, all_ in places.items()}
        options.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    if options.each and options.half == "A":
        for at, one in enumerate(found):
            told = "  ".join(f"{places[way.name][at].rank:g}" for way in WAYS)
            console.print(f"{one.case.key:<30} {told}", highlight=False)
    return 0


def table(places: Mapping[str, Sequence[Placed]], title: str) -> Table:
    """Return a row for each way to rank."""
    shown = Table(title=title)
    shown.add_column("formula")
    shown.add_column("median rank", justify="right")
    for first in FIRST:
        shown.add_column(f"first {first}", justify="right")
    for name in ("not at all", "tried before: median", "mean"):
        shown.add_column(name, justify="right")
    for name, each in places.items():
        shares = (sum(one.rank <= first for one in each) for first in FIRST)
        cells = [f"{100 * count / len(each):.0f} %" for count in shares]
        work = [one.work for one in each if one.work < inf]
        mean = f"{exp(fmean(map(log, work))):.1f}" if work else "-"
        middle = median(one.work for one in each)
        lost = str(len(each) - len(work))
        rank = median(one.rank for one in each)
        shown.add_row(name, f"{rank:g}", *cells, lost, f"{middle:.1f}", mean)
    return shown


def place(one: Measured, way: Way) -> Placed:
    """Return where a way to rank puts the most suspicious statement that the fix changed."""
    traces = one.seen.traces
    if not way.with_frames:
        traces = tuple(replace(trace, errors=()) for trace in traces)
    found = suspicions(traces, frozenset(one.seen.paths).__contains__, formula=way.formula)
    found = boosted(found, _recent(one, way.history), unchanged=way.unchanged)
    ranking = suspects(found, one.read, one.seen.paths, _grammar, one.seen.words)
    right = [
        suspect.score
        for suspect in ranking
        if one.changed.get(suspect.source.path, frozenset()).intersection(
            range(suspect.region.first_row + 1, suspect.region.last_row + 2)
        )
    ]
    return placed([suspect.score for suspect in ranking], right)


def _recent(one: Measured, history: str) -> dict[Line, float]:
    fresh: dict[Line, float] = {}
    for path in {path for trace in one.seen.traces if not trace.passed for path in trace.lines}:
        now = one.read(path) if history and path in one.seen.paths else None
        if now is not None:
            past = _past(one, path, history)
            fresh.update({(path, line): how for line, how in freshness_of(now, past).items()})
    return fresh


def _past(one: Measured, path: RepoPath, history: str) -> dict[int, bytes | None]:
    if history == "broken":
        return {0: _file_at(one.clone, one.case.commit, path)}
    commit = f"{one.case.commit}^"
    return {ago: _file_at(one.clone, f"{commit}~{ago}", path) for ago in FRESHNESS if ago}


def _measured(options: argparse.Namespace) -> Iterator[Measured]:
    clones = find_clones(options.clones)
    cases = [case for case in load_fixes() if case.half == options.half]
    if options.only:
        cases = [case for case in cases if any(name in case.key for name in options.only)]
    for case in cases:
        if (clone := clones.get(case.repository)) is None or (options.small and not case.is_small):
            continue
        if options.report and not kept_file(options.cache, case).exists():
            continue
        told = case.key if case.half == "A" else "a case of half B"
        try:
            seen = spectrum(clone, case, options.cache, again=options.again)
        except (NotMeasured, EnvironmentUnusable, AgentError) as error:
            sys.stderr.write(f"{told}: left out: {error}\n")
            continue
        sys.stderr.write(f"{told}: {len(seen.traces)} tests\n")
        yield Measured(case=case, clone=clone, seen=seen, changed=_changed(clone, case))


def _changed(clone: Clone, case: Fix) -> dict[RepoPath, frozenset[int]]:
    """Return the lines that the fix took out or put something beside, by file."""
    found: dict[RepoPath, frozenset[int]] = {}
    for path in sources_of(clone, case):
        old, new = (clone.file_at(each, path) or b"" for each in (f"{case.commit}^", case.commit))
        found[RepoPath(path)] = frozenset(changed_lines(split_lines(new), split_lines(old)))
    return found


@cache
def _file_at(clone: Clone, commit: str, path: RepoPath) -> bytes | None:
    return clone.file_at(commit, path)


def _grammar(path: RepoPath) -> Grammar | None:
    language = language_of(path)
    return None if language is None else grammar_for(language)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.repair formulas",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clones", type=Path, required=True, metavar="DIR")
    parser.add_argument("--half", choices=("A", "B"), default="A")
    parser.add_argument("--only", action="append", metavar="NAME", help="part of library@commit")
    parser.add_argument("--small", action="store_true", help="fixes of at most three lines alone")
    parser.add_argument("--each", action="store_true", help="the ranks of every case of half A")
    parser.add_argument(
        "--again", action="store_true", help="forget what the tests were seen to run"
    )
    parser.add_argument("--report", action="store_true", help="only cases that are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the places, without names")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "repair", metavar="DIR")
    parser.add_argument("--width", type=int, default=120, metavar="COLUMNS")
    return parser.parse_args(arguments)
