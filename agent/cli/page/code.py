"""Diffs as HTML: line numbers, highlighted code, an anchor for every hunk."""

import io
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from agent.cli.diffs import DiffFile, DiffHunk, DiffLine, parse_diff
from agent.cli.page.elements import Html, div, element, joined, span, text
from agent.cli.paint import highlighted

_ROW_CLASS = {"+": "add", "-": "del", " ": "ctx", "\\": "remark"}

HunkIds = Mapping[tuple[str, int], str]
"""Ids of a patch's hunks, by path and the first line of the shown hunk that they are in."""


def diff_html(diff: str, hunk_ids: HunkIds | None = None) -> Html:
    """Return all files of a diff; with ids, every hunk gets an anchor and its id."""
    return joined(_file(file, hunk_ids or {}) for file in parse_diff(diff))


def _file(file: DiffFile, hunk_ids: HunkIds) -> Html:
    head = div(
        "file-head",
        span("path", file.path),
        span("plus", f"+{file.added}"),
        span("minus", f"-{file.removed}"),
    )
    remarks = joined(div("file-remark", text(remark)) for remark in file.remarks)
    hunks = joined(_hunk(file.path, hunk, hunk_ids) for hunk in file.hunks)
    return div("file", head, remarks, hunks)


def _hunk(path: str, hunk: DiffHunk, hunk_ids: HunkIds) -> Html:
    ids = hunk_ids.get((path, hunk.old_start), "")
    head = [span("place", f"line {hunk.first_changed_line}"), span("around", hunk.section)]
    if ids:
        anchor = f"hunk-{ids.split()[0]}"
        head.append(element("a", text(f"hunk {ids}"), class_="hunk-id", href=f"#{anchor}"))
    else:
        anchor = ""
    rows = joined(
        _line(line, code)
        for line, code in zip(hunk.lines, highlighted(path, hunk.lines), strict=True)
    )
    table = element("table", element("tbody", rows), class_="code")
    return element("div", div("hunk-head", *head), table, class_="hunk", id=anchor)


def _line(line: DiffLine, code: Text) -> Html:
    return element(
        "tr",
        element("td", text(str(line.old_line or "")), class_="number"),
        element("td", text(str(line.new_line or "")), class_="number"),
        element("td", text(line.sign.strip()), class_="sign"),
        element("td", _code(code), class_="text"),
        class_=_ROW_CLASS[line.sign],
    )


def _code(code: Text) -> Html:
    """Turn terminal colours into classes, so that the page can be light or dark."""
    console = Console(file=io.StringIO(), width=10_000)
    pieces = []
    for segment in code.render(console):
        style = segment.style
        if style is not None and style.bgcolor is not None:
            pieces.append(element("mark", text(segment.text)))
        elif style is not None and style.color is not None:
            pieces.append(span(f"c-{style.color.name.replace('_', '-')}", segment.text))
        else:
            pieces.append(text(segment.text))
    return joined(pieces)
