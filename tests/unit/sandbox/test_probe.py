"""What `doctor` is told about an engine, and what the engine's errors become."""

import errno

import docker.errors
import pytest
import requests

from sandbox.docker.client import (
    NOT_ALLOWED,
    NOT_RUNNING,
    Engine,
    as_ours,
    connect,
    translated,
)
from sandbox.docker.engine import must_enforce
from sandbox.docker.image import ensure_image
from sandbox.docker.probe import facts, probe_engine
from sandbox.errors import EngineUnavailable, EnvironmentMissing, SandboxError
from tests.support.sandboxes import host_environment

INFO = {
    "ServerVersion": "28.1.0",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
    "CgroupVersion": "2",
    "CgroupDriver": "systemd",
    "MemoryLimit": True,
    "SwapLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "CPUSet": True,
    "Driver": "overlay2",
    "Runtimes": {"runsc": {}, "runc": {}},
    "MemTotal": 8 * 1024**3,
    "NCPU": 4,
}


def version(runc: str) -> dict[str, object]:
    return {"Components": [{"Name": "Engine", "Version": "28"}, {"Name": "runc", "Version": runc}]}


def lines(runc: str = "1.4.0", **changes: object) -> dict[str, tuple[str, bool, bool]]:
    found = facts({**INFO, **changes}, version(runc))
    return {line.name: (line.value, line.ok, bool(line.remedy)) for line in found}


def test_a_sound_engine_has_nothing_to_mend() -> None:
    assert lines() == {
        "version": ("28.1.0", True, False),
        "runc": ("1.4.0", True, False),
        "rootless": ("no", True, False),
        "seccomp": ("builtin", True, False),
        "cgroups": ("v2, driver systemd", True, False),
        "memory limit": ("enforced", True, False),
        "swap limit": ("enforced", True, False),
        "process limit": ("enforced", True, False),
        "cpu limit": ("enforced", True, False),
        "storage": ("overlay2", True, False),
        "runtimes": ("runc, runsc", True, False),
        "machine": ("4 CPUs, 8.0 GiB", True, False),
    }


def test_limits_that_are_not_enforced_are_named_with_a_remedy() -> None:
    assert lines(MemoryLimit=False)["memory limit"] == ("not enforced", False, True)
    rootless = lines(SecurityOptions=["name=rootless"], CgroupVersion="1")
    assert rootless["rootless"] == ("yes", True, False)
    assert rootless["process limit"] == ("not enforced", False, True)
    assert rootless["seccomp"] == ("off", False, True)


def test_an_old_engine_is_not_good_enough() -> None:
    assert lines(ServerVersion="19.03.1")["version"] == ("19.03.1", False, True)
    assert lines(ServerVersion="")["version"] == ("unknown", False, True)


@pytest.mark.parametrize(
    ("runc", "advice"),
    [
        ("1.1.5", True),
        ("1.2.7", True),
        ("1.2.8", False),
        ("1.3.3+deb13", False),
        ("1.5.0-rc1", False),
        ("", False),
    ],
)
def test_a_runc_with_known_escapes_is_named_as_advice(runc: str, advice: bool) -> None:
    value, ok, remedy = lines(runc)["runc"]
    assert ok
    assert remedy is advice
    assert ("CVE-2025-31133" in value) is advice


def test_a_runc_of_a_distribution_may_be_mended_without_a_new_number() -> None:
    value, ok, remedy = lines("1.1.5+ds1-1+deb12u1")["runc"]
    assert "without a new number" in value
    assert ok
    assert remedy


def test_an_engine_that_is_not_there_is_one_line_with_a_remedy() -> None:
    (line,) = probe_engine({"DOCKER_HOST": "tcp://127.0.0.1:1"})
    assert (line.name, line.ok) == ("engine", False)
    assert line.remedy


def chained(error: Exception) -> Exception:
    """As docker-py and requests wrap it."""
    outer = docker.errors.DockerException("Error while fetching server API version")
    outer.__cause__ = requests.exceptions.ConnectionError(Exception("aborted", error))
    return outer


@pytest.mark.parametrize(
    ("error", "text", "remedy"),
    [
        (chained(PermissionError(errno.EACCES, "no")), "may not talk to it", NOT_ALLOWED),
        (chained(FileNotFoundError(errno.ENOENT, "no")), "not running", NOT_RUNNING),
        (chained(ConnectionRefusedError(errno.ECONNREFUSED, "no")), "does not answer", NOT_RUNNING),
        (requests.exceptions.ReadTimeout("slow"), "in time", "restart docker"),
        (requests.exceptions.InvalidURL("odd"), "does not answer", NOT_RUNNING),
        (docker.errors.DockerException("bad host"), "cannot talk", "DOCKER_HOST"),
    ],
)
def test_what_keeps_us_from_the_engine_has_its_own_remedy(
    error: Exception, text: str, remedy: str
) -> None:
    ours = as_ours(error)
    assert isinstance(ours, EngineUnavailable)
    assert text in ours.message
    assert remedy in ours.remedy


def test_a_refusal_of_the_engine_is_told_in_its_words() -> None:
    with pytest.raises(SandboxError, match="refused: no such thing"), translated():
        raise docker.errors.APIError("x", explanation="no such thing")


def test_our_own_errors_and_interrupts_pass() -> None:
    for error in (SandboxError("ours"), KeyboardInterrupt()):
        with pytest.raises(type(error)), translated():
            raise error


def test_a_wrong_host_setting_is_refused_at_once() -> None:
    with pytest.raises(EngineUnavailable):
        connect({"DOCKER_HOST": "nonsense://"})


@pytest.mark.parametrize("missing", ["memory limit", "process limit"])
def test_an_engine_that_does_not_keep_its_limits_is_refused(missing: str) -> None:
    api = docker.APIClient(base_url="tcp://127.0.0.1:1", version="1.41")
    must_enforce(Engine(api=api, is_local=True, cpus=1, unenforced=("swap limit",)))
    with pytest.raises(EngineUnavailable, match=missing):
        must_enforce(Engine(api=api, is_local=True, cpus=1, unenforced=(missing,)))
    api.close()


async def test_host_tools_cannot_be_used_on_another_machine() -> None:
    api = docker.APIClient(base_url="tcp://127.0.0.1:1", version="1.41")
    engine = Engine(api=api, is_local=False, cpus=1, unenforced=())
    with pytest.raises(EnvironmentMissing, match="does not see the files"):
        await ensure_image(engine, host_environment())
    api.close()
