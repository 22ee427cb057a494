"""Draws the offline search while it goes on: budget used, where it is, the best so far."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from agent.cli.diffs import changed_lines
from agent.cli.lane_picture import Signs
from agent.telling.board import Board
from agent.telling.wording import duration, one_line

if TYPE_CHECKING:
    from rich.console import RenderableType

BAR_COLUMNS: Final = 24
MOST_DIFF_LINES: Final = 4
_STYLES: Final = {"+": "green", "-": "red", " ": "", "\\": "dim"}


def search_picture(board: Board, signs: Signs) -> "Iterator[RenderableType]":
    """Yield a line or two of what the search knows; nothing while it knows nothing."""
    from rich.text import Text

    if board.budget_s:
        yield Text(
            signs.spelled(_budget(board, signs)), "dim", no_wrap=True, overflow=signs.overflow
        )
    if board.best:
        yield Text(signs.spelled(f"best: {board.best}"), "green")
    for sign, line in changed_lines(board.best_diff, files=1, lines=MOST_DIFF_LINES):
        if sign != "\\":
            shown = signs.spelled(f"{sign} {one_line(line)}")
            yield Text(shown, _STYLES[sign], no_wrap=True, overflow=signs.overflow)


def _budget(board: Board, signs: Signs) -> str:
    used = min(max(1 - board.left_s / board.budget_s, 0.0), 1.0)
    full = round(used * BAR_COLUMNS)
    mark, rest = ("█", "░") if signs.unicode else ("#", ".")
    bar = mark * full + rest * (BAR_COLUMNS - full)
    at = f" · at {board.trying}" if board.trying else ""
    return f"{bar} {duration(board.left_s)} left{at}"
