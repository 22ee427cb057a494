"""What the first program inside does to itself, and what is run before bubblewrap."""

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.base import Environment, SandboxLimits, SandboxSpec
from sandbox.bubblewrap.program import JOIN, setup_text
from sandbox.bubblewrap.recipe import User

ORDINARY = User(uid=501, gid=20, is_root_outside=False)
ROOT = User(uid=1000, gid=1000, is_root_outside=True)
SPEC = SandboxSpec(
    environment=Environment(kind="host", why="test", identity="test"),
    workdir="/it's here",
    limits=SandboxLimits(memory_bytes=1000, tree_bytes=300, tmp_bytes=200, processes=9),
)


def test_without_a_group_limits_hold_for_each_process() -> None:
    text = setup_text(SPEC, ORDINARY, is_grouped=False, cpus=frozenset({1, 0}))
    assert "RLIMIT_AS, (1000, 1000)" in text
    assert "RLIMIT_NPROC, (9, 9)" in text
    assert "RLIMIT_FSIZE, (300, 300)" in text
    assert "RLIMIT_CORE, (0, 0)" in text
    assert "sched_setaffinity(0, [0, 1])" in text
    assert "setresuid" not in text


def test_with_a_group_address_space_and_processes_are_left_to_it() -> None:
    """A limit on address space breaks programs that only reserve it: Go, Java, Node."""
    text = setup_text(SPEC, ORDINARY, is_grouped=True, cpus=frozenset({0}))
    assert "RLIMIT_AS" not in text
    assert "RLIMIT_NPROC" not in text


def test_as_root_the_user_is_changed_last_and_not_counted_with_the_hosts() -> None:
    text = setup_text(SPEC, ROOT, is_grouped=False, cpus=frozenset({0}))
    assert "RLIMIT_NPROC" not in text
    steps = [
        text.index(step) for step in ("chown", "setgroups", "setresgid", "setresuid", "capset")
    ]
    assert steps == sorted(steps)


@pytest.mark.parametrize("user", [ORDINARY, ROOT])
def test_it_is_python_whatever_the_paths_are(user: User) -> None:
    tree = ast.parse(setup_text(SPEC, user, is_grouped=True, cpus=frozenset({0})))
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert ("/it's here" in strings) == user.is_root_outside


def joined(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", "-c", JOIN, "join", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def test_groups_are_joined_before_the_program_is_run(tmp_path: Path) -> None:
    groups = [tmp_path / "memory's", tmp_path / "pids 2"]
    done = joined(*map(str, groups), "--", "/bin/sh", "-c", 'echo "$1"', "sh", "a  b")
    assert (done.returncode, done.stdout) == (0, "a  b\n")
    assert [group.read_text() for group in groups] == ["0\n", "0\n"]


def test_nothing_is_run_where_a_group_cannot_be_joined(tmp_path: Path) -> None:
    done = joined(str(tmp_path / "no/such"), "--", "/bin/echo", "ran")
    assert done.returncode != 0
    assert done.stdout == ""


def test_the_lease_ends_the_process_whatever_it_does() -> None:
    spec = replace(SPEC, limits=replace(SPEC.limits, lease_s=0, tree_bytes=2**30))
    text = setup_text(spec, ORDINARY, is_grouped=True, cpus=frozenset(os.sched_getaffinity(0)))
    program = text + "import signal, time\nsignal.pthread_sigmask(0, range(1, 32))\ntime.sleep(30)"
    done = subprocess.run([sys.executable, "-c", program], timeout=20, check=False)
    assert done.returncode == 75
