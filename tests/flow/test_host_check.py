"""What is left of a patch once a person rejects some of it: measured like the patch itself."""

import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from agent.edits.changes import Content, Delta
from agent.edits.patch import delta_of, make_patch
from agent.errors import JournalError, TaskError, WorkspaceError
from agent.events import BaseTaken
from agent.host.api import CheckSpec
from agent.host.client import RemoteHost
from agent.journal.store import RunStore
from agent.task import RepoPath, RunId
from agent.workspace.open import open_workspace
from tests.support.hosts import (
    Watcher,
    containers_of,
    state_in,
    until,
    variables_in,
    watched_host,
)
from tests.support.repos import a_repo
from tests.support.runs import FILES, FIXED, a_task

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


PATH = RepoPath("calc.py")
OTHER = FIXED + "\n\ndef triple(value):\n    return 3 * value\n"


@dataclass(frozen=True)
class Desk:
    """A run on record with its base, and a host that did not carry it out."""

    host: RemoteHost
    watcher: Watcher
    run: RunId
    folder: Path

    @property
    def run_dir(self) -> Path:
        return state_in(self.folder) / "runs" / self.run


def two_hunks() -> tuple[Delta, Delta, Delta]:
    """Return a change of which one half is needed: all of it, the needed half, the other."""
    whole = {PATH: Content(data=OTHER.encode())}
    patch = make_patch(lambda _path: Content(data=FILES["calc.py"]), whole)
    first, second = patch.hunks
    return whole, delta_of(patch, frozenset({first.id})), delta_of(patch, frozenset({second.id}))


WHOLE, NEEDED, UNNEEDED = two_hunks()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    repo, state = a_repo(tmp_path / "repo", FILES), state_in(tmp_path)
    with (
        open_workspace(repo, state_dir=state, overlay={}) as base,
        RunStore(state).new_run(a_task(repo)) as writer,
    ):
        writer.append(BaseTaken(commit=base.commit, tree=base.tree, dirty_files=0))
    async with watched_host(tmp_path) as (host, watcher):
        yield Desk(host=host, watcher=watcher, run=writer.run, folder=tmp_path)


async def test_without_the_needed_hunk_it_is_not_green_and_without_the_other_it_is(
    desk: Desk,
) -> None:
    journal = (desk.run_dir / "journal.jsonl").read_bytes()
    every = await desk.host.check(CheckSpec(run=desk.run, delta=WHOLE))
    kept = await desk.host.check(CheckSpec(run=desk.run, delta=NEEDED))
    left = await desk.host.check(CheckSpec(run=desk.run, delta=UNNEEDED))

    assert (every.verdict, kept.verdict, left.verdict) == ("green", "green", "unchanged")
    assert "test_calc.py::test_above" in left.message
    assert left.receipt == ""
    assert every.receipt != kept.receipt
    for checked in (every, kept):
        assert Path(checked.receipt).parent == desk.run_dir / "checks"
    assert (desk.run_dir / "journal.jsonl").read_bytes() == journal


async def test_a_change_of_the_tests_themselves_is_never_green(desk: Desk) -> None:
    tests = RepoPath("test_calc.py")
    changed = {**NEEDED, tests: Content(data=FILES[tests] + b"# edited by hand\n")}
    checked = await desk.host.check(CheckSpec(run=desk.run, delta=changed))
    assert (checked.verdict, checked.receipt) == ("tampered", "")
    assert "test_calc.py decides what is measured" in checked.message


async def test_the_receipt_of_a_check_replays(desk: Desk) -> None:
    checked = await desk.host.check(CheckSpec(run=desk.run, delta=NEEDED))
    done = await anyio.run_process(
        [sys.executable, "-m", "agent", "verify", checked.receipt],
        env=variables_in(desk.folder),
        check=False,
    )
    assert done.returncode == 0, done
    assert b"it holds" in done.stdout


async def test_the_user_may_have_typed_on_what_is_measured_is_the_base_of_the_run(
    desk: Desk,
) -> None:
    (desk.folder / "repo" / "calc.py").write_text("def clamp(): broken\n")
    assert (await desk.host.check(CheckSpec(run=desk.run, delta=NEEDED))).verdict == "green"


async def test_a_host_that_carried_out_the_run_needs_no_second_look_at_the_base(
    desk: Desk,
) -> None:
    run = await desk.host.start(a_task(desk.folder / "repo"), flags={})
    assert (await desk.watcher.end_of(run)).verdict == "green"
    seen: set[str] = set()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_gather, run, seen)
        checked = await desk.host.check(CheckSpec(run=run, delta=UNNEEDED))
        tasks.cancel_scope.cancel()
    assert checked.verdict == "unchanged"
    assert len(seen) <= 1, "one sandbox, for the change alone"


async def _gather(run: RunId, seen: set[str]) -> None:
    while True:
        seen.update(await anyio.to_thread.run_sync(containers_of, run))


async def test_a_check_of_nothing_is_no_green(desk: Desk) -> None:
    checked = await desk.host.check(CheckSpec(run=desk.run, delta={}))
    assert checked.verdict == "broken"
    assert "changes nothing" in checked.message


async def test_a_cancelled_check_ends_and_leaves_no_container(desk: Desk) -> None:
    endless = FIXED + "\nwhile True:\n    pass\n"
    delta = {PATH: Content(data=endless.encode())}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(desk.host.check, CheckSpec(run=desk.run, delta=delta))
        await until(lambda: containers_of(desk.run))
        tasks.cancel_scope.cancel()
    await until(lambda: not containers_of(desk.run))
    assert (await desk.host.check(CheckSpec(run=desk.run, delta=NEEDED))).verdict == "green"


async def test_checks_do_not_wait_for_runs(desk: Desk) -> None:
    await desk.host.limit(1)
    runs = [await desk.host.start(a_task(desk.folder / "repo"), flags={}) for _ in range(2)]
    assert (await desk.host.check(CheckSpec(run=desk.run, delta=NEEDED))).verdict == "green"
    assert desk.watcher.events(runs[1]) == []
    for run in runs:
        await desk.host.cancel(run)


async def test_a_base_that_is_gone_is_said_with_a_next_step(desk: Desk) -> None:
    shutil.rmtree(state_in(desk.folder) / "bases")
    with pytest.raises(WorkspaceError, match="cannot be opened again") as error:
        await desk.host.check(CheckSpec(run=desk.run, delta=NEEDED))
    assert error.value.remedy


async def test_a_run_without_a_base_cannot_be_measured(desk: Desk) -> None:
    await desk.host.limit(1)
    runs = [await desk.host.start(a_task(desk.folder / "repo"), flags={}) for _ in range(2)]
    with pytest.raises(TaskError, match="before its base was taken"):
        await desk.host.check(CheckSpec(run=runs[1], delta={}))
    with pytest.raises(JournalError, match="there is no run"):
        await desk.host.check(CheckSpec(run=RunId("nix"), delta={}))
    for run in runs:
        await desk.host.cancel(run)
