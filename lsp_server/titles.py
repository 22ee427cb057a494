"""What a run is called in a list: from what is asked when it starts, and from its journal later.

The same words both times, so that a run that outlives its server keeps its name.
"""

import re
from collections.abc import Sequence
from typing import Final

from agent.telling.wording import counted, shortened

_CHARACTERS: Final = 80
_NAMED: Final = 3
_STUB: Final = re.compile(
    r"Implement `(?P<name>[^`]+)` in [^\n]+ \(line \d+\)\.(?:\n\n(?P<goal>.+))?"
)
_REPORTED: Final = re.compile(
    r"Mend what the editor reports[^\n]*:\n- line \d+: (?P<message>[^\n]+)"
)


def stub_goal(name: str, path: str, line: int) -> str:
    """Return the goal of an implementation of one function."""
    return f"Implement `{name}` in {path} (line {line})."


def reported_goal(path: str, lines: Sequence[str]) -> str:
    """Return the goal of mending what others report, each in a line with its place."""
    where = f" in {path}" if path else ""
    return "\n- ".join([f"Mend what the editor reports{where}:", *lines])


def title_of(kind: str, targets: Sequence[str], goal: str) -> str:
    """Return what a run is about, in a line: `fix`, `implement` or `test` of something."""
    return shortened(_title(kind, targets, goal), _CHARACTERS)


def _title(kind: str, targets: Sequence[str], goal: str) -> str:
    match kind:
        case "test":
            return f"Run {_names(targets)}" if targets else "Run all tests"
        case "fix":
            return f"Fix {_names(targets)}" if targets else "Fix every failing test"
        case _:
            return _of_goal(goal)


def _of_goal(goal: str) -> str:
    if stub := _STUB.match(goal):
        more = f": {stub['goal']}" if stub["goal"] else ""
        return f"Implement {stub['name']}{more}"
    if reported := _REPORTED.search(goal):
        return f"Fix {reported['message']}"
    return goal.strip().split("\n", 1)[0] or "Implement"


def _names(targets: Sequence[str]) -> str:
    if len(targets) > _NAMED:
        return counted(len(targets), "test")
    return ", ".join(one.rpartition("::")[2] or one for one in targets)
