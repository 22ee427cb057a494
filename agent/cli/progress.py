"""Shows a run while it goes on: drawn in place on a terminal, as plain lines elsewhere."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from agent.cli.screen import Screen
from agent.events import AttemptEvent, Event, RunFinished, TestFailed
from agent.telling.board import Board
from agent.telling.story import lines_of
from agent.telling.wording import duration

SIGN_OF_LIFE_S: Final = 5.0
"""Plain output says at least this often that something goes on."""


class Progress(Protocol):
    """What a command tells about a run under way."""

    def recall(self, events: Sequence[Event]) -> None:
        """Take in what happened before a run was interrupted, without telling it again."""
        ...

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

    def __init__(
        self, write: Callable[[str], None], now_s: Callable[[], float], *, detail: int = 0
    ) -> None:
        self._write = write
        self._now_s = now_s
        self._detail = detail
        self._board = Board()
        self._last_s = now_s()

    def recall(self, events: Sequence[Event]) -> None:
        """Take in what a model did before; its lines were told then."""
        for event in events:
            if isinstance(event, AttemptEvent):
                self._board.apply(event, self._now_s())

    def show(self, event: Event) -> None:
        """Print a line where the event is worth one."""
        self._board.apply(event, self._now_s())
        if isinstance(event, TestFailed | RunFinished):
            return  # how it ended, and which tests failed, is printed at the end
        lines = lines_of(event, self._board, self._detail)
        for line in lines:
            self._line(line.text)
        if not lines:
            self.tick()

    def tick(self) -> None:
        """Print where the current phase stands, after a while of silence."""
        step = self._board.steps.get(self._board.current)
        if step and step.is_running and self._now_s() - self._last_s >= SIGN_OF_LIFE_S:
            if step.phase == "search" and self._board.lanes:
                self._stand_of_lanes()
                return
            elapsed = duration(step.elapsed_s(self._now_s()))
            best = (
                f" · best: {self._board.best}"
                if step.phase == "search" and self._board.best
                else ""
            )
            self._line(f"{step.phase}: {step.detail or 'still going on'} ({elapsed}){best}")

    def _stand_of_lanes(self) -> None:
        now_s = self._now_s()
        for lane in self._board.lanes.values():
            if lane.ended is None:
                self._line(f"search: {lane.stands(now_s)}")

    def say(self, text: str) -> None:
        """Print a line."""
        self._line(text)

    def _line(self, text: str) -> None:
        self._last_s = self._now_s()
        self._write(text)


@contextmanager
def open_progress(
    screen: Screen,
    *,
    detail: int = 0,
    now_s: Callable[[], float] = time.monotonic,
) -> Generator[Progress, None, None]:
    """Show progress on stderr for as long as the context is open.

    `detail` says how much of what a model reasons is shown: 0 a line, 1 some, 2 all.
    """
    if not screen.is_live:
        yield PlainProgress(screen.note, now_s, detail=detail)
        return
    from rich.live import Live

    from agent.cli.live import LiveProgress

    console = screen.live_console()
    live = LiveProgress(console, now_s, unicode=console.encoding.startswith("utf"), detail=detail)
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
