"""A run of the product is read from what it prints and records; here a stand-in prints it."""

import json
from pathlib import Path

import pytest

from tests.bench.repair.product import Said, fix

STAND_IN = """\
import json, os, sys
from pathlib import Path

runs = Path(os.environ["XDG_STATE_HOME"]) / "greenloop" / "runs" / "one"
runs.mkdir(parents=True)
events = [
    ("PhaseStarted", 10.0, {"phase": "baseline"}),
    ("PhaseStarted", 12.0, {"phase": "search"}),
    ("SearchProgress", 13.0, {"tried": 5, "plausible": 0}),
    ("SearchProgress", 15.5, {"tried": 9, "plausible": 1}),
    ("CandidateProposed", 18.0, {}),
]
with (runs / "journal.jsonl").open("w") as journal:
    for event, at, data in events:
        journal.write(json.dumps({"event": event, "at_unix_s": at, "data": data}) + "\\n")
Path(os.environ["XDG_STATE_HOME"], "argv").write_text(json.dumps(sys.argv[1:]))
sys.stdout.write(RESULT)
"""
OFFER = {"patch": "-a\n+b\n", "confidence": "likely", "rank": 1, "why": "because"}
GREEN = {
    "verdict": "green",
    "confidence": "likely",
    "alternatives": 1,
    "message": "1 test fixed",
    "durations": {"search": 6.0},
    "candidates": [OFFER],
}


def said(tmp_path: Path, result: str, *suite: str) -> tuple[Said, list[str]]:
    package = tmp_path / "product" / "agent"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(STAND_IN.replace("RESULT", repr(result)))
    state = tmp_path / "state"
    found = fix(tmp_path / "product", tmp_path, ["t.py::t"], suite, budget_s=5, state=state)
    return found, json.loads((state / "argv").read_text())


def test_what_was_printed_and_recorded_is_read(tmp_path: Path) -> None:
    found, argv = said(tmp_path, json.dumps(GREEN) + "\n")
    assert (found.verdict, found.confidence, found.tried, found.first_s) == (
        "green",
        "likely",
        9,
        3.5,
    )
    assert [offer.patch for offer in found.offers] == [OFFER["patch"]]
    assert argv[:6] == ["fix", "--strategy", "offline", "--json", "--budget-s", "5"]
    assert argv[-2:] == ["--", "t.py::t"]
    assert "--test-command" not in argv


def test_a_named_suite_is_handed_to_pytest(tmp_path: Path) -> None:
    _found, argv = said(tmp_path, json.dumps(GREEN) + "\n", "tests/test_a.py", "tests/test_b.py")
    command = argv[argv.index("--test-command") + 1]
    assert command == "python -m pytest tests/test_a.py tests/test_b.py"


@pytest.mark.parametrize("verdict", ["regressed", "none"])
def test_what_did_not_stand_the_gate_is_no_suggestion(tmp_path: Path, verdict: str) -> None:
    found, _argv = said(tmp_path, json.dumps({**GREEN, "verdict": verdict}) + "\n")
    assert (found.verdict, found.confidence, found.offers) == (verdict, "", ())


def test_a_run_that_could_not_be_made_is_an_error(tmp_path: Path) -> None:
    found, _argv = said(tmp_path, json.dumps({"error": "nothing fails"}) + "\n")
    assert (found.verdict, found.message) == ("error", "nothing fails")


def test_a_run_that_prints_nothing_is_an_error(tmp_path: Path) -> None:
    found, _argv = said(tmp_path, "")
    assert found.verdict == "error"
