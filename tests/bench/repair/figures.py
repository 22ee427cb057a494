"""The figures of many outcomes: by library and in total, as shares with their counts."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from tests.bench.repair.readings import Judged, Reading
from tests.bench.repair.score import Outcome

Readings = Mapping[tuple[str, str], Reading]
RIGHT = frozenset({Judged.RIGHT, Judged.EQUIVALENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts over small fixes, or over those out of reach."""

    cases: int
    unmeasured: int
    """The tests could not be run, or the run did not end."""
    suggested: int
    """A patch stood the gate."""
    first_right: int
    five_right: int
    """A right one is among the first five."""
    likely: int
    likely_right: int
    likely_acceptable: int
    unread: int
    """First patches of which nobody knows whether they are right; counted as not right."""
    first_s: float | None
    """Median over what was suggested."""


def figures(outcomes: Sequence[Outcome], readings: Readings) -> Figures:
    """Count."""
    ranks = [outcome.right_rank(readings) for outcome in outcomes]
    likely = [outcome for outcome in outcomes if outcome.is_likely]
    firsts = [_first(outcome, readings) for outcome in outcomes]
    of_likely = [_first(outcome, readings) for outcome in likely]
    seconds = [outcome.first_s for outcome in outcomes if outcome.offered and outcome.first_s]
    return Figures(
        cases=len(outcomes),
        unmeasured=sum(o.verdict in {"error", "timeout", "infrastructure"} for o in outcomes),
        suggested=sum(bool(outcome.offered) for outcome in outcomes),
        first_right=sum(judged in RIGHT for judged in firsts),
        five_right=sum(rank is not None and rank <= 5 for rank in ranks),
        likely=len(likely),
        likely_right=sum(judged in RIGHT for judged in of_likely),
        likely_acceptable=sum(judged is Judged.ACCEPTABLE for judged in of_likely),
        unread=sum(bool(o.offered) and _first(o, readings) is None for o in outcomes),
        first_s=statistics.median(seconds) if seconds else None,
    )


def _first(outcome: Outcome, readings: Readings) -> Judged | None:
    return outcome.judged(outcome.offered[0], readings) if outcome.offered else None


def reach_table(outcomes: Sequence[Outcome], readings: Readings, title: str) -> Table:
    """Return what was found of the small fixes, a row for each library and one for all."""
    table = Table(title=title, title_justify="left")
    table.add_column("library")
    for heading in (
        "fixes",
        "suggested",
        "first right",
        "right in 5",
        "likely",
        "likely right",
        "likely wrong",
        "unread",
        "median s",
    ):
        table.add_column(heading, justify="right")
    names = sorted({outcome.repository for outcome in outcomes}, key=str.lower)
    for name in names:
        of_name = [outcome for outcome in outcomes if outcome.repository == name]
        table.add_row(name.partition("/")[2], *_cells(figures(of_name, readings)))
    table.add_section()
    total = figures(outcomes, readings)
    table.add_row("all", *_cells(total))
    table.add_row(
        "",
        "",
        _share(total.suggested, total.cases),
        _share(total.first_right, total.cases),
        _share(total.five_right, total.cases),
        "",
        _share(total.likely_right, total.likely),
        "",
        "",
        "",
    )
    return table


def silence_lines(outcomes: Sequence[Outcome], readings: Readings, title: str) -> list[str]:
    """Tell how often nothing was suggested for fixes that are out of reach."""
    found = figures(outcomes, readings)
    measured = found.cases - found.unmeasured
    silent = measured - found.suggested
    calm = measured - found.likely
    right = found.first_right
    return [
        f"{title}: {measured} fixes of 4 to 25 lines",
        f"  no suggestion       {silent:>3}  {_share(silent, measured)}",
        f"  none called likely  {calm:>3}  {_share(calm, measured)}",
        f"  suggested and right {right:>3}, likely and right {found.likely_right}",
    ]


def as_json(outcomes: Sequence[Outcome], readings: Readings) -> dict[str, object]:
    """Return the figures for a program; no single case."""
    small = [outcome for outcome in outcomes if outcome.is_small]
    large = [outcome for outcome in outcomes if not outcome.is_small]
    return {
        "small": asdict(figures(small, readings)),
        "out_of_reach": asdict(figures(large, readings)),
    }


def _cells(found: Figures) -> list[str]:
    counts = (
        found.cases,
        found.suggested,
        found.first_right,
        found.five_right,
        found.likely,
        found.likely_right,
        found.likely - found.likely_right,
        found.unread,
    )
    seconds = "-" if found.first_s is None else f"{found.first_s:.1f}"
    return [*map(str, counts), seconds]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"
