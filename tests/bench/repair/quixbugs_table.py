"""Figures over all programs, and the floors that they are held against."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from tests.bench.repair.quixbugs_runs import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What a whole measurement has to reach."""

    right: int
    """Of 40: what is proposed passes every case."""
    precision: float = 0.97
    """Share of right ones among those called likely."""
    median_s: float = 1.0
    """To the first plausible patch, after the baseline."""
    p90_s: float = 5.0


FLOORS: Final[Mapping[str, Floor]] = {"whole": Floor(right=38), "half": Floor(right=36)}
TITLES: Final = {"whole": "all cases seen", "half": "half of the cases hidden"}


def summary_table(outcomes: Mapping[str, Sequence[Outcome]]) -> Table:
    """Return the figures of each way, side by side."""
    table = Table(title="QuixBugs, Python")
    table.add_column("")
    for way in outcomes:
        table.add_column(TITLES[way], justify="right")
    rows = {way: figures(found) for way, found in outcomes.items()}
    for name in next(iter(rows.values())):
        table.add_row(name, *(each[name] for each in rows.values()))
    return table


def figures(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Return every figure as it is shown, by its name."""
    count = len(outcomes)
    likely = [each for each in outcomes if each.is_plausible and each.label == "likely"]
    times = first_times(outcomes)
    top5 = sum(0 < each.right_rank <= 5 for each in outcomes)
    published = sum(each.is_plausible and each.options[0].is_published for each in outcomes)
    tried = [each.tried for each in outcomes if each.tried]
    return {
        "programs": str(count),
        "a patch is proposed": str(sum(each.is_plausible for each in outcomes)),
        "first: passes every case": str(sum(each.is_right for each in outcomes)),
        "first: and equal on random inputs": str(sum(each.is_equal for each in outcomes)),
        "first: the published fix": str(published),
        "one of five passes every case": str(top5),
        "called likely": str(len(likely)),
        "of these, right": _of(sum(each.is_right for each in likely), len(likely)),
        "of these, equal on random inputs": _of(sum(each.is_equal for each in likely), len(likely)),
        "seconds to the first, median": _seconds(times, 0.5),
        "seconds to the first, 90 %": _seconds(times, 0.9),
        "edits tried, median": str(round(statistics.median(tried))) if tried else "-",
        "seconds for the whole run, median": _seconds([each.whole_s for each in outcomes], 0.5),
    }


def floors_missed(outcomes: Mapping[str, Sequence[Outcome]]) -> list[str]:
    """Return a line for each floor that is not reached."""
    lines = []
    for way, found in outcomes.items():
        floor = FLOORS[way]
        likely = [each for each in found if each.is_plausible and each.label == "likely"]
        right = sum(each.is_right for each in found)
        precision = sum(each.is_right for each in likely) / len(likely) if likely else 0.0
        times = first_times(found)
        for name, measured, wanted, reached in (
            ("right", float(right), float(floor.right), right >= floor.right),
            ("likely and right", precision, floor.precision, precision >= floor.precision),
            (
                "median seconds",
                quantile(times, 0.5),
                floor.median_s,
                quantile(times, 0.5) <= floor.median_s,
            ),
            (
                "90 % seconds",
                quantile(times, 0.9),
                floor.p90_s,
                quantile(times, 0.9) <= floor.p90_s,
            ),
        ):
            if not reached:
                lines.append(f"{TITLES[way]}: {name} {measured:.3g}, the floor is {wanted:g}")
    return lines


def each_table(outcomes: Sequence[Outcome], way: str) -> Table:
    """Return a line for each program."""
    table = Table(title=f"QuixBugs, {TITLES[way]}")
    for name in (
        "program",
        "seen",
        "label",
        "right",
        "equal",
        "rank",
        "others",
        "tried",
        "first s",
    ):
        table.add_column(name, justify="left" if name in {"program", "label"} else "right")
    for each in outcomes:
        table.add_row(
            each.program,
            f"{each.shown}/{each.cases}",
            each.label or each.verdict,
            "yes" if each.is_right else "no",
            "yes" if each.is_equal else "no",
            str(each.right_rank or "-"),
            str(each.alternatives - 1 if each.alternatives else "-"),
            str(each.tried),
            "-" if each.first_s is None else f"{each.first_s:.2f}",
        )
    return table


def first_times(outcomes: Sequence[Outcome]) -> list[float]:
    """Return the seconds to the first plausible patch, for all; without one it is infinite."""
    return [float("inf") if each.first_s is None else each.first_s for each in outcomes]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies, one of them; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _seconds(values: Sequence[float], share: float) -> str:
    return f"{quantile(values, share):.2f}"


def _of(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "-"
