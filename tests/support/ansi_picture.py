"""Draws what a terminal showed, colours included, as an SVG picture."""

import re
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT, PADDING = 8.4, 18, 12
NO_BREAK = "\u00a0"
"""A space that no renderer of SVG takes away."""
FOREGROUND, BACKGROUND = "#d4d7dd", "#14161b"
LIGHT = ("#ffc0b9", "#b3f6c0", "#fce094", "#a6dbff", "#ffcaff", "#8cf8f7", "#eef1f8")
FIRST_16 = ("#14161b", *LIGHT, "#4f5258", *LIGHT)
"""Of Neovim's own dark colours."""
_SGR = re.compile(r"\x1b\[([\d;:]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\(B|[\x0e\x0f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a piece of text is shown."""

    fore: str = ""
    back: str = ""
    is_bold: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    is_reversed: bool = False


def draw(screen: str, *, title: str) -> str:
    """Return the picture of a screen as `tmux capture-pane -e` gives it."""
    rows = [_pieces(line) for line in screen.rstrip("\n").split("\n")]
    columns = max(sum(len(text) for _, text in row) for row in rows)
    width, height = columns * CELL_WIDTH + 2 * PADDING, len(rows) * CELL_HEIGHT + 2 * PADDING
    body = "".join(_row(row, number) for number, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{escape(title)}" '
        'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" '
        'font-size="14">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="100%" height="100%" rx="6" fill="{BACKGROUND}"/>\n{body}</svg>\n'
    )


def _pieces(line: str) -> list[tuple[Look, str]]:
    """Split a line where its look changes."""
    pieces: list[tuple[Look, str]] = []
    look, at = Look(), 0
    for found in _SGR.finditer(line):
        if text := line[at : found.start()]:
            pieces.append((look, text))
        if found[1] is not None:
            look = _changed(look, [int(part or 0) for part in re.split("[;:]", found[1])])
        at = found.end()
    if text := line[at:]:
        pieces.append((look, text))
    return pieces


SWITCHES = {
    1: {"is_bold": True},
    3: {"is_italic": True},
    4: {"is_underlined": True},
    7: {"is_reversed": True},
    22: {"is_bold": False},
    23: {"is_italic": False},
    24: {"is_underlined": False},
    27: {"is_reversed": False},
    39: {"fore": ""},
    49: {"back": ""},
    **{30 + number: {"fore": FIRST_16[number]} for number in range(8)},
    **{40 + number: {"back": FIRST_16[number]} for number in range(8)},
    **{90 + number: {"fore": FIRST_16[8 + number]} for number in range(8)},
}
"""What a code changes, but for those that are followed by a colour."""


def _changed(look: Look, codes: list[int]) -> Look:
    """Return the look after a sequence of codes."""
    while codes:
        code = codes.pop(0)
        if code == 0:
            look = Look()
        elif code == 38:
            look = replace(look, fore=_colour(codes))
        elif code == 48:
            look = replace(look, back=_colour(codes))
        elif code == 58:
            _colour(codes)  # of an underline: not drawn
        else:
            look = replace(look, **SWITCHES.get(code, {}))  # type: ignore[arg-type]
    return look


def _colour(codes: list[int]) -> str:
    """Take a colour of the 256, or one of red, green and blue, from the front of the codes."""
    if codes.pop(0) == 2:
        red, green, blue = codes[:3]
        del codes[:3]
        return f"#{red:02x}{green:02x}{blue:02x}"
    number = codes.pop(0)
    if number < 16:
        return FIRST_16[number]
    if number >= 232:
        return f"#{(number - 232) * 10 + 8:02x}" + f"{(number - 232) * 10 + 8:02x}" * 2
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    parts = steps[number // 36], steps[number // 6 % 6], steps[number % 6]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _row(row: list[tuple[Look, str]], number: int) -> str:
    """Draw one line: its backgrounds, then its text."""
    top, column = PADDING + number * CELL_HEIGHT, 0
    backs, texts = "", ""
    for look, text in row:
        fore, back = look.fore or FOREGROUND, look.back
        if look.is_reversed:
            fore, back = back or BACKGROUND, look.fore or FOREGROUND
        left, width = PADDING + column * CELL_WIDTH, len(text) * CELL_WIDTH
        if back:
            backs += (
                f'<rect x="{left:.1f}" y="{top}" width="{width + 0.3:.1f}" '
                f'height="{CELL_HEIGHT}" fill="{back}"/>'
            )
        if text.strip():
            more = ' font-weight="bold"' if look.is_bold else ""
            more += ' font-style="italic"' if look.is_italic else ""
            more += ' text-decoration="underline"' if look.is_underlined else ""
            texts += (
                f'<text x="{left:.1f}" y="{top + 13}" textLength="{width:.1f}" '
                f'fill="{fore}"{more}>{escape(text.replace(" ", NO_BREAK))}</text>'
            )
        column += len(text)
    return f"{backs}{texts}\n" if backs or texts else ""
