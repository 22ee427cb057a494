"""Failing tests as diagnostics: sent to some clients, asked for by others, never both."""

from pathlib import Path
from typing import Any

import pytest

from agent.events import BaselineMeasured, TestFailed, TestsMeasured
from lsp_server.convert import uri_of
from tests.support.editing import RICH, VSCODE, Editor, editing, range_json
from tests.support.repos import a_repo

TESTS = b"""\
from cart import total


def check(value):
    assert value == 3


def test_total():
    check(total())


def test_other():
    assert 1
"""
TOTAL, OTHER = "tests/test_cart.py::test_total", "tests/test_cart.py::test_other"
PLAIN = {"textDocument": {"publishDiagnostics": {"versionSupport": True}}}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    files = {"cart.py": b"def total():\n    return 2\n", "tests/test_cart.py": TESTS}
    return a_repo(tmp_path / "repo", files)


def failed(**others: Any) -> TestFailed:
    frames = (
        ("tests/test_cart.py", 9, "test_total"),
        ("tests/test_cart.py", 5, "check"),
        ("cart.py", 2, "total"),
    )
    given = {"line": 8, "message": "assert 2 == 3\n +  where", "error_type": "AssertionError"}
    return TestFailed(id=TOTAL, path="tests/test_cart.py", **{"frames": frames, **given, **others})


def measured(total: str = "failed", other: str = "passed", *, whole: bool = True) -> TestsMeasured:
    return TestsMeasured(results=((TOTAL, total, 0.1), (OTHER, other, 0.2)), whole=whole)


def fail(editor: Editor, repo: Path, run: str = "tests-1") -> None:
    editor.host.begin(run, repo, kind="test")
    editor.host.tell(run, failed(), measured())


async def test_failure_stands_at_its_innermost_step_in_the_test_file(
    tmp_path: Path, repo: Path
) -> None:
    async with editing(tmp_path, repo, capabilities=PLAIN) as editor:
        fail(editor, repo)
        told = await editor.peer.told("textDocument/publishDiagnostics")
        uri = uri_of(repo / "tests" / "test_cart.py")
        code = uri_of(repo / "cart.py")
        assert told == {
            "uri": uri,
            "diagnostics": [
                {
                    "range": range_json((4, 4), (4, 21)),
                    "severity": 1,
                    "source": "greenloop",
                    "code": TOTAL,
                    "message": "test_total: assert 2 == 3\n +  where",
                    "data": {"test": TOTAL},
                    "relatedInformation": [
                        {
                            "location": {"uri": code, "range": range_json((1, 0), (1, 0))},
                            "message": "in total: assert 2 == 3",
                        },
                        {
                            "location": {"uri": uri, "range": range_json((4, 0), (4, 0))},
                            "message": "in check",
                        },
                        {
                            "location": {"uri": uri, "range": range_json((8, 0), (8, 0))},
                            "message": "in test_total",
                        },
                    ],
                }
            ],
        }
        editor.host.begin("tests-2", repo, kind="test")
        editor.host.tell("tests-2", measured("passed"))
        await editor.peer.told(
            "textDocument/publishDiagnostics", lambda params: params["diagnostics"] == []
        )


async def test_failure_without_steps_stands_at_its_test(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, capabilities=PLAIN) as editor:
        editor.host.begin("tests-1", repo, kind="test")
        editor.host.tell("tests-1", failed(frames=(), message=""), measured())
        told = await editor.peer.told("textDocument/publishDiagnostics")
        (one,) = told["diagnostics"]
        assert one["range"] == range_json((7, 0), (7, 17))
        assert one["message"] == "test_total: AssertionError"


async def test_client_that_asks_is_told_to_ask_and_is_sent_nothing(
    tmp_path: Path, repo: Path
) -> None:
    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        empty = await editor.diagnostics(uri)
        assert empty["items"] == []
        fail(editor, repo)
        await editor.peer.told("workspace/diagnostic/refresh")
        report = await editor.diagnostics(uri)
        assert [one["code"] for one in report["items"]] == [TOTAL]
        again = await editor.diagnostics(uri, previousResultId=report["resultId"])
        assert again == {"kind": "unchanged", "resultId": report["resultId"]}
        sent = [one for one in editor.peer.seen if "publishDiagnostics" in str(one.get("method"))]
        assert sent == []


async def test_closed_file_of_a_client_that_asks_is_sent_and_taken_back_when_it_opens(
    tmp_path: Path, repo: Path
) -> None:
    published = "textDocument/publishDiagnostics"
    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        fail(editor, repo)
        assert (await editor.peer.told(published))["diagnostics"]
        uri = await editor.open(repo / "tests" / "test_cart.py")
        await editor.peer.told(published, lambda params: params["diagnostics"] == [])
        assert (await editor.diagnostics(uri))["items"]
        await editor.close(uri)

        def times_sent() -> int:
            told = (one["params"] for one in editor.peer.seen if one.get("method") == published)
            return sum(bool(params["diagnostics"]) for params in told)

        await editor.peer.wait_for(lambda _: times_sent() == 2)


async def test_client_that_gets_them_sent_is_told_nothing_when_it_asks(
    tmp_path: Path, repo: Path
) -> None:
    """Neovim 0.10 can pull, but cannot be told to do it again."""
    capabilities = {"textDocument": {"diagnostic": {}, "publishDiagnostics": {}}}
    async with editing(tmp_path, repo, capabilities=capabilities) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        fail(editor, repo)
        assert (await editor.peer.told("textDocument/publishDiagnostics"))["diagnostics"]
        assert (await editor.diagnostics(uri))["items"] == []


async def test_marks_move_with_what_is_typed(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        fail(editor, repo)
        await editor.peer.told("workspace/diagnostic/refresh")
        await editor.type(uri, "# a\n# b\n", (0, 0), (0, 0))
        (one,) = (await editor.diagnostics(uri))["items"]
        assert one["range"] == range_json((6, 4), (6, 21))


async def test_what_was_typed_while_tests_ran_moves_their_places(
    tmp_path: Path, repo: Path
) -> None:
    async with editing(tmp_path, repo, capabilities=PLAIN) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        run = (await editor.peer.request("greenloop/test", {}))["run"]
        await editor.type(uri, "# a\n", (0, 0), (0, 0))
        await editor.peer.request("greenloop/runs", {})
        fail(editor, repo, run)
        (one,) = (await editor.peer.told("textDocument/publishDiagnostics"))["diagnostics"]
        assert one["range"] == range_json((5, 4), (5, 21))


async def test_client_that_shows_tests_itself_gets_outcomes_and_no_marks(
    tmp_path: Path, repo: Path
) -> None:
    async with editing(tmp_path, repo, options=RICH, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        fail(editor, repo)
        told = await editor.peer.told("greenloop/tests/changed")
        assert (told["folder"], told["run"], told["whole"]) == (uri_of(repo), "tests-1", True)
        bad, good = told["results"]
        assert good == {"id": OTHER, "outcome": "passed", "durationS": 0.2}
        assert (bad["outcome"], bad["failure"]["uri"]) == ("failed", uri)
        assert bad["failure"]["range"] == range_json((4, 4), (4, 21))
        assert [one["line"] for one in bad["failure"]["frames"]] == [8, 4, 1]
        assert (await editor.diagnostics(uri))["items"] == []


async def test_setting_takes_the_marks_away(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        fail(editor, repo)
        await editor.peer.told("workspace/diagnostic/refresh")
        for value, count in ((False, 0), (True, 1)):
            editor.settings = {"testDiagnostics": value}
            await editor.peer.notify("workspace/didChangeConfiguration", {"settings": None})
            report = await editor.diagnostics(uri)
            while len(report["items"]) != count:
                report = await editor.diagnostics(uri)


async def test_client_that_comes_later_sees_what_is_known(tmp_path: Path, repo: Path) -> None:
    from lsp_server.app import make_server
    from tests.support.lsp import in_process

    async with editing(tmp_path, repo, options=RICH) as editor:
        fail(editor, repo)
        await editor.peer.told("greenloop/tests/changed")
        second = make_server(editor.server._keeper)
        async with in_process(second) as peer:
            await peer.initialize(repo, options=RICH)
            told = await peer.told("greenloop/tests/changed")
            assert [one["outcome"] for one in told["results"]] == ["failed", "passed"]


async def test_accepted_green_takes_the_marks_of_its_targets_away(
    tmp_path: Path, repo: Path
) -> None:
    async with editing(tmp_path, repo, capabilities=PLAIN) as editor:
        fail(editor, repo)
        baseline = BaselineMeasured(
            targets=(TOTAL,), failing=(TOTAL,), passing=1, flaky=(), wall_s=1.0
        )
        editor.host.tell("tests-1", baseline)
        await editor.peer.told("textDocument/publishDiagnostics")
        editor.server.core.results.mended("tests-1")
        await editor.peer.told(
            "textDocument/publishDiagnostics", lambda params: params["diagnostics"] == []
        )


async def test_two_owners_share_a_file(tmp_path: Path, repo: Path) -> None:
    from lsprotocol import types

    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        fail(editor, repo)
        await editor.peer.told("workspace/diagnostic/refresh")
        place = types.Position(line=0, character=0)
        hunk = types.Diagnostic(
            range=types.Range(start=place, end=place), message="hunk", source="greenloop-review"
        )
        editor.server.publisher.set("review", uri, [hunk])
        both = (await editor.diagnostics(uri))["items"]
        assert [one["source"] for one in both] == ["greenloop-review", "greenloop"]
        editor.server.publisher.set("review", uri, [])
        assert [one["source"] for one in (await editor.diagnostics(uri))["items"]] == ["greenloop"]
