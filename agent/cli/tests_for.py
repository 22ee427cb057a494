"""`greenloop tests-for`: the tests that may notice a change of a file, or of what is at a line."""

import argparse
import re
from typing import Any

from agent.cli.asked import Asked, ask
from agent.cli.screen import Screen
from agent.config import Settings
from agent.errors import TaskError
from agent.repo.impact import Change, Impact, impacted_tests
from agent.repo.index.view import View
from agent.repo.questions import enclosing
from agent.telling.wording import counted

NONE = 1
_PLACE = re.compile(r"(?P<path>.+):(?P<line>\d+)")
_MOST_TESTS = 8


def tests_for(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Print the tests, the likeliest first; 1 where none is seen to notice. Raises: AgentError."""
    with ask(arguments.repo, settings, screen) as asked:
        view = asked.view()
        changes = [_change(asked, view, given) for given in arguments.paths]
        impact = impacted_tests(view, changes)
    if screen.wants_json:
        screen.answer(_to_json(impact))
    else:
        _tell(impact, screen)
    return 0 if impact.files or impact.everything else NONE


def _change(asked: Asked, view: View, given: str) -> Change:
    path = asked.path(given)
    place = _PLACE.fullmatch(given)
    if not view.holds(path) and place is not None:
        path = asked.path(place["path"])
        found = enclosing(view, path, int(place["line"]))
        if found is not None:
            return Change(path=path, names=frozenset({found.definition.qualified}))
    if not view.holds(path):
        raise TaskError(
            f"there is no file {path} in {asked.top}",
            remedy="name a file of the repository, or FILE:LINE; ignored files are not known",
        )
    return Change(path=path)


def _tell(impact: Impact, screen: Screen) -> None:
    if impact.everything:
        screen.line(f"Every test: {impact.everything}.")
        return
    if not impact.files:
        screen.line("No test is seen to notice it.")
        return
    for file in impact.files:
        tests = "all of it" if not file.tests else counted(len(file.tests), "test")
        screen.line(f"{file.path}  ({tests}; {file.why})")
        for name in file.tests[:_MOST_TESTS]:
            screen.line(f"    {name}")
        if len(file.tests) > _MOST_TESTS:
            screen.line(f"    … and {len(file.tests) - _MOST_TESTS} more; --json has them")
    if impact.left_out:
        screen.line(f"At least {impact.left_out} more tests may notice too, less likely.")


def _to_json(impact: Impact) -> dict[str, Any]:
    return {
        "everything": impact.everything or None,
        "files": [
            {"path": one.path, "tests": list(one.tests), "why": one.why} for one in impact.files
        ],
        "left_out": impact.left_out,
        "test_files": len(impact.known),
    }
