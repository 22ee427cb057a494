"""A review in a client that has none of its own: a diagnostic at each open hunk, and what to do.

A run comes under review when it ends green in a folder of the client, or when its proposal is asked
for; it stays so until a newer run of the same repository takes its place.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
from lsprotocol import types

from agent.errors import AgentError
from agent.telling.wording import counted
from lsp_server.convert import path_of
from lsp_server.review.proposal import proposal_to_json
from lsp_server.runs.guarded import errors_logged
from lsp_server.wire.errors import Refused

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer

SOURCE: Final = "greenloop-review"
_SHOWN_LINES: Final = 8
"""Of a hunk, in its diagnostic; all of it is in the diff."""
_GATHERED_S: Final = 0.1
"""Typing comes letter by letter."""

Json = Mapping[str, Any]


class PlainReview:
    """What one client is shown of proposals."""

    def __init__(self, server: "GreenloopServer") -> None:
        self._server = server
        self._under_review: dict[str, Json] = {}
        """The newest proposal of each repository, by its folder."""
        self._outdated: set[str] = set()
        self._news = anyio.Event()

    def changed(self, run: str) -> None:
        """Show a proposal anew soon, if it is under review."""
        if any(proposal["run"] == run for proposal in self._under_review.values()):
            self._outdated.add(run)
            self._news.set()

    def typed(self, path: Path) -> None:
        """Look again at the hunks of a file in which somebody types."""
        for proposal in self._under_review.values():
            if any(path_of(file["uri"]) == path for file in proposal["files"]):
                self.changed(proposal["run"])

    async def take(self, run: str) -> Json | None:
        """Take a run under review and show it; None where there is nothing to review."""
        reviews = self._server.core.reviews
        try:
            proposal = await proposal_to_json(self._server, reviews, await reviews.open(run))
        except (AgentError, Refused):
            return None
        if not self._server.session.client.review:
            self._under_review[proposal["folder"]] = proposal
            self._show()
        return proposal

    async def keep_shown(self) -> None:
        """Show again what has changed, as long as the connection lasts."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            outdated, self._outdated = self._outdated, set()
            for run in outdated:
                with errors_logged("showing the hunks", run):
                    await self.take(run)
            await anyio.sleep(_GATHERED_S)

    def undoable(self, path: Path) -> str | None:
        """Return the run of which something is accepted in this file, if it is under review."""
        for proposal in self._under_review.values():
            if not proposal["canUndo"]:
                continue
            for file in proposal["files"]:
                accepted = any(hunk["state"] == "accepted" for hunk in file["hunks"])
                if accepted and path_of(file["uri"]) == path:
                    return str(proposal["run"])
        return None

    def _show(self) -> None:
        publisher = self._server.publisher
        wanted: dict[str, list[types.Diagnostic]] = {}
        for proposal in self._under_review.values():
            for uri, diagnostic in diagnostics_of(proposal):
                wanted.setdefault(uri, []).append(diagnostic)
        for uri in publisher.said_by("review"):
            if uri not in wanted:
                publisher.set("review", uri, [])
        for uri, diagnostics in wanted.items():
            publisher.set("review", uri, diagnostics)


def diagnostics_of(proposal: Json) -> list[tuple[str, types.Diagnostic]]:
    """Return a diagnostic for each open hunk, with the file to show it in.

    A file that is not there yet is spoken of in the first one that is.
    """
    there = [file["uri"] for file in proposal["files"] if file["change"] != "added"]
    return [
        (
            there[0] if file["change"] == "added" and there else file["uri"],
            _diagnostic(proposal["run"], file, hunk),
        )
        for file in proposal["files"]
        for hunk in file["hunks"]
        if hunk["state"] == "open"
    ]


def _diagnostic(run: str, file: Json, hunk: Json) -> types.Diagnostic:
    place = hunk.get("now") if file["change"] != "added" else None
    line, count = (place["line"], place["count"]) if place else (0, 0)
    if hunk["kind"] != "lines":
        line, count = 0, 0
    return types.Diagnostic(
        range=types.Range(
            start=types.Position(line=line, character=0),
            end=types.Position(line=line + count, character=0),
        ),
        severity=types.DiagnosticSeverity.Information,
        source=SOURCE,
        message=_message(file, hunk),
        data={
            "run": run,
            "hunk": hunk["id"],
            "path": file["path"],
            "open": not hunk.get("conflict"),
        },
    )


def _message(file: Json, hunk: Json) -> str:
    lines = [_headline(file, hunk)]
    if hunk["kind"] == "lines":
        lines += _diff_lines(hunk)
    if hunk["neededFor"]:
        lines.append(f"needed for {', '.join(hunk['neededFor'][:3])}")
    if hunk["ownTest"]:
        lines.append("adds a test that fails without the patch")
    if hunk.get("conflict"):
        lines.append(f"cannot go in now: {hunk['conflict']}")
    return "\n".join(lines)


def _headline(file: Json, hunk: Json) -> str:
    match hunk["kind"]:
        case "add":
            lines = counted(len(hunk["new"].splitlines()), "line")
            return f"proposed: new file {file['path']} ({lines})"
        case "delete":
            return f"proposed: delete {file['path']}"
        case "replace":
            return f"proposed: replace {file['path']} as a whole"
        case "mode":
            return f"proposed: mode of {file['path']}: {hunk['old']} becomes {hunk['new']}"
        case _:
            return "proposed:"


def _diff_lines(hunk: Json) -> Sequence[str]:
    lines = [f"- {line}" for line in hunk["old"].splitlines()]
    lines += [f"+ {line}" for line in hunk["new"].splitlines()]
    if len(lines) > _SHOWN_LINES:
        left = len(lines) - _SHOWN_LINES
        return [*lines[:_SHOWN_LINES], f"… and {left} more lines"]
    return lines
