"""Runs the product on a work tree as a user would, and reads what it printed and recorded.

Never looks into it: a checkout of any age can be measured.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

GRACE_S: Final = 420.0
"""Over the budget of the search, for baseline, gate and waiting for a processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One patch that a person was shown."""

    rank: int
    confidence: str
    why: str
    patch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a run came to."""

    verdict: str
    """Of the product, or `error`, or `timeout`."""
    confidence: str
    message: str
    distinct: int
    offers: tuple[Offer, ...]
    """Empty unless green: what did not stand the gate is no suggestion."""
    tried: int
    first_s: float | None
    """Seconds from the end of the baseline to the first edit that pleased the tests."""
    phases_s: Mapping[str, float]


def fix(
    product: Path,
    tree: Path,
    targets: Sequence[str],
    suite: Sequence[str],
    *,
    budget_s: float,
    state: Path,
) -> Said:
    """Run `greenloop fix` of a checkout on a work tree; `suite`: paths, none for all tests."""
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    argv = [sys.executable, "-m", "agent", "fix", "--strategy", "offline", "--json"]
    argv += ["--budget-s", f"{budget_s:g}", "--repo", str(tree)]
    if suite:
        argv += ["--test-command", " ".join(["python -m pytest", *suite])]
    kept = ("PATH", "LANG", "DOCKER_HOST", "TMPDIR", "USER")
    variables = {name: os.environ[name] for name in kept if name in os.environ}
    variables |= {
        "HOME": str(state),
        "XDG_STATE_HOME": str(state),
        "XDG_CONFIG_HOME": str(state / "config"),
    }
    with subprocess.Popen(
        [*argv, "--", *targets],
        cwd=product,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            printed, told = process.communicate(timeout=budget_s + GRACE_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # it clears its sandboxes away
            printed, told = process.communicate()
            return _said({"verdict": "timeout", "message": told[-300:]}, state)
    lines = printed.strip().splitlines()
    if not lines:
        last = (told.strip().splitlines() or ["nothing was printed"])[-1]
        return _said({"verdict": "error", "message": last}, state)
    result = json.loads(lines[-1])
    if "verdict" not in result:
        return _said({"verdict": "error", "message": str(result.get("error", result))}, state)
    return _said(result, state)


def _said(result: Mapping[str, Any], state: Path) -> Said:
    records = list(_records(state))
    is_green = result["verdict"] == "green"
    candidates = result.get("candidates", ()) if is_green else ()
    progress = [each["data"] for each in records if each["event"] == "SearchProgress"]
    return Said(
        verdict=result["verdict"],
        confidence=(result.get("confidence") or "") if is_green else "",
        message=result.get("message", ""),
        distinct=result.get("alternatives", 0),
        offers=tuple(
            Offer(
                rank=each["rank"],
                confidence=each["confidence"],
                why=each["why"],
                patch=each["patch"],
            )
            for each in candidates
        ),
        tried=max((each["tried"] for each in progress), default=0),
        first_s=_first_s(records),
        phases_s=result.get("durations", {}),
    )


def _first_s(records: Sequence[Mapping[str, Any]]) -> float | None:
    started = next((r["at_unix_s"] for r in records if _is_search(r)), None)
    found = next(
        (
            record["at_unix_s"]
            for record in records
            if (record["event"] == "SearchProgress" and record["data"]["plausible"])
            or record["event"] == "CandidateProposed"
        ),
        None,
    )
    return None if started is None or found is None else round(found - started, 2)


def _is_search(record: Mapping[str, Any]) -> bool:
    return bool(record["event"] == "PhaseStarted" and record["data"]["phase"] == "search")


def _records(state: Path) -> Iterator[Mapping[str, Any]]:
    for journal in sorted(state.glob("greenloop/runs/*/journal.jsonl")):
        for line in journal.read_text("utf-8").splitlines():
            yield json.loads(line)
