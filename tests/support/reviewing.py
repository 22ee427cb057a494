"""A review without a run: stored patches, and editors that behave as the real ones were seen to.

`reviewing` gives a connection to a server in this process, over a host that carries out nothing.
Editors keep buffers and versions, and take or refuse edits as Neovim and VS Code do.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anyio
from anyio.streams.stapled import StapledObjectStream
from lsprotocol import types

from agent.edits.changes import Content
from agent.edits.patch import make_patch, patch_to_json, render_unified
from agent.events import RunFinished, RunStarted
from agent.journal.store import RunStore
from agent.task import RepoPath, RunId, TaskSpec
from lsp_server.app import make_server
from lsp_server.convert import span_of
from lsp_server.core import core_over
from lsp_server.keeping import CoreKeeper
from lsp_server.server import GreenloopServer
from lsp_server.wire.connection import carry
from lsp_server.wire.streams import FramedWire
from tests.support.fake_host import FakeHost
from tests.support.lsp import Peer, connected_peer
from tests.support.repos import a_repo

Changes = Mapping[str, tuple[bytes | Content | None, bytes | Content | None]]
"""Each path before and after; bytes mean a regular file."""

RICH = {"client": {"runs": True, "review": True, "tests": True}}


def store_run(
    store: RunStore,
    repo: Path,
    changes: Changes,
    *,
    needed_for: Mapping[str, list[str]] | None = None,
    own_tests: tuple[str, ...] = (),
    verdict: str = "green",
) -> RunId:
    """Put a finished run with such a patch into the store."""
    old = {path: _content(before) for path, (before, _) in changes.items()}
    new = {RepoPath(path): _content(after) for path, (_, after) in changes.items()}
    patch = make_patch(old.get, new)
    with store.new_run(TaskSpec(repo=repo)) as writer:
        writer.append(
            RunStarted(
                run=writer.run,
                kind="fix",
                repo=str(repo),
                targets=("tests/test_a.py::test_a",),
                strategy="offline",
                tool_version="0",
            )
        )
        writer.write_patch(patch_to_json(patch), render_unified(patch).decode("utf-8", "replace"))
        result = {
            "verdict": verdict,
            "confidence": "likely",
            "message": "1 test fixed, nothing else broken",
            "receipt": "/receipt.json",
            "needed_for": dict(needed_for or {}),
            "own_tests": list(own_tests),
        }
        writer.write_result(result)
        writer.append(RunFinished(verdict=verdict, confidence="likely", message="", wall_s=1.0))
        return writer.run


def _content(each: bytes | Content | None) -> Content | None:
    return Content(data=each) if isinstance(each, bytes) else each


Kind = Literal["neovim", "vscode"]


class Editor:
    """Buffers of one client, and how it answers `workspace/applyEdit`."""

    def __init__(self, peer: Peer, kind: Kind) -> None:
        self.peer = peer
        self.kind = kind
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.labels: list[str] = []
        self.before_edit: Callable[[], Awaitable[None]] | None = None
        """Done once, when an edit has come and is not looked at yet: somebody types."""
        self.refusal = ""
        """Said of every edit, when it is set."""
        peer.handlers["workspace/applyEdit"] = self._apply

    async def open(self, path: Path, text: str | None = None) -> str:
        """Open a file; returns its URI."""
        uri = path.as_uri()
        self.texts[uri] = path.read_bytes().decode("utf-8-sig") if text is None else text
        self.versions[uri] = 0 if self.kind == "neovim" else 1
        item = {
            "uri": uri,
            "languageId": "python",
            "version": self.versions[uri],
            "text": self.texts[uri],
        }
        await self.peer.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    async def type(self, uri: str, text: str) -> None:
        """Make a buffer hold another text."""
        self.texts[uri] = text
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        await self.peer.notify(
            "textDocument/didChange",
            {"textDocument": document, "contentChanges": [{"text": text}]},
        )

    async def save(self, uri: str, path: Path) -> None:
        path.write_bytes(self.texts[uri].encode())
        await self.peer.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    async def close(self, uri: str) -> None:
        del self.texts[uri]
        await self.peer.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def _apply(self, params: Any) -> object:
        self.labels.append(params["label"])
        if self.before_edit is not None:
            first, self.before_edit = self.before_edit, None
            await first()
        if self.refusal:
            return {"applied": False, "failureReason": self.refusal}
        (change,) = params["edit"]["documentChanges"]
        uri, version = change["textDocument"]["uri"], change["textDocument"]["version"]
        # Seen in Neovim 0.10 and 0.12: of an edit that is too old nothing is done, and the answer
        # says that it was; one for version 0 is done, whatever the version is by now.
        is_looked_at = self.kind == "vscode" or version != 0
        if is_looked_at and version != self.versions[uri]:
            return {"applied": self.kind == "neovim"}
        await self.type(uri, _with_edits(self.texts[uri], change["edits"]))
        return {"applied": True}


def _with_edits(text: str, edits: list[dict[str, Any]]) -> str:
    data = text.encode()
    for edit in reversed(edits):
        start, end = (types.Position(**edit["range"][edge]) for edge in ("start", "end"))
        first, last = span_of(text, types.Range(start=start, end=end), "utf-16")
        data = data[:first] + edit["newText"].encode() + data[last:]
    return data.decode()


@dataclass(kw_only=True)
class Desk:
    """Everything that a test of a review looks at."""

    repo: Path
    host: FakeHost
    store: RunStore
    keeper: CoreKeeper
    tasks: anyio.abc.TaskGroup
    state: Path
    editors: list[Editor] = field(default_factory=list)

    def run_with(self, changes: Changes, **others: Any) -> RunId:
        """Write the files as they are before, and store a run that changes them."""
        for name, (before, _) in changes.items():
            content = _content(before)
            if content is not None:
                path = self.repo / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.data)
        return store_run(self.store, self.repo, changes, **others)

    @asynccontextmanager
    async def client(
        self,
        kind: Kind = "vscode",
        *,
        options: Any = RICH,
        capabilities: Mapping[str, Any] | None = None,
        folder: Path | None = None,
    ) -> AsyncGenerator[Editor]:
        """Connect an editor to the server."""
        to_server, from_client = anyio.create_memory_object_stream[bytes](1000)
        to_client, from_server = anyio.create_memory_object_stream[bytes](1000)
        server = make_server(self.keeper)
        self.tasks.start_soon(_carry, server, StapledObjectStream(to_client, from_client))
        async with to_server, from_server, connected_peer(from_server, to_server) as peer:
            editor = Editor(peer, kind)
            can = {"workspace": {"applyEdit": True, "configuration": False}}
            await peer.initialize(
                folder or self.repo, options=options, capabilities=capabilities or can
            )
            yield editor


async def _carry(server: GreenloopServer, stream: Any) -> None:
    try:
        await carry(server.protocol, FramedWire(stream))
    finally:
        server.leave()
        await stream.aclose()


@asynccontextmanager
async def reviewing(tmp_path: Path) -> AsyncGenerator[Desk]:
    """Start a server without a client; state and repository are below `tmp_path`.

    A second one on the same folder is another process of the same user.
    """
    state, repo = tmp_path / "state", tmp_path / "repo"
    if not repo.exists():
        a_repo(repo, {"README": b"a repository\n"})
    host = FakeHost(state)
    variables = {"HOME": str(tmp_path), "GREENLOOP_STATE_DIR": str(state)}
    keeper = CoreKeeper(lambda: core_over(host, variables))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.run)
        try:
            yield Desk(
                repo=repo,
                host=host,
                store=RunStore(state),
                keeper=keeper,
                tasks=tasks,
                state=state,
            )
        finally:
            keeper.end()
            tasks.cancel_scope.cancel()
