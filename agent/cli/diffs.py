"""Reads unified diff text into files, hunks and lines, for showing. Pure; applies nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Final, Literal

Sign = Literal["+", "-", " ", "\\"]
"""Added, removed, unchanged; a backslash is a remark such as a missing last line end."""

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_LETTERS: Final = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
}
_TOKEN: Final = re.compile(r"\w+|\s+|.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line, without its sign and line end."""

    sign: Sign
    text: str
    old_line: int | None
    """1-based; None for added lines and remarks."""
    new_line: int | None
    emphasis: tuple[tuple[int, int], ...] = ()
    """Spans of `text` that differ from the line's counterpart; empty where all of it is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffHunk:
    """Neighbouring changes with what is around them."""

    old_start: int
    old_count: int
    new_start: int
    section: str
    """What the diff says is around it, such as the function; may be empty."""
    lines: tuple[DiffLine, ...]

    @property
    def first_changed_line(self) -> int:
        """Where the first change is, in the old file; in the new one for what is only added."""
        changed = (line for line in self.lines if line.sign in {"+", "-"})
        return next((line.old_line or line.new_line or 0 for line in changed), self.new_start)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffFile:
    """All changes of one file."""

    path: str
    remarks: tuple[str, ...]
    """New file, deleted file, changed mode, binary: whatever git's extended header says."""
    hunks: tuple[DiffHunk, ...]

    @property
    def added(self) -> int:
        """Number of added lines."""
        return sum(line.sign == "+" for hunk in self.hunks for line in hunk.lines)

    @property
    def removed(self) -> int:
        """Number of removed lines."""
        return sum(line.sign == "-" for hunk in self.hunks for line in hunk.lines)


def parse_diff(text: str) -> tuple[DiffFile, ...]:
    """Return the files of a diff in their order; what is not understood becomes a remark."""
    lines = text.split("\n")
    starts = [at for at, line in enumerate(lines) if line.startswith("diff --git ")]
    if not starts:
        starts = [at for at, line in enumerate(lines) if line.startswith("--- ")][:1]
    ends = [*starts[1:], len(lines)]
    return tuple(_file(lines[start:end]) for start, end in zip(starts, ends, strict=False))


def changed_lines(text: str, *, files: int = 2, lines: int = 6) -> list[tuple[Sign, str]]:
    """Return a diff in few lines: the place of each hunk (as a remark) and what it changes."""
    short: list[tuple[Sign, str]] = []
    for file in parse_diff(text)[:files]:
        for hunk in file.hunks[:files]:
            short.append(("\\", f"{file.path}:{hunk.first_changed_line}"))
            changed = [line for line in hunk.lines if line.sign in {"+", "-"}]
            short += [(line.sign, line.text) for line in changed[:lines]]
            if len(changed) > lines:
                short.append(("\\", f"... {len(changed) - lines} more lines"))
    return short


def _file(lines: list[str]) -> DiffFile:
    path, remarks, hunks, at = "", [], [], 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if found := _HUNK.match(line):
            hunk, at = _hunk(found, lines, at)
            hunks.append(hunk)
        elif line.startswith("diff --git "):
            path = _path_of_header(line)
        elif line.startswith(("--- ", "+++ ")):
            path = _path_of_side(line[4:]) or path
        elif line and not line.startswith("index "):
            remarks.append(line)
    if all(line.text.endswith("\r") for hunk in hunks for line in hunk.lines if line.sign != "\\"):
        hunks = [_without_returns(hunk) for hunk in hunks]
    return DiffFile(path=path, remarks=tuple(remarks), hunks=tuple(hunks))


def _hunk(header: re.Match[str], lines: list[str], at: int) -> tuple[DiffHunk, int]:
    """Read a hunk's body, which ends by count: its lines may look like anything."""
    old, new = int(header[1]), int(header[3])
    old_end, new_end = old + int(header[2] or 1), new + int(header[4] or 1)
    body: list[DiffLine] = []
    while at < len(lines) and (old < old_end or new < new_end or lines[at].startswith("\\")):
        sign, text = _sign(lines[at][:1]), lines[at][1:]
        in_old, in_new = sign in {" ", "-"}, sign in {" ", "+"}
        body.append(
            DiffLine(
                sign=sign,
                text=text,
                old_line=old if in_old else None,
                new_line=new if in_new else None,
            )
        )
        old, new, at = old + in_old, new + in_new, at + 1
    hunk = DiffHunk(
        old_start=int(header[1]),
        old_count=int(header[2] or 1),
        new_start=int(header[3]),
        section=header[5].strip(),
        lines=tuple(_with_emphasis(body)),
    )
    return hunk, at


def _sign(sign: str) -> Sign:
    match sign:
        case "+" | "-" | "\\":
            return sign
        case _:
            return " "


def _with_emphasis(lines: list[DiffLine]) -> Iterator[DiffLine]:
    """Pair removed lines with the added lines that follow them, and mark what differs."""
    at = 0
    while at < len(lines):
        removed = _run(lines, at, "-")
        added = _run(lines, at + len(removed), "+")
        if removed and len(removed) == len(added):
            pairs = [_marked(old, new) for old, new in zip(removed, added, strict=True)]
            yield from (old for old, _ in pairs)
            yield from (new for _, new in pairs)
            at += 2 * len(removed)
        else:
            yield lines[at]
            at += 1


def _run(lines: list[DiffLine], start: int, sign: Sign) -> list[DiffLine]:
    end = start
    while end < len(lines) and lines[end].sign == sign:
        end += 1
    return lines[start:end]


def _marked(old: DiffLine, new: DiffLine) -> tuple[DiffLine, DiffLine]:
    old_tokens, new_tokens = _TOKEN.findall(old.text), _TOKEN.findall(new.text)
    matcher = SequenceMatcher(None, old_tokens, new_tokens, autojunk=False)
    if len(old.text) + len(new.text) > 1000 or matcher.ratio() < 0.5:
        return old, new  # too different: marking nearly everything would help nobody
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    old_spans = _spans(old_tokens, [(code[1], code[2]) for code in codes])
    new_spans = _spans(new_tokens, [(code[3], code[4]) for code in codes])
    return replace(old, emphasis=old_spans), replace(new, emphasis=new_spans)


def _spans(tokens: list[str], ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    offsets = list(accumulate(map(len, tokens), initial=0))
    return tuple((offsets[start], offsets[end]) for start, end in ranges if start < end)


def _without_returns(hunk: DiffHunk) -> DiffHunk:
    lines = tuple(replace(line, text=line.text.removesuffix("\r")) for line in hunk.lines)
    return replace(hunk, lines=lines)


def _path_of_header(line: str) -> str:
    """Read `diff --git a/x b/x`; the names are equal unless the file was renamed."""
    names = line.removeprefix("diff --git ")
    if quoted := _QUOTED.match(names):
        return _path_of_side(quoted[0])
    return _path_of_side(names[: len(names) // 2])


def _path_of_side(name: str) -> str:
    name = name.split("\t", 1)[0].rstrip("\r")
    if _QUOTED.fullmatch(name):
        name = _unquoted(name[1:-1])
    return "" if name == "/dev/null" else re.sub(r"^[ab]/", "", name)


def _unquoted(name: str) -> str:
    """Undo git's C-style quoting: octal bytes and the usual letters."""

    def byte(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _LETTERS.get(code, code)

    data = name.encode("utf-8", "surrogateescape")
    return re.sub(rb"\\([0-7]{3}|.)", byte, data).decode("utf-8", "surrogateescape")
