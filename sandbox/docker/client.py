"""Connects to the engine the way the docker command would, and turns its errors into ours."""

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.to_thread

from sandbox.errors import EngineUnavailable, SandboxError

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")

CALL_S: Final = 60
"""Any call of the engine's API; a start under load 20 took 4 s."""
CONNECT_S: Final = 15
"""The first call, which costs the engine nothing: one that hangs is told soon."""
STARTS_AND_REMOVALS: Final = 4
"""Side by side, of one process: 100 removals at once made Docker 20.10 hang for good."""
NOT_RUNNING: Final = "sudo systemctl start docker"
NOT_ALLOWED: Final = 'sudo usermod -aG docker "$USER"   (then log in again)'
NOT_ENFORCED: Final = "use cgroup v2 with delegated controllers, or an engine that runs as root"
NOT_INSTALLED: Final = "sudo apt-get install docker.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A connected engine and what it says of itself."""

    api: "APIClient"
    is_local: bool
    """Host paths can be mounted: the engine sees the same files as we do."""
    cpus: int
    unenforced: tuple[str, ...]
    """Limits that this engine takes and does not keep."""
    turns: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(STARTS_AND_REMOVALS)
    )
    """For starts and removals of containers."""

    async def call(self, work: Callable[["APIClient"], T]) -> T:
        """Run a blocking call in a thread. Raises: SandboxError."""

        def guarded() -> T:
            with translated():
                return work(self.api)

        return await anyio.to_thread.run_sync(guarded)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what docker-py and requests raise into our errors."""
    try:
        yield
    except SandboxError:
        raise
    except Exception as error:
        raise as_ours(error) from error


def connect(variables: Mapping[str, str], *, timeout_s: int = CONNECT_S) -> Engine:
    """Find the engine by DOCKER_HOST, DOCKER_CONTEXT or the active context. Blocking.

    It has so long to say what it is; later calls have `CALL_S`.

    Raises: EngineUnavailable.
    """
    with translated():
        import docker

        # docker-py reads its own process's environment when it is given an empty one.
        environment = dict(variables) or {"DOCKER_HOST": ""}
        api = docker.DockerClient.from_env(environment=environment, timeout=timeout_s).api
        # Neither a proxy nor a .netrc has a say in talking to the engine.
        api.trust_env = False
        info = api.info()
        api.timeout = CALL_S
        return Engine(
            api=api,
            is_local=_is_local(api, str(info.get("OperatingSystem", ""))),
            cpus=int(info.get("NCPU") or 1),
            unenforced=unenforced_limits(info),
        )


def unenforced_limits(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the limits that the engine says it cannot keep (rootless on cgroup v1: all)."""
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    rootless = any("name=rootless" in option for option in options)
    none = rootless and str(info.get("CgroupVersion") or "1") == "1"
    needed = {
        "memory limit": ("MemoryLimit",),
        "swap limit": ("SwapLimit",),
        "process limit": ("PidsLimit",),
        "cpu limit": ("CpuCfsQuota", "CPUSet"),
    }
    return tuple(
        name for name, keys in needed.items() if none or not all(info.get(key) for key in keys)
    )


def as_ours(error: Exception) -> SandboxError:
    """Return the error of ours that says what to do about one of docker-py's."""
    number = _errno_of(error)
    if number in (errno.EACCES, errno.EPERM):
        return EngineUnavailable(
            "Docker Engine is there, but this user may not talk to it", remedy=NOT_ALLOWED
        )
    if number == errno.ENOENT:
        return EngineUnavailable(
            "Docker Engine is not running, or not installed: its socket does not exist",
            remedy=f"{NOT_RUNNING}   (or {NOT_INSTALLED})",
        )
    if number is not None:
        return EngineUnavailable(f"Docker Engine does not answer: {error}", remedy=NOT_RUNNING)
    import docker.errors
    import requests

    if isinstance(error, docker.errors.APIError):
        return SandboxError(f"Docker Engine refused: {error.explanation or error}")
    if any(isinstance(each, requests.exceptions.Timeout) for each in _chain(error)):
        return EngineUnavailable(
            "Docker Engine did not answer in time", remedy="sudo systemctl restart docker"
        )
    if isinstance(error, requests.exceptions.RequestException):
        return EngineUnavailable(f"Docker Engine does not answer: {error}", remedy=NOT_RUNNING)
    return EngineUnavailable(
        f"cannot talk to Docker Engine: {error}",
        remedy="check DOCKER_HOST, DOCKER_CONTEXT and `docker info`",
    )


def _errno_of(error: BaseException) -> int | None:
    """Return the errno at the root of a chain; requests and docker-py wrap it several times."""
    for seen in _chain(error):
        if isinstance(seen, ConnectionError | FileNotFoundError | PermissionError):
            return seen.errno
        for inner in seen.args:
            if isinstance(inner, BaseException) and (found := _errno_of(inner)) is not None:
                return found
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _is_local(api: "APIClient", system: str) -> bool:
    # Docker Desktop answers on a local socket but runs in a virtual machine.
    return api.base_url.startswith("http+docker://localhost") and "Desktop" not in system
