"""`greenloop where`: where a name is defined, and who uses it."""

import argparse
from collections.abc import Sequence
from typing import Any

from agent.cli.asked import ask
from agent.cli.screen import Screen
from agent.config import Settings
from agent.repo.questions import FileUses, Symbols, references, symbols
from agent.telling.wording import counted

NOT_FOUND = 1
_MOST = 40


def where(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Print the definitions and uses of a name; 1 where nothing is called so.

    Raises: AgentError.
    """
    with ask(arguments.repo, settings, screen) as asked:
        view = asked.view()
        found = symbols(view, arguments.symbol)
        name = found.found[0].definition.name if found.is_exact else _last(arguments.symbol)
        uses = references(view, name)
    if screen.wants_json:
        screen.answer(_to_json(found, uses))
    else:
        _tell_definitions(arguments.symbol, found, screen)
        _tell_uses(name, uses, screen)
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


def _tell_uses(name: str, uses: Sequence[FileUses], screen: Screen) -> None:
    total = sum(len(file.uses) for file in uses)
    if not total:
        screen.line(f"{name} is used nowhere.")
        return
    screen.line(f"used on {counted(total, 'line')} of {counted(len(uses), 'file')}:")
    for file in uses[:_MOST]:
        screen.line(f"  {file.path}")
        by_place: dict[str, list[str]] = {}
        for use in file.uses:
            by_place.setdefault(use.inside, []).append(str(use.line))
        for inside, lines in by_place.items():
            screen.line(f"    {', '.join(lines)}  {inside}".rstrip())
    if len(uses) > _MOST:
        screen.line(f"  … and {len(uses) - _MOST} more files; --json has them")


def _to_json(found: Symbols, uses: Sequence[FileUses]) -> dict[str, Any]:
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
        "uses": [
            {
                "path": file.path,
                "lines": [
                    {"line": use.line, "inside": use.inside, "call": use.is_call}
                    for use in file.uses
                ],
            }
            for file in uses
        ],
    }
