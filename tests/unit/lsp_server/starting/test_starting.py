"""From a place in the code to a task: over the wire, with a host that carries out nothing."""

from pathlib import Path
from typing import Any

import pytest

from agent.events import TestFailed, TestsMeasured
from agent.host.api import TestsSpec
from agent.task import Kind, StrategyName, TaskSpec, TestPolicy
from lsp_server.convert import uri_of
from tests.support.editing import RICH, VSCODE, editing, range_json
from tests.support.lsp import Answered
from tests.support.repos import a_repo

CODE = b"""\
class Cart:
    def total(self):
        raise NotImplementedError

    def count(self):
        return 1
"""
TESTS = b"""\
from cart import Cart


def test_total():
    assert Cart().total() == 3


def test_count():
    assert Cart().count() == 1
"""
FAILING = "tests/test_cart.py::test_total"
MODEL = {"settings": {"model": "some-model"}}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return a_repo(tmp_path / "repo", {"cart.py": CODE, "tests/test_cart.py": TESTS})


def titles(actions: Any) -> list[str]:
    return [one["title"] for one in actions]


async def refusal(answer: Any) -> tuple[str, str, str]:
    with pytest.raises(Answered) as caught:
        await answer
    error = caught.value
    assert error.code == -32803
    return error.data["kind"], error.message, error.data["remedy"]


async def test_action_on_a_test_starts_a_fix_of_it(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, options=RICH) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        fix, run = await editor.actions(uri, (4, 8))
        assert titles([fix, run]) == ["Fix this test: test_total", "Run this test: test_total"]
        assert fix["kind"] == "quickfix.greenloop"
        answer = await editor.peer.command(fix["command"]["command"], *fix["command"]["arguments"])
        assert answer["run"]
        (task,) = editor.asked_of_host("start")
        assert isinstance(task, TaskSpec)
        assert (task.kind, task.targets, task.repo) == (Kind.FIX, (FAILING,), repo)
        assert task.strategy is StrategyName.AUTO
        assert task.test_policy == TestPolicy()
        await editor.peer.command(run["command"]["command"], *run["command"]["arguments"])
        (spec,) = editor.asked_of_host("run_tests")
        assert spec == TestsSpec(repo=repo, targets=(FAILING,))


async def test_unsaved_text_goes_along(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo) as editor:
        uri = await editor.open(repo / "cart.py")
        await editor.open(repo / "tests" / "test_cart.py")
        await editor.type(uri, "2", (5, 15), (5, 16))
        await editor.peer.request("greenloop/start", {"kind": "fix"})
        (task,) = editor.asked_of_host("start")
        assert task.overlay == {"cart.py": CODE.replace(b"return 1", b"return 2")}
        assert task.targets == ()


async def test_action_on_a_stub_starts_an_implementation(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, options=RICH | MODEL) as editor:
        uri = await editor.open(repo / "cart.py")
        (implement,) = await editor.actions(uri, (2, 8))
        assert implement["title"] == "Implement Cart.total with Greenloop"
        assert implement["kind"] == "refactor.rewrite.greenloop"
        (params,) = implement["command"]["arguments"]
        assert "goal" not in params
        await editor.peer.request("greenloop/start", params | {"goal": "Sum up prices."})
        (task,) = editor.asked_of_host("start")
        assert task.kind is Kind.IMPLEMENT
        assert task.goal == "Implement `Cart.total` in cart.py (line 2).\n\nSum up prices."
        assert task.model == "some-model"
        assert task.test_policy == TestPolicy(may_add=True)


async def test_goal_of_a_selection_is_asked_for_by_the_client(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, options=RICH | MODEL) as editor:
        uri = await editor.open(repo / "cart.py")
        (change,) = await editor.actions(uri, (4, 0), (5, 16))
        (params,) = change["command"]["arguments"]
        assert params["goal"] == ""
        kind, message, remedy = await refusal(editor.peer.request("greenloop/start", params))
        assert (kind, "no goal" in message, "in words" in remedy) == ("bad_request", True, True)
        await editor.peer.request("greenloop/start", params | {"goal": "Count twice."})
        (task,) = editor.asked_of_host("start")
        assert task.goal == "Count twice.\n\nThis is about cart.py, lines 5 to 6."


async def test_plain_client_is_offered_nothing_that_needs_words(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo) as editor:
        uri = await editor.open(repo / "cart.py")
        assert await editor.actions(uri, (4, 0), (5, 16)) == []


PROBLEM = {
    "range": range_json((5, 8), (5, 16)),
    "message": "int is not str",
    "source": "mypy",
    "code": "return-value",
    "severity": 1,
}


async def test_action_on_a_diagnostic_of_anybody_mends_it(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, options=RICH | MODEL) as editor:
        uri = await editor.open(repo / "cart.py")
        hint = PROBLEM | {"severity": 4}
        (fix,) = await editor.actions(uri, (5, 9), diagnostics=[PROBLEM, hint])
        assert fix["title"] == "Fix with Greenloop: int is not str"
        assert [one["message"] for one in fix["diagnostics"]] == ["int is not str"]
        await editor.peer.request("greenloop/start", fix["command"]["arguments"][0])
        (task,) = editor.asked_of_host("start")
        reported = "Mend what the editor reports in cart.py:\n- line 6: int is not str"
        assert task.kind is Kind.IMPLEMENT
        assert task.goal.startswith(f"{reported} (mypy return-value)")


async def test_diagnostic_without_a_model_is_a_hint_to_the_search(
    tmp_path: Path, repo: Path
) -> None:
    async with editing(tmp_path, repo) as editor:
        uri = await editor.open(repo / "cart.py")
        place = {"uri": uri, "range": PROBLEM["range"]}
        params = {"kind": "fix", "place": place, "diagnostics": [PROBLEM]}
        await editor.peer.request("greenloop/start", params)
        (task,) = editor.asked_of_host("start")
        assert (task.kind, task.targets) == (Kind.FIX, ())
        assert "int is not str" in task.goal


@pytest.mark.parametrize(
    ("only", "kinds"),
    [
        (["quickfix"], ["quickfix.greenloop"]),
        (["quickfix.greenloop"], ["quickfix.greenloop"]),
        (["refactor"], ["refactor.rewrite.greenloop"]),
        (["refactor.rewrite.greenloop"], ["refactor.rewrite.greenloop"]),
        (["source", "quickfix.other", "quick"], []),
        ([""], ["quickfix.greenloop", "refactor.rewrite.greenloop"]),
    ],
)
async def test_only_kinds_that_are_wanted_are_offered(
    tmp_path: Path, repo: Path, only: list[str], kinds: list[str]
) -> None:
    async with editing(tmp_path, repo, options=RICH) as editor:
        uri = await editor.open(repo / "cart.py")
        found = await editor.actions(uri, (2, 8), diagnostics=[PROBLEM], only=only)
        assert sorted({one["kind"] for one in found}) == kinds


async def test_untrusted_workspace_shows_why_nothing_can_be_started(
    tmp_path: Path, repo: Path
) -> None:
    options = RICH | {"trusted": False}
    async with editing(tmp_path, repo, options=options, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        found = await editor.actions(uri, (4, 8))
        assert all("not trusted" in one["disabled"]["reason"] for one in found)
        assert not any("command" in one for one in found)
        assert await editor.lenses(uri) == []
        for verb, params in (("start", {"kind": "fix"}), ("test", {}), ("testFiles", {})):
            kind, message, remedy = await refusal(editor.peer.request(f"greenloop/{verb}", params))
            assert (kind, "not trusted" in message, "Trust" in remedy) == ("untrusted", True, True)
        await editor.peer.notify("greenloop/trust", {"trusted": True})
        assert "command" in (await editor.actions(uri, (4, 8)))[0]
        assert await editor.peer.request("greenloop/start", {"kind": "fix"})


async def test_resolving_changes_nothing(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        action = (await editor.actions(uri, (4, 8)))[0]
        assert await editor.peer.request("codeAction/resolve", action) == action
        lens = (await editor.lenses(uri))[0]
        assert await editor.peer.request("codeLens/resolve", lens) == lens


async def test_lenses_stand_at_tests_and_stubs_where_they_are_wanted(
    tmp_path: Path, repo: Path
) -> None:
    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        tests = await editor.open(repo / "tests" / "test_cart.py")
        code = await editor.open(repo / "cart.py")
        shown = [
            (lens["range"]["start"]["line"], lens["command"]["title"])
            for lens in await editor.lenses(tests)
        ]
        assert shown == [(3, "Run"), (3, "Fix"), (7, "Run"), (7, "Fix")]
        assert [lens["command"]["title"] for lens in await editor.lenses(code)] == ["Implement"]
        editor.settings = {"codeLens": False}
        await editor.peer.notify("workspace/didChangeConfiguration", {"settings": None})
        await editor.peer.told("workspace/codeLens/refresh")
        assert await editor.lenses(tests) == []


async def test_test_that_is_known_to_fail_is_the_preferred_one_to_fix(
    tmp_path: Path, repo: Path
) -> None:
    async with editing(tmp_path, repo, options=RICH, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        editor.host.begin("tests-1", repo, kind="test")
        results = ((FAILING, "failed", 0.1), ("tests/test_cart.py::test_count", "passed", 0.1))
        editor.host.tell("tests-1", TestsMeasured(results=results, whole=True))
        await editor.peer.told("greenloop/tests/changed")
        (fix, _) = await editor.actions(uri, (4, 8))
        assert fix["isPreferred"] is True
        (fix, _) = await editor.actions(uri, (8, 8))
        assert "isPreferred" not in fix
        shown = [lens["command"]["title"] for lens in await editor.lenses(uri)]
        assert shown == ["Run", "Fix (failing)", "Run", "Fix"]


async def test_mark_of_a_failing_test_starts_a_fix_of_it(tmp_path: Path, repo: Path) -> None:
    """One case of several: the mark names it, the function alone would not."""
    case = f"{FAILING}[1]"
    failed = TestFailed(
        id=case, path="tests/test_cart.py", line=4, message="no", error_type="", frames=()
    )
    options = {"client": {"runs": True}}
    async with editing(tmp_path, repo, options=options, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / "tests" / "test_cart.py")
        editor.host.begin("tests-1", repo, kind="test")
        editor.host.tell(
            "tests-1", failed, TestsMeasured(results=((case, "failed", 0.1),), whole=True)
        )
        await editor.peer.told("greenloop/tests/changed")
        marks = (await editor.diagnostics(uri))["items"]
        found = await editor.actions(uri, (3, 4), diagnostics=marks)
        assert titles(found) == ["Fix test_total[1]", "Run this test: test_total"]
        assert found[0]["command"]["arguments"][0]["targets"] == [case]


async def test_tests_of_a_document_are_those_in_the_editor(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, options=RICH) as editor:
        path = repo / "tests" / "test_cart.py"
        unread = await editor.peer.request("greenloop/tests", {"uri": uri_of(path)})
        uri = await editor.open(path)
        await editor.type(uri, "def test_new(): assert 1\n", (2, 0), (2, 0))
        items = (await editor.peer.request("greenloop/tests", {"uri": uri}))["items"]
        assert [one["name"] for one in unread["items"]] == ["test_total", "test_count"]
        assert [one["name"] for one in items] == ["test_new", "test_total", "test_count"]
        assert items[0] == {
            "kind": "test",
            "id": "tests/test_cart.py::test_new",
            "name": "test_new",
            "range": range_json((2, 0), (2, 24)),
            "selectionRange": range_json((2, 4), (2, 12)),
            "parent": -1,
        }


async def test_status_says_what_the_host_finds(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo, options={"settings": {"strategy": "offline"}}) as editor:
        status = await editor.peer.request("greenloop/status", {})
        assert status["engine"] == {"ok": True, "text": "Docker Engine 29", "remedy": ""}
        assert (status["strategy"], status["running"], status["waiting"]) == ("offline", 0, 0)


async def test_settings_reach_the_task_and_the_request_wins(tmp_path: Path, repo: Path) -> None:
    settings = {"model": "set", "attempts": 2, "strategy": "model", "runsAtOnce": 5}
    async with editing(tmp_path, repo, capabilities=VSCODE, settings=settings) as editor:
        await editor.peer.request("greenloop/start", {"kind": "fix"})
        params = {"kind": "fix", "model": "other", "attempts": 3, "strategy": "offline"}
        await editor.peer.request("greenloop/start", params)
        first, second = editor.asked_of_host("start")
        assert (first.model, first.attempts, first.strategy) == ("set", 2, StrategyName.MODEL)
        assert (second.model, second.attempts) == ("other", 3)
        assert second.strategy is StrategyName.OFFLINE
        assert editor.asked_of_host("limit")[-1] == 5


async def test_what_cannot_be_carried_out_is_refused_before_there_is_a_run(
    tmp_path: Path, repo: Path
) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("x = 1\n")
    (repo / "data.bin").write_bytes(b"\0\1\2")
    (repo / "large.py").write_bytes(b"#" * 1_100_000)
    (repo / "locked.py").write_bytes(b"x = 1\n")
    (repo / "locked.py").chmod(0o444)
    here = range_json((0, 0), (0, 1))
    async with editing(tmp_path, repo) as editor:

        async def why(**params: Any) -> tuple[str, str]:
            kind, message, remedy = await refusal(editor.peer.request("greenloop/start", params))
            assert remedy
            return kind, message

        kind, message = await why(kind="implement", goal="x")
        assert (kind, "needs a model" in message) == ("no_model", True)
        kind, message = await why(kind="fix", strategy="model")
        assert kind == "no_model"
        kind, message = await why(kind="fix", folder=uri_of(outside))
        assert (kind, str(outside) in message) == ("no_repository", True)
        kind, message = await why(kind="fix", folder="vscode-vfs://github/a")
        assert (kind, "no file of this machine" in message) == ("bad_request", True)
        for path, said in (
            (outside, "outside of the repository"),
            (repo / "data.bin", "binary"),
            (repo / "large.py", "larger than 1 MB"),
            (repo / "locked.py", "locked.py is read-only"),
            (repo / "missing.py", "there is no file missing.py"),
            (repo / ".git" / "HEAD", "belongs to git"),
        ):
            place = {"uri": uri_of(path), "range": here}
            kind, message = await why(kind="fix", folder=uri_of(repo), place=place)
            assert kind == "bad_request"
            assert said in message
        assert editor.asked_of_host("start") == []


async def test_repository_is_found_among_several_folders(tmp_path: Path, repo: Path) -> None:
    other = a_repo(tmp_path / "other")
    async with editing(tmp_path, repo, other) as editor:
        request = editor.peer.request
        kind, message, _ = await refusal(request("greenloop/start", {"kind": "fix"}))
        assert (kind, message) == ("bad_request", "several repositories are open: repo, other.")
        await request("greenloop/start", {"kind": "fix", "folder": uri_of(other / "src")})
        event = {"added": [], "removed": [{"uri": uri_of(other), "name": "other"}]}
        await editor.peer.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        await request("greenloop/start", {"kind": "fix"})
        assert [task.repo for task in editor.asked_of_host("start")] == [other, repo]


async def test_editor_without_a_repository_is_told_to_open_one(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    path = tmp_path / "plain" / "test_a.py"
    path.write_text("def test_a(): assert 0\n")
    async with editing(tmp_path, tmp_path / "plain") as editor:
        uri = await editor.open(path)
        assert await editor.actions(uri, (0, 5)) == []
        assert await editor.lenses(uri) == []
        kind, message, remedy = await refusal(
            editor.peer.request("greenloop/start", {"kind": "fix"})
        )
        assert (kind, "no git repository" in message) == ("no_repository", True)
        assert "git init" in remedy
        for params in ({}, {"folder": uri_of(tmp_path / "plain")}):
            status = await editor.peer.request("greenloop/status", params)
            assert status["repository"] == ""


async def test_wrong_configuration_file_is_named(tmp_path: Path, repo: Path) -> None:
    (repo / ".greenloop.toml").write_text("model = 'mine'\n")
    async with editing(tmp_path, repo) as editor:
        kind, message, remedy = await refusal(
            editor.peer.request("greenloop/start", {"kind": "fix"})
        )
        assert (kind, ".greenloop.toml:1" in message) == ("failed", True)
        assert remedy


async def test_text_that_cannot_be_saved_is_refused_with_its_path(
    tmp_path: Path, repo: Path
) -> None:
    path = repo / "old.py"
    path.write_bytes(b"# caf\xe9\n")
    async with editing(tmp_path, repo) as editor:
        uri = await editor.open(path, "# caf\ufffd\n")
        await editor.type(uri, "#", (0, 0), (0, 0))
        kind, message, remedy = await refusal(
            editor.peer.request("greenloop/start", {"kind": "fix"})
        )
        assert (kind, str(path) in message, "Save" in remedy) == ("bad_request", True, True)


async def test_targets_of_a_fix_in_a_test_are_that_test(tmp_path: Path, repo: Path) -> None:
    async with editing(tmp_path, repo) as editor:
        path = repo / "tests" / "test_cart.py"
        place = {"uri": uri_of(path), "range": range_json((8, 4), (8, 4))}
        await editor.peer.request("greenloop/start", {"kind": "fix", "place": place})
        (task,) = editor.asked_of_host("start")
        assert task.targets == ("tests/test_cart.py::test_count",)
