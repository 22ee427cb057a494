"""The review in a client that knows nothing of our own requests."""

import pytest

from agent.events import RunFinished, RunStarted
from agent.host.api import Checked, TestsSpec
from agent.journal.records import Record
from tests.support.reviewing import Desk, Editor, reviewing

OLD = b"".join(b"line %d\n" % n for n in range(20))
NEW = OLD.replace(b"line 3\n", b"line three\n").replace(b"line 15\n", b"line 15\nline 15.5\n")
SHOWS = {
    "workspace": {"applyEdit": True},
    "window": {"showDocument": {"support": True}},
}


@pytest.fixture
async def desk(tmp_path):
    async with reviewing(tmp_path) as desk:
        yield desk


def plain(desk: Desk):
    return desk.client("neovim", options=None, capabilities=SHOWS)


async def published(editor: Editor, uri: str, count: int) -> list[dict]:
    params = await editor.peer.told(
        "textDocument/publishDiagnostics",
        lambda params: params["uri"] == uri and len(params["diagnostics"]) == count,
    )
    return params["diagnostics"]


async def actions(editor: Editor, uri: str, line: int) -> dict[str, dict]:
    place = {"line": line, "character": 0}
    found = await editor.peer.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": uri},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": []},
        },
    )
    return {action["title"]: action for action in found}


async def carry_out(editor: Editor, action: dict) -> dict:
    return await editor.peer.request("workspace/executeCommand", action["command"])


def tell_end(desk: Desk, run: str, repo=None, verdict: str = "green", message: str = "") -> None:
    """Have the host say that a stored run has just ended."""
    started = RunStarted(
        run=run,
        kind="fix",
        repo=str(repo or desk.repo),
        targets=("tests/test_a.py::test_a",),
        strategy="offline",
        tool_version="0",
    )
    ended = RunFinished(verdict=verdict, confidence="likely", message=message, wall_s=1.0)
    for number, event in enumerate((started, ended)):
        for told in desk.host._told:
            told(run, Record(number=number, at_unix_s=1_795_000_000.0, event=event))


async def test_open_hunks_are_diagnostics_and_actions_decide_them(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with plain(desk) as editor:
        uri = await editor.open(desk.repo / "a.py")
        await editor.peer.command("greenloop.server.proposal", {"run": run})
        first, second = await published(editor, uri, 2)
        assert first["source"] == "greenloop-review"
        assert first["severity"] == 3
        assert first["message"] == "proposed:\n- line 3\n+ line three"
        assert second["range"]["start"] == second["range"]["end"] == {"line": 16, "character": 0}
        found = await actions(editor, uri, 3)
        await carry_out(editor, found["Reject this change (Greenloop)"])
        await published(editor, uri, 1)
        found = await actions(editor, uri, 15)
        await carry_out(editor, found["Accept this change (Greenloop)"])
        await published(editor, uri, 0)
        assert editor.texts[uri].encode() == OLD.replace(b"line 15\n", b"line 15\nline 15.5\n")
        found = await actions(editor, uri, 0)
        await carry_out(editor, found["Undo what was accepted (Greenloop)"])
        assert editor.texts[uri].encode() == OLD


async def test_everything_can_be_decided_from_one_place(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    async with plain(desk) as editor:
        uri = await editor.open(desk.repo / "a.py")
        await editor.peer.command("greenloop.server.proposal", {"run": run})
        await published(editor, uri, 2)
        found = await actions(editor, uri, 3)
        assert list(found) == [
            "Accept this change (Greenloop)",
            "Reject this change (Greenloop)",
            "Accept all 2 changes in a.py (Greenloop)",
            "Reject all 2 changes in a.py (Greenloop)",
            "Accept the whole proposal (Greenloop)",
            "Reject the whole proposal (Greenloop)",
            "Show the proposal as a diff (Greenloop)",
        ]
        decided = await carry_out(editor, found["Accept the whole proposal (Greenloop)"])
    assert [each["path"] for each in decided["done"]] == ["b.py", "a.py"]
    assert (desk.repo / "b.py").read_bytes() == NEW


async def test_hunks_move_with_what_is_typed_above(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with plain(desk) as editor:
        uri = await editor.open(desk.repo / "a.py")
        await editor.peer.command("greenloop.server.proposal", {"run": run})
        await published(editor, uri, 2)
        await editor.type(uri, "typed\n" + OLD.decode())
        assert "Accept this change (Greenloop)" in await actions(editor, uri, 4)
        await editor.peer.told(
            "textDocument/publishDiagnostics",
            lambda params: [d["range"]["start"]["line"] for d in params["diagnostics"]] == [4, 17],
        )


async def test_a_hunk_that_cannot_go_in_says_so_and_can_only_be_rejected(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with plain(desk) as editor:
        uri = await editor.open(desk.repo / "a.py")
        await editor.type(uri, OLD.decode().replace("line 3\n", "mine\n"))
        await editor.peer.command("greenloop.server.proposal", {"run": run})
        first, _ = await published(editor, uri, 2)
        assert first["message"].endswith(
            "cannot go in now: these lines, or lines right beside them, have changed since"
        )
        found = await actions(editor, uri, 3)
    assert "Accept this change (Greenloop)" not in found
    assert "Reject this change (Greenloop)" in found


async def test_what_came_of_an_accept_and_an_undo_is_said(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "b.py": (OLD, NEW)})
    (desk.repo / "b.py").write_bytes(OLD.replace(b"line 3\n", b"mine\n"))
    async with plain(desk) as editor:
        await editor.open(desk.repo / "a.py")
        await editor.peer.command("greenloop.server.decide", {"run": run, "decision": "accept"})
        said = await editor.peer.told("window/showMessage")
        assert said["type"] == 2
        assert said["message"] == (
            "Greenloop: 3 changes accepted in b.py, a.py; not saved yet: a.py; b.py:4 was left as "
            "it is: these lines, or lines right beside them, have changed since"
        )
        await editor.peer.command("greenloop.server.undo", {"run": run})
        await editor.peer.told(
            "window/showMessage",
            lambda params: params["message"].startswith("Greenloop: 3 changes taken back in"),
        )


async def test_what_is_not_green_can_be_accepted_all_the_same_after_a_question(desk: Desk):
    desk.host.checked = Checked(verdict="unchanged", message="1 test still fails: t", receipt="")
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with plain(desk) as editor:
        editor.peer.handlers["window/showMessageRequest"] = lambda _: {"title": "Accept anyway"}
        found = await editor.peer.command("greenloop.server.proposal", {"run": run})
        first = found["files"][0]["hunks"][0]["id"]
        reject = {"run": run, "decision": "reject", "hunks": [first]}
        await editor.peer.command("greenloop.server.decide", reject)
        await editor.peer.command("greenloop.server.check", {"run": run})
        await editor.peer.command("greenloop.server.decide", {"run": run, "decision": "accept"})
        asked = await editor.peer.told("window/showMessageRequest")
        said = await editor.peer.told("window/showMessage")
    assert "what is left is not green" in asked["message"]
    assert said["message"] == "Greenloop: 1 change accepted in a.py"


async def test_the_diff_is_shown_on_request(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with plain(desk) as editor:
        uri = await editor.open(desk.repo / "a.py")
        await editor.peer.command("greenloop.server.proposal", {"run": run})
        await published(editor, uri, 2)
        found = await actions(editor, uri, 3)
        answer = await carry_out(editor, found["Show the proposal as a diff (Greenloop)"])
        shown = await editor.peer.told("window/showDocument")
    assert shown["uri"] == answer["uri"]
    assert "-line 3\n+line three\n" in answer["text"]


async def test_a_new_file_is_spoken_of_in_one_that_is_there(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW), "n.py": (None, b"n\n")})
    async with plain(desk) as editor:
        uri = await editor.open(desk.repo / "a.py")
        await editor.peer.command("greenloop.server.proposal", {"run": run})
        found = await published(editor, uri, 3)
    assert found[2]["message"] == "proposed: new file n.py (1 line)"


async def test_a_green_run_asks_once_and_accepts_on_a_choice(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with plain(desk) as editor:
        editor.peer.handlers["window/showMessageRequest"] = lambda _: {"title": "Accept all"}
        uri = await editor.open(desk.repo / "a.py")
        await editor.peer.command("greenloop.server.runs", {})
        tell_end(desk, run)
        asked = await editor.peer.told("window/showMessageRequest")
        assert asked["message"].endswith("(2 changes in 1 file)")
        assert [each["title"] for each in asked["actions"]] == ["Review", "Accept all", "Later"]
        said = await editor.peer.told("window/showMessage")
        assert said["message"] == "Greenloop: 2 changes accepted in a.py; not saved yet: a.py"
        assert editor.texts[uri].encode() == NEW
        assert not [m for m in editor.peer.seen if m.get("method") == "greenloop/run/changed"]


async def test_review_is_opened_only_when_it_is_chosen(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with plain(desk) as editor:
        editor.peer.handlers["window/showMessageRequest"] = lambda _: {"title": "Review"}
        await editor.peer.command("greenloop.server.runs", {})
        tell_end(desk, run)
        shown = await editor.peer.told("window/showDocument")
        await published(editor, (desk.repo / "a.py").as_uri(), 2)
    assert shown["uri"] == (desk.repo / "a.py").as_uri()
    assert shown["selection"]["start"] == {"line": 3, "character": 0}


async def test_a_run_that_found_nothing_offers_its_log(desk: Desk):
    run = await desk.host.start(_task(desk), flags={})
    async with plain(desk) as editor:
        editor.peer.handlers["window/showMessageRequest"] = lambda _: {"title": "Show log"}
        await editor.peer.command("greenloop.server.runs", {})
        desk.host.begin(run, desk.repo)
        desk.host.finish(run, "none", "nothing that was tried made the test pass")
        asked = await editor.peer.told("window/showMessageRequest")
        shown = await editor.peer.told("window/showDocument")
    assert asked["message"].endswith("nothing that was tried made the test pass")
    assert shown["uri"].endswith("/log.txt")


async def test_the_end_of_a_test_run_is_said_in_a_line(desk: Desk):
    run = await desk.host.run_tests(TestsSpec(repo=desk.repo), flags={})
    async with plain(desk) as editor:
        await editor.peer.command("greenloop.server.runs", {})
        desk.host.begin(run, desk.repo, kind="test")
        desk.host.finish(run, "failed", "2 passed, 1 failed")
        said = await editor.peer.told("window/showMessage")
    assert said == {"type": 2, "message": "Greenloop: Run all tests: 2 passed, 1 failed"}


async def test_a_cancelled_run_is_not_spoken_of(desk: Desk):
    run = await desk.host.start(_task(desk), flags={})
    later = desk.run_with({"a.py": (OLD, NEW)})
    async with plain(desk) as editor:
        await editor.peer.command("greenloop.server.runs", {})
        desk.host.begin(run, desk.repo)
        desk.host.finish(run, "interrupted", "cancelled")
        tell_end(desk, later)
        asked = await editor.peer.told("window/showMessageRequest")
        assert "cancelled" not in asked["message"]
        assert not [m for m in editor.peer.seen if m.get("method") == "window/showMessage"]


async def test_a_client_of_another_folder_hears_nothing(desk: Desk, tmp_path):
    run = desk.run_with({"a.py": (OLD, NEW)})
    (tmp_path / "elsewhere").mkdir()
    client = desk.client("neovim", options=None, folder=tmp_path / "elsewhere")
    async with client as other, plain(desk) as editor:
        for each in (other, editor):
            await each.peer.command("greenloop.server.runs", {})
        tell_end(desk, run)
        await editor.peer.told("window/showMessageRequest")
        await other.peer.command("greenloop.server.runs", {})
        assert not [m for m in other.peer.seen if m.get("method") == "window/showMessageRequest"]


async def test_a_client_that_draws_runs_gets_no_message(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    async with desk.client() as editor:
        await editor.peer.request("greenloop/runs", {})
        tell_end(desk, run)
        await editor.peer.request("greenloop/proposal", {"run": run})
        await editor.peer.request("greenloop/proposal", {"run": run})
        methods = {message.get("method") for message in editor.peer.seen}
    assert not methods & {"window/showMessageRequest", "textDocument/publishDiagnostics"}


async def test_texts_are_offered_to_a_client_that_takes_them(desk: Desk):
    run = desk.run_with({"a.py": (OLD, NEW)})
    can = {"workspace": {"applyEdit": True, "textDocumentContent": {"dynamicRegistration": True}}}
    async with desk.client("neovim", options=None, capabilities=can) as editor:
        asked = await editor.peer.told(
            "client/registerCapability",
            lambda params: params["registrations"][0]["id"] == "greenloop-texts",
        )
        schemes = asked["registrations"][0]["registerOptions"]["schemes"]
        assert schemes == ["greenloop-base", "greenloop-proposal"]
        found = await editor.peer.command("greenloop.server.proposal", {"run": run})
        uri = found["files"][0]["proposedUri"]
        answer = await editor.peer.request("workspace/textDocumentContent", {"uri": uri})
        assert answer["text"] == NEW.decode()
        first = found["files"][0]["hunks"][0]["id"]
        await editor.peer.command(
            "greenloop.server.decide", {"run": run, "decision": "reject", "hunks": [first]}
        )
        refreshed = await editor.peer.told("workspace/textDocumentContent/refresh")
    assert refreshed["uri"] == uri


def _task(desk: Desk):
    from agent.task import TaskSpec

    return TaskSpec(repo=desk.repo)
