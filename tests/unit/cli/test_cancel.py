"""`greenloop cancel` asks whoever carries a run out to end it, and waits for that."""

import threading
import time
from pathlib import Path

import pytest

from agent.cli import cancel
from agent.events import RunFinished
from agent.journal.ending import REQUEST, is_end_asked
from agent.journal.store import RunStore, RunWriter
from agent.task import TaskSpec
from tests.support.cli import a_stored_run, all_events
from tests.unit.cli.conftest import Greenloop


def a_run_that_heeds(writer: RunWriter) -> threading.Thread:
    """Carry a run out until its end is asked for."""

    def carry_out() -> None:
        with writer:
            until_s = time.monotonic() + 60
            while not is_end_asked(writer.path) and time.monotonic() < until_s:
                time.sleep(0.01)
            writer.append(RunFinished(verdict="interrupted", confidence="", message="", wall_s=1))

    thread = threading.Thread(target=carry_out)
    thread.start()
    return thread


@pytest.fixture
def writer(state_dir: Path, repo: Path) -> RunWriter:
    writer = RunStore(state_dir).new_run(TaskSpec(repo=repo))
    writer.append(all_events(writer.run, str(repo))[0])
    return writer


def test_a_run_of_another_process_is_ended(greenloop: Greenloop, writer: RunWriter) -> None:
    thread = a_run_that_heeds(writer)
    answer = greenloop("cancel", writer.run, "--json")
    thread.join()
    assert (answer.code, answer.json) == (0, {"run": writer.run, "cancelled": True})
    again = greenloop("cancel", writer.run)
    assert again.code == 2
    assert f"run {writer.run} is over: interrupted." in again.err


def test_a_run_that_is_over_is_refused(greenloop: Greenloop, state_dir: Path, repo: Path) -> None:
    stored = a_stored_run(state_dir, repo)
    answer = greenloop("cancel", stored.run)
    assert answer.code == 2
    assert f"run {stored.run} is over: green." in answer.err
    assert not (stored.path / REQUEST).exists()


def test_a_process_that_does_not_heed_it_is_said(
    greenloop: Greenloop, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancel, "WAIT_S", 0.0)
    with writer:
        answer = greenloop("cancel", writer.run)
    assert answer.code == 75
    assert "does not end" in answer.err


def test_who_goes_on_with_a_run_does_not_hear_of_old_requests(
    greenloop: Greenloop, writer: RunWriter, state_dir: Path
) -> None:
    a_run_that_heeds(writer).join(timeout=0)
    assert greenloop("cancel", writer.run).code == 0
    with RunStore(state_dir).reopen(writer.run) as again:
        assert not is_end_asked(again.path)
