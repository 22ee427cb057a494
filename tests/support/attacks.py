"""The stage for attacks: a small sandbox over a guarded folder, and proofs that nothing got out.

Attacks run for real, so everything is small: memory, processes, disk, time. What may not change
is fingerprinted before and compared after, and each process of an attack bears a token in its
environment by which it is found on the host.
"""

import hashlib
import os
import secrets
import stat
import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.base import (
    Command,
    CommandLimits,
    Completed,
    Reason,
    Sandbox,
    SandboxEngine,
    SandboxLimits,
    SandboxSpec,
)
from tests.support.sandboxes import MIB, PYTHON, host_environment

LIMITS = SandboxLimits(
    memory_bytes=160 * MIB,
    processes=64,
    cpus=1.0,
    tree_bytes=32 * MIB,
    tmp_bytes=16 * MIB,
    lease_s=300,
)
LABEL = "greenloop.attack"
CANARY = b"nobody may change this\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """A sandbox under attack."""

    sandbox: Sandbox
    repo: Path
    """The user's tree on the host; the sandbox has a copy at the same path."""
    outside: Path
    """A folder of the host beside it, which the sandbox must neither see nor change."""
    token: str

    async def attack(
        self, program: str, *, wall_s: float = 20.0, output_bytes: int = 4 * MIB
    ) -> Completed:
        """Run a Python program inside; `REPO` and `OUTSIDE` in it are the two paths."""
        prelude = f"REPO, OUTSIDE = {str(self.repo)!r}, {str(self.outside)!r}\n"
        return await self.sandbox.run(
            Command(
                argv=(PYTHON, "-c", prelude + program),
                env={"GREENLOOP_ATTACK": self.token},
                limits=CommandLimits(wall_s=wall_s, output_bytes=output_bytes),
            )
        )

    async def shell(self, script: str, *, wall_s: float = 20.0) -> Completed:
        """Run a shell script inside."""
        return await self.sandbox.run(
            Command(
                argv=("/bin/sh", "-c", script),
                env={"GREENLOOP_ATTACK": self.token},
                limits=CommandLimits(wall_s=wall_s),
            )
        )


@asynccontextmanager
async def under_attack(engine: SandboxEngine, folder: Path) -> AsyncGenerator[Scene]:
    """Open a scene; at its end prove that the host is unharmed and nothing is left."""
    token = secrets.token_hex(8)
    repo, outside = _lay_out(folder)
    before = fingerprint(folder)
    spec = SandboxSpec(
        environment=host_environment(),
        workdir=str(repo),
        tree=repo,
        limits=LIMITS,
        labels={LABEL: token},
    )
    async with engine.open(spec) as sandbox:
        scene = Scene(sandbox, repo, outside, token)
        yield scene
        assert living(token) == [], "processes of the attack outlived their command"
        after = await scene.shell("cat README && echo alive")
        assert (after.reason, after.exit_code) == (Reason.EXITED, 0), after
        assert after.output == b"hello\nalive\n"
    assert fingerprint(folder) == before, "the attack changed something on the host"
    assert left_behind(token, folder) == []


def fingerprint(folder: Path) -> dict[str, str]:
    """Return kind, mode, links, times and content of everything below a folder."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        info = path.lstat()
        content = b""
        if stat.S_ISREG(info.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(info.st_mode):
            content = os.fsencode(path.readlink())
        digest = hashlib.sha256(content).hexdigest()
        found[str(path)] = f"{info.st_mode:o} {info.st_nlink} {info.st_mtime_ns} {digest}"
    return found


def living(token: str) -> list[str]:
    """Return what the host knows of processes that bear the token, zombies apart."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            bears = token.encode() in (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            line = (process / "cmdline").read_bytes()[:200]
        except OSError:
            continue
        if bears and state != "Z":
            found.append(f"{process.name} {state} {line!r}")
    return found


def left_behind(token: str, folder: Path) -> list[str]:
    """Return processes, containers, volumes, groups and mounts that outlived their sandbox."""
    groups = [
        str(path)
        for path in Path("/sys/fs/cgroup").glob(f"**/greenloop-{os.getpid()}-*")
        if path.is_dir()
    ]
    mounts = [m for m in Path("/proc/self/mounts").read_text().splitlines() if str(folder) in m]
    return [*living(token), *_labelled(token), *groups, *mounts]


def _labelled(token: str) -> list[str]:
    """Return containers and volumes with our label; none where there is no engine."""
    found = []
    for listing in (["ps", "-a"], ["volume", "ls"]):
        done = subprocess.run(
            ["docker", *listing, "-q", "--filter", f"label={LABEL}={token}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        found += done.stdout.split()
    return found


def _lay_out(folder: Path) -> tuple[Path, Path]:
    """Make the user's repository and, beside it, what is none of the sandbox's business."""
    repo, outside = folder / "repo", folder / "outside"
    files: Mapping[Path, bytes] = {
        repo / "README": b"hello\n",
        repo / "src/code.py": b"x = 1\n",
        outside / "canary": CANARY,
        folder / "beside": CANARY,
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (repo / "link").symlink_to("../outside/canary")
    outside.chmod(0o777)
    (outside / "canary").chmod(0o666)
    return repo, outside
