"""Lays results out for a terminal: diff, verdict, alternatives, tests, runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from agent.cli.diffs import DiffFile, DiffHunk, DiffLine, parse_diff
from agent.cli.outcome import meaning_of
from agent.telling.wording import clean, colour, headline, one_line

_MARKS = {"+": "green", "-": "red", " ": "", "\\": "dim"}


def verdict_panel(result: Mapping[str, Any], facts: Sequence[tuple[str, str]]) -> RenderableType:
    """Return what the run came to, what that means, and the facts behind it."""
    verdict, confidence = result["verdict"], result.get("confidence")
    style = colour(verdict, confidence)
    parts: list[RenderableType] = []
    if result.get("message"):
        parts.append(Text(one_line(result["message"]), "bold"))
    meaning = meaning_of(result)
    if meaning:
        parts.append(Text(meaning))
    if facts:
        parts += [Text(), _facts(facts)]
    return Panel(
        Group(*parts),
        title=Text(f" {headline(verdict, confidence)} ", f"bold {style}"),
        title_align="left",
        border_style=style,
        padding=(0, 1),
    )


def _facts(facts: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold", ratio=1)
    for name, value in facts:
        table.add_row(name, Text(clean(value)))
    return table


def diff_view(text: str, hunk_ids: Mapping[tuple[str, int], str]) -> RenderableType:
    """Return a diff with line numbers and highlighted code; ids by (path, start of hunk)."""
    return Group(*(_file_view(file, hunk_ids) for file in parse_diff(text)))


def _file_view(file: DiffFile, hunk_ids: Mapping[tuple[str, int], str]) -> RenderableType:
    title = Text.assemble(
        (one_line(file.path), "bold"),
        "  ",
        (f"+{file.added}", "green"),
        " ",
        (f"-{file.removed}", "red"),
    )
    remarks = [Text(one_line(remark), "dim") for remark in file.remarks]
    hunks = [_hunk_view(file.path, hunk, hunk_ids) for hunk in file.hunks]
    return Padding(Group(title, *remarks, *hunks), (1, 0))


def _hunk_view(
    path: str, hunk: DiffHunk, hunk_ids: Mapping[tuple[str, int], str]
) -> RenderableType:
    ids = hunk_ids.get((path, hunk.old_start), "")
    head = Text.assemble(
        (f"  line {hunk.first_changed_line}", "cyan"), (f"  {one_line(hunk.section)}", "dim")
    )
    if ids:
        head.append(f"  hunk {ids}", "dim")
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="dim", no_wrap=True, min_width=4)
    table.add_column(justify="right", style="dim", no_wrap=True, min_width=4)
    table.add_column(no_wrap=True, width=1)
    table.add_column(overflow="fold", ratio=1)
    for line, code in zip(hunk.lines, highlighted(path, hunk.lines), strict=True):
        style = _MARKS[line.sign]
        table.add_row(
            str(line.old_line or ""),
            str(line.new_line or ""),
            Text(line.sign.strip(), f"bold {style}"),
            code,
        )
    return Group(head, table)


def highlighted(path: str, lines: Sequence[DiffLine]) -> list[Text]:
    """Return each line's code in the terminal's own colours, changed words marked."""
    code = "\n".join(clean(line.text) for line in lines)
    syntax = Syntax("", Syntax.guess_lexer(path, code), theme="ansi_dark", tab_size=4)
    texts = list(syntax.highlight(code).split("\n", allow_blank=True))
    texts += [Text() for _ in range(len(lines) - len(texts))]
    return [_tinted(line, text) for line, text in zip(lines, texts, strict=False)]


def _tinted(line: DiffLine, text: Text) -> Text:
    style = _MARKS[line.sign]
    if line.sign == "\\":
        return Text(clean(line.text).strip(), "dim")
    if line.sign != " ":
        if not text.spans:
            text.stylize(style)
        if text.plain == line.text:
            for start, end in line.emphasis:
                text.stylize(f"bold black on {style}", start, end)
    return text


def tests_table(rows: Sequence[tuple[str, str, str]]) -> RenderableType:
    """Return (test, before, after) rows as a table."""
    table = Table(
        box=box.SIMPLE_HEAD, title="Tests", title_style="bold", title_justify="left", pad_edge=False
    )
    table.add_column("test", overflow="fold", ratio=1)
    table.add_column("before", no_wrap=True)
    table.add_column("after", no_wrap=True)
    for test, before, after in rows:
        table.add_row(Text(one_line(test)), _outcome(before), _outcome(after))
    return table


def _outcome(word: str) -> Text:
    return Text(word, {"passes": "green", "fails": "red"}.get(word, "dim"))


def runs_table(
    rows: Sequence[tuple[str, str, str, str, str, str]], styles: Sequence[str], *, width: int
) -> RenderableType:
    """Return (run, outcome, when, took, asked, repository) rows; what does not fit is left out.

    `styles` has one style for each outcome.
    """
    names = ("run", "outcome", "when", "took", "asked", "repository")
    shown = 6 if width >= 100 else 5 if width >= 80 else 3 if width >= 60 else 2
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, name in enumerate(names[:shown]):
        if name in {"asked", "repository"}:
            table.add_column(name, ratio=1)
        else:
            table.add_column(name, width=max(len(name), *(len(row[at]) for row in rows)))
    for row, style in zip(rows, styles, strict=True):
        cells = (Text(one_line(cell), no_wrap=True, overflow="ellipsis") for cell in row[:shown])
        run, outcome, *others = cells
        outcome.stylize(style)
        for other in others:
            other.stylize("dim")
        table.add_row(run, outcome, *others)
    return table


def models_table(
    rows: Sequence[tuple[str, str, str, str, str, str]], ready: Sequence[bool], *, width: int
) -> RenderableType:
    """Return (profile, dialect, model, window, price, key) rows; what does not fit is left out."""
    names = ("profile", "dialect", "model", "window", "price for 1M tokens", "key")
    shown = (0, 1, 2, 3, 4, 5) if width >= 150 else (0, 3, 4, 5) if width >= 110 else (0, 3, 5)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at in shown:
        if at in {0, 3}:
            table.add_column(names[at], no_wrap=True)
        else:
            table.add_column(names[at], overflow="fold")
    for row, is_ready in zip(rows, ready, strict=True):
        styles = ["bold" if is_ready else "", "dim", "", "", "", "green" if is_ready else "dim"]
        table.add_row(*(Text(one_line(row[at]), styles[at]) for at in shown))
    return table


def checks_table(rows: Sequence[tuple[str, str, bool]]) -> RenderableType:
    """Return (name, value, ok) rows with a mark each."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, width=4)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for name, value, ok in rows:
        mark = Text("ok", "green") if ok else Text("no", "bold red")
        table.add_row(mark, Text(one_line(name)), Text(clean(value)))
    return table
