"""Facts about the engine for `greenloop doctor`; looks, and changes nothing."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final

from sandbox.base import ProbeLine
from sandbox.docker.client import NOT_ENFORCED, connect, translated, unenforced_limits
from sandbox.errors import SandboxError

PROBE_S: Final = 10
OLDEST_ENGINE: Final = (20, 10)
"""First with API 1.41."""
FIXED_RUNC: Final[Mapping[tuple[int, ...], tuple[int, ...]]] = {
    (1, 2): (1, 2, 8),
    (1, 3): (1, 3, 3),
}
"""By branch: without CVE-2025-31133, -52565 and -52881. Older branches are not mended upstream."""


def probe_engine(variables: Mapping[str, str]) -> tuple[ProbeLine, ...]:
    """Return one line per fact. Blocking, bounded in time; never raises."""
    try:
        engine = connect(variables, timeout_s=PROBE_S)
        engine.api.timeout = PROBE_S
        with translated(), closing(engine.api):
            info, version = engine.api.info(), engine.api.version()
    except SandboxError as error:
        return (ProbeLine(name="engine", value=error.message, ok=False, remedy=error.remedy),)
    place = "local" if engine.is_local else "remote: host tools cannot be mounted"
    reached = ProbeLine(name="engine", value=f"{engine.api.base_url} ({place})", ok=True)
    return (reached, *facts(info, version))


def facts(info: Mapping[str, Any], version: Mapping[str, Any]) -> Iterator[ProbeLine]:
    """Yield what the answers of `info` and `version` say."""
    yield _engine_version(str(info.get("ServerVersion", "")))
    yield _runc(version)
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    rootless = any("name=rootless" in option for option in options)
    yield ProbeLine(name="rootless", value="yes" if rootless else "no", ok=True)
    yield _seccomp(options)
    cgroup = str(info.get("CgroupVersion") or "1")
    yield ProbeLine(
        name="cgroups", value=f"v{cgroup}, driver {info.get('CgroupDriver', '?')}", ok=True
    )
    yield from _limits(info)
    yield ProbeLine(name="storage", value=str(info.get("Driver", "?")), ok=True)
    yield ProbeLine(name="runtimes", value=", ".join(sorted(info.get("Runtimes") or ())), ok=True)
    memory = int(info.get("MemTotal") or 0) / 1024**3
    size = f"{info.get('NCPU', '?')} CPUs, {memory:.1f} GiB"
    yield ProbeLine(name="machine", value=size, ok=True)


def _engine_version(text: str) -> ProbeLine:
    ok = _numbers(text)[:2] >= OLDEST_ENGINE
    remedy = "" if ok else "install Docker Engine 20.10 or newer"
    return ProbeLine(name="version", value=text or "unknown", ok=ok, remedy=remedy)


def _runc(version: Mapping[str, Any]) -> ProbeLine:
    found = {str(part.get("Name")): part for part in version.get("Components") or ()}
    text = str(found.get("runc", {}).get("Version", ""))
    numbers = _numbers(text)
    if not numbers:
        return ProbeLine(name="runc", value="not named (another runtime)", ok=True)
    least = FIXED_RUNC.get(numbers[:2])
    fixed = numbers >= least if least else numbers[:2] > max(FIXED_RUNC)
    if fixed:
        return ProbeLine(name="runc", value=text, ok=True)
    if re.search(r"\d[~+]ds|deb\d|ubuntu", text):
        value = f"{text}: older than the upstream fix of its known escapes;"
        value += " distributions mend these without a new number"
    else:
        value = f"{text}: has known escapes (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881)"
    remedy = "sudo apt-get update && sudo apt-get install --only-upgrade runc"
    # Advice: what is promised holds against everything but those escapes.
    return ProbeLine(name="runc", value=value, ok=True, remedy=remedy)


def _seccomp(options: list[str]) -> ProbeLine:
    found = [option for option in options if option.startswith("name=seccomp")]
    ok = bool(found) and "unconfined" not in found[0]
    value = found[0].partition("profile=")[2] or "on" if ok else "off"
    remedy = "" if ok else "start the engine with its default seccomp profile"
    return ProbeLine(name="seccomp", value=value, ok=ok, remedy=remedy)


def _limits(info: Mapping[str, Any]) -> Iterator[ProbeLine]:
    """Yield whether the kernel lets this engine enforce what a sandbox promises."""
    missing = unenforced_limits(info)
    for name in ("memory limit", "swap limit", "process limit", "cpu limit"):
        ok = name not in missing
        value = "enforced" if ok else "not enforced"
        yield ProbeLine(name=name, value=value, ok=ok, remedy="" if ok else NOT_ENFORCED)


def _numbers(text: str) -> tuple[int, ...]:
    start = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in start[0].split(".")) if start else ()
