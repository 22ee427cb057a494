"""Each editor as it really introduces itself: its own `initialize`, captured."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.lsp.conftest import Connect

CAPTURES = sorted((Path(__file__).parents[2] / "data" / "lsp").glob("*.json"))
ENCODINGS = {"nvim-0.10": "utf-16", "nvim-0.12": "utf-8", "vscode-1.139": "utf-16"}
KINDS = {"quickfix.greenloop", "refactor.rewrite.greenloop"}
VERBS = {
    "start", "test", "cancel", "resume", "runs", "run", "status", "tests", "testFiles",
    "proposal", "content", "decide", "edit", "check", "undo",
}  # fmt: skip


def test_there_is_a_capture_of_each_editor() -> None:
    assert {path.stem for path in CAPTURES} == set(ENCODINGS)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
async def test_it_is_offered_what_it_can_use(
    capture: Path, connect: Connect, tmp_path: Path
) -> None:
    async with connect() as editor:
        params: dict[str, Any] = json.loads(capture.read_text())
        folder = {"uri": tmp_path.as_uri(), "name": "folder"}
        params |= {"rootUri": tmp_path.as_uri(), "workspaceFolders": [folder]}
        offered = (await editor.request("initialize", params))["capabilities"]
        await editor.notify("initialized", {})
        assert offered["positionEncoding"] == ENCODINGS[capture.stem]
        assert set(offered["codeActionProvider"]["codeActionKinds"]) == KINDS
        assert offered["textDocumentSync"]["openClose"]
        assert "codeLensProvider" in offered
        assert "diagnosticProvider" in offered
        commands = set(offered["executeCommandProvider"]["commands"])
        assert {f"greenloop.server.{verb}" for verb in VERBS} <= commands
        assert await editor.request("greenloop/runs", {}) == {"runs": []}
        document = {"uri": (tmp_path / "a.py").as_uri(), "version": 0, "languageId": "python"}
        await editor.notify("textDocument/didOpen", {"textDocument": {**document, "text": "x"}})
        assert isinstance(await editor.request("greenloop/status", {}), dict)
        await editor.leave()
        await editor.ended.wait()
