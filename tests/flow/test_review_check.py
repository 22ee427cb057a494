"""A real green decided hunk by hunk: what is left is measured, and the verdict follows."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.lsp import Peer, running_server
from tests.support.repos import a_repo
from tests.support.reviewing import RICH, Editor
from tests.support.runs import BUGGY, FILES, FIXED

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

ABOVE = "test_calc.py::test_above"
CAN = {"workspace": {"applyEdit": True}}
COMMENTED = FIXED.replace("return value + value", "return 2 * value")
"""The fix that the offline search finds, and a change of the reviewer's own that no test needs."""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return a_repo(tmp_path / "repo", FILES)


@pytest.fixture
async def server(tmp_path: Path, repo: Path) -> AsyncIterator[Peer]:
    toolchain = {"VIRTUAL_ENV": str(Path(sys.executable).parents[1])}
    async with running_server(home=tmp_path / "home", env=toolchain) as server:
        await server.initialize(repo, options=RICH, capabilities=CAN)
        yield server


async def a_green(server: Peer, repo: Path) -> str:
    """Let a run come to its green end."""
    params = {"kind": "fix", "folder": repo.as_uri(), "strategy": "offline"}
    run = (await server.request("greenloop/start", params))["run"]
    ended = await server.wait_for(
        lambda each: (
            each.get("method") == "greenloop/run/changed"
            and each["params"]["run"] == run
            and each["params"]["state"] in ("finished", "interrupted")
        ),
        200,
    )
    assert ended["params"]["verdict"] == "green"
    return str(run)


async def decide(server: Peer, run: str, decision: str, **others: Any) -> Any:
    return await server.request("greenloop/decide", {"run": run, "decision": decision, **others})


async def test_the_verdict_follows_what_is_left(server: Peer, repo: Path) -> None:
    run = await a_green(server, repo)
    found = await server.request("greenloop/proposal", {"run": run})
    (needed,) = found["files"][0]["hunks"]
    assert needed["neededFor"] == [ABOVE]
    proposed = await server.request("greenloop/content", {"uri": found["files"][0]["proposedUri"]})
    text = proposed["text"].replace("return value + value", "return 2 * value")

    edited = await server.request("greenloop/edit", {"run": run, "path": "calc.py", "text": text})
    assert edited["check"]["state"] == "stale"
    first, extra = edited["files"][0]["hunks"]
    assert first["id"] == needed["id"]
    checked = await server.request("greenloop/check", {"run": run})
    assert (checked["check"]["state"], checked["check"]["verdict"]) == ("measured", "green")
    receipt = json.loads(Path(checked["check"]["receipt"]).read_bytes())
    assert "2 * value" in json.dumps(receipt)

    without = await decide(server, run, "reject", hunks=[needed["id"]])
    assert without["proposal"]["check"]["state"] == "running"
    checked = await server.request("greenloop/check", {"run": run})
    assert (checked["check"]["state"], checked["check"]["receipt"]) == ("measured", "")
    assert checked["check"]["verdict"] != "green"
    refused = await decide(server, run, "accept")
    assert refused["refused"].startswith("what is left is not green")
    assert (repo / "calc.py").read_text() == BUGGY

    await decide(server, run, "reopen")
    only = await decide(server, run, "reject", hunks=[extra["id"]])
    assert only["proposal"]["check"] == found["check"]
    accepted = await decide(server, run, "accept")
    assert [each["how"] for each in accepted["done"]] == ["disk"]
    assert (repo / "calc.py").read_text() == proposed["text"]


async def test_a_reject_while_another_measurement_runs_ends_that_one(
    server: Peer, repo: Path
) -> None:
    run = await a_green(server, repo)
    found = await server.request("greenloop/proposal", {"run": run})
    uri = found["files"][0]["proposedUri"]
    text = (await server.request("greenloop/content", {"uri": uri}))["text"]
    for n in (2, 3):
        typed = text.replace("return value + value", f"return {n} * value")
        params = {"run": run, "path": "calc.py", "text": typed}
        edited = await server.request("greenloop/edit", params)
        if n == 2:
            await server.begin("greenloop/check", {"run": run})
            await server.told("greenloop/proposal/changed", lambda each: each["revision"] == 1)
    assert edited["check"]["state"] in ("stale", "running")
    checked = await server.request("greenloop/check", {"run": run})
    assert (checked["check"]["state"], checked["check"]["verdict"]) == ("measured", "regressed")


async def test_an_accept_goes_into_the_editor_and_the_tests_are_green_with_it(
    server: Peer, repo: Path
) -> None:
    editor = Editor(server, "neovim")
    uri = await editor.open(repo / "calc.py")
    await editor.type(uri, "# typed\n" + BUGGY)
    run = await a_green(server, repo)
    await editor.type(uri, "# typed\n# meanwhile\n" + BUGGY)
    await decide(server, run, "accept")
    assert editor.texts[uri].startswith("# typed\n# meanwhile\ndef clamp")
    assert (repo / "calc.py").read_text() == BUGGY

    tests = await server.request("greenloop/test", {"folder": repo.as_uri()})
    ended = await server.wait_for(
        lambda each: (
            each.get("method") == "greenloop/run/changed"
            and each["params"]["run"] == tests["run"]
            and each["params"]["state"] == "finished"
        ),
        100,
    )
    assert ended["params"]["verdict"] == "passed"
