"""The tests of a run, before and after: all of them where a receipt is at hand."""

import json
from collections.abc import Mapping
from typing import Any

from agent.cli.outcome import changed_tests
from agent.journal.stored import StoredRun


def rows_of(stored: StoredRun, result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (test, before, after) rows, those that changed first."""
    before, after = _outcomes(stored, "before"), _outcomes(stored, "after")
    if not before or not after:
        return changed_tests(result)
    rows = [
        (test, before.get(test, "not there"), after.get(test, "not there"))
        for test in {**before, **after}
    ]
    return sorted(rows, key=lambda row: row[1] == row[2])


def _outcomes(stored: StoredRun, when: str) -> dict[str, str]:
    """Read one side of the receipt; empty where there is none that can be read."""
    try:
        receipt = json.loads(stored.receipt_path.read_bytes())
    except (OSError, ValueError):
        return {}
    tests = receipt.get("tests", {}) if isinstance(receipt, dict) else {}
    side = tests.get(when, {}) if isinstance(tests, dict) else {}
    return (
        {str(test): str(outcome) for test, outcome in side.items()}
        if isinstance(side, dict)
        else {}
    )
