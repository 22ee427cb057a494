"""Says whether an edit breaks a file's syntax: then it is refused, with the text as it would look.

What was broken before may be edited, or it could never be mended. Where a grammar may lag behind
its language, what it does not read is told and not refused.
"""

from dataclasses import dataclass
from typing import Final

from agent.repo.problems import Problem, Unread, find_problems, is_certain
from agent.task import RepoPath
from agent.tools.pages import count_of, lines_of, numbered

_SHOWN_PROBLEMS: Final = 3
_AROUND: Final = 4
"""Lines shown before and after the place, within what is around it or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The edit may be made."""

    note: str
    """A sentence on the syntax, for the model; empty where nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreaksSyntax:
    """The file was sound and would not be any more."""

    text: str
    """The errors, and the text as it would look."""
    line: int


def judge_syntax(path: RepoPath, before: bytes | None, after: bytes) -> Passed | BreaksSyntax:
    """Compare the file before and after; a new file (`before` None) counts as sound."""
    problems = find_problems(path, after)
    if isinstance(problems, Unread):
        return Passed(note="")
    if not problems:
        return Passed(note="Syntax is sound.")
    known = find_problems(path, before) if before is not None else ()
    if known and not isinstance(known, Unread):
        return Passed(note=_still_broken(known, problems))
    if not is_certain(path):
        first = problems[0]
        return Passed(note=f"Look at line {first.line} again: it {first.what}.")
    return BreaksSyntax(text=_explained(after, problems), line=problems[0].line)


def _still_broken(known: tuple[Problem, ...], problems: tuple[Problem, ...]) -> str:
    first = problems[0]
    return (
        f"The syntax was broken before ({count_of(len(known), 'error')}) and still is "
        f"({count_of(len(problems), 'error')}): line {first.line}: {first.what}."
    )


def _explained(data: bytes, problems: tuple[Problem, ...]) -> str:
    lines = lines_of(data)
    first = problems[0]
    said = [_line(problem) for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        said.append(f"and {len(problems) - _SHOWN_PROBLEMS} more")
    start, end = max(first.line - _AROUND, 1), min(first.line + _AROUND, len(lines))
    shown = numbered(lines, start, end, mark=first.line)
    opening = first.first_line
    if first.around and opening < start:
        shown = f"{numbered(lines, opening, opening)}\n[...]\n{shown}"
    return "\n".join([*said, "As it would look:", shown])


def _line(problem: Problem) -> str:
    inside = (
        f" (in {problem.around}, lines {problem.first_line}-{problem.last_line})"
        if problem.around
        else ""
    )
    return f"line {problem.line}: {problem.what}{inside}"
