"""Tells one client what tests came to: outcomes to those that ask, else failures as diagnostics.

Files are read in a thread; what was typed since a run began moves the places it tells of. What
knows of results is imported when there are some: `initialize` is answered before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
from lsprotocol import types

from lsp_server.convert import lines_of, uri_of
from lsp_server.disk_text import read_bytes
from lsp_server.documents import Change, OpenDocument
from lsp_server.marks import Edit, Span, after_all, edit_of

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer
    from lsp_server.tested.results import Measured, Result, Results

Snapshot = Mapping[Path, OpenDocument]
"""Documents as they were when the base of a run was taken."""

_MOST_EDITS: Final = 2_000
_MOST_RUNS: Final = 100
_MOST_FAILURES: Final = 200
"""Diagnostics for each repository; more help nobody."""
_MOST_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A failing test and where it is marked."""

    result: "Result"
    span: Span
    path: Path


class Showing:
    """What one client is shown of tests."""

    def __init__(self, server: "GreenloopServer") -> None:
        self._server: Final = server
        self._session: Final = server.session
        self._results: Results | None = None
        self._bases: Final[dict[str, Snapshot]] = {}
        self._typed: Final[dict[str, list[tuple[int, Edit]]]] = {}
        """What was typed into documents, with the version that it made."""
        self._shown: Final[dict[Path, dict[str, _Shown]]] = {}
        self._turn: Final = anyio.Lock()
        self._session.documents.on_change.append(self._changed)
        self._session.documents.on_close.append(self._closed)
        self._session.on_settings.append(self._show_again)

    def join(self, results: "Results") -> Callable[[], None]:
        """Begin to show results, those of earlier clients of this process first."""
        from lsp_server.tested.results import Measured

        self._results = results
        for top in results.tops():
            known = tuple(results.of(top).values())
            self._start(self._take, Measured(top=top, run="", results=known, gone=(), whole=True))
        return results.listen(lambda news: self._start(self._take, news))

    def snapshot(self) -> Snapshot:
        """Return the documents as they are, for a run whose base is taken now."""
        return {document.path: document for document in self._session.documents.all()}

    def began(self, run: str, base: Snapshot) -> None:
        """Remember what a run works on, so that places it tells of can be found again."""
        self._bases[run] = base
        if len(self._bases) > _MOST_RUNS:
            del self._bases[next(iter(self._bases))]

    def outcome(self, path: Path, unit: str) -> str | None:
        """Return how a test of a file ended last; None: unknown."""
        top = self._session.top_of(path)
        if top is None or self._results is None:
            return None
        return self._results.outcome(top, unit)

    def _changed(self, document: OpenDocument, changes: Sequence[Change]) -> None:
        encoding = self._session.encoding
        edits = [edit_of(one.start, one.end, one.text, encoding) for one in changes]
        typed = self._typed.setdefault(document.uri, [])
        typed += [(document.version, edit) for edit in edits]
        del typed[:-_MOST_EDITS]
        for shown in self._shown.values():
            for id_, one in shown.items():
                if one.path == document.path:
                    shown[id_] = replace(one, span=after_all(one.span, edits))

    def _closed(self, document: OpenDocument) -> None:
        self._typed.pop(document.uri, None)

    def _show_again(self) -> None:
        for top in self._shown:
            self._publish(top)

    async def _take(self, news: "Measured") -> None:
        async with self._turn:  # one after the other, so that the newest wins
            await self._place(news)
        for call in self._session.on_results:
            call()

    async def _place(self, news: "Measured") -> None:
        results = self._results.of(news.top) if self._results is not None else {}
        failing = [one for one in results.values() if one.is_failing][:_MOST_FAILURES]
        before = self._shown.get(news.top, {})
        measured = {one.id for one in news.results}
        placed = {
            one.id: before[one.id] for one in failing if one.id in before and one.id not in measured
        }
        new = [one for one in failing if one.id not in placed]
        base = self._bases.get(news.run, {})
        spans = await anyio.to_thread.run_sync(self._spans, new, news.top, base)
        for one, span in zip(new, spans, strict=True):
            path = news.top / (one.failure.path if one.failure is not None else "")
            placed[one.id] = _Shown(result=one, span=self._since(path, span, base), path=path)
        self._shown[news.top] = placed
        self._publish(news.top)
        if self._session.client.tests or self._session.client.runs:
            told = await anyio.to_thread.run_sync(_news_to_json, news, dict(placed))
            self._server.tell("greenloop/tests/changed", told)

    def _spans(self, results: "Sequence[Result]", top: Path, base: Snapshot) -> list[Span]:
        """Return where failing tests stand in the texts that were measured. Blocking."""
        from lsp_server.tested.failing import place_of

        texts: dict[Path, Sequence[str]] = {}

        def lines(path: Path) -> Sequence[str]:
            if path not in texts:
                document = base.get(path)
                texts[path] = document.lines if document is not None else _lines_on_disk(path)
            return texts[path]

        encoding = self._session.encoding
        return [
            place_of(one.failure, lines, top, encoding)
            if one.failure is not None
            else Span((0, 0), (0, 0))
            for one in results
        ]

    def _since(self, path: Path, span: Span, base: Snapshot) -> Span:
        """Return where a place is by now, after what was typed since the run began."""
        document = base.get(path)
        if document is None:
            return span
        typed = self._typed.get(document.uri, ())
        return after_all(span, [edit for version, edit in typed if version > document.version])

    def _publish(self, top: Path) -> None:
        from lsp_server.tested.failing import diagnostic_of

        by_uri: dict[str, list[types.Diagnostic]] = {}
        if self._shows_diagnostics(top):
            for one in self._shown.get(top, {}).values():
                if one.result.failure is not None and one.result.failure.path:
                    diagnostic = diagnostic_of(one.result, one.span, top)
                    by_uri.setdefault(uri_of(one.path), []).append(diagnostic)
        publisher = self._server.publisher
        mine = uri_of(top) + "/"
        others = {uri_of(each) + "/" for each in self._shown if each != top}
        for uri in publisher.said_by("tests"):
            nested = any(uri.startswith(each) and len(each) > len(mine) for each in others)
            if uri.startswith(mine) and uri not in by_uri and not nested:
                publisher.set("tests", uri, [])
        for uri, diagnostics in by_uri.items():
            publisher.set("tests", uri, diagnostics)

    def _shows_diagnostics(self, top: Path) -> bool:
        settings = self._session.settings_now(top)
        return not self._session.client.tests and settings.test_diagnostics

    def _start(self, function: Callable[..., Any], *arguments: object) -> None:
        self._server.start_soon(function, *arguments)


def _news_to_json(news: "Measured", placed: Mapping[str, _Shown]) -> dict[str, Any]:
    return {
        "folder": uri_of(news.top),
        "run": news.run,
        "whole": news.whole,
        "results": [_outcome_to_json(one, news.top, placed.get(one.id)) for one in news.results],
    }


def _outcome_to_json(result: "Result", top: Path, shown: _Shown | None) -> dict[str, Any]:
    from lsp_server.tested.failing import failure_to_json

    duration_s = round(result.duration_s, 6)
    told: dict[str, Any] = {"id": result.id, "outcome": result.outcome, "durationS": duration_s}
    if shown is not None:
        told["failure"] = failure_to_json(result, shown.span, top)
    return told


def _lines_on_disk(path: Path) -> Sequence[str]:
    data = read_bytes(path)
    if data is None or len(data) > _MOST_BYTES:
        return ()
    return lines_of(data.decode("utf-8-sig", "replace"))
