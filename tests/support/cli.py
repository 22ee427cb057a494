"""Builds runs as they lie in a state folder, and calls the command line in this process."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cli.screen import Screen
from agent.edits.changes import Content
from agent.edits.patch import Patch, make_patch, patch_to_json, render_unified
from agent.events import (
    AttemptEnded,
    AttemptStarted,
    BaselineMeasured,
    BaseTaken,
    CandidateProposed,
    ContextEdited,
    EnvironmentChosen,
    Event,
    ModelAnswered,
    ModelAsked,
    ModelStreamed,
    ModelWaits,
    Notice,
    PhaseFinished,
    PhaseStarted,
    PlanChanged,
    RunFinished,
    RunStarted,
    SearchPlanned,
    SearchProgress,
    StrategyGaveUp,
    TestFailed,
    TestsMeasured,
    TestsProgress,
    ToolFinished,
    ToolStarted,
    VerdictReached,
)
from agent.journal.redaction import Redactor
from agent.journal.store import RunStore
from agent.journal.stored import StoredRun
from agent.task import RepoPath, TaskSpec

OLD = b"""\
def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle + 1]
    return (ordered[middle - 1] + ordered[middle]) / 2
"""
NEW = OLD.replace(b"ordered[middle + 1]", b"ordered[middle]")
OTHER = OLD.replace(b"len(ordered) // 2", b"len(ordered) // 2 - 1")
TEST = "tests/test_stats.py::test_median_of_three"


def a_patch(old: bytes = OLD, new: bytes = NEW, path: str = "stats.py") -> Patch:
    name = RepoPath(path)
    return make_patch(lambda _: Content(data=old), {name: Content(data=new)})


def diff_of(patch: Patch) -> str:
    return render_unified(patch).decode()


def a_result(**changes: Any) -> dict[str, Any]:
    """The JSON object of a green run with one alternative."""
    result = {
        "run": "20261123-161502-3f9a",
        "verdict": "green",
        "confidence": "plausible",
        "alternatives": 2,
        "message": "1 test fixed, nothing else broken, measured in a fresh sandbox",
        "patch": diff_of(a_patch()),
        "receipt": "/state/runs/20261123-161502-3f9a/receipt.json",
        "failing_before": [TEST],
        "failing_after": [],
        "durations": {"workspace": 0.02, "baseline": 1.4, "search": 3.2, "gate": 0.9},
        "strategy": "offline",
        "candidates": [
            {
                "patch": diff_of(a_patch()),
                "confidence": "plausible",
                "rank": 1,
                "why": "index without + 1",
            },
            {
                "patch": diff_of(a_patch(new=OTHER)),
                "confidence": "plausible",
                "rank": 2,
                "why": "middle one lower",
            },
        ],
        "notes": ["line 6 is run by no test"],
        "exit_code": 0,
    }
    return {**result, **changes}


def all_events(run: str, repo: str) -> tuple[Event, ...]:
    """One of each kind, in an order that a run could have."""
    return (
        RunStarted(
            run=run, kind="fix", repo=repo, targets=(TEST,), strategy="offline", tool_version="0.1"
        ),
        PhaseStarted(phase="workspace"),
        BaseTaken(commit="3f9a1c2d4e5f60718293a4b5c6d7e8f901234567", tree="ab" * 20, dirty_files=2),
        PhaseFinished(phase="workspace", wall_s=0.02),
        PhaseStarted(phase="environment"),
        EnvironmentChosen(
            backend="docker",
            kind="host",
            why="virtualenv of the repository: .venv (Python 3.11.7, pytest 8.3)",
            identity="cd" * 32,
            weaker="",
        ),
        PhaseFinished(phase="environment", wall_s=0.03),
        PhaseStarted(phase="baseline"),
        TestsProgress(finished=12, failed=1, total=215),
        TestFailed(
            id=TEST,
            path="tests/test_stats.py",
            line=4,
            message="assert 3 == 2",
            error_type="AssertionError",
            frames=(("tests/test_stats.py", 5, "test_odd"), ("stats.py", 5, "median")),
        ),
        TestsMeasured(
            results=((TEST, "failed", 0.01), ("tests/test_stats.py::test_mean", "passed", 0.002)),
            whole=True,
        ),
        BaselineMeasured(
            targets=(TEST,),
            failing=(TEST,),
            passing=213,
            flaky=("tests/test_net.py::test_get",),
            wall_s=1.4,
        ),
        PhaseFinished(phase="baseline", wall_s=1.4),
        Notice(level="warning", text="1 test is flaky and left out"),
        PhaseStarted(phase="search"),
        SearchPlanned(how="forked", try_s=0.004, tries=60_000, budget_s=120.0),
        SearchProgress(
            tried=812, plausible=2, space_left=4120, best="stats.py:5 middle + 1 -> middle"
        ),
        *model_events(),
        PhaseFinished(phase="search", wall_s=3.2),
        CandidateProposed(rank=1, why="index without + 1", confidence="plausible", alternatives=2),
        PhaseStarted(phase="gate"),
        PhaseFinished(phase="gate", wall_s=0.9),
        VerdictReached(rank=1, verdict="green", detail="1 test fixed", wall_s=0.9),
        StrategyGaveUp(reason="nothing further", advice="add a test"),
        RunFinished(verdict="green", confidence="plausible", message="1 test fixed", wall_s=5.6),
    )


def model_events(attempt: int = 1, attempts: int = 1) -> tuple[Event, ...]:
    """What a model does in one step: waits, thinks, plans, edits, tests, and is done."""
    step = {"attempt": attempt, "step": 1}
    return (
        AttemptStarted(
            attempt=attempt,
            attempts=attempts,
            model="kimi-k3",
            endpoint="api.example.org",
            steps=300,
            price_as_of="2026-09-01",
        ),
        ModelAsked(**step, prompt_tokens=2_900, window_tokens=1_048_576),
        ModelWaits(**step, why="the server asks to wait (rate limit)", wait_s=2.5),
        ModelStreamed(**step, kind="reasoning", text="An odd count has its middle at\n"),
        ModelStreamed(**step, kind="reasoning", text="length // 2, so the + 1 is one too many."),
        ModelStreamed(**step, kind="text", text="I take the + 1 away."),
        ModelStreamed(**step, kind="call", text="str_replace"),
        ModelAnswered(
            **step,
            text="I take the + 1 away.",
            reasoning="An odd count has its middle at length // 2.",
            calls=("plan", "str_replace", "run_tests"),
            prompt_tokens=3_000,
            cached_tokens=1_500,
            output_tokens=240,
            cost_usd=0.012,
            wall_s=4.2,
        ),
        PlanChanged(attempt=attempt, lines=("[x] find the line", "[ ] mend it")),
        ToolStarted(**step, call="a:1", tool="str_replace", shown="stats.py"),
        ToolFinished(
            **step,
            call="a:1",
            tool="str_replace",
            failed=False,
            shown="stats.py: 1 line changed",
            diff=diff_of(a_patch()),
            wall_s=0.01,
        ),
        ToolStarted(**step, call="a:2", tool="run_tests", shown=TEST),
        ToolFinished(
            **step,
            call="a:2",
            tool="run_tests",
            failed=False,
            shown="1 fixed, 0 still failing",
            diff="",
            wall_s=0.8,
        ),
        ContextEdited(**step, how="hidden", freed_tokens=25_400),
        AttemptEnded(
            attempt=attempt,
            how="green",
            reason="the gate measured green",
            steps=1,
            prompt_tokens=3_000,
            cached_tokens=1_500,
            output_tokens=240,
            cost_usd=0.012,
        ),
    )


QUESTION: Mapping[str, Any] = {
    "call": "median([1, 2])",
    "path": "tests/test_stats.py",
    "answers": [
        {
            "ranks": [1],
            "shown": "returns 1.5",
            "test": (
                "def test_median_of_two():\n"
                "    from stats import median\n"
                "\n"
                "    assert median([1, 2]) == 1.5\n"
            ),
            "fails_now": True,
        },
        {
            "ranks": [2, 3],
            "shown": "raises IndexError: list index out of range",
            "test": "def test_median_of_two():\n    ...\n",
            "fails_now": False,
        },
    ],
}
"""What a result says where its candidates differ on an input."""


def an_ambiguous_result(**changes: Any) -> dict[str, Any]:
    """The JSON object of a green run whose candidates fall into two behaviours."""
    first, second = a_result()["candidates"]
    third = {**second, "rank": 3, "why": "middle one lower, otherwise"}
    groups = ((first, 1), (second, 2), (third, 2))
    return a_result(
        confidence="ambiguous",
        alternatives=2,
        groups=2,
        question=QUESTION,
        candidates=[
            {**option, "confidence": "ambiguous", "group": group} for option, group in groups
        ],
        **changes,
    )


def a_stored_run(
    state_dir: Path,
    repo: Path,
    *,
    patch: Patch | None = None,
    result: Mapping[str, Any] | None = None,
) -> StoredRun:
    """A finished green run on disk, with result and patch."""
    patch = patch or a_patch()
    store = RunStore(state_dir)
    with store.new_run(TaskSpec(repo=repo, targets=(TEST,))) as writer:
        for event in all_events(writer.run, str(repo)):
            writer.append(event)
        writer.write_patch(patch_to_json(patch), diff_of(patch))
        told = a_result() if result is None else result
        writer.write_result({**told, "run": writer.run, "patch": diff_of(patch)})
    return store.open(writer.run)


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Streams:
    """A screen and what was written on it."""

    screen: Screen
    out: io.StringIO
    err: io.StringIO


def streams(
    *, terminal: bool = False, wants_json: bool = False, variables: Mapping[str, str] | None = None
) -> Streams:
    kind = Terminal if terminal else io.StringIO
    out, err = kind(), kind()
    environment = {"TERM": "xterm-256color", **(variables or {})}
    screen = Screen(
        out=out,
        err=err,
        variables=environment,
        redactor=Redactor.from_variables(environment),
        wants_json=wants_json,
    )
    return Streams(screen=screen, out=out, err=err)
