"""Draws a run in place on a terminal: the phases, and below the search what each model does."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agent.cli.lane_picture import LanePicture, Signs
from agent.cli.search_picture import search_picture
from agent.events import AttemptEvent, Event, Notice
from agent.telling.board import Board, Step
from agent.telling.lines import tell
from agent.telling.wording import clean, duration, one_line

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.table import Table


class LiveProgress:
    """A few lines that are drawn again while things change; stays on screen at the end."""

    def __init__(
        self,
        console: "Console",
        now_s: Callable[[], float],
        *,
        unicode: bool,
        detail: int = 0,
    ) -> None:
        from rich.spinner import Spinner

        self._console = console
        self._now_s = now_s
        self._detail = detail
        self._board = Board()
        spinner = Spinner("dots" if unicode else "line", style="cyan")
        self._signs = Signs(unicode=unicode, spinner=spinner)
        self._lanes = LanePicture(console, self._signs, detail=detail)

    def recall(self, events: Sequence[Event]) -> None:
        """Take in what a model did before the run was interrupted."""
        for event in events:
            if isinstance(event, AttemptEvent):
                self._board.apply(event, self._now_s())

    def show(self, event: Event) -> None:
        """Bring the picture up to date; notices go above it and stay."""
        self._board.apply(event, self._now_s())
        if isinstance(event, Notice):
            self._say(one_line(event.text), "yellow" if event.level == "warning" else "dim")
        elif isinstance(event, AttemptEvent) and self._detail:
            for line in tell(event, self._board.lanes[event.attempt], self._detail):
                self._say(line, "dim" if line.lstrip().startswith(("|", "thinks:")) else "")

    def tick(self) -> None:
        """Nothing to do: the picture is drawn several times a second anyway."""

    def say(self, text: str) -> None:
        """Print a line above the picture."""
        self._say(clean(text), "yellow")

    def _say(self, text: str, style: str) -> None:
        from rich.text import Text

        self._console.print(Text(self._signs.spelled(text), style))

    def __rich__(self) -> "Group":
        """Return the picture of this moment."""
        from rich.console import Group
        from rich.text import Text

        now_s = self._now_s()
        parts: list[RenderableType] = [
            Text(self._signs.spelled(self._board.title or "starting"), "bold", no_wrap=True)
        ]
        table = self._table()
        for step in self._board.steps.values():
            table.add_row(*self._row(step, now_s))
            if step.phase != "search":
                continue
            if self._board.lanes:
                lanes = [self._board.lanes[number] for number in sorted(self._board.lanes)]
                parts += [table, *self._lanes.draw(lanes, now_s, is_over=step.is_done)]
                table = self._table()
            elif step.is_running:
                for part in search_picture(self._board, self._signs):
                    table.add_row("", "", "", part)
        return Group(*parts, table)

    def _table(self) -> "Table":
        from rich.table import Table

        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True, min_width=len("environment"))
        table.add_column(no_wrap=True, justify="right", min_width=8)
        table.add_column(overflow="fold", ratio=1)
        return table

    def _row(self, step: Step, now_s: float) -> "tuple[RenderableType, ...]":
        from rich.text import Text

        elapsed = duration(step.elapsed_s(now_s))
        detail = self._signs.spelled(step.detail)
        if step.is_running:
            return self._signs.spinner, Text(step.phase, "cyan"), Text(elapsed), Text(detail)
        if step.is_done:
            mark = Text(self._signs.done, "green")
            return mark, Text(step.phase), Text(elapsed, "dim"), Text(detail, "dim")
        return "", Text(step.phase, "dim"), "", ""
