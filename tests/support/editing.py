"""An editor at a server in this process, over a host that carries out nothing."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from lsp_server.app import make_server
from lsp_server.convert import uri_of
from lsp_server.core import core_over
from lsp_server.keeping import CoreKeeper
from lsp_server.server import GreenloopServer
from tests.support.fake_host import FakeHost
from tests.support.lsp import Peer, in_process

RICH = {"client": {"runs": True, "review": True, "tests": True}}

VSCODE: dict[str, Any] = {
    "workspace": {
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
        "codeLens": {"refreshSupport": True},
        "diagnostics": {"refreshSupport": True},
        "workspaceFolders": True,
    },
    "textDocument": {
        "diagnostic": {"dynamicRegistration": True},
        "codeAction": {"disabledSupport": True, "dataSupport": True},
        "publishDiagnostics": {"versionSupport": True},
    },
    "general": {"positionEncodings": ["utf-16"]},
}
"""What of VS Code's capabilities counts here."""


@dataclass(kw_only=True)
class Editor:
    """One client, as far as it types, asks and looks."""

    peer: Peer
    server: GreenloopServer
    host: FakeHost
    settings: dict[str, Any] = field(default_factory=dict)
    """Answered to `workspace/configuration`."""
    asked: list[Any] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)

    async def open(self, path: Path, text: str | None = None, *, language: str = "python") -> str:
        """Open a file, as it is on disk where no text is given; return its URI."""
        uri = uri_of(path)
        self.versions[uri] = 1
        shown = path.read_bytes().decode() if text is None else text
        item = {"uri": uri, "languageId": language, "version": 1, "text": shown}
        await self.peer.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    async def type(self, uri: str, text: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Put a text in place of a range."""
        self.versions[uri] += 1
        change = {"range": range_json(start, end), "text": text}
        await self.peer.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": self.versions[uri]},
                "contentChanges": [change],
            },
        )

    async def close(self, uri: str) -> None:
        """Close a document."""
        await self.peer.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def actions(
        self,
        uri: str,
        start: tuple[int, int],
        end: tuple[int, int] | None = None,
        *,
        diagnostics: Any = (),
        only: Any = None,
    ) -> Any:
        """Ask for code actions."""
        context = {"diagnostics": list(diagnostics), **({"only": only} if only else {})}
        params = {"range": range_json(start, end or start), "context": context}
        return await self.peer.request(
            "textDocument/codeAction", {"textDocument": {"uri": uri}, **params}
        )

    async def lenses(self, uri: str) -> Any:
        """Ask for code lenses."""
        return await self.peer.request("textDocument/codeLens", {"textDocument": {"uri": uri}})

    async def diagnostics(self, uri: str, **others: Any) -> Any:
        """Pull diagnostics."""
        params = {"textDocument": {"uri": uri}, **others}
        return await self.peer.request("textDocument/diagnostic", params)

    def asked_of_host(self, what: str) -> list[Any]:
        """Return what the host was asked, by kind."""
        return [value for name, value in self.host.asked if name == what]


@asynccontextmanager
async def editing(
    home: Path,
    *folders: Path,
    options: Any = None,
    capabilities: Mapping[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
) -> AsyncGenerator[Editor]:
    """Start a server and connect an editor that has folders open; state is below `home`."""
    host = FakeHost(home / "state")
    variables = {"HOME": str(home), "GREENLOOP_STATE_DIR": str(home / "state")}
    keeper = CoreKeeper(lambda: core_over(host, variables))
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.run)
        try:
            server = make_server(keeper)
            async with in_process(server) as peer:
                editor = Editor(peer=peer, server=server, host=host, settings=settings or {})

                def configure(params: Any) -> Any:
                    editor.asked.append(params)
                    return [editor.settings or None for _ in params["items"]]

                peer.handlers["workspace/configuration"] = configure
                named = [{"uri": uri_of(one), "name": one.name} for one in folders]
                await peer.request(
                    "initialize",
                    {
                        "processId": None,
                        "rootUri": None,
                        "workspaceFolders": named,
                        "capabilities": dict(capabilities or {}),
                        "initializationOptions": options,
                    },
                )
                await peer.notify("initialized", {})
                await peer.request("greenloop/runs", {"limit": 1})  # it is ready
                yield editor
        except Exception as exc:  # noqa: BLE001 - raised again below, as itself
            failure = exc
        finally:
            keeper.end()
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


def range_json(start: tuple[int, int], end: tuple[int, int]) -> dict[str, Any]:
    """Return a range as plain JSON."""
    return {
        "start": {"line": start[0], "character": start[1]},
        "end": {"line": end[0], "character": end[1]},
    }
