"""Tests run for an editor in a real sandbox: what is typed counts, saved or not."""

from pathlib import Path

import pytest

from tests.support.editing import VSCODE, range_json
from tests.support.lsp import running_server
from tests.support.projects import make_environment, make_repository
from tests.support.repos import write
from tests.support.shop import BASKET, FAILING, SHOP

pytestmark = [pytest.mark.docker, pytest.mark.slow]

PATIENCE_S = 110.0


async def test_failing_test_is_marked_until_unsaved_text_makes_it_pass(tmp_path: Path) -> None:
    repo = tmp_path / "shop"
    write(repo, {name: text.encode() for name, text in SHOP.items()} | {".gitignore": b".venv\n"})
    make_environment(repo)
    make_repository(repo)
    tests, code = repo / "tests" / "test_basket.py", repo / "shop" / "basket.py"
    async with running_server(home=tmp_path / "home") as editor:
        await editor.initialize(repo, capabilities=VSCODE)
        for path in (tests, code):
            item = {"uri": path.as_uri(), "languageId": "python", "version": 1}
            opened = {"textDocument": {**item, "text": path.read_text()}}
            await editor.notify("textDocument/didOpen", opened)
        pull = {"textDocument": {"uri": tests.as_uri()}}

        async def marks() -> list[str]:
            report = await editor.request("textDocument/diagnostic", pull)
            return [one["code"] for one in report["items"]]

        async def run(**params: object) -> None:
            seen = len(editor.seen)
            await editor.request("greenloop/test", params)
            await editor.wait_for(
                lambda message: (
                    message.get("method") == "workspace/diagnostic/refresh"
                    and any(message is one for one in editor.seen[seen:])
                ),
                PATIENCE_S,
            )

        assert await marks() == []
        await run()
        assert await marks() == [FAILING]
        line = BASKET.split("\n").index("    if amount > FREE_SHIPPING_FROM:")
        change = {"range": range_json((line, 14), (line, 15)), "text": ">="}
        document = {"uri": code.as_uri(), "version": 2}
        await editor.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
        )
        await run(targets=[FAILING])
        assert await marks() == []
        assert code.read_text() == BASKET
        files = await editor.request("greenloop/testFiles", {})
        assert files["files"] == [{"uri": tests.as_uri(), "path": "tests/test_basket.py"}]
        await editor.leave()
        assert await editor.exit_code() == 0
