"""Whose sandbox it is, and whether that process still lives."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox import owner
from sandbox.owner import MARK, PREFIX, is_abandoned, this_process


def labels(**changes: str) -> dict[str, str]:
    found = this_process().labels(60)
    return {**found, **{PREFIX + name: value for name, value in changes.items()}}


def test_what_this_process_owns_is_not_abandoned() -> None:
    assert labels()[MARK] == "1"
    assert this_process().pid == os.getpid()
    assert not is_abandoned(labels())


def test_what_a_dead_process_owned_is_abandoned() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    assert is_abandoned(labels(pid=str(child.pid)))


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    start = owner._start_of(child.pid)
    deadline = time.monotonic() + 10
    while owner._start_of(child.pid) and time.monotonic() < deadline:
        pass
    assert is_abandoned(labels(pid=str(child.pid), start=start))
    child.wait()


def test_a_reused_pid_is_another_process() -> None:
    assert is_abandoned(labels(start="1"))


def test_another_machine_or_namespace_is_judged_by_the_lease_alone() -> None:
    assert not is_abandoned(labels(place="elsewhere", pid="1"))
    assert is_abandoned(labels(place="elsewhere", expires="1"))


@pytest.mark.parametrize("found", [{}, {MARK: "1"}, {**labels(), PREFIX + "pid": "x"}])
def test_labels_that_are_not_whole_are_left_alone(found: dict[str, str]) -> None:
    assert not is_abandoned(found)


def test_without_proc_the_pid_alone_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.kill

    def kill(pid: int, number: int) -> None:
        if pid == 1:
            raise PermissionError
        real(pid, number)

    monkeypatch.setattr(os, "kill", kill)
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    assert owner._alive(os.getpid()) == owner._alive(1) == "alive"
    assert owner._alive(child.pid) == ""
    monkeypatch.setattr(owner, "_has_proc", lambda: False)
    assert owner._start_of(child.pid) == ""


def test_without_a_boot_id_the_name_of_the_machine_is_the_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(owner, "Path", lambda path: tmp_path / "nothing" / path.lstrip("/"))
    assert owner._place.__wrapped__() == os.uname().nodename
    assert not owner._has_proc.__wrapped__()
