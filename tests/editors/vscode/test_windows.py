"""What a window shows of runs and tests, and what it says when something is missing."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.code_server import SERVER
from tests.support.editor_runs import OVER, RUN_S, end_of, in_phase, lines, nth_run, picture
from tests.support.served import requests
from tests.support.shop import FAILING, SHOP
from tests.support.till import LOOK, MEND_ALL, TILL, after, conversations, stuck
from tests.support.workbench import until_true

pytestmark = [pytest.mark.vscode, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(900)]

MODEL = {"greenloop.strategy": "model", "greenloop.model": "fake"}
FIX = "Greenloop: Fix Failing Tests"
ROW = ".monaco-list-row"
DECLARED = Path(__file__).parents[2] / "data" / "lsp" / "vscode-1.139.json"


def test_two_runs_go_on_at_once_and_each_is_shown(project, model, window_on):
    repo = project(TILL)
    slow = [after(3, LOOK), MEND_ALL]
    with model(conversations(slow, slow)), window_on(repo, **MODEL) as window:
        window.palette(FIX)
        first = nth_run(window)
        window.palette(FIX)
        second = nth_run(window, 2)
        in_phase(window, second, "search")
        assert lines(window)[first]["state"] == "running"
        window.palette("Greenloop: Show Runs")
        window.see(f".pane-body {ROW}:nth-match({ROW}, 2)")
        assert end_of(window, first)["verdict"] == end_of(window, second)["verdict"] == "green"
        begun = [entry["run"] for entry in window.trace.all(what="progress", step="begin")]
        ended = {entry["run"] for entry in window.trace.all(what="progress", step="end")}
        assert begun == [first, second]
        assert ended == {first, second}


def test_a_killed_server_comes_back_with_the_run_as_interrupted(project, model, window_on):
    repo = project(TILL)
    script = conversations([stuck(LOOK), MEND_ALL], [LOOK, MEND_ALL])
    with model(script) as fake, window_on(repo, **MODEL) as window:
        window.palette(FIX)
        run = nth_run(window)
        until_true(lambda: requests(fake.sent), "the model is not asked", RUN_S)
        killed = window.language_server()
        os.kill(killed, signal.SIGKILL)
        window.trace.wait(what="server", state="running", nth=2)
        assert window.language_server() != killed
        until_true(lambda: picture(window, run)["state"] in OVER, "the run still goes on")
        assert picture(window, run)["verdict"] == "interrupted"
        window.trace.wait(what="progress", run=run, step="end")
        window.palette(FIX)
        assert end_of(window, nth_run(window, 2))["verdict"] == "green"


def test_the_test_explorer_shows_failing_tests_and_fixes_them(project, window_on):
    repo = project(SHOP)
    with window_on(repo) as window:
        window.trace.wait(what="discovered", files=["tests/test_basket.py"])
        window.palette("Greenloop: Run Tests in Sandbox")
        until_true(
            lambda: {"id": FAILING, "outcome": "failed"} in _results(window),
            "the failing test is not told",
        )
        window.palette("Testing: Focus on Test Explorer View")
        window.click(f'{ROW}:has-text("tests/test_basket.py")')
        window.press("ArrowRight")
        _fix_in_explorer(window, f'{ROW}:has-text("test_a_basket_of_exactly_the_limit")')
        run = nth_run(window, 2)
        assert end_of(window, run)["verdict"] == "green"
        assert picture(window, run)["targets"] == [FAILING]


def _fix_in_explorer(window, row):
    """Choose Fix in the menu of a row; a menu takes nothing in its first moments, so ask again."""
    for is_last in (False, False, True):
        window.click(row, button="right")
        window.hover('.monaco-menu .action-item:has-text("Fix with Greenloop")')
        window.press("Enter")
        try:
            window.trace.wait(10.0, what="command", id="greenloop.fixTestItem")
        except AssertionError:
            if is_last:
                raise
            window.press("Escape")
        else:
            return


def _results(window):
    return [each for entry in window.trace.all(what="tests") for each in entry["results"]]


def test_without_a_folder_a_message_says_what_to_open(window_on):
    with window_on(None) as window:
        window.palette(FIX)
        message = window.trace.wait(what="message")
        assert "folder" in message["text"].lower()
        assert message["buttons"]


def test_a_folder_that_is_no_repository_is_named(window_on, tmp_path):
    (tmp_path / "test_one.py").write_text("def test_one():\n    assert False\n")
    with window_on(tmp_path) as window:
        window.palette(FIX)
        message = window.trace.wait(what="message")
        assert "repository" in message["text"]
        assert message["buttons"]
        window.see(f'.notification-toast:has-text("{message["buttons"][0]}")')


def test_in_restricted_mode_nothing_is_run_and_trust_is_offered(project, window_on):
    repo = project(SHOP)
    trust = {
        "security.workspace.trust.enabled": True,
        "security.workspace.trust.startupPrompt": "never",
    }
    with window_on(repo, **trust) as window:
        window.see('text="Restricted Mode"')
        window.palette(FIX)
        message = window.trace.wait(what="message")
        assert "trust" in message["text"].lower()
        assert message["buttons"] == ["Manage Trust"]
        assert lines(window) == {}


def test_without_a_server_messages_say_what_to_do_until_there_is_one(project, window_on):
    repo = project(SHOP)
    with window_on(repo, **{"greenloop.server.path": ""}) as window:
        message = window.trace.wait(what="message")
        assert "uv tool install greenloop" in message["text"]
        window.press_button("Copy Install Command")
        window.trace.wait(what="chosen", button="Copy Install Command")

        window.ask("set", name="greenloop.server.path", value="/nowhere/greenloop-lsp")
        message = window.trace.wait(what="message", nth=2)
        assert "/nowhere/greenloop-lsp" in message["text"]
        assert "Open Settings" in message["buttons"]

        window.ask("set", name="greenloop.server.path", value=str(SERVER))
        window.trace.wait(what="server", state="running")


def test_what_this_editor_declares_is_what_tests_of_the_server_send(window_on, tmp_path):
    said = tmp_path / "initialize.json"
    program = tmp_path / "greenloop-lsp"
    program.write_text(RECORDER.format(python=sys.executable, said=said))
    program.chmod(0o755)
    (tmp_path / "test_one.py").touch()
    with window_on(tmp_path, **{"greenloop.server.path": str(program)}) as window:
        window.show(tmp_path / "test_one.py")
        until_true(said.exists, "no server was started")
    params = json.loads(said.read_text())["params"]
    known = json.loads(DECLARED.read_text())
    assert params["capabilities"] == known["capabilities"]
    assert params["initializationOptions"]["client"] == {
        "runs": True,
        "review": True,
        "tests": True,
    }


RECORDER = """\
#!{python}
# Keeps what it is told first, and ends.
import pathlib
import sys

head = sys.stdin.buffer.readline()
while sys.stdin.buffer.readline().strip():
    pass
kept = pathlib.Path("{said}.new")
kept.write_bytes(sys.stdin.buffer.read(int(head.split(b":")[1])))
kept.rename("{said}")
"""
