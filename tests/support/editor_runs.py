"""Runs as a window of VS Code was told of them."""

import subprocess
from pathlib import Path
from typing import Any

from tests.support.workbench import Window, until_true

CHANGED = "greenloop/run/changed"
RUN_S = 240.0
"""How long a run of seconds may take on a busy machine."""
OVER = frozenset({"finished", "interrupted"})


def lines(window: Window) -> dict[str, dict[str, Any]]:
    """Return the newest line of each run, in the order in which they began."""
    newest: dict[str, dict[str, Any]] = {}
    for entry in window.trace.all(what="notification", method=CHANGED):
        newest[entry["params"]["run"]] = entry["params"]
    return newest


def nth_run(window: Window, nth: int = 1) -> str:
    """Wait until so many runs have begun since the window was opened; return the last one's id."""
    until_true(lambda: len(lines(window)) >= nth, f"no {nth}. run", more=lambda: _told(window))
    return list(lines(window))[nth - 1]


def in_phase(window: Window, run: str, *phases: str) -> None:
    """Wait until a run is in one of these phases."""
    until_true(
        lambda: lines(window)[run]["phase"] in phases or lines(window)[run]["state"] in OVER,
        f"{run} is not in {phases}",
        RUN_S,
        more=lambda: _told(window),
    )
    assert lines(window)[run]["phase"] in phases, _told(window)


def end_of(window: Window, run: str, timeout_s: float = RUN_S) -> dict[str, Any]:
    """Wait for the end of a run and return its last line."""
    until_true(
        lambda: lines(window)[run]["state"] in OVER,
        f"{run} does not end",
        timeout_s,
        more=lambda: _told(window),
    )
    return lines(window)[run]


def picture(window: Window, run: str) -> dict[str, Any]:
    """Ask the server for all of a run."""
    answer = window.ask("command", name="greenloop.server.run", args=[{"run": run}])
    assert isinstance(answer, dict)
    return answer


def proposal(window: Window, run: str) -> dict[str, Any]:
    """Ask the server for what a run proposes."""
    answer = window.ask("command", name="greenloop.server.proposal", args=[{"run": run}])
    assert isinstance(answer, dict)
    return answer


def measured(window: Window, run: str, revision: int = 0) -> dict[str, Any]:
    """Wait until what is left of a proposal is measured, and return the proposal."""

    def is_measured() -> bool:
        now = proposal(window, run)
        return now["check"]["state"] == "measured" and now["revision"] >= revision

    until_true(
        is_measured, f"{run} is not measured", RUN_S, more=lambda: proposal(window, run)["check"]
    )
    return proposal(window, run)


def hunk_with(window: Window, run: str, text: str) -> dict[str, Any]:
    """Return the hunk whose new text holds this."""
    found = [
        hunk
        for file in proposal(window, run)["files"]
        for hunk in file["hunks"]
        if text in hunk["new"]
    ]
    assert len(found) == 1, found
    return dict(found[0])


def failing_tests(repo: Path) -> list[str]:
    """Run the repository's own tests on what is on disk; return those that fail."""
    done = subprocess.run(
        [repo / ".venv" / "bin" / "python", "-m", "pytest", "-q", "--no-header", "-rf"],
        cwd=repo,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return [
        line.split(" ", 2)[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")
    ]


def _told(window: Window) -> str:
    told = [f"{run}: {line}" for run, line in lines(window).items()]
    rest = [str(each)[:300] for each in window.trace.all() if each["what"] != "notification"]
    return "\n".join([*told, *rest[-30:]])
