"""A sandbox that is replaced when it breaks: the part that every backend shares.

A backend launches vessels (a container, a bwrap) with a runner in them; this module keeps the
promises of `sandbox.base.Sandbox` over them. What the host put in (the tree, every sync, every
installed file) is remembered and put again into a new vessel when the old one died, lied, did not
answer or ran out of memory. What commands left in the old one is lost then.
"""

import posixpath
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, Protocol

import anyio

from sandbox.base import (
    Command,
    Completed,
    FileChange,
    FileDelete,
    Harvest,
    HarvestLimits,
    Process,
    Promises,
    Reason,
    SandboxSpec,
)
from sandbox.errors import SandboxError, SandboxLost
from sandbox.packing import checked_path, deletions, pack_changes, pack_files, pack_folder
from sandbox.session import Session, SessionProcess

SCRATCH_HOME: Final = "/tmp/home"  # noqa: S108 - a path inside the sandbox
HARVEST_LIMITS: Final = HarvestLimits()
DEFAULT_VARIABLES: Final = {
    "HOME": SCRATCH_HOME,
    "USER": "greenloop",
    "LOGNAME": "greenloop",
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",  # noqa: S108 - a path inside the sandbox
}
"""Of every command; the environment's own variables win."""


class Vessel(Protocol):
    """Whatever holds one runner; ours alone."""

    @property
    def session(self) -> Session:
        """The runner, greeted."""
        ...

    async def saw_oom(self) -> bool:
        """Tell whether memory ran out in here; asked when the runner is gone."""
        ...

    async def destroy(self) -> None:
        """Remove every trace; bounded in time, never raises. Called under a shield."""
        ...


class Launch(Protocol):
    """Starts a vessel whose tree is empty."""

    async def __call__(self) -> Vessel:
        """Raises: SandboxError; leaves nothing behind then, nor when cancelled."""
        ...


def mounted_paths(spec: SandboxSpec) -> tuple[str, ...]:
    """Return the paths in the tree that are covered by a mount (a `.venv`), relative to it.

    What the tree holds there is left out: it could neither be written nor seen.
    """
    top = spec.workdir.rstrip("/") + "/"
    targets = (mount.target for mount in spec.environment.mounts)
    return tuple(target[len(top) :] for target in targets if target.startswith(top))


def covered_folders(spec: SandboxSpec) -> tuple[str, ...]:
    """Return the folders between the work tree and the mounts in it, absolute, outermost first.

    Whoever makes the mounts makes them too, and must let the runner write there.
    """
    found: dict[str, None] = {}
    for path in mounted_paths(spec):
        parts = path.split("/")[:-1]
        for depth in range(len(parts)):
            found[posixpath.join(spec.workdir, *parts[: depth + 1])] = None
    return tuple(found)


def ancestors(path: str) -> set[str]:
    """Return the folders above a path, relative as it is."""
    parts = path.split("/")
    return {"/".join(parts[:depth]) for depth in range(1, len(parts))}


def is_passable(word: str) -> bool:
    """Tell whether a word can be handed to a program: no NUL, and nothing but bytes in disguise."""
    try:
        return "\0" not in word.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeEncodeError:
        return False


def checked_command(command: Command) -> None:
    """Raise SandboxError for what no kernel could start."""
    names = tuple(command.env)
    words = (*command.argv, *names, *command.env.values(), command.cwd or "/")
    if not command.argv or not command.argv[0]:
        raise SandboxError("a command needs a program")
    if not all(is_passable(word) for word in words) or any(
        not name or "=" in name for name in names
    ):
        raise SandboxError(f"not a command that can be run: {command.argv[0]!r}")


@asynccontextmanager
async def open_held(
    spec: SandboxSpec,
    promises: Promises,
    launch: Launch,
    *,
    variables: Mapping[str, str] | None = None,
) -> AsyncGenerator["HeldSandbox", None]:
    """Open a sandbox over vessels that `launch` starts. Raises: SandboxError.

    `variables` are the backend's own; those of the environment win over them.
    """
    sandbox = HeldSandbox(spec, promises, launch, variables or {})
    try:
        await sandbox.fill()
        yield sandbox
    finally:
        with anyio.CancelScope(shield=True):
            await sandbox.close()


class HeldSandbox:
    """Implements `sandbox.base.Sandbox`; made by `open_held`."""

    def __init__(
        self, spec: SandboxSpec, promises: Promises, launch: Launch, variables: Mapping[str, str]
    ) -> None:
        self._spec = spec
        self._promises = promises
        self._launch = launch
        self._vessel: Vessel | None = None
        self._poisoned = False
        self._closed = False
        self._lock = anyio.Lock()
        self._synced: dict[str, FileChange] = {}
        self._installed: dict[str, bytes] = {}
        self._mounted = mounted_paths(spec)
        self._variables = {**DEFAULT_VARIABLES, **variables, **spec.environment.variables}

    @property
    def spec(self) -> SandboxSpec:
        """What it was opened with."""
        return self._spec

    @property
    def promises(self) -> Promises:
        """What is enforced here."""
        return self._promises

    async def sync(self, changes: Iterable[FileChange]) -> None:
        """Bring the tree to the given state; what is not named stays."""
        listed = [change for change in changes if not self._is_mounted(checked_path(change.path))]
        if not listed:
            return
        async with self._lock:
            before = dict(self._synced)
            for change in listed:
                self._remember(change)
            try:
                # Of contradictory changes the last word counts, now and when they are replayed.
                latest = [each for each in listed if self._synced.get(each.path) is each]
                await self._bring(partial(_apply, changes=latest))
            except SandboxError:
                # What cannot be there must not stand in the way of everything that follows.
                self._synced = before
                self._poisoned = True
                raise

    async def install(self, files: Mapping[str, bytes]) -> None:
        """Put files of ours below `TOOLS_DIR`."""
        for name in files:
            checked_path(name)
        if not files:
            return
        async with self._lock:
            before = dict(self._installed)
            self._installed.update(files)
            try:
                await self._bring(partial(_install, files=files))
            except SandboxError:
                self._installed = before
                self._poisoned = True
                raise

    async def run(
        self, command: Command, *, on_output: Callable[[bytes], None] | None = None
    ) -> Completed:
        """Run to the end; nothing it started is alive afterwards."""
        async with self._process(command, interactive=False) as process:
            while True:
                got = await process.receive()
                if isinstance(got, Completed):
                    return got
                if on_output is not None:
                    on_output(got)

    @asynccontextmanager
    async def start(self, command: Command) -> AsyncGenerator[Process, None]:
        """Run while talking to it; leaving the context kills what is left."""
        async with self._process(command, interactive=True) as process:
            yield process

    async def read_file(self, path: str, *, limit_bytes: int) -> bytes | None:
        """Return a regular file's bytes; links are not followed."""
        async with self._lock:
            return await self._living().read_file(path, limit_bytes)

    async def harvest(self, limits: HarvestLimits = HARVEST_LIMITS) -> Harvest:
        """Return what commands changed in the tree."""
        async with self._lock:
            return await self._living().harvest(limits)

    async def fill(self) -> None:
        """Start the first vessel. Raises: SandboxError."""
        async with self._lock:
            await self._session()

    async def close(self) -> None:
        """Remove every trace; nothing can be run any more."""
        self._closed = True
        await self._drop()

    async def _drop(self) -> None:
        vessel, self._vessel = self._vessel, None
        if vessel is not None:
            vessel.session.close()
            await vessel.destroy()

    @asynccontextmanager
    async def _process(
        self, command: Command, *, interactive: bool
    ) -> AsyncGenerator["HeldProcess", None]:
        checked_command(command)
        async with self._lock:
            vessel = await self._vessel_with_tree()
            process = vessel.session.process(
                command,
                cwd=command.cwd or self._spec.workdir,
                env={**self._variables, **command.env},
                interactive=interactive,
            )
            try:
                async with process as running:
                    yield HeldProcess(running, vessel)
                    ended = running.end
            except SandboxLost:
                self._poisoned = True
                raise
            if ended is not None and ended.reason in (Reason.OOM, Reason.ENGINE_LOST):
                self._poisoned = True

    def _remember(self, change: FileChange) -> None:
        for path in [path for path in self._synced if path.startswith(change.path + "/")]:
            del self._synced[path]
        self._synced.pop(change.path, None)
        if not isinstance(change, FileDelete):
            # What was a file becomes a folder; deletions come first when all is replayed.
            for above in self._synced.keys() & ancestors(change.path):
                self._synced[above] = FileDelete(path=above)
        self._synced[change.path] = change

    def _must_be_open(self) -> None:
        if self._closed:
            raise SandboxLost("the sandbox was closed; open another")

    def _is_mounted(self, path: str) -> bool:
        return any(path == mounted or path.startswith(mounted + "/") for mounted in self._mounted)

    def _is_fresh_needed(self) -> bool:
        return self._vessel is None or self._poisoned or self._vessel.session.lost

    def _living(self) -> Session:
        self._must_be_open()
        if self._vessel is None or self._vessel.session.lost:
            raise SandboxLost("the sandbox is gone, and with it what commands wrote")
        return self._vessel.session

    async def _session(self) -> Session:
        return (await self._vessel_with_tree()).session

    async def _vessel_with_tree(self) -> Vessel:
        """Return a vessel that holds the right tree, a new one where the old one is spent."""
        self._must_be_open()
        if self._vessel is not None and not self._is_fresh_needed():
            return self._vessel
        with anyio.CancelScope(shield=True):
            await self._drop()
        self._vessel = await self._launch()
        self._poisoned = True
        session = self._vessel.session
        if self._spec.tree is not None:
            await session.change("tree", delete=(), tar=pack_folder(self._spec.tree, self._mounted))
        if self._synced:
            await _apply(session, list(self._synced.values()))
        if self._installed:
            await session.change("tools", delete=(), tar=pack_files(self._installed.items()))
        self._poisoned = False
        return self._vessel

    async def _bring(self, order: Callable[[Session], Awaitable[None]]) -> None:
        """Carry out what is remembered already; a new vessel, where one is due, has it anyway."""
        if not self._is_fresh_needed():
            try:
                await order(self._living())
            except SandboxError:
                # A full disk, folders nested beyond reason, or a vessel that died while idle.
                self._poisoned = True
            else:
                return
        await self._session()


async def _apply(session: Session, changes: list[FileChange]) -> None:
    over = [change.path for change in changes if not isinstance(change, FileDelete)]
    tar = pack_changes(changes) if over else None
    await session.change("tree", delete=deletions(changes), tar=tar, over=over)


async def _install(session: Session, files: Mapping[str, bytes]) -> None:
    await session.change("tools", delete=(), tar=pack_files(files.items()), over=list(files))


class HeldProcess:
    """A command that ends with `engine_lost` or `oom` when its vessel dies."""

    def __init__(self, running: SessionProcess, vessel: Vessel) -> None:
        self._running = running
        self._vessel = vessel

    async def send(self, data: bytes) -> None:
        """Write to the command's stdin."""
        await self._running.send(data)

    async def close_stdin(self) -> None:
        """End the command's stdin."""
        await self._running.close_stdin()

    async def receive(self) -> bytes | Completed:
        """Return the next piece of output, or the end."""
        try:
            return await self._running.receive()
        except SandboxLost:
            oom = await self._vessel.saw_oom()
            return self._running.cut_off(Reason.OOM if oom else Reason.ENGINE_LOST)
