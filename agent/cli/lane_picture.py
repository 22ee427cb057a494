"""Draws what models do: one of them in full, several side by side in a line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from agent.telling.account import total_cost
from agent.telling.lanes import Call, Lane, cost_text, last_line
from agent.telling.lines import plan_line
from agent.telling.wording import clean, duration, one_line, plain_marks, short_count, shortened

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.spinner import Spinner

REASONING_LINES: Final = (1, 8, 16)
"""Of what is being thought, by level of detail."""
CALLS_SHOWN: Final = 4
WIDE: Final = 110
"""Columns from which on lanes side by side tell their last call and their tokens too."""
_MARKS: Final = {"[x]": "green", "[-]": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a terminal can show."""

    unicode: bool
    spinner: "Spinner"

    @property
    def done(self) -> str:
        """Before what went well."""
        return "✓" if self.unicode else "+"

    @property
    def failed(self) -> str:
        """Before what did not."""
        return "✗" if self.unicode else "x"

    @property
    def bar(self) -> str:
        """Before what is thought."""
        return "│" if self.unicode else "|"

    @property
    def overflow(self) -> Literal["ellipsis", "crop"]:
        """What becomes of a line that is too long."""
        return "ellipsis" if self.unicode else "crop"

    def spelled(self, text: str) -> str:
        """Return text as the terminal can show it."""
        return text if self.unicode else plain_marks(text)


class LanePicture:
    """Lanes as lines of a picture; takes its measure from the console each time."""

    def __init__(self, console: "Console", signs: Signs, *, detail: int) -> None:
        self._console = console
        self._signs = signs
        self._detail = min(detail, len(REASONING_LINES) - 1)

    def draw(self, lanes: Sequence[Lane], now_s: float, *, is_over: bool) -> "list[RenderableType]":
        """Return the lines; in few words once the work is over."""
        if len(lanes) > 1 or lanes[0].attempts > 1:
            return [self._side_by_side(lanes, now_s)]
        if is_over or lanes[0].ended is not None:
            return self._ended(lanes[0])
        return self._one(lanes[0], now_s)

    def _one(self, lane: Lane, now_s: float) -> "list[RenderableType]":
        """What one model does, from what it thinks to what it costs."""
        lines = [
            self._line(lane.stands(now_s), "cyan"),
            *self._thoughts(lane),
            self._calls(lane, now_s),
            *self._plan(lane),
        ]
        if lane.tests:
            lines.append(self._line(f"tests {one_line(lane.tests)}"))
        return [*lines, self._line(lane.spending(), "dim")]

    def _ended(self, lane: Lane) -> "list[RenderableType]":
        return [self._line(lane.stands(0.0), "dim"), self._line(lane.spending(), "dim")]

    def _line(self, text: str, style: str = "") -> "RenderableType":
        from rich.text import Text

        line = Text(f"  {self._signs.spelled(text)}", style)
        line.no_wrap, line.overflow = True, self._signs.overflow
        return line

    def _thoughts(self, lane: Lane) -> "list[RenderableType]":
        said = lane.text or lane.reasoning
        style = "italic" if lane.text else "dim italic"
        if not self._detail:
            return (
                [self._line(f"{self._signs.bar} {last_line(said)}", style)] if said.strip() else []
            )
        width = max(self._console.width - 4, 20)
        rows = [
            line[at : at + width]
            for line in clean(said).splitlines()
            for at in range(0, max(len(line), 1), width)
            if line.strip()
        ]
        most = min(REASONING_LINES[self._detail], max(self._console.height - 20, 1))
        return [self._line(f"{self._signs.bar} {row}", style) for row in rows[-most:]]

    def _calls(self, lane: Lane, now_s: float) -> "RenderableType":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(width=1)
        table.add_column(width=1)
        table.add_column(no_wrap=True, min_width=11, style="bold")
        table.add_column(no_wrap=True, justify="right", style="dim", min_width=8)
        table.add_column(no_wrap=True, overflow=self._signs.overflow, ratio=1)
        for call in list(lane.calls)[-CALLS_SHOWN:]:
            took_s = now_s - call.started_s if call.wall_s is None else call.wall_s
            shown = Text(
                self._signs.spelled(shortened(call.shown, 400)), "red" if call.failed else ""
            )
            table.add_row("", self._mark(call), one_line(call.tool), duration(took_s), shown)
        return table

    def _mark(self, call: Call) -> "RenderableType":
        from rich.text import Text

        if call.wall_s is None:
            return self._signs.spinner
        return Text(self._signs.failed, "red") if call.failed else Text(self._signs.done, "green")

    def _plan(self, lane: Lane) -> "list[RenderableType]":
        """The plan line by line where there is room for it; else where it stands."""
        if not lane.plan:
            return []
        if len(lane.plan) > max(self._console.height - 18, 0):
            return [self._line(f"plan {plan_line(lane.plan)}")]
        return [self._line(shortened(line, 400), _MARKS.get(line[:3], "")) for line in lane.plan]

    def _side_by_side(self, lanes: Sequence[Lane], now_s: float) -> "RenderableType":
        """Several attempts, a line each; what does not fit is left out."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        is_wide = self._console.width >= WIDE
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow=self._signs.overflow, width=40 if is_wide else 24)
        table.add_column(no_wrap=True, overflow=self._signs.overflow, ratio=1, style="dim")
        if is_wide:
            table.add_column(no_wrap=True, justify="right", style="dim")
        table.add_column(no_wrap=True, justify="right", style="dim")
        for lane in lanes:
            doing = Text(self._signs.spelled(lane.now(now_s)), _tone(lane))
            tokens = f"{short_count(lane.prompt_tokens)} in, {short_count(lane.output_tokens)} out"
            table.add_row(
                "",
                f"#{lane.attempt} step {lane.step}/{lane.steps}",
                doing,
                Text(self._signs.spelled(_latest(lane))),
                *([tokens] if is_wide else []),
                cost_text(lane.cost_usd, ""),
            )
        total = total_cost(lane.cost_usd for lane in lanes)
        as_of = lanes[0].price_as_of
        return Group(table, self._line(f"together {cost_text(total, as_of)}", "dim"))


def _tone(lane: Lane) -> str:
    if lane.ended is None:
        return "cyan"
    return "green" if lane.ended.how == "green" else "yellow"


def _latest(lane: Lane) -> str:
    """What a lane did last, in a line."""
    if lane.ended is not None:
        return one_line(lane.ended.reason)
    if not lane.calls:
        return last_line(lane.reasoning)
    call = lane.calls[-1]
    latest = f"{call.tool} {call.shown}"
    return one_line(
        latest if not lane.tests or call.tool == "run_tests" else f"{lane.tests}; {latest}"
    )
