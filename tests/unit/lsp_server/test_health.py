"""What `--check-health` says of a condition."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.host.api import Condition
from lsp_server.health import Finding, findings_of

READY = Condition(
    repository="/home/dev/shop",
    engine_ok=True,
    engine_text="Docker Engine 29.1, local",
    engine_remedy="",
    model="",
    endpoint="",
    model_text="",
    model_remedy="",
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (READY, Finding("repository", ok=True, text="/home/dev/shop")),
        (READY, Finding("engine", ok=True, text="Docker Engine 29.1, local")),
        (READY, Finding("model", ok=True, text="none is set; the offline search needs none")),
        (
            replace(READY, repository=""),
            Finding(
                "repository",
                ok=False,
                text="none at /home/dev",
                remedy="Open a folder of a repository, or make it one with `git init`.",
            ),
        ),
        (
            replace(READY, engine_ok=False, engine_text="not running", engine_remedy="Start it."),
            Finding("engine", ok=False, text="not running", remedy="Start it."),
        ),
        (
            replace(READY, model="local", endpoint="http://127.0.0.1:8000"),
            Finding("model", ok=True, text="local at http://127.0.0.1:8000"),
        ),
        (
            replace(READY, model="far", model_text="its key is missing", model_remedy="Set it."),
            Finding("model", ok=False, text="far: its key is missing", remedy="Set it."),
        ),
    ],
)
def test_each_part_is_told_with_what_to_do(condition: Condition, expected: Finding) -> None:
    assert expected in findings_of(condition, Path("/home/dev"))
