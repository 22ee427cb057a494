"""What a client says of itself: folders, settings, trust, documents, over the wire."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from lsp_server.convert import uri_of
from lsp_server.marks import Span
from lsp_server.session import ClientOptions
from lsp_server.settings import EditorSettings
from tests.support.editing import VSCODE, editing, range_json
from tests.support.lsp import Answered
from tests.support.repos import a_repo

DUMPS = sorted((Path(__file__).parents[2] / "data" / "lsp").glob("*.json"))
CODE = {"test_a.py": b"def test_a():\n    assert 1\n"}


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
async def test_real_editors_are_understood(tmp_path: Path, dump: Path) -> None:
    capabilities = json.loads(dump.read_text())["capabilities"]
    repo = a_repo(tmp_path / "repo", CODE)
    async with editing(tmp_path, repo, capabilities=capabilities) as editor:
        session = editor.server.session
        encodings = capabilities["general"].get("positionEncodings", ["utf-16"])
        assert session.encoding == encodings[0]
        assert session.folders == (repo,)
        uri = await editor.open(repo / "test_a.py")
        assert await editor.actions(uri, (0, 6))
        assert editor.server.publisher.is_asked is (dump.stem != "nvim-0.10")


async def test_settings_are_asked_for_by_folder_once(tmp_path: Path) -> None:
    one, two = a_repo(tmp_path / "one"), a_repo(tmp_path / "two")
    async with editing(tmp_path, one, two, capabilities=VSCODE) as editor:
        session = editor.server.session
        editor.settings = {"attempts": 2}
        await editor.peer.notify("workspace/didChangeConfiguration", {"settings": None})
        await editor.peer.request("greenloop/runs", {})
        assert await session.settings(one / "src") == EditorSettings(attempts=2)
        asked = len(editor.asked)
        assert await session.settings(one) == EditorSettings(attempts=2)
        assert session.settings_now(two) == EditorSettings(attempts=2)
        assert len(editor.asked) == asked
        scopes = {params["items"][0].get("scopeUri") for params in editor.asked}
        assert scopes == {uri_of(one), uri_of(two)}
        registered = await editor.peer.told("client/registerCapability")
        assert registered["registrations"][0]["method"] == "workspace/didChangeConfiguration"


async def test_client_that_cannot_be_asked_tells_its_settings(tmp_path: Path) -> None:
    repo = a_repo(tmp_path / "repo")
    options = {"settings": {"onExit": "finish"}}
    async with editing(tmp_path, repo, options=options) as editor:
        session = editor.server.session
        assert (await session.settings(repo)).on_exit == "finish"
        assert editor.server.wish == "finish"
        told = {"settings": {"greenloop": {"onExit": "cancel", "codeLens": False}}}
        await editor.peer.notify("workspace/didChangeConfiguration", told)
        await editor.peer.request("greenloop/runs", {})
        assert (await session.settings(repo)).code_lens is False
        assert editor.server.wish == "cancel"


async def test_wrong_setting_is_told_once(tmp_path: Path) -> None:
    one, two = a_repo(tmp_path / "one"), a_repo(tmp_path / "two")
    wrong = {"backend": "chroot"}
    async with editing(tmp_path, one, two, capabilities=VSCODE, settings=wrong) as editor:
        message = await editor.peer.told("window/showMessage")
        assert message["type"] == 2
        assert message["message"].startswith("Greenloop: greenloop.backend must be one of")
        await editor.server.session.settings(two)
        told = [one for one in editor.peer.seen if one.get("method") == "window/showMessage"]
        assert len(told) == 1


@pytest.mark.parametrize("options", [None, [], "x", {"client": 3, "settings": 4, "trusted": "no"}])
async def test_odd_options_start_with_the_defaults(tmp_path: Path, options: Any) -> None:
    async with editing(tmp_path, a_repo(tmp_path / "repo"), options=options) as editor:
        session = editor.server.session
        assert session.trusted
        assert session.client == ClientOptions()


async def test_virtual_folders_are_no_folders(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        added = [{"uri": "vscode-vfs://github/a", "name": "a"}, {"uri": "file:///b", "name": "b"}]
        event = {"event": {"added": added, "removed": []}}
        await editor.peer.notify("workspace/didChangeWorkspaceFolders", event)
        await editor.peer.request("greenloop/runs", {})
        assert editor.server.session.folders == (Path("/b"),)


async def test_form_feeds_end_no_line(tmp_path: Path) -> None:
    repo = a_repo(tmp_path / "repo", {"a.py": b"a\n\fb\x0bc\n"})
    async with editing(tmp_path, repo) as editor:
        uri = await editor.open(repo / "a.py")
        await editor.type(uri, "X", (1, 2), (1, 3))
        await editor.peer.request("greenloop/runs", {})
        document = editor.server.session.documents.named(uri)
        assert document is not None
        assert document.text == "a\n\fbXc\n"
        await editor.close(uri)
        await editor.peer.request("greenloop/runs", {})
        assert editor.server.session.documents.all() == ()


async def test_units_are_moved_along_until_they_are_read_anew(tmp_path: Path) -> None:
    repo = a_repo(tmp_path / "repo", CODE)
    async with editing(tmp_path, repo) as editor:
        session = editor.server.session
        uri = await editor.open(repo / "test_a.py")
        document = session.documents.named(uri)
        while document is None:
            await editor.peer.request("greenloop/runs", {})
            document = session.documents.named(uri)
        await session.outlines.fresh(document)
        await editor.type(uri, "\n\n", (0, 0), (0, 0))
        await editor.type(uri, "x", (2, 9), (2, 9))
        await editor.peer.request("greenloop/runs", {})
        document = session.documents.named(uri)
        assert document is not None
        (moved,) = await session.outlines.around(document, Span((2, 0), (2, 0)))
        assert await session.outlines.around(document, Span((0, 0), (0, 0))) == ()
        assert (moved.name_span.start, moved.span.end) == ((2, 4), (3, 12))
        (read,) = await session.outlines.fresh(document)
        assert (read.name, read.name_span.start, read.name_span.end) == ("test_xa", (2, 4), (2, 11))
        assert read.span.end == (3, 12)


async def test_document_that_changes_without_end_is_read_when_it_is_asked_for(
    tmp_path: Path,
) -> None:
    repo = a_repo(tmp_path / "repo", CODE)
    async with editing(tmp_path, repo) as editor:
        uri = await editor.open(repo / "test_a.py")
        for number in range(120):
            await editor.type(uri, f"def test_n{number}(): assert 1\n", (0, 0), (0, 0))
        found = await editor.peer.request("greenloop/tests", {"uri": uri})
        assert len(found["items"]) == 121


async def test_a_name_that_no_file_can_have_ends_nothing(tmp_path: Path) -> None:
    repo = a_repo(tmp_path / "repo", CODE)
    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        uri = await editor.open(repo / f"{'a' * 300}.py", "def test_a(): ...\n")
        assert await editor.lenses(uri) != await editor.lenses(uri_of(repo / "none.py"))
        place = {"uri": uri, "range": range_json((0, 0), (0, 0))}
        with pytest.raises(Answered, match=r"cannot be read: File name too long\."):
            await editor.peer.request("greenloop/start", {"kind": "fix", "place": place})
        assert await editor.lenses(await editor.open(repo / "test_a.py"))


async def test_an_error_of_ours_in_the_background_ends_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = anyio.Event()

    def fail(*_: object) -> None:
        failed.set()
        raise RuntimeError("planted")

    repo = a_repo(tmp_path / "repo", CODE)
    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        monkeypatch.setattr(editor.server.session.documents, "learn", fail)
        await editor.open(repo / "test_a.py")
        with anyio.fail_after(20):
            await failed.wait()
        assert await editor.peer.request("greenloop/runs", {}) == {"runs": []}
        assert "a task failed; the connection goes on" in caplog.text


@pytest.mark.parametrize("line", [0.0, 1e30])
async def test_a_place_may_be_told_in_any_whole_numbers(tmp_path: Path, line: float) -> None:
    repo = a_repo(tmp_path / "repo", CODE)
    async with editing(tmp_path, repo, capabilities=VSCODE) as editor:
        at = {"line": line, "character": 0}
        place = {"uri": uri_of(repo / "test_a.py"), "range": {"start": at, "end": at}}
        assert await editor.peer.request("greenloop/start", {"kind": "fix", "place": place})
