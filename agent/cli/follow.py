"""Starts a run, shows it while it goes on, prints what it came to, accepts it where asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from agent.cli.outcome import commands_after_fix, print_outcome
from agent.cli.patches import hunk_places
from agent.cli.progress import Progress, open_progress
from agent.cli.review import CONFLICT, conflict_lines
from agent.cli.screen import Screen
from agent.cli.signals import heed_signals
from agent.config import Settings, find_top
from agent.engine import Engine, open_engine
from agent.errors import AgentError
from agent.events import Event, ModelAnswered, RunStarted
from agent.handle import Outcome, RunHandle
from agent.journal.store import RunStore
from agent.result import RunResult, result_to_json
from agent.telling.account import model_account
from agent.workspace.review import Stale, apply_patch
from sandbox.errors import SandboxError

TICK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A run that is to be carried out, and what is to be done with what it comes to."""

    start: Callable[[Engine], RunHandle]
    repo: Path
    apply: bool
    detail: int
    """How much is told of what a model reasons: 0 a line, 1 some, 2 all."""
    before: tuple[Event, ...] = ()
    """What happened already, of a run that is resumed."""


def follow(wish: Wish, settings: Settings, screen: Screen) -> int:
    """Carry a run through and return the exit code. Raises: AgentError, SandboxError."""
    seen = [*wish.before]
    outcome = anyio.run(_carry_through, wish, settings, screen, seen)
    if not isinstance(outcome, RunResult):
        _say_how_to_go_on(seen, screen)
        raise outcome
    result = screen.redactor.value({**result_to_json(outcome), "model": model_account(seen)})
    code = outcome.exit_code
    if wish.apply:
        result["applied"], code = _apply(outcome, wish.repo, settings, screen)
    if screen.wants_json:
        screen.answer(result)
    else:
        places = hunk_places(outcome.patch) if outcome.patch else {}
        print_outcome(screen, result, places, commands_after_fix(result))
    return code


def _say_how_to_go_on(seen: Sequence[Event], screen: Screen) -> None:
    """Name the way back into a run that an error ended after a model had begun to work."""
    run = next((event.run for event in seen if isinstance(event, RunStarted)), "")
    if run and any(isinstance(event, ModelAnswered) for event in seen):
        screen.note(f"what was done until then is kept; go on with it: greenloop resume {run}")


async def _carry_through(
    wish: Wish, settings: Settings, screen: Screen, seen: list[Event]
) -> Outcome:
    outcome: Outcome = AgentError("the engine gave no result.")
    async with open_engine(settings, variables=screen.variables) as engine:
        handle = wish.start(engine)
        with open_progress(screen, detail=wish.detail) as progress:
            progress.recall(wish.before)
            outcome = await _watch(handle, progress, seen)
    return outcome


async def _watch(handle: RunHandle, progress: Progress, seen: list[Event]) -> Outcome:
    async with anyio.create_task_group() as tasks:
        await tasks.start(heed_signals, handle.cancel, progress.say)
        tasks.start_soon(_tick, progress)
        async for event in handle.events():
            seen.append(event)
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


def _apply(outcome: RunResult, repo: Path, settings: Settings, screen: Screen) -> tuple[bool, int]:
    """Accept the whole patch of a green that needs no choice."""
    if outcome.patch is None or outcome.exit_code != 0:
        screen.note("not applied: only a green that is likely or plausible is applied by itself")
        return False, outcome.exit_code
    try:
        stored = RunStore(settings.state_dir).open(outcome.run)
        applied = apply_patch(find_top(repo), outcome.patch, None, undo_dir=stored.undo_dir)
    except AgentError as exc:  # told here, since the result of the run must still be printed
        screen.note(f"not applied: {exc.message} {exc.remedy}")
        return False, exc.exit_code
    if not isinstance(applied, Stale):
        return True, outcome.exit_code
    for line in conflict_lines(applied):
        screen.note(line)
    screen.note("nothing was applied: your files have changed since the run began")
    return False, CONFLICT
