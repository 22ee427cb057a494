"""`greenloop fix`: start a run, show it, print what it came to, and accept it where asked."""

import argparse
import os
from pathlib import Path

import anyio

from agent.cli.outcome import commands_after_fix, print_outcome
from agent.cli.patches import hunk_places
from agent.cli.progress import Progress, open_progress
from agent.cli.review import CONFLICT, conflict_lines
from agent.cli.screen import Screen
from agent.cli.signals import heed_signals
from agent.config import Settings, find_top
from agent.engine import RunHandle, open_engine
from agent.errors import AgentError, ConfigError
from agent.journal.store import RunStore
from agent.result import RunResult, result_to_json
from agent.task import Budget, StrategyName, TaskSpec
from agent.workspace.review import Stale, apply_patch
from sandbox.errors import SandboxError

TICK_S = 1.0

Outcome = RunResult | AgentError | SandboxError


def fix(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Carry out `greenloop fix` and return its exit code. Raises: AgentError, SandboxError."""
    task = _task(arguments, settings)
    outcome = anyio.run(_carry_through, task, settings, screen)
    if not isinstance(outcome, RunResult):
        raise outcome
    result = screen.redactor.value(result_to_json(outcome))
    code = outcome.exit_code
    if arguments.apply:
        result["applied"], code = _apply(outcome, task, settings, screen)
    if screen.wants_json:
        screen.answer(result)
    else:
        places = hunk_places(outcome.patch) if outcome.patch else {}
        print_outcome(screen, result, places, commands_after_fix(result))
    return code


def _task(arguments: argparse.Namespace, settings: Settings) -> TaskSpec:
    if arguments.strategy == StrategyName.MODEL:
        raise ConfigError(
            "--strategy model: no model is configured.",
            remedy="Leave it out: the offline search needs no model.",
        )
    repo: Path = arguments.repo
    return TaskSpec(
        repo=repo,
        goal=arguments.goal,
        targets=tuple(
            target_from(text, here=repo, top=find_top(repo)) for text in arguments.targets
        ),
        strategy=StrategyName(arguments.strategy),
        budget=Budget(search_s=settings.search_s),
    )


def target_from(text: str, *, here: Path, top: Path) -> str:
    """Return a target relative to the top of the repository.

    People name files as their shell completes them: relative to where they are, or absolute.
    """
    path, separator, rest = text.partition("::")
    if not separator:
        path, separator, rest = _split_line(text)
    absolute = Path(os.path.normpath(here / path))
    if path and absolute.exists() and absolute.is_relative_to(top):
        path = absolute.relative_to(top).as_posix()
    return path + separator + rest


def _split_line(text: str) -> tuple[str, str, str]:
    path, separator, line = text.rpartition(":")
    return (path, separator, line) if separator and line.isdecimal() else (text, "", "")


async def _carry_through(task: TaskSpec, settings: Settings, screen: Screen) -> Outcome:
    outcome: Outcome = AgentError("the engine gave no result.")
    async with open_engine(settings, variables=screen.variables) as engine:
        handle = engine.start(task)
        with open_progress(screen) as progress:
            outcome = await _watch(handle, progress)
    return outcome


async def _watch(handle: RunHandle, progress: Progress) -> Outcome:
    async with anyio.create_task_group() as tasks:
        await tasks.start(heed_signals, handle.cancel, progress.say)
        tasks.start_soon(_tick, progress)
        async for event in handle.events():
            progress.show(event)
        try:
            outcome: Outcome = await handle.result()
        except (AgentError, SandboxError) as exc:
            outcome = exc
        tasks.cancel_scope.cancel()
    return outcome


async def _tick(progress: Progress) -> None:
    while True:
        await anyio.sleep(TICK_S)
        progress.tick()


def _apply(
    outcome: RunResult, task: TaskSpec, settings: Settings, screen: Screen
) -> tuple[bool, int]:
    """Accept the whole patch of a green that needs no choice."""
    if outcome.patch is None or outcome.exit_code != 0:
        screen.note("not applied: only a green that is likely or plausible is applied by itself")
        return False, outcome.exit_code
    try:
        stored = RunStore(settings.state_dir).open(outcome.run)
        applied = apply_patch(find_top(task.repo), outcome.patch, None, undo_dir=stored.undo_dir)
    except AgentError as exc:  # told here, since the result of the run must still be printed
        screen.note(f"not applied: {exc.message} {exc.remedy}")
        return False, exc.exit_code
    if not isinstance(applied, Stale):
        return True, outcome.exit_code
    for line in conflict_lines(applied):
        screen.note(line)
    screen.note("nothing was applied: your files have changed since the run began")
    return False, CONFLICT
