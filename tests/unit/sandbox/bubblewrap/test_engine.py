"""What the engine finds, promises and refuses; bubblewrap itself is a script here."""

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.base import Environment, SandboxLimits, SandboxSpec
from sandbox.bubblewrap import BubblewrapEngine
from sandbox.bubblewrap.engine import _promises
from sandbox.bubblewrap.groups import Hierarchy
from sandbox.bubblewrap.recipe import User
from sandbox.bubblewrap.vessel import Means
from sandbox.errors import EngineUnavailable, SandboxError

SPEC = SandboxSpec(
    environment=Environment(kind="host", why="test", identity="test"), workdir="/home/u/repo"
)
MEANS = Means(
    program="/usr/bin/bwrap",
    user=User(uid=501, gid=20, is_root_outside=False),
    hierarchies=(Hierarchy(Path("/sys/fs/cgroup"), ("memory", "pids"), True),),
    filter_program=b"filter",
)


def an_engine(folder: Path, script: str | None) -> BubblewrapEngine:
    """Return an engine whose bubblewrap is the script."""
    if script is not None:
        program = folder / "bwrap"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return BubblewrapEngine(variables={"PATH": str(folder)})


async def refusal(engine: BubblewrapEngine, spec: SandboxSpec = SPEC) -> SandboxError:
    with pytest.raises(SandboxError) as caught:
        async with engine.open(spec):
            pass
    return caught.value


async def test_without_bubblewrap_it_says_how_to_get_it(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, None)
    error = await refusal(engine)
    assert isinstance(error, EngineUnavailable)
    assert "apt install bubblewrap" in error.remedy
    (line,) = await engine.probe()
    assert (line.ok, line.value, line.remedy) == (False, "not installed", error.remedy)


async def test_an_old_bubblewrap_is_refused(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, "echo bubblewrap 0.6.1")
    error = await refusal(engine)
    assert isinstance(error, EngineUnavailable)
    assert "0.6.1" in error.message
    lines = {line.name: line for line in await engine.probe()}
    assert not lines["bubblewrap"].ok
    assert not lines["bubblewrap sandbox"].ok


async def test_a_bubblewrap_that_says_nothing_is_refused(tmp_path: Path) -> None:
    error = await refusal(an_engine(tmp_path, "true"))
    assert "unknown version" in error.message


async def test_a_machine_that_forbids_namespaces_is_told_in_bubblewraps_words(
    tmp_path: Path,
) -> None:
    script = 'test "$1" = --version && echo bubblewrap 0.8.0 && exit; echo no userns >&2; exit 1'
    engine = an_engine(tmp_path, script)
    error = await refusal(engine)
    assert isinstance(error, EngineUnavailable)
    assert "no userns" in error.message
    assert "AppArmor" in error.remedy
    lines = {line.name: line for line in await engine.probe()}
    assert (lines["bubblewrap"].ok, lines["bubblewrap sandbox"].value) == (True, "no userns")


async def test_a_silent_failure_is_told_by_its_exit_code(tmp_path: Path) -> None:
    script = 'test "$1" = --version && echo bubblewrap 0.11.0 && exit; exit 3'
    assert "exit code 3" in (await refusal(an_engine(tmp_path, script))).message


async def test_a_program_that_cannot_be_run_is_as_good_as_none(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, "")
    (tmp_path / "bwrap").write_bytes(b"\x7fELF nonsense")
    assert isinstance(await refusal(engine), EngineUnavailable)


async def test_folders_that_fill_the_memory_are_refused(tmp_path: Path) -> None:
    limits = SandboxLimits(memory_bytes=100 * 1024**2, tree_bytes=90 * 1024**2)
    error = await refusal(an_engine(tmp_path, None), replace(SPEC, limits=limits))
    assert "memory_bytes" in error.message


def test_with_everything_all_is_promised() -> None:
    promises = _promises(MEANS)
    assert promises.backend == "bubblewrap"
    assert (promises.no_network, promises.disk_limited) == (True, True)
    assert (promises.memory_limited, promises.processes_limited) == (True, True)
    assert promises.note


def test_without_groups_memory_is_not_promised_and_said() -> None:
    promises = _promises(replace(MEANS, hierarchies=()))
    assert not promises.memory_limited
    assert "memory" in promises.note


def test_without_groups_root_cannot_promise_processes() -> None:
    root = User(uid=1000, gid=1000, is_root_outside=True)
    assert not _promises(replace(MEANS, hierarchies=(), user=root)).processes_limited


@pytest.mark.parametrize(("kernel", "counts"), [((5, 13), False), ((5, 14), True), ((6, 1), True)])
def test_an_old_kernel_counts_processes_of_the_whole_user(
    monkeypatch: pytest.MonkeyPatch, kernel: tuple[int, int], counts: bool
) -> None:
    monkeypatch.setattr("sandbox.bubblewrap.engine._kernel", lambda: kernel)
    assert _promises(replace(MEANS, hierarchies=())).processes_limited is counts


def test_a_missing_call_filter_is_said() -> None:
    assert "system call filter" in _promises(replace(MEANS, filter_program=None)).note


async def test_a_bubblewrap_that_hangs_is_refused_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.bubblewrap.engine._TRIAL_S", 0.1)
    script = 'test "$1" = --version && echo bubblewrap 0.8.0 && exit; exec sleep 30'
    assert "timed out" in (await refusal(an_engine(tmp_path, script))).message


async def test_groups_that_cannot_be_made_are_advice_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = (Hierarchy(tmp_path / "gone", ("memory", "pids"), unified=True),)
    monkeypatch.setattr("sandbox.bubblewrap.engine._hierarchies", lambda: gone)
    engine = an_engine(tmp_path, "echo bubblewrap 0.8.0")
    limits = {line.name: line for line in await engine.probe()}["bubblewrap limits"]
    assert (limits.ok, limits.value.startswith("memory for each process only")) == (True, True)
    assert "systemd-run" in limits.remedy
