"""Shows a run while it goes on: drawn in place on a terminal, as plain lines elsewhere."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from agent.cli.board import Board, Step
from agent.cli.screen import Screen
from agent.cli.wording import clean, duration, one_line
from agent.events import (
    BaselineMeasured,
    BaseTaken,
    CandidateProposed,
    EnvironmentChosen,
    Event,
    Notice,
    PhaseStarted,
    RunStarted,
    StrategyGaveUp,
    VerdictReached,
)

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType

SIGN_OF_LIFE_S: Final = 5.0
"""Plain output says at least this often that something goes on."""

_TELLING = (
    BaseTaken
    | EnvironmentChosen
    | BaselineMeasured
    | CandidateProposed
    | VerdictReached
    | StrategyGaveUp
)
"""After these, the line of their phase is worth printing."""


class Progress(Protocol):
    """What a command tells about a run under way."""

    def show(self, event: Event) -> None:
        """Take in one event."""
        ...

    def tick(self) -> None:
        """Called every second or so, event or none."""
        ...

    def say(self, text: str) -> None:
        """Show one line besides."""
        ...


class PlainProgress:
    """One line for each thing worth knowing, and a sign of life."""

    def __init__(self, write: Callable[[str], None], now_s: Callable[[], float]) -> None:
        self._write = write
        self._now_s = now_s
        self._board = Board()
        self._last_s = now_s()

    def show(self, event: Event) -> None:
        """Print a line where the event is worth one."""
        self._board.apply(event, self._now_s())
        match event:
            case RunStarted():
                self._line(f"run {event.run}: {self._board.title}")
            case PhaseStarted():
                self._line(f"{event.phase} ...")
            case Notice():
                self._line(f"{event.level}: {one_line(event.text)}")
            case _ if isinstance(event, _TELLING):
                step = self._board.steps[_phase_of(event)]
                self._line(f"{step.phase}: {step.detail}")
            case _:
                self.tick()

    def tick(self) -> None:
        """Print where the current phase stands, after a while of silence."""
        step = self._board.steps.get(self._board.current)
        if step and step.is_running and self._now_s() - self._last_s >= SIGN_OF_LIFE_S:
            elapsed = duration(step.elapsed_s(self._now_s()))
            best = (
                f" · best: {self._board.best}"
                if step.phase == "search" and self._board.best
                else ""
            )
            self._line(f"{step.phase}: {step.detail or 'still going on'} ({elapsed}){best}")

    def say(self, text: str) -> None:
        """Print a line."""
        self._line(text)

    def _line(self, text: str) -> None:
        self._last_s = self._now_s()
        self._write(text)


class LiveProgress:
    """A few lines that are drawn again while things change; stays on screen at the end."""

    def __init__(self, console: "Console", now_s: Callable[[], float], *, unicode: bool) -> None:
        from rich.spinner import Spinner

        self._console = console
        self._now_s = now_s
        self._board = Board()
        self._done = "✓" if unicode else "+"
        self._spinner = Spinner("dots" if unicode else "line", style="cyan")

    def show(self, event: Event) -> None:
        """Bring the picture up to date; notices go above it and stay."""
        self._board.apply(event, self._now_s())
        if isinstance(event, Notice):
            self._say(one_line(event.text), "yellow" if event.level == "warning" else "dim")

    def tick(self) -> None:
        """Nothing to do: the picture is drawn several times a second anyway."""

    def say(self, text: str) -> None:
        """Print a line above the picture."""
        self._say(clean(text), "yellow")

    def _say(self, text: str, style: str) -> None:
        from rich.text import Text

        self._console.print(Text(text, style))

    def __rich__(self) -> "Group":
        """Return the picture of this moment."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        now_s = self._now_s()
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right", min_width=7)
        table.add_column(overflow="fold", ratio=1)
        for step in self._board.steps.values():
            table.add_row(*self._row(step, now_s))
            if step.phase == "search" and step.is_running and self._board.best:
                table.add_row("", "", "", Text(f"best: {self._board.best}", "green"))
        return Group(Text(self._board.title or "starting", "bold"), table)

    def _row(self, step: Step, now_s: float) -> "tuple[RenderableType, ...]":
        from rich.text import Text

        elapsed = duration(step.elapsed_s(now_s))
        if step.is_running:
            return self._spinner, Text(step.phase, "cyan"), Text(elapsed), Text(step.detail)
        if step.is_done:
            mark = Text(self._done, "green")
            return mark, Text(step.phase), Text(elapsed, "dim"), Text(step.detail, "dim")
        return "", Text(step.phase, "dim"), "", ""


@contextmanager
def open_progress(
    screen: Screen, *, now_s: Callable[[], float] = time.monotonic
) -> Generator[Progress, None, None]:
    """Show progress on stderr for as long as the context is open."""
    if not screen.is_live:
        yield PlainProgress(screen.note, now_s)
        return
    from rich.live import Live

    console = screen.live_console()
    live = LiveProgress(console, now_s, unicode=console.encoding.startswith("utf"))
    with Live(
        live,
        console=console,
        refresh_per_second=8,
        redirect_stdout=False,
        redirect_stderr=False,
        vertical_overflow="crop",
    ):
        yield live


@contextmanager
def busy(screen: Screen, text: str) -> Generator[None, None, None]:
    """Say that something goes on, for work that tells nothing on the way."""
    if not screen.is_live:
        screen.note(f"{text} ...")
        yield
        return
    with screen.live_console().status(text, spinner_style="cyan"):
        yield


def _phase_of(event: Event) -> str:
    match event:
        case BaseTaken():
            return "workspace"
        case EnvironmentChosen():
            return "environment"
        case BaselineMeasured():
            return "baseline"
        case StrategyGaveUp():
            return "search"
        case _:
            return "gate"
