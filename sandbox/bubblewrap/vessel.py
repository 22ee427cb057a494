"""One running bubblewrap with a runner in it; started from a recipe, ended as a whole.

The runner is process 1 of its own pid namespace: no command can end it, and when it ends, the
kernel ends everything else in there. It is held by a pidfd, which cannot come to mean another
process. If this process dies, its end of the pipes closes and the runner ends itself; for an
ordinary user the kernel does it besides (as root the death of bubblewrap, which gave up the right
to signal others, does not reach a first process that changed its user).
"""

import contextlib
import json
import logging
import os
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import anyio.abc
import anyio.to_thread

from sandbox.base import TOOLS_DIR, SandboxLimits, SandboxSpec
from sandbox.bubblewrap.groups import Group, Hierarchy, make_group, remove_folders
from sandbox.bubblewrap.names import owned_name
from sandbox.bubblewrap.program import command_line
from sandbox.bubblewrap.recipe import Inside, User, files_of
from sandbox.bubblewrap.streams import PipeDuplex
from sandbox.errors import SandboxError
from sandbox.held import DEFAULT_VARIABLES
from sandbox.session import FramedSession

_log = logging.getLogger(__name__)

START_S: Final = 30.0
"""bubblewrap and the runner need 50 ms together; a machine under load may take far longer."""
END_S: Final = 15.0
"""A namespace with a fork bomb in it was gone within a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What this machine has to build sandboxes with."""

    program: str
    """Path of bubblewrap."""
    user: User
    hierarchies: tuple[Hierarchy, ...]
    """Where control groups can be made; empty: memory is not bounded as a whole."""
    filter_program: bytes | None
    """System call filter for this processor."""


class BubbleVessel:
    """Implements `sandbox.held.Vessel`."""

    def __init__(
        self, outer: anyio.abc.Process, group: Group | None, session: FramedSession
    ) -> None:
        self._outer = outer
        self._group = group
        # By its pidfd too: asyncio must be the only one to reap it, and its kill() reaps.
        self._holds = [*_hold(outer.pid)]
        self.session = session

    async def saw_oom(self) -> bool:
        """Tell whether the kernel killed something of this sandbox for want of memory."""
        return self._group is not None and self._group.oom_kills() > 0

    async def destroy(self) -> None:
        """End everything inside and remove the control group."""
        self.session.close()
        with anyio.move_on_after(END_S) as scope:
            await self._end()
        if scope.cancelled_caught:
            _log.error("bubblewrap %s does not end", self._outer.pid)
        if self._group is not None:
            stay = await anyio.to_thread.run_sync(remove_folders, self._group.folders)
            for folder in stay:
                _log.error("the control group %s cannot be removed", folder)

    async def take_hold(self, info: int) -> None:
        """Get hold of the first process inside, once bubblewrap says which it is."""
        said = b""
        while b"}" not in said:
            await anyio.wait_readable(info)
            piece = os.read(info, 4096)
            if not piece:
                return
            said += piece
        self._holds += _hold(json.loads(said)["child-pid"])

    async def _end(self) -> None:
        """Kill the first process inside, then bubblewrap.

        A pidfd is readable when its process is dead, and before the first one inside is dead
        the kernel ends all others.
        """
        with contextlib.ExitStack() as holds:
            for hold in self._holds:
                holds.callback(os.close, hold)
            while self._holds:
                hold = self._holds.pop()
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(hold, signal.SIGKILL)
                await anyio.wait_readable(hold)
        await self._outer.wait()


def _hold(pid: int) -> tuple[int, ...]:
    """Return a pidfd of a process; nothing for one that is reaped already."""
    try:
        return (os.pidfd_open(pid),)
    except ProcessLookupError:
        return ()


async def start_vessel(spec: SandboxSpec, means: Means) -> BubbleVessel:
    """Start a sandbox with an empty tree. Raises: SandboxError; leaves nothing behind then."""
    # What is made in here has no owner before the end of it; each step takes milliseconds.
    with anyio.CancelScope(shield=True):
        group = await anyio.to_thread.run_sync(_group_for, spec.limits, means)
        try:
            vessel, info = await _spawn(spec, means, group)
        except BaseException:
            if group is not None:
                await anyio.to_thread.run_sync(remove_folders, group.folders)
            raise
    try:
        with anyio.fail_after(START_S):
            await vessel.take_hold(info)
            await vessel.session.greet(
                roots={"tree": spec.workdir, "tools": TOOLS_DIR},
                folders=[_home(spec)],
                alone=True,
                within_s=START_S,
            )
    except BaseException as exc:
        with anyio.CancelScope(shield=True):
            await vessel.destroy()
        if isinstance(exc, TimeoutError):
            raise SandboxError(f"bubblewrap did not start within {START_S:.0f} s") from exc
        raise
    finally:
        os.close(info)
    return vessel


async def _spawn(spec: SandboxSpec, means: Means, group: Group | None) -> tuple[BubbleVessel, int]:
    """Start bubblewrap; return it with the pipe over which it says what it started."""
    contents = files_of(spec.environment, means.user)
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        source, their_sink = _pipe(ours, theirs)
        their_source, sink = _pipe(theirs, ours)
        info, their_info = _pipe(ours, theirs)
        files = {path: _memory_file(theirs, data) for path, data in contents.items()}
        words = _memory_file(ours, b"")
        inside = Inside(
            program=means.program,
            user=means.user,
            files=files,
            info_descriptor=their_info,
            filter_descriptor=_filter(theirs, means.filter_program),
            shown=_shown(group),
        )
        inherited = [*files.values(), their_info]
        if inside.filter_descriptor is not None:
            inherited.append(inside.filter_descriptor)
        line = command_line(spec, inside, group)
        try:
            outer = await anyio.open_process(
                line,
                stdin=their_source,
                stdout=their_sink,
                stderr=words,
                env={},
                cwd="/",
                start_new_session=True,
                pass_fds=inherited,
            )
        except OSError as exc:
            raise SandboxError(f"{line[0]} cannot be started: {exc.strerror}") from exc
        ours.pop_all()
    stream = PipeDuplex(source=source, sink=sink, words=words)
    return BubbleVessel(outer, group, FramedSession(stream)), info


def _group_for(limits: SandboxLimits, means: Means) -> Group | None:
    """Make the control group of one sandbox; None where this machine has none to give."""
    if not means.hierarchies:
        return None
    group = make_group(
        means.hierarchies,
        owned_name(limits.lease_s, secrets.token_hex(4)),
        memory_bytes=limits.memory_bytes,
        processes=limits.processes,
    )
    if group is None:
        raise SandboxError(
            "the control group of the sandbox cannot be made, so its limits would not hold",
            remedy="see `greenloop doctor`; ending other sandboxes may help",
        )
    return group


def _shown(group: Group | None) -> dict[str, Path]:
    """Return the counter of killings for want of memory, which the runner reads."""
    if group is None:
        return {}
    file, path_inside = group.oom_file
    return {path_inside: file}


def _home(spec: SandboxSpec) -> str:
    """Return the home folder that commands are told."""
    return {**DEFAULT_VARIABLES, **spec.environment.variables}["HOME"]


def _pipe(reader: contextlib.ExitStack, writer: contextlib.ExitStack) -> tuple[int, int]:
    """Return a pipe of which each end is closed by its stack."""
    source, sink = os.pipe()
    reader.callback(os.close, source)
    writer.callback(os.close, sink)
    return source, sink


def _memory_file(owner: contextlib.ExitStack, data: bytes) -> int:
    """Return a file that lives in memory, positioned at its beginning."""
    file = os.memfd_create("greenloop")
    owner.callback(os.close, file)
    os.write(file, data)
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _filter(owner: contextlib.ExitStack, program: bytes | None) -> int | None:
    """Return where the system call filter can be read."""
    return None if program is None else _memory_file(owner, program)
