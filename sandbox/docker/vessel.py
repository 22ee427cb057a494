"""One container with a runner in it, from its creation to its last trace."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread

from sandbox.base import TOOLS_DIR, SandboxSpec
from sandbox.docker.client import Engine, translated
from sandbox.docker.image import Image
from sandbox.docker.recipe import host_config, init_argv, read_only_mounts
from sandbox.docker.stream import ExecStream, start_exec
from sandbox.errors import EnvironmentMissing, SandboxError, SandboxLost
from sandbox.held import DEFAULT_VARIABLES, covered_folders, mounted_paths
from sandbox.layout import ordinary_ids
from sandbox.owner import this_process
from sandbox.session import FramedSession, Session, runner_argv
from sandbox.shell import ShellSession, shell_argv

if TYPE_CHECKING:
    from docker import APIClient

GREET_S: Final = 20.0
REMOVE_S: Final = 20.0
"""Killing a container full of a fork bomb took up to 3.3 s."""
OOM_EVENTS_S: Final = 3.0


class DockerVessel:
    """A running container that belongs to this process."""

    def __init__(self, engine: Engine, name: str, session: Session) -> None:
        self._engine = engine
        self._name = name
        self.session = session

    async def saw_oom(self) -> bool:
        """Ask the engine's events: `State.OOMKilled` stays false for what an exec started."""
        with anyio.move_on_after(OOM_EVENTS_S):
            return await anyio.to_thread.run_sync(
                _oom_events, self._engine.api, self._name, abandon_on_cancel=True
            )
        return False

    async def destroy(self) -> None:
        """Remove the container, whatever state it is in."""
        await remove(self._engine, self._name)


async def launch(engine: Engine, image: Image, spec: SandboxSpec, *, turn: int) -> DockerVessel:
    """Start a container and its runner; the tree is empty. Raises: SandboxError."""
    config = await _config(engine, image, spec, turn)
    name = f"greenloop-{secrets.token_hex(6)}"
    try:
        async with engine.turns:
            await engine.call(lambda api: _start(api, name, config))
        session = await _start_runner(engine, spec, name)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await remove(engine, name)
        raise
    return DockerVessel(engine, name, session)


async def remove(engine: Engine, name: str) -> bool:
    """Remove a container with its volumes; bounded in time once it has its turn, never raises."""
    async with engine.turns:
        with anyio.move_on_after(REMOVE_S):
            return await anyio.to_thread.run_sync(_remove, engine.api, name, abandon_on_cancel=True)
    return False


async def _config(engine: Engine, image: Image, spec: SandboxSpec, turn: int) -> dict[str, Any]:
    mountinfo = ""
    if engine.is_local:
        mountinfo = await anyio.to_thread.run_sync(_mountinfo)
    return {
        "Image": image.id,
        "User": "0:0",
        "Entrypoint": init_argv(spec),
        "WorkingDir": "/",
        "Hostname": "sandbox",
        "Env": [] if "PATH" in image.variables else [f"PATH={DEFAULT_VARIABLES['PATH']}"],
        "Labels": {**spec.labels, **this_process().labels(spec.limits.lease_s)},
        "StopSignal": "SIGKILL",
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": host_config(
            spec,
            mounts=read_only_mounts(spec.environment.mounts, mountinfo),
            volumes=image.volumes,
            cpus_available=engine.cpus,
            turn=turn,
        ),
    }


async def _start_runner(engine: Engine, spec: SandboxSpec, name: str) -> Session:
    """Start the Python runner; where there is no Python that can, the shell's."""
    try:
        return await _start_python(engine, spec, name)
    except SandboxLost as first:
        try:
            return await _start_shell(engine, spec, name)
        except SandboxLost as second:
            raise EnvironmentMissing(
                f"neither Python 3.8 or newer nor a shell can run commands in the sandbox:"
                f" {first.message}; {second.message}",
                remedy="use an image with sh, tar and coreutils or busybox",
            ) from second


async def _start_python(engine: Engine, spec: SandboxSpec, name: str) -> Session:
    interpreter = spec.environment.interpreter or "python3"
    session = FramedSession(await _exec(engine, name, runner_argv(interpreter)))
    with _closed_on_failure(session):
        await session.greet(
            roots={"tree": spec.workdir, "tools": TOOLS_DIR},
            folders=[_home(spec)],
            awaited=covered_folders(spec),
            alone=True,
            within_s=GREET_S,
        )
    return session


async def _start_shell(engine: Engine, spec: SandboxSpec, name: str) -> Session:
    stream = await _exec(engine, name, shell_argv())
    session = ShellSession(stream, tree_bytes=spec.limits.tree_bytes)
    with _closed_on_failure(session):
        await session.greet(
            tree=spec.workdir,
            home=_home(spec),
            awaited=covered_folders(spec),
            mounted=mounted_paths(spec),
            within_s=GREET_S,
        )
    return session


@contextmanager
def _closed_on_failure(session: Session) -> Iterator[None]:
    """Hang up when the block fails or is cancelled."""
    try:
        yield
    except BaseException:
        session.close()
        raise


def _home(spec: SandboxSpec) -> str:
    return spec.environment.variables.get("HOME", DEFAULT_VARIABLES["HOME"])


async def _exec(engine: Engine, name: str, argv: tuple[str, ...]) -> ExecStream:
    uid, gid = ordinary_ids()
    # PATH is the image's own where it has one.
    env = [f"{key}={DEFAULT_VARIABLES[key]}" for key in ("HOME", "USER", "LANG", "TMPDIR")]
    return await engine.call(lambda api: start_exec(api, name, argv, user=f"{uid}:{gid}", env=env))


def _start(api: "APIClient", name: str, config: dict[str, Any]) -> None:
    import docker.errors

    try:
        create: Callable[..., object] = api.create_container_from_config
        create(config, name=name)
        api.start(name)
    except docker.errors.APIError as error:
        text = str(error.explanation or error)
        if "executable file not found" in text or "no such file or directory" in text:
            raise EnvironmentMissing(
                f"the sandbox cannot start: {text}",
                remedy="use an image that has `sleep` and `sh`",
            ) from error
        raise SandboxError(f"the sandbox cannot start: {text}") from error


def _remove(api: "APIClient", name: str) -> bool:
    import docker.errors
    import requests

    for _attempt in range(3):
        try:
            api.remove_container(name, v=True, force=True)
        except docker.errors.NotFound:
            return False
        except (docker.errors.APIError, requests.exceptions.RequestException):
            continue
        return True
    return False


def _oom_events(api: "APIClient", name: str) -> bool:
    filters = {"container": name, "event": "oom"}
    try:
        with translated():
            # The event may come a moment after the end of the process that was killed.
            until: Any = f"{time.time() + 0.2:.9f}"
            return any(True for _ in api.events(since=1, until=until, filters=filters))
    except SandboxError:
        return False


def _mountinfo() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
