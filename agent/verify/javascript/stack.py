"""Reads what V8 writes of an error: its class, its message, and the calls that led to it. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

from agent.task import RepoPath
from agent.verify.report import Frame

TEXT_CHARS: Final = 2_000
MOST_FRAMES: Final = 50
_STEP: Final = re.compile(
    r"^\s*(?:at )?(?:(?P<function>[^\n()]*?) \()?"
    r"(?P<place>(?:file://)?/[^\n()]*?):(?P<line>\d+):\d+\)?\s*$"
)
_TYPED: Final = re.compile(
    r"^(?:Uncaught )?(?P<type>\w*(?:Error|Exception))(?: \[[\w$]+\])?"
    r"(?:: (?P<message>.*))?$",
    re.DOTALL,
)
_BEGIN: Final = re.compile(r"^\w*(?:Error|Exception)\b", re.MULTILINE)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_CODE: Final = re.compile(r"\n\s*\{\n.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrown:
    """An error as a stack trace tells it."""

    type: str
    """`TypeError`; empty where the text does not begin with a class."""
    message: str
    """Capped; without colours and without the trace."""
    frames: tuple[Frame, ...]
    """Inside the repository and outside of its packages, outermost first."""


def read_stack(text: str, root: str) -> Thrown:
    """Return what a text like that of `error.stack` says; `root` is where the repository is."""
    text = _COLOUR.sub("", text)
    lines = text.splitlines()
    first = next((at for at, line in enumerate(lines) if _is_step(line)), len(lines))
    said = "\n".join(lines[:first]).strip()
    found = _TYPED.match(said)
    return Thrown(
        type=found["type"] if found else "",
        message=((found["message"] or "") if found else said)[:TEXT_CHARS],
        frames=tuple(reversed(list(_frames(lines[first:], root))))[-MOST_FRAMES:],
    )


def read_crash(text: str, root: str) -> Thrown:
    """Return the error that ended a process, from what the process printed.

    Node shows the line of code first, then the stack, then how it ended.
    """
    text = _COLOUR.sub("", text)
    begins = [found.start() for found in _BEGIN.finditer(text)]
    if not begins:
        last = [line for line in text.splitlines() if line.strip()][-3:]
        return Thrown(type="", message="\n".join(last)[:TEXT_CHARS], frames=())
    stack = _CODE.sub("", text[begins[0] :].partition("\n\n    at ")[0])
    thrown = read_stack(stack, root)
    place = re.match(r"^(?:file://)?(/[^\n:]+):(\d+)\n", text[: begins[0]])
    path = repo_path(place[1], root) if place else None
    if place is None or path is None or thrown.frames:
        return thrown
    # An error of syntax has no frames of ours; the place stands above the line of code.
    frame = Frame(path=path, line=int(place[2]), function="")
    return Thrown(type=thrown.type, message=thrown.message, frames=(frame,))


def _is_step(line: str) -> bool:
    return line.lstrip().startswith("at ") or _STEP.match(line) is not None


def _frames(lines: list[str], root: str) -> Iterator[Frame]:
    for line in lines:
        found = _STEP.match(line)
        path = repo_path(found["place"], root) if found else None
        if found is not None and path is not None:
            function = (found["function"] or "").removeprefix("async ").removeprefix("new ")
            yield Frame(path=path, line=int(found["line"]), function=function[:200])


def repo_path(place: str, root: str) -> RepoPath | None:
    """Return a path of the repository from an absolute one or a file's address; None: outside."""
    if place.startswith("file://"):
        place = unquote(place.removeprefix("file://"))
    place = place.partition("?")[0]
    path = PurePosixPath(place)
    if not path.is_relative_to(root) or ".." in path.parts or "\0" in place:
        return None
    inner = path.relative_to(root)
    if "node_modules" in inner.parts or not inner.parts:
        return None
    return RepoPath(str(inner))
