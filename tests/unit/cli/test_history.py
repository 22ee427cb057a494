"""Past runs: listed, shown plainly and on a terminal, and as JSON."""

from pathlib import Path

import pytest

from agent.cli import guard
from agent.events import Notice, RunStarted
from agent.journal.store import RunStore
from agent.task import TaskSpec
from tests.support.cli import (
    TEST,
    a_patch,
    a_result,
    a_stored_run,
    all_events,
    diff_of,
    model_events,
    streams,
)
from tests.support.page import write_work
from tests.unit.cli.conftest import Greenloop


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, greenloop: Greenloop, *words: str) -> str:
    shown = streams(terminal=True, variables={"COLUMNS": "100"})
    monkeypatch.setattr(guard, "open_screen", lambda *_, **__: shown.screen)
    greenloop(*words)
    return shown.out.getvalue()


def test_no_runs_say_how_to_start_one(greenloop: Greenloop) -> None:
    assert greenloop("runs").out == "no runs yet; start one with: greenloop fix\n"
    assert greenloop("runs", "--json").json == {"runs": []}


def test_runs_are_listed_with_what_they_came_to(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    stored = a_stored_run(state_dir, repo)
    expected = f"{stored.run}  green plausible  now  5.6 s  {TEST}  {repo}\n"
    assert greenloop("runs").out == expected
    (row,) = greenloop("runs", "--json").json["runs"]
    assert (row["run"], row["state"], row["verdict"]) == (stored.run, "finished", "green")
    assert row["targets"] == [TEST]


def test_interrupted_run_is_listed_and_shown_as_such(greenloop: Greenloop, state_dir: Path) -> None:
    with RunStore(state_dir).new_run(TaskSpec(repo=Path("/gone"))) as writer:
        for event in all_events(writer.run, "/gone")[:12]:
            writer.append(event)
    assert "interrupted" in greenloop("runs").out
    shown = greenloop("show", writer.run)
    assert shown.code == 0
    assert "verdict: interrupted" in shown.out
    assert f"test: {TEST}: fails before, fails after" in shown.out
    assert greenloop("show", writer.run, "--json").json["verdict"] == "interrupted"


def test_running_run_is_shown_as_such(greenloop: Greenloop, state_dir: Path, repo: Path) -> None:
    with RunStore(state_dir).new_run(TaskSpec(repo=repo)) as writer:
        writer.append(Notice(level="info", text="x"))
        assert "verdict: still running" in greenloop("show", writer.run).out
        assert greenloop("runs").out.split()[1] == "running"


def test_run_without_any_record_is_listed(greenloop: Greenloop, state_dir: Path) -> None:
    with RunStore(state_dir).new_run(TaskSpec(repo=Path("/x"))):
        pass
    assert greenloop("runs").out.split()[1:] == ["interrupted", "?", "-", "everything", "-"]


def test_older_runs_are_counted(greenloop: Greenloop, state_dir: Path, repo: Path) -> None:
    for _ in range(3):
        a_stored_run(state_dir, repo)
    assert greenloop("runs", "--limit", "1").out.endswith("... and 2 older; --limit shows more\n")


def test_unknown_run_is_code_2(greenloop: Greenloop) -> None:
    answer = greenloop("show", "x")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("greenloop: there is no run")


def test_plain_account_of_a_run_has_everything_and_no_escape_code(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    stored = a_stored_run(state_dir, repo)
    out = greenloop("show", stored.run).out
    assert "\x1b" not in out
    for part in (
        f"fix {TEST} in {repo} (offline)",
        "tests ran in: docker: virtualenv of the repository",
        "flaky, not relied on: tests/test_net.py::test_get",
        "verdict: green, plausible",
        "1 test fixed, nothing else broken",
        "receipt: /state/runs",
        "time: 5.5 s (workspace 0.0 s, baseline 1.4 s",
        f"test: {TEST}: fails before, passes after",
        diff_of(a_patch()),
        "alternative 2 (plausible): middle one lower",
        "    + middle = len(ordered) // 2 - 1",
        "note: line 6 is run by no test",
        f"keep it: greenloop apply {stored.run}",
    ):
        assert part in out
    (hunk,) = a_patch().hunks
    assert f"hunk: {hunk.id[:8]} in stats.py" in out


def test_json_of_a_run_is_what_it_came_to(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    stored = a_stored_run(state_dir, repo)
    answer = greenloop("show", stored.run, "--json").json
    model = answer.pop("model")
    assert answer == a_result(run=stored.run)
    assert model == {
        "profile": "kimi-k3",
        "endpoint": "api.example.org",
        "steps": 1,
        "prompt_tokens": 3_000,
        "cached_tokens": 1_500,
        "output_tokens": 240,
        "cost_usd": 0.012,
        "attempts": [
            {
                "attempt": 1,
                "how": "green",
                "reason": "the gate measured green",
                "steps": 1,
                "prompt_tokens": 3_000,
                "cached_tokens": 1_500,
                "output_tokens": 240,
                "cost_usd": 0.012,
            }
        ],
    }


def test_model_at_work_is_summed_up_and_told_step_by_step_where_asked(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    stored = a_stored_run(state_dir, repo)
    write_work(stored.path, 1)
    short = greenloop("show", stored.run).out
    assert "kimi-k3 at api.example.org: green after 1 step: the gate measured green\n" in short
    assert "  tokens 3.0k in (50 % cached), 240 out · $0.0120 (prices of 2026-09-01)" in short
    assert "  [x] find the line\n  [ ] mend it\n" in short
    assert "step 1 (" not in short
    steps = greenloop("show", stored.run, "-v").out
    assert "step 1 (4.2 s, 3.0k in, 240 out, $0.0120): I take the + 1 away.\n" in steps
    assert "  run_tests: 1 fixed, 0 still failing (0.8 s)\n" in steps
    whole = greenloop("show", stored.run, "-vv").out
    assert "  | Step 1: the middle is at length // 2.\n  | So + 1 is one too many.\n" in whole


def test_attempt_that_was_cut_off_says_so(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    with RunStore(state_dir).new_run(TaskSpec(repo=repo)) as writer:
        for event in model_events(attempt=2, attempts=3)[:-1]:
            writer.append(event)
    shown = greenloop("show", writer.run)
    assert "attempt 2: kimi-k3 at api.example.org: 1 step, not ended" in shown.out
    assert f"go on with it: greenloop resume {writer.run}\n" in shown.out
    (attempt,) = greenloop("show", writer.run, "--json").json["model"]["attempts"]
    assert (attempt["attempt"], attempt["how"]) == (2, "interrupted")


def test_terminal_account_of_a_run_has_everything(
    greenloop: Greenloop, state_dir: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_stored_run(state_dir, repo)
    out = on_a_terminal(monkeypatch, greenloop, "show", "last", "--set", f"state_dir={state_dir}")
    assert "\x1b[" in out
    for part in (
        "green, plausible",
        "2 patches with which",
        "Tests",
        "stats.py",
        "middle one lower",
    ):
        assert part in out


def test_terminal_list_of_runs_is_a_table(
    greenloop: Greenloop, state_dir: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_stored_run(state_dir, repo)
    out = on_a_terminal(monkeypatch, greenloop, "runs", "--set", f"state_dir={state_dir}")
    assert "outcome" in out
    assert "green plausible" in out


def test_text_of_the_repository_cannot_drive_the_terminal(
    greenloop: Greenloop, state_dir: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "\x1b]0;owned\x07[red]\u202e"
    patch = a_patch(f"x = '{evil}'\n".encode(), f"y = '{evil}'\n".encode())
    with RunStore(state_dir).new_run(TaskSpec(repo=repo)) as writer:
        started = all_events(writer.run, str(repo))[0]
        assert isinstance(started, RunStarted)
        writer.append(started)
        writer.write_result(
            a_result(
                run=writer.run,
                message=evil,
                patch=diff_of(patch),
                failing_before=[evil],
                notes=[evil],
                candidates=[
                    {"patch": diff_of(patch), "confidence": "likely", "rank": n, "why": evil}
                    for n in (1, 2)
                ],
            )
        )
    plain = greenloop("show", "last").out
    drawn = on_a_terminal(monkeypatch, greenloop, "show", "last", "--set", f"state_dir={state_dir}")
    for out in (plain, drawn):
        assert "\x1b]0" not in out
        assert "\u202e" not in out
        assert "[red]" in out


def test_what_each_of_several_hunks_is_needed_for_is_shown(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    stored = a_stored_run(state_dir, repo)
    needed = {"24a717e43fb8": [TEST], "77b717e43fb8": ["a.py::test_b", "c", "d"]}
    with RunStore(state_dir).reopen(stored.run) as writer:
        writer.write_result({**a_result(run=stored.run), "needed_for": needed})
    shown = greenloop("show", stored.run).out
    assert f"hunk 24a717e4 is needed for {TEST}\n" in shown
    assert "hunk 77b717e4 is needed for a.py::test_b and 2 other tests\n" in shown


def test_long_lists_of_tests_are_cut(greenloop: Greenloop, state_dir: Path, repo: Path) -> None:
    tests = [f"t.py::test_{number}" for number in range(25)]
    with RunStore(state_dir).new_run(TaskSpec(repo=repo)) as writer:
        writer.write_result(a_result(run=writer.run, failing_before=tests, failing_after=["b"]))
    out = greenloop("show", "last").out
    assert "test: b: passes before, fails after" in out
    assert "... and 6 more tests" in out


def test_run_that_came_to_nothing_offers_nothing_to_do(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    with RunStore(state_dir).new_run(TaskSpec(repo=repo)) as writer:
        writer.write_result(
            a_result(run=writer.run, verdict="none", confidence=None, patch="", candidates=[])
        )
    out = greenloop("show", "last").out
    assert "verdict: no fix found" in out
    assert "greenloop " not in out
