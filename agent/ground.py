"""What every measurement stands on: a base, the environment its tests run in, a bench over both.

Opens and announces them. What is measured there is the business of `run`, `testing` and `checking`.
"""

import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from agent.config import Settings, find_top
from agent.events import (
    BaseTaken,
    EnvironmentChosen,
    Event,
    Notice,
    Phase,
    PhaseFinished,
    PhaseStarted,
)
from agent.task import RepoPath, RunId
from agent.verify.bench import Bench
from agent.verify.runners import choose_runner
from agent.workspace.base import Base
from agent.workspace.open import open_workspace
from agent.workspace.recorded import open_recorded
from sandbox.base import Environment, Promises, SandboxEngine, SandboxLimits

REPLAYED: Final = ("image", "test_command", "junit_path")
"""Settings that decide how tests are run: a receipt is replayed with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where something is measured; chosen by the engine."""

    run: RunId
    """Whose sandboxes these are."""
    settings: Settings
    engine: SandboxEngine
    find_environment: Callable[[Path], Environment]
    """Blocking. Raises: EnvironmentMissing."""
    emit: Callable[[Event], None]
    redact: Callable[[str], str] = str
    """Takes secrets out of what tests print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Which content is meant."""

    repo: Path
    """Anything inside the repository."""
    overlay: Mapping[RepoPath, bytes] = field(default_factory=dict)
    """Unsaved editor buffers over the repository as it is now."""
    taken: BaseTaken | None = None
    """A base on record instead; None: the repository as it is now."""


class Phases:
    """Tells when a phase begins and ends, and adds up what each took."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._spent_s: dict[str, float] = {}

    @property
    def durations_s(self) -> dict[str, float]:
        """Seconds by phase, so far."""
        return dict(self._spent_s)

    @contextmanager
    def run(self, phase: Phase) -> Generator[None, None, None]:
        """Be in a phase for as long as the context is open."""
        started = time.monotonic()
        self._emit(PhaseStarted(phase=phase.value))
        try:
            yield
        finally:
            wall_s = time.monotonic() - started
            self._spent_s[phase.value] = self._spent_s.get(phase.value, 0.0) + wall_s
            self._emit(PhaseFinished(phase=phase.value, wall_s=wall_s))


class Announcement:
    """Tells what a backend enforces, with the first sandbox that stands: not known before."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._told = False
        self.notes: tuple[str, ...] = ()
        """What is weaker here than in a hardened container; belongs to every result."""

    def tell(self, environment: Environment, promises: Promises) -> None:
        """Tell it, the first time."""
        if self._told:
            return
        self._told = True
        if promises.note:
            self.notes = (f"{promises.backend}: {promises.note}",)
        self._emit(
            EnvironmentChosen(
                backend=promises.backend,
                kind=environment.kind,
                why=environment.why,
                identity=environment.identity,
                weaker=promises.note,
            )
        )


@asynccontextmanager
async def open_base(start: Start, ground: Ground, phases: Phases) -> AsyncGenerator[Base, None]:
    """Take or open a base and keep it until the context ends. Raises: TaskError, WorkspaceError."""
    workspace = _workspace(start, ground.settings.state_dir)
    with phases.run(Phase.WORKSPACE):
        base = await anyio.to_thread.run_sync(workspace.__enter__)
        if start.taken:  # the record holds the content; what it lay on is known from then
            base = replace(base, commit=start.taken.commit, dirty_files=start.taken.dirty_files)
        ground.emit(BaseTaken(commit=base.commit, tree=base.tree, dirty_files=base.dirty_files))
        for note in base.notes:
            ground.emit(Notice(level="info", text=note))
    try:
        yield base
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(workspace.__exit__, None, None, None)


def _workspace(start: Start, state_dir: Path) -> AbstractContextManager[Base]:
    if start.taken:
        return open_recorded(find_top(start.repo), start.taken.tree, state_dir=state_dir)
    return open_workspace(start.repo, state_dir=state_dir, overlay=start.overlay)


async def make_bench(base: Base, ground: Ground, announcement: Announcement) -> Bench:
    """Return a bench over a base. Raises: ConfigError, TaskError, EnvironmentMissing."""
    settings = ground.settings
    environment = await anyio.to_thread.run_sync(ground.find_environment, base.repo)
    runner = choose_runner(
        base, environment, test_command=settings.test_command, junit_path=settings.junit_path
    )
    return Bench(
        base=base,
        engine=ground.engine,
        environment=environment,
        runner=runner,
        limits=SandboxLimits(
            memory_bytes=settings.memory_bytes,
            processes=settings.processes,
            cpus=settings.cpus,
            tree_bytes=settings.tree_bytes,
            tmp_bytes=settings.tmp_bytes,
        ),
        labels={"run": ground.run},
        settings={key: text for key in REPLAYED if (text := getattr(settings, key))},
        redact=ground.redact,
        on_open=partial(announcement.tell, environment),
    )
