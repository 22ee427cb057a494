"""Sandboxes that never come to life: each fails in words, and leaves nothing."""

import os
import sys
from pathlib import Path

import pytest

from sandbox.base import Environment, Mount, SandboxSpec
from sandbox.bubblewrap import vessel
from sandbox.bubblewrap.groups import Hierarchy
from sandbox.bubblewrap.recipe import User
from sandbox.bubblewrap.vessel import Means, start_vessel
from sandbox.errors import SandboxError, SandboxLost

PREFIX = Path(sys.base_prefix)
SPEC = SandboxSpec(
    environment=Environment(
        kind="host",
        mounts=(Mount(source=PREFIX, target=str(PREFIX)),),
        interpreter=str(PREFIX / "bin/python3"),
        why="test",
        identity="test",
    ),
    workdir="/home/u/repo",
)


def means(program: Path, *hierarchies: Hierarchy) -> Means:
    return Means(
        program=str(program),
        user=User(uid=os.getuid(), gid=os.getgid(), is_root_outside=False),
        hierarchies=hierarchies,
        filter_program=b"",
    )


def a_program(folder: Path, script: str) -> Path:
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


async def refusal(means: Means) -> SandboxError:
    """Start one that fails; nothing may stay open."""
    before = descriptors()
    with pytest.raises(SandboxError) as caught:
        await start_vessel(SPEC, means)
    assert descriptors() == before
    return caught.value


async def test_a_program_that_is_gone_is_named(tmp_path: Path) -> None:
    error = await refusal(means(tmp_path / "gone"))
    assert "gone cannot be started" in error.message


async def test_what_bubblewrap_complains_of_is_passed_on(tmp_path: Path) -> None:
    error = await refusal(means(a_program(tmp_path, "echo bwrap: no such source >&2; exit 1")))
    assert isinstance(error, SandboxLost)
    assert "bwrap: no such source" in error.message


async def test_a_first_process_that_is_gone_at_once_is_no_puzzle(tmp_path: Path) -> None:
    """It may be reaped before anybody took hold of it."""
    script = 'while [ "$1" != --info-fd ]; do shift; done; echo "{\\"child-pid\\": 4194999}" >&$2'
    assert isinstance(await refusal(means(a_program(tmp_path, script))), SandboxLost)


async def test_a_program_that_hangs_is_killed_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vessel, "START_S", 0.05)
    error = await refusal(means(a_program(tmp_path, "exec sleep 30")))
    assert "did not start" in error.message


async def test_a_group_that_cannot_be_made_is_an_error_and_not_a_weaker_sandbox(
    tmp_path: Path,
) -> None:
    gone = Hierarchy(tmp_path / "gone", ("memory", "pids"), unified=True)
    error = await refusal(means(a_program(tmp_path, "exit 0"), gone))
    assert "control group" in error.message
    assert "doctor" in error.remedy
