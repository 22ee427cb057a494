"""`greenloop doctor`: what is found here, what is missing, and the command that mends it."""

import argparse
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import anyio

from agent import __version__
from agent.cli.screen import Screen
from agent.config import Settings, find_top, settings_table, user_file
from agent.engine import environment_question, make_sandbox_engine
from sandbox.base import ProbeLine
from sandbox.doctor import examine

MISSING = 1


def doctor(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Print every fact that decides whether a run works here; 1 where something is missing.

    With a model, that is tried instead. Raises: AgentError.
    """
    if arguments.model:
        from agent.cli.check_model import check_model

        return check_model(arguments, settings, screen)
    top = find_top(arguments.repo)
    probes = [*_own_lines(settings), *anyio.run(_examine, top, settings, screen)]
    table = settings_table(settings)
    if screen.wants_json:
        screen.answer(_to_json(probes, table))
    else:
        _print_probes(screen, top, probes)
        _print_settings(screen, table)
    return 0 if all(probe.ok for probe in probes) else MISSING


async def _examine(top: Path, settings: Settings, screen: Screen) -> tuple[ProbeLine, ...]:
    engine = make_sandbox_engine(settings, screen.variables)
    repo = top if (top / ".git").exists() else None
    variables, module = environment_question(settings, screen.variables, repo)
    lines = await examine(engine, repo, image=settings.image, variables=variables, module=module)
    if repo is None:
        note = f"{top} is in no git repository; run it in one to see its environment"
        lines = (*lines, ProbeLine(name="repository", value=note, ok=True))
    return lines


def _own_lines(settings: Settings) -> tuple[ProbeLine, ...]:
    python = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return (
        ProbeLine(name="greenloop", value=f"{__version__} on {python}", ok=True),
        _state_folder(settings.state_dir),
    )


def _state_folder(folder: Path) -> ProbeLine:
    """Look whether runs can be kept, without making anything."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return ProbeLine(name="state folder", value=str(folder), ok=True)
    return ProbeLine(
        name="state folder",
        value=f"{folder} cannot be written",
        ok=False,
        remedy=f"Make {existing} writable, or choose another folder with GREENLOOP_STATE_DIR.",
    )


def _print_probes(screen: Screen, top: Path, probes: Sequence[ProbeLine]) -> None:
    rows = [(probe.name, probe.value, probe.ok) for probe in probes]
    screen.line(f"greenloop in {top}")
    if screen.is_rich:
        from agent.cli.paint import checks_table

        screen.draw(checks_table(rows))
    else:
        for name, value, ok in rows:
            screen.line(f"{'ok' if ok else 'no'}  {name}: {value}")
    advice = [probe for probe in probes if probe.remedy or not probe.ok]
    if advice:
        screen.line()
        screen.line("what to do:")
    for probe in advice:
        screen.line(f"  {probe.name}: {probe.remedy or probe.value}")


def _print_settings(screen: Screen, table: Sequence[tuple[str, str, str]]) -> None:
    screen.line()
    screen.line(f"settings (your own file: {user_file(screen.variables)})")
    width = max(len(name) for name, _, _ in table)
    for name, value, origin in table:
        screen.line(f"  {name:<{width}}  {value}  [{origin}]")


def _to_json(
    probes: Sequence[ProbeLine], table: Sequence[tuple[str, str, str]]
) -> dict[str, object]:
    return {
        "ok": all(probe.ok for probe in probes),
        "checks": [
            {"name": probe.name, "value": probe.value, "ok": probe.ok, "remedy": probe.remedy}
            for probe in probes
        ],
        "settings": [
            {"name": name, "value": value, "origin": origin} for name, value, origin in table
        ],
    }
