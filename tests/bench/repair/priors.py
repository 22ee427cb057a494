"""`python -m tests.bench.repair priors --clones DIR --write`: which edits are right how often.

Reads small fixes out of the histories of clones, draws at the statements that each changed whatever
the templates draw, and notes which drawing is the fix; runs no test. From that it learns by what
the priors set by hand are multiplied, a template at a time, and says how far the right edit comes
forward by it in repositories that it did not learn from. Also tells how many small fixes are one
edit away at all, and what the others look like. Of the libraries of the mined fixes only half A is
read.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from subprocess import CalledProcessError
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.places.clones import Clone, find_clones
from tests.bench.repair.priors_draws import Example, Key, example
from tests.bench.repair.priors_history import small_fixes
from tests.bench.repair.priors_model import Ranks, blended, counted, held_out, learn, ranks
from tests.bench.repair.priors_shapes import clusters

DATA: Final = Path(__file__).parents[3] / "agent" / "repair" / "data" / "priors.json"
POWERS: Final = (1.0, 0.75, 0.5, 0.25)
"""How far what was learnt is believed; the best one on repositories not learnt from is taken."""
FEWEST: Final = 50
"""Fixes within reach below which nothing is written."""


def main(arguments: Sequence[str]) -> int:
    """Learn, print, and write where asked; return 1 where there was too little to learn from."""
    options = _options(arguments)
    console = Console(width=options.width)
    clones = [
        clone
        for folder in options.clones
        for name, clone in sorted(find_clones(folder).items())
        if not options.only or any(part in name for part in options.only)
    ]
    if not clones:
        sys.stderr.write("No clone was found; --clones takes a folder that holds bare clones.\n")
        return 2
    examples = sorted(
        gathered(clones, options.most, options.jobs, console),
        key=lambda each: (each.repository, each.commit),
    )
    reached = [each for each in examples if each.right is not None]
    console.print(_reach_table(examples))
    if options.shapes:
        _tell_shapes(examples, options.shapes, console)
    if len(reached) < FEWEST:
        console.print(f"only {len(reached)} fixes are one edit away: too few to learn from")
        return 1
    by_hand = ranks(reached, {})
    found = {power: held_out(reached, power) for power in POWERS}
    power = max(found, key=lambda each: found[each].reciprocal)
    is_better = found[power].reciprocal > by_hand.reciprocal
    power = power if is_better else 0.0
    factors = blended(learn(reached), power)
    shown = {f"learnt, to the power of {each}": place for each, place in found.items()}
    console.print(_rank_table({"by hand": by_hand, **shown}))
    console.print(_factor_table(examples, factors))
    if options.write:
        best = found.get(power, by_hand)
        DATA.write_text(_as_json(examples, factors, power, by_hand, best) + "\n")
        console.print(f"written: {DATA}")
    return 0


def gathered(clones: Sequence[Clone], most: int, jobs: int, console: Console) -> Iterator[Example]:
    """Give the examples of every clone, so many fixes of each."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for clone, found in zip(clones, pool.map(partial(_examples, most), clones), strict=True):
            reached = sum(each.right is not None for each in found)
            console.print(f"[dim]{clone.name}: {reached} of {len(found)} within reach[/dim]")
            yield from found


def _examples(most: int, clone: Clone) -> list[Example]:
    """Return what can be read of a clone; one without all of its files gives nothing.

    A fix that was carried over to other branches counts once.
    """
    try:
        found = map(example, small_fixes(clone, most=most))
        once = {(each.old, each.new): each for each in found if each is not None}
        return list(once.values())
    except CalledProcessError:
        return []


def _reach_table(examples: Sequence[Example]) -> Table:
    table = Table(title="fixes of at most three lines: which are one edit away")
    for name in ("repository", "fixes", "within reach", "with tests", "within reach"):
        table.add_column(name, justify="left" if name == "repository" else "right")
    names = sorted({each.repository for each in examples})
    for name in [*names, ""]:
        own = [each for each in examples if name in {"", each.repository}]
        tested = [each for each in own if each.is_tested]
        table.add_row(name or "all", *_share(own), *_share(tested), end_section=name == names[-1])
    return table


def _share(examples: Sequence[Example]) -> tuple[str, str]:
    reached = sum(each.right is not None for each in examples)
    share = f"{reached} ({reached / len(examples):.0%})" if examples else "-"
    return str(len(examples)), share


def _tell_shapes(examples: Sequence[Example], most: int, console: Console) -> None:
    console.print("\nfixes that no single edit gives, by what changes:")
    for name, count, found in clusters(examples, most):
        console.print(f"\n{count} of the shape: {name}", markup=False, highlight=False)
        for each in sorted(found, key=lambda one: not one.is_tested)[:3]:
            console.print(f"   {each.repository} {each.commit[:10]}", markup=False)
            for sign, text in (("-", each.old), ("+", each.new)):
                for line in text.decode("utf-8", "replace").splitlines()[:4]:
                    console.print(f"     {sign} {line.strip()}", markup=False, highlight=False)


def _rank_table(rows: dict[str, Ranks]) -> Table:
    count = len(next(iter(rows.values())).places)
    table = Table(title=f"place of the right edit among those drawn beside it, {count} fixes")
    for name in ("priors", "median", "mean of 1/place", "first", "first 5", "first 20"):
        table.add_column(name, justify="left" if name == "priors" else "right")
    for name, each in rows.items():
        table.add_row(
            name,
            f"{each.middle:g}",
            f"{each.reciprocal:.3f}",
            *(f"{each.within(place):.0%}" for place in (1, 5, 20)),
        )
    return table


def _factor_table(examples: Sequence[Example], factors: dict[Key, float]) -> Table:
    table = Table(title="what was learnt")
    for name in ("template", "detail", "drawn", "right", "factor"):
        table.add_column(name, justify="left" if name in {"template", "detail"} else "right")
    for (template, detail), drawn, right, factor in _rows(examples, factors):
        table.add_row(template, detail, str(drawn), str(right), f"{factor:.2f}")
    return table


def _rows(
    examples: Sequence[Example], factors: dict[Key, float]
) -> list[tuple[Key, int, int, float]]:
    """Return counts and factor of each template, and of each detail with a factor of its own."""
    drawn: dict[Key, int] = {}
    right: dict[Key, int] = {}
    for (template, detail), count, fixes in counted(examples):
        for key in {(template, ""), (template, detail)}:
            drawn[key] = drawn.get(key, 0) + count
            right[key] = right.get(key, 0) + fixes
    return [(key, drawn[key], right[key], factors[key]) for key in sorted(factors) if key in drawn]


def _as_json(
    examples: Sequence[Example],
    factors: dict[Key, float],
    power: float,
    by_hand: Ranks,
    learnt: Ranks,
) -> str:
    templates: dict[str, dict[str, object]] = {}
    details: dict[str, dict[str, object]] = {}
    for (template, detail), drawn, right, factor in _rows(examples, factors):
        known: dict[str, object] = {"drawn": drawn, "right": right, "factor": round(factor, 3)}
        if detail:
            details.setdefault(template, {})[detail] = known
        else:
            templates[template] = known
    for template, each in details.items():
        templates[template]["details"] = each
    names = sorted({each.repository for each in examples})
    about = {
        "what": "A prior set by hand is multiplied by the factor of its template and detail. Drawn "
        "and right: edits at the changed statements of small fixes, and those that were the fix.",
        "command": "python -m tests.bench.repair priors --clones DIR --write",
        "date": datetime.now(UTC).date().isoformat(),
        "fixes": len(examples),
        "within_reach": sum(each.right is not None for each in examples),
        "believed_to_the_power_of": power,
        "mean_reciprocal_place": {
            "by_hand": round(by_hand.reciprocal, 4),
            "learnt_from_other_repositories": round(learnt.reciprocal, 4),
        },
        "repositories": {name: sum(each.repository == name for each in examples) for name in names},
    }
    return json.dumps({"about": about, "templates": templates}, indent=1, sort_keys=False)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.repair priors", description=__doc__
    )
    parser.add_argument("--clones", type=Path, required=True, action="append", metavar="DIR")
    parser.add_argument("--only", action="append", metavar="NAME", help="part of owner/name")
    parser.add_argument("--most", type=int, default=400, metavar="N", help="fixes a repository")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--shapes", type=int, default=0, metavar="N", help="kinds out of reach")
    parser.add_argument("--write", action="store_true", help="write the data file of the product")
    parser.add_argument("--width", type=int, default=110, metavar="COLUMNS")
    return parser.parse_args(arguments)
