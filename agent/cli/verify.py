"""`greenloop verify`: measure again what a receipt says, and tell whether it holds."""

import argparse
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from agent.cli.arguments import given_settings
from agent.cli.progress import busy
from agent.cli.screen import Screen
from agent.cli.signals import INTERRUPTED, heed_signals
from agent.config import Settings, load_settings, top_here
from agent.engine import find_environment, make_sandbox_engine
from agent.errors import JournalError, TaskError, WorkspaceError
from agent.journal.store import RunStore
from agent.telling.wording import counted, one_line
from agent.verify.bench import Bench
from agent.verify.receipt import (
    CannotTell,
    DoesNotHold,
    Holds,
    Recorded,
    Replay,
    replay,
)
from agent.verify.runners import choose_runner
from agent.workspace.base import Base
from agent.workspace.open import open_workspace
from agent.workspace.recorded import open_recorded
from sandbox.base import SandboxLimits

DOES_NOT_HOLD = 1
CANNOT_TELL = 2


def verify(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Replay a receipt. Raises: AgentError, SandboxError."""
    receipt = receipt_path(arguments.receipt, settings.state_dir)
    outcome = anyio.run(_replay, receipt, given_settings(arguments), screen)
    return _report(receipt, outcome, screen)


def _report(receipt: Path, outcome: Replay | None, screen: Screen) -> int:
    if outcome is None:
        screen.answer({"receipt": str(receipt), "holds": None, "why": "interrupted"})
        return INTERRUPTED
    screen.answer({"receipt": str(receipt), **_to_json(outcome)})
    for line in _lines(outcome):
        screen.line(line)
    match outcome:
        case Holds():
            return 0
        case DoesNotHold():
            return DOES_NOT_HOLD
        case CannotTell():
            return CANNOT_TELL


def receipt_path(name: str, state_dir: Path) -> Path:
    """Return the receipt that is meant: a file, or the receipt of a run.

    Raises: TaskError.
    """
    path = Path(name)
    if path.is_file():
        return path.absolute()
    try:
        stored = RunStore(state_dir).open(name, top=top_here())
    except JournalError as exc:
        raise TaskError(
            f"{name} is neither a receipt's file nor a run.",
            remedy="`greenloop runs` lists the runs.",
        ) from exc
    if not stored.receipt_path.is_file():
        raise TaskError(
            f"run {stored.run} has no receipt: only a green one leaves evidence.",
            remedy=f"`greenloop show {stored.run}` says what it came to.",
        )
    return stored.receipt_path


async def _replay(receipt: Path, flags: Mapping[str, object], screen: Screen) -> Replay | None:
    """Return what replaying says; None when it was interrupted."""
    outcome = None
    async with anyio.create_task_group() as tasks:
        await tasks.start(heed_signals, tasks.cancel_scope.cancel, screen.note)
        open_bench = partial(_open_bench, flags=flags, variables=screen.variables)
        with busy(screen, "measuring again what the receipt says"):
            outcome = await replay(receipt, open_bench=open_bench)
        tasks.cancel_scope.cancel()
    return outcome


@asynccontextmanager
async def _open_bench(
    recorded: Recorded, *, flags: Mapping[str, object], variables: Mapping[str, str]
) -> AsyncGenerator[Bench, None]:
    """Open the recorded base, run as recorded; flags and the repository's settings of now."""
    settings = load_settings(
        repo=recorded.repo, variables=variables, flags={**recorded.settings, **flags}
    )
    workspace = _base_of(recorded, settings.state_dir)
    base = await anyio.to_thread.run_sync(workspace.__enter__)
    try:
        environment = await anyio.to_thread.run_sync(
            find_environment, settings, variables, base.repo
        )
        yield Bench(
            base=base,
            engine=make_sandbox_engine(settings, variables),
            environment=environment,
            runner=choose_runner(
                base,
                environment,
                test_command=settings.test_command,
                junit_path=settings.junit_path,
            ),
            limits=SandboxLimits(
                memory_bytes=settings.memory_bytes,
                processes=settings.processes,
                cpus=settings.cpus,
                tree_bytes=settings.tree_bytes,
                tmp_bytes=settings.tmp_bytes,
            ),
        )
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(workspace.__exit__, None, None, None)


@contextmanager
def _base_of(recorded: Recorded, state_dir: Path) -> Generator[Base, None, None]:
    """Open the very base that was measured; the files as they are now where it is not kept."""
    with ExitStack() as stack:
        try:
            base = stack.enter_context(
                open_recorded(recorded.repo, recorded.tree, state_dir=state_dir)
            )
        except WorkspaceError:
            now = open_workspace(recorded.repo, state_dir=state_dir, overlay={})
            base = stack.enter_context(now)
        yield base


def _to_json(outcome: Replay) -> dict[str, Any]:
    match outcome:
        case Holds():
            return {"holds": True, "tests": outcome.tests, "targets": outcome.targets}
        case DoesNotHold():
            return {"holds": False, "differences": list(outcome.differences)}
        case CannotTell():
            return {"holds": None, "why": outcome.why}


def _lines(outcome: Replay) -> list[str]:
    match outcome:
        case Holds():
            fixed = counted(outcome.targets, "test")
            return [
                "it holds, measured again in fresh sandboxes:",
                f"  {fixed} red without the patch and green with it,",
                f"  {counted(outcome.tests, 'test')} in all, each as recorded.",
            ]
        case DoesNotHold():
            return [
                "it does not hold:",
                *(f"  {one_line(difference)}" for difference in outcome.differences),
            ]
        case CannotTell():
            return [
                f"cannot tell: {one_line(outcome.why)}",
                "  A receipt can be replayed on the same content, with the same environment",
                "  and the same test command only.",
            ]
