"""The border between who wants a command run and who runs it in isolation.

A `SandboxEngine` opens a `Sandbox`: one isolated copy of a tree, at the same absolute path as the
original, in which commands run one after the other. This module holds the two Protocols and the
plain records that cross the border. It knows nothing of tests, models, git or Docker.

Every backend passes tests/contract/sandbox.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Protocol

TOOLS_DIR: Final = "/run/greenloop"
"""Inside every sandbox: writable, small, outside the tree; our scripts and reports live here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One host folder or file, visible read-only inside."""

    source: Path
    """Absolute path on the host."""
    target: str
    """Absolute path inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What commands find inside besides the tree: interpreters, libraries, variables."""

    kind: Literal["host", "image"]
    """`host`: the machine's own toolchain, mounted read-only. `image`: a container image."""
    image: str | None = None
    """Image reference for `image`; None for `host`."""
    mounts: tuple[Mount, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """Symlinks of the root folder, name to target (`/bin` to `usr/bin` on merged-usr systems)."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment of every command; the host's own environment is never inherited."""
    interpreter: str | None = None
    """Absolute path inside of the Python that can import the test runner; None where unknown."""
    why: str
    """One line for a person: what was found, where, and why it was taken."""
    identity: str
    """Hash over everything above that decides what a command sees; goes into receipts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """Bounds of one sandbox; a fork bomb, a memory bomb or a full disk stays inside them."""

    memory_bytes: int = 2 * 1024**3
    processes: int = 256
    """Threads count too (cgroup pids); 256 held a fork bomb (measured 2026-11)."""
    cpus: float = 2.0
    tree_bytes: int = 1024**3
    """Size of the writable tree; the sum with `tmp_bytes` must stay below `memory_bytes`."""
    tmp_bytes: int = 256 * 1024**2
    lease_s: int = 4 * 3600
    """The sandbox ends itself after this long, whatever became of its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    """Everything an engine needs to open a sandbox."""

    environment: Environment
    workdir: str
    """Absolute path at which the tree appears inside: the user's own path of the repository."""
    tree: Path | None = None
    """Host folder whose content is the tree at the start. Never written, never handed out for
    writing; must not change while the sandbox is open. None: an empty tree."""
    limits: SandboxLimits = SandboxLimits()
    labels: Mapping[str, str] = field(default_factory=dict)
    """Attached to whatever the engine creates, besides the owner labels that the reaper reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLimits:
    """Bounds of one command."""

    wall_s: float = 600.0
    no_output_s: float | None = None
    """Kill after this long without a byte of output; None: never."""
    output_bytes: int = 64 * 1024**2
    """Kill after this much output; a 1 GB flood costs neither memory nor disk."""
    head_bytes: int = 64 * 1024
    """Kept from the beginning of the output."""
    tail_bytes: int = 256 * 1024
    """Kept from its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. There is no shell unless argv names one."""

    argv: tuple[str, ...]
    cwd: str | None = None
    """Absolute path inside; None: the work tree."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment's variables, for this command alone."""
    stdin: bytes = b""
    limits: CommandLimits = CommandLimits()


class Reason(StrEnum):
    """Why a command is over."""

    EXITED = "exited"
    TIMEOUT = "timeout"
    NO_OUTPUT = "no_output"
    OOM = "oom"
    OUTPUT_CAP = "output_cap"
    KILLED = "killed"
    """Cancelled by the caller."""
    ENGINE_LOST = "engine_lost"
    """The container or engine went away; an infrastructure failure, never a test failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command ended. After it, no process that it started is alive."""

    exit_code: int | None
    """None unless `reason` is EXITED; death by signal N is 128 + N."""
    head: bytes
    """First bytes of stdout and stderr, interleaved as they came."""
    tail: bytes
    """Last bytes; empty when everything fitted into `head`."""
    output_bytes: int
    """All output, also what neither `head` nor `tail` kept."""
    wall_s: float
    reason: Reason

    @property
    def output(self) -> bytes:
        """Head and tail with a line between them that says how much was left out."""
        left_out = self.output_bytes - len(self.head) - len(self.tail)
        if left_out <= 0:
            return self.head + self.tail
        return self.head + b"\n[... %d bytes left out ...]\n" % left_out + self.tail


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWrite:
    """A regular file as it shall be."""

    path: str
    """Relative to the tree, posix, surrogateescape for names that are not UTF-8."""
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWrite:
    """A symlink as it shall be; the target is text and is never followed by us."""

    path: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDelete:
    """A file or symlink that shall not be there."""

    path: str


FileChange = FileWrite | LinkWrite | FileDelete


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestLimits:
    """Bounds of what may come back out."""

    files: int = 2_000
    file_bytes: int = 8 * 1024**2
    total_bytes: int = 64 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Something in the tree that does not come back, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What commands changed in the tree since it was opened or last synced or harvested."""

    changes: tuple[FileWrite | FileDelete, ...]
    """Regular files inside the tree only, names checked, sorted by path."""
    refused: tuple[Refused, ...]
    """Links, special files, `.git` entries, names with control characters, what is over a cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What this backend enforces; printed with every result, so weaker is said aloud."""

    backend: str
    """`docker` or `bubblewrap`."""
    no_network: bool
    memory_limited: bool
    processes_limited: bool
    disk_limited: bool
    note: str = ""
    """What is weaker than a hardened container, in one line; empty when nothing is."""


class Process(Protocol):
    """A running command with which the caller talks while it runs."""

    async def send(self, data: bytes) -> None:
        """Write to the command's stdin. Raises: SandboxLost."""
        ...

    async def close_stdin(self) -> None:
        """End the command's stdin. Raises: SandboxLost."""
        ...

    async def receive(self) -> bytes | Completed:
        """Return the next piece of output, or the end. After the end, the same end again."""
        ...


class Sandbox(Protocol):
    """One isolated tree and the commands that run in it, one at a time.

    Any method may be cancelled; a cancelled command is killed with all it started.
    """

    @property
    def spec(self) -> SandboxSpec:
        """What it was opened with."""
        ...

    @property
    def promises(self) -> Promises:
        """What is enforced here."""
        ...

    async def sync(self, changes: Iterable[FileChange]) -> None:
        """Bring the tree to the given state; what is not named stays. Raises: SandboxLost."""
        ...

    async def install(self, files: Mapping[str, bytes]) -> None:
        """Put files of ours below `TOOLS_DIR`, names relative to it. Raises: SandboxLost."""
        ...

    async def run(
        self, command: Command, *, on_output: Callable[[bytes], None] | None = None
    ) -> Completed:
        """Run to the end; nothing it started is alive afterwards.

        Raises: SandboxError only when it could not run at all (no such program is exit code 127).
        """
        ...

    def start(self, command: Command) -> AbstractAsyncContextManager[Process]:
        """Run while talking to it; leaving the context kills what is left."""
        ...

    async def read_file(self, path: str, *, limit_bytes: int) -> bytes | None:
        """Return a regular file's bytes; links are not followed.

        The path is absolute or relative to the tree. None when there is no such regular file
        or it is larger than the limit.
        """
        ...

    async def harvest(self, limits: HarvestLimits = HarvestLimits()) -> Harvest:
        """Return what commands changed in the tree. Raises: SandboxLost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLine:
    """One fact about an engine, for `greenloop doctor`."""

    name: str
    value: str
    ok: bool
    remedy: str = ""
    """The command or setting that mends it, where `ok` is false."""


class SandboxEngine(Protocol):
    """Opens sandboxes of one kind."""

    @property
    def name(self) -> str:
        """`docker` or `bubblewrap`."""
        ...

    async def probe(self) -> tuple[ProbeLine, ...]:
        """Look at the engine without changing anything; never raises."""
        ...

    def open(self, spec: SandboxSpec) -> AbstractAsyncContextManager[Sandbox]:
        """Open a fresh sandbox; leaving the context removes every trace of it.

        Raises: EngineUnavailable, EnvironmentMissing, SandboxError.
        """
        ...

    async def reap(self) -> tuple[str, ...]:
        """Remove what dead owners of ours left behind; return the names of what was removed."""
        ...
