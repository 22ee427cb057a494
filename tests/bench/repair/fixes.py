"""`python -m tests.bench.repair fixes --clones DIR`: how many real bugs does the product fix?

Every case is laid out as its commit with the code of the parent, and `greenloop fix` is run on it
in a sandbox, as a user would. A patch is right if it parses as the real fix does, or if the fix's
test files pass and whoever read it found it to be (data/readings.jsonl); what nobody read counts as
not right. Half A may be looked at; of half B only figures are told, unless `--reveal` ends its use.
What was measured is kept below the cache: an interrupted run goes on.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.bench.places.clones import Clone, find_clones
from tests.bench.repair.cases import Fix, load_fixes
from tests.bench.repair.drawn import template_of
from tests.bench.repair.environments import EnvironmentUnusable
from tests.bench.repair.figures import Readings, as_json, reach_table, silence_lines
from tests.bench.repair.mine import CACHE
from tests.bench.repair.readings import load_readings
from tests.bench.repair.score import (
    Outcome,
    load_outcome,
    measure,
    save_outcome,
    sources_of,
)

ROOT: Final = Path(__file__).parents[3]
BUDGET_S: Final = 30.0


def main(arguments: Sequence[str]) -> int:
    """Measure what is not kept yet and print; return 1 where no case could be measured."""
    options = _options(arguments)
    clones = find_clones(options.clones)
    chosen = [
        case
        for case in load_fixes()
        if options.half in {"all", case.half}
        and options.reach in {"all", "small" if case.is_small else "large"}
        and (not options.only or any(name in case.key for name in options.only))
    ]
    missing = sorted({case.repository for case in chosen} - set(clones))
    console = Console(width=options.width)
    if missing:
        console.print(f"left out, no clone below {options.clones}: {', '.join(missing)}")
    chosen = [case for case in chosen if case.repository in clones]
    outcomes = measured(chosen, clones, options)
    readings = load_readings()
    told = [each for each in outcomes if options.reveal or each.half == "A"]
    for half in ("A", "B") if options.half == "all" else (options.half,):
        _print(console, f"half {half}", [o for o in outcomes if o.half == half], readings)
    if options.half == "all":
        _print(console, "both halves", outcomes, readings)
    for line in ceiling(chosen, clones, options) if options.drawn else ():
        console.print(line, markup=False, highlight=False)
    for line in misses(told, clones, readings) if options.misses else ():
        console.print(line, markup=False, highlight=False)
    for line in read_table(told, readings) if options.read else ():
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if options.to_read:
        options.to_read.write_text("\n".join(to_read(told, clones, readings)) + "\n", "utf-8")
    if options.json:
        cases = [asdict(each) for each in told]
        record = {"figures": as_json(outcomes, readings), "cases": cases}
        options.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    return 0 if outcomes else 1


def measured(
    cases: Sequence[Fix], clones: Mapping[str, Clone], options: argparse.Namespace
) -> list[Outcome]:
    """Return the outcomes of all cases, those that are kept without a run."""
    kept = options.cache / "results" / options.kept
    if not options.report:
        todo = [case for case in cases if options.again or not (kept / f"{case.key}.json").exists()]
        with ThreadPoolExecutor(options.jobs) as pool:
            started = time.monotonic()
            runs = [
                pool.submit(_measure, clones[case.repository], case, kept, options) for case in todo
            ]
            try:
                for count, run in enumerate(as_completed(runs), 1):
                    wall_s = time.monotonic() - started
                    sys.stderr.write(f"{count}/{len(runs)} {wall_s:.0f} s  {run.result()}\n")
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                sys.stderr.write("interrupted; the same command goes on where it stopped\n")
    outcomes = [load_outcome(kept / f"{case.key}.json") for case in cases]
    return [outcome for outcome in outcomes if outcome is not None]


def _measure(clone: Clone, case: Fix, kept: Path, options: argparse.Namespace) -> str:
    try:
        outcome = measure(
            clone,
            case,
            product=options.product,
            budget_s=options.budget_s,
            cache=options.cache,
            place=options.kept,
        )
    except EnvironmentUnusable as unusable:
        return f"{case.key}: {unusable}"
    if outcome.verdict == "interrupted":
        return "interrupted"
    save_outcome(outcome, kept / f"{case.key}.json")
    if case.half == "B" and not options.reveal:
        return "a case of half B"
    return f"{case.key}: {outcome.verdict} {outcome.confidence}, {outcome.tried} tried"


def ceiling(
    cases: Sequence[Fix], clones: Mapping[str, Clone], options: argparse.Namespace
) -> Iterator[str]:
    """Tell for how many small fixes the search would draw the real one, wherever it looks."""
    for half in ("A", "B"):
        small = [each for each in cases if each.is_small and each.half == half]
        found = {each.key: template_of(clones[each.repository], each) for each in small}
        if small:
            count = sum(bool(name) for name in found.values())
            yield f"half {half}: {count} of {len(small)} real fixes are one edit that is drawn"
        for key, name in found.items():
            if name and (half == "A" or options.reveal):
                yield f"  {key}: {name}"


def misses(
    outcomes: Sequence[Outcome], clones: Mapping[str, Clone], readings: Readings
) -> Iterator[str]:
    """Tell every small fix that was not found first, and every suggestion out of reach."""
    for outcome in outcomes:
        rank = outcome.right_rank(readings)
        if (outcome.is_small and rank == 1) or not (outcome.is_small or outcome.offered):
            continue
        yield f"\n=== {outcome.case}, {outcome.lines} lines: {outcome.verdict} {outcome.confidence}"
        yield f"    {outcome.tried} tried, {outcome.distinct} distinct, right: {rank or '-'}"
        yield f"    {outcome.message}"
        yield from _fix_text(clones[outcome.repository], outcome)
        for offer in outcome.offered:
            yield f"  {offer.rank}. {offer.confidence}, passes {offer.passes}: {offer.why[:200]}"


def read_table(outcomes: Sequence[Outcome], readings: Readings) -> Iterator[str]:
    """Tell in Markdown what the first patch of every case is, and of a right one behind it."""
    yield "| case | half | lines | label | first patch | why |"
    yield "|---|---|---|---|---|---|"
    for outcome in outcomes:
        if not outcome.offered:
            continue
        first = outcome.offered[0]
        judged = outcome.judged(first, readings)
        reading = readings.get((outcome.case, first.name))
        why = "the fix itself" if first.is_same else reading.why if reading else "fails its tests"
        rank = outcome.right_rank(readings)
        behind = f"; the right one is number {rank}" if rank and rank > 1 else ""
        yield (
            f"| {outcome.case} | {outcome.half} | {outcome.lines} | {outcome.confidence} "
            f"| {judged or 'not read'} | {why}{behind} |"
        )


def to_read(
    outcomes: Sequence[Outcome], clones: Mapping[str, Clone], readings: Readings
) -> Iterator[str]:
    """Tell every patch of which nothing is known, beside the fix."""
    for outcome in outcomes:
        unread = outcome.unread(readings)
        if unread:
            yield f"\n=== {outcome.case}, {outcome.lines} lines"
            yield from _fix_text(clones[outcome.repository], outcome)
        for offer in unread:
            yield f"  --- {outcome.case} {offer.name} rank {offer.rank} {offer.confidence}"
            yield from (f"  > {line}" for line in offer.patch.splitlines() if line)


def _fix_text(clone: Clone, outcome: Outcome) -> Iterator[str]:
    case = next(each for each in load_fixes() if each.key == outcome.case)
    commit = outcome.commit
    diff = clone.git("diff", f"{commit}^", commit, "--", *sources_of(clone, case))
    yield from (f"  | {line}" for line in diff.splitlines() if not line.startswith("index "))


def _print(console: Console, title: str, outcomes: list[Outcome], readings: Readings) -> None:
    small = [each for each in outcomes if each.is_small]
    large = [each for each in outcomes if not each.is_small]
    if small:
        names = len({each.repository for each in small})
        about = f"{title}: {len(small)} fixes of up to 3 lines from {names} libraries"
        console.print(reach_table(small, readings, about))
    for line in silence_lines(large, readings, f"{title}, out of reach") if large else ():
        console.print(line, markup=False, highlight=False)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.repair fixes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clones", type=Path, required=True, metavar="DIR")
    parser.add_argument("--half", choices=("A", "B", "all"), default="A")
    parser.add_argument("--reach", choices=("small", "large", "all"), default="all")
    parser.add_argument("--only", action="append", metavar="NAME", help="part of library@commit")
    parser.add_argument("--budget-s", type=float, default=BUDGET_S, metavar="N")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="cases at a time")
    parser.add_argument(
        "--product", type=Path, default=ROOT, metavar="DIR", help="the checkout that is measured"
    )
    parser.add_argument("--kept", default="now", metavar="NAME", help="what to keep this run as")
    parser.add_argument("--again", action="store_true", help="forget what is kept of it")
    parser.add_argument("--report", action="store_true", help="only print what is kept")
    parser.add_argument("--misses", action="store_true", help="tell every miss of half A")
    parser.add_argument("--drawn", action="store_true", help="tell how many are ever drawn")
    parser.add_argument("--read", action="store_true", help="tell what each first patch is")
    parser.add_argument("--to-read", type=Path, metavar="FILE", help="write patches nobody read")
    parser.add_argument("--reveal", action="store_true", help="and of half B: ends its use")
    parser.add_argument("--json", type=Path, metavar="FILE", help="figures, and cases of half A")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR")
    parser.add_argument("--width", type=int, default=120, metavar="COLUMNS")
    options = parser.parse_args(arguments)
    if (
        options.half == "B"
        and (options.misses or options.to_read or options.read)
        and not options.reveal
    ):
        parser.error("single cases of half B are not told: looked at, it is no check any more")
    return options
