"""What a person may choose from: patches side by side, and the input on which they differ.

Lays out only; `greenloop answer` is where a choice is made.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.cli.diffs import changed_lines
from agent.cli.outcome import behaviours_line, patches_text
from agent.telling.wording import colour, one_line

NARROWEST: Final = 44
"""Columns that a patch needs beside another one."""
MOST_ABREAST: Final = 3
_MARKS: Final = {"+": "green", "-": "red", " ": "", "\\": "dim"}


def options_view(result: Mapping[str, Any], *, width: int) -> RenderableType:
    """Return the best patches next to each other, below each other where it is narrow."""
    options: Sequence[Mapping[str, Any]] = result["candidates"]
    abreast = max(1, min(MOST_ABREAST, len(options), width // NARROWEST))
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    for _ in range(abreast):
        table.add_column(ratio=1, vertical="top")
    for start in range(0, len(options), abreast):
        table.add_row(*map(_option, options[start : start + abreast]))
    return Group(Text(), Text(behaviours_line(result), "bold"), table)


def _option(option: Mapping[str, Any]) -> RenderableType:
    style = colour("green", option["confidence"])
    behaviour = f", behaviour {option['group']}" if option.get("group") else ""
    body = Text(overflow="fold")
    for sign, line in changed_lines(option["patch"]):
        prefix = "" if sign == "\\" else f"{sign} "
        body.append(f"{prefix}{one_line(line)}\n", _MARKS[sign])
    body.append(one_line(option["why"]), "dim italic")
    return Panel(
        body,
        title=Text(f" {option['rank']} {option['confidence']}{behaviour} ", style),
        title_align="left",
        border_style="dim",
        padding=(0, 1),
    )


def question_view(question: Mapping[str, Any]) -> RenderableType:
    """Return the input on which the patches differ, and what each of them makes of it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold", no_wrap=True, width=4)
    table.add_column(overflow="fold")
    table.add_column(style="dim", no_wrap=True)
    for number, answer in enumerate(question["answers"], 1):
        now = "" if answer["fails_now"] else ", as the code does now"
        ranks = patches_text(answer["ranks"])
        table.add_row(f"{number}", Text(one_line(answer["shown"]), "green"), f"{ranks}{now}")
    asked = Text.assemble(("Which is right?  ", "bold"), (one_line(question["call"]), "cyan"))
    return Group(Text(), asked, table)
