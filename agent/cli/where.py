"""`greenloop where`: where a name is defined, who uses it, what it calls and which tests run it."""

import argparse
from collections import Counter
from dataclasses import dataclass
from typing import Any

from agent.cli.asked import ask
from agent.cli.screen import Screen
from agent.config import Settings
from agent.repo.impact import ImpactedFile
from agent.repo.index.queries import Found
from agent.repo.questions import (
    FileUses,
    Symbols,
    callees,
    callers,
    exercised_by,
    references,
    symbols,
)
from agent.telling.wording import counted

NOT_FOUND = 1
_MOST = 40
_MOST_TESTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What belongs to a name; calls and tests only where one definition is meant."""

    uses: tuple[FileUses, ...]
    calls_of_it: int
    calls: tuple[Found, ...] = ()
    tests: tuple[ImpactedFile, ...] = ()


def where(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Print the definitions and uses of a name; 1 where nothing is called so.

    Raises: AgentError.
    """
    with ask(arguments.repo, settings, screen) as asked:
        view = asked.view()
        found = symbols(view, arguments.symbol)
        name = found.found[0].definition.name if found.is_exact else _last(arguments.symbol)
        is_one = found.is_exact and len(found.found) == 1
        around = _Around(
            uses=references(view, name),
            calls_of_it=sum(len(file.uses) for file in callers(view, name)),
            calls=callees(view, found.found[0]) if is_one else (),
            tests=exercised_by(view, found.found[0]) if is_one else (),
        )
    if screen.wants_json:
        screen.answer(_to_json(found, around))
    else:
        _tell_definitions(arguments.symbol, found, screen)
        _tell_around(around, screen)
        _tell_uses(name, around, screen)
    return 0 if found.is_exact else NOT_FOUND


def _last(symbol: str) -> str:
    return symbol.replace("::", ".").rpartition(".")[2]


def _tell_definitions(symbol: str, found: Symbols, screen: Screen) -> None:
    if not found.is_exact:
        alike = "; alike are:" if found.found else "."
        screen.line(f"Nothing here is called {symbol}{alike}")
    for one in found.found[:_MOST]:
        definition = one.definition
        place = f"{one.path}:{definition.line}"
        screen.line(f"{place}  {definition.kind} {definition.qualified}")
        if found.is_exact and definition.signature:
            screen.line(f"    {definition.signature}")
    if len(found.found) > _MOST:
        screen.line(f"… and {len(found.found) - _MOST} more; --json has them")


def _tell_around(around: _Around, screen: Screen) -> None:
    named = Counter(one.definition.name for one in around.calls)
    certain = [one for one in around.calls if named[one.definition.name] == 1]
    for one in certain[:_MOST]:
        screen.line(f"    calls {one.definition.qualified}  {one.path}:{one.definition.line}")
    for file in around.tests[:_MOST_TESTS]:
        tests = f": {', '.join(file.tests)}" if file.tests else ""
        screen.line(f"    tested by {file.path}{tests}")
    if len(around.tests) > _MOST_TESTS:
        screen.line(f"    … and {len(around.tests) - _MOST_TESTS} more files; --json has them")


def _tell_uses(name: str, around: _Around, screen: Screen) -> None:
    uses = around.uses
    total = sum(len(file.uses) for file in uses)
    if not total:
        screen.line(f"{name} is used nowhere.")
        return
    called = f", {counted(around.calls_of_it, 'call')} among them" if around.calls_of_it else ""
    screen.line(f"used on {counted(total, 'line')} of {counted(len(uses), 'file')}{called}:")
    for file in uses[:_MOST]:
        screen.line(f"  {file.path}")
        by_place: dict[str, list[str]] = {}
        for use in file.uses:
            by_place.setdefault(use.inside, []).append(str(use.line))
        for inside, lines in by_place.items():
            screen.line(f"    {', '.join(lines)}  {inside}".rstrip())
    if len(uses) > _MOST:
        screen.line(f"  … and {len(uses) - _MOST} more files; --json has them")


def _to_json(found: Symbols, around: _Around) -> dict[str, Any]:
    return {
        "exact": found.is_exact,
        "definitions": [
            {
                "path": one.path,
                "line": one.definition.line,
                "end_line": one.definition.end_line,
                "kind": one.definition.kind,
                "name": one.definition.qualified,
                "signature": one.definition.signature,
            }
            for one in found.found
        ],
        "calls": [
            {"path": one.path, "line": one.definition.line, "name": one.definition.qualified}
            for one in around.calls
        ],
        "tests": [{"path": file.path, "tests": list(file.tests)} for file in around.tests],
        "uses": [
            {
                "path": file.path,
                "lines": [
                    {"line": use.line, "inside": use.inside, "call": use.is_call}
                    for use in file.uses
                ],
            }
            for file in around.uses
        ],
    }
