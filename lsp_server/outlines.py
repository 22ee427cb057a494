"""What is known of the units of open documents: read a moment after the last edit, moved till then.

Reading happens in one thread of its own turn; a request takes what there is.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import anyio
import anyio.to_thread

from agent.task import RepoPath
from lsp_server.convert import lines_of, uri_of
from lsp_server.disk_text import read_bytes
from lsp_server.documents import Change, OpenDocument
from lsp_server.marks import Edit, Span, after_all, edit_of

if TYPE_CHECKING:
    from lsp_server.session import Session
    from lsp_server.units import Unit

MOST_BYTES: Final = 1_000_000
"""Larger files are not read, as everywhere."""
_PAUSE_S: Final = 0.15
"""Without a further edit, before a document is read anew; longer for one that takes longer, since
reading and answering take turns (one interpreter lock)."""
_LONGEST_S: Final = 1.5
"""Of typing without a pause, before it is read anew all the same; longer likewise."""
_MOST_EDITS: Final = 2_000
"""More than these since the last reading are not followed."""


class StartSoon(Protocol):
    """Starts a task that ends with the connection."""

    def __call__(
        self, function: Callable[..., Coroutine[Any, Any, object]], /, *arguments: Any
    ) -> None:
        """Start it."""
        ...


@dataclass(slots=True, kw_only=True)
class _Outline:
    """What was read of a document, and the edits since."""

    version: int | None = None
    units: "tuple[Unit, ...] | None" = None
    edits: list[tuple[int, Edit]] = field(default_factory=list)
    read_at_s: float = 0.0
    """When that began, on the loop's clock."""
    took_s: float = 0.0
    is_lost: bool = False
    """Too much was edited since to follow it."""
    lock: anyio.Lock = field(default_factory=anyio.Lock)


class Outlines:
    """The units of a connection's open documents."""

    def __init__(self, session: "Session", *, start_soon: StartSoon) -> None:
        self.on_read: list[Callable[[OpenDocument], None]] = []
        """Called when a document was read and its units are other ones than before."""
        self._session: Final = session
        self._documents: Final = session.documents
        self._start_soon: Final = start_soon
        self._by_uri: Final[dict[str, _Outline]] = {}
        self._turn: Final = anyio.CapacityLimiter(1)
        self._documents.on_change.append(self._changed)
        self._documents.on_close.append(self._closed)

    async def around(self, document: OpenDocument, span: Span) -> "tuple[Unit, ...]":
        """Return the units that have something of these lines, as far as is known without reading.

        Reads only where nothing is known. What stands elsewhere is not even moved: a file may hold
        a thousand tests, and this is asked at every movement of a cursor.
        """
        outline = self._by_uri.get(document.uri)
        if outline is None or outline.units is None or outline.is_lost:
            await self.fresh(document)
            outline = self._by_uri.get(document.uri)
        if outline is None or outline.units is None:
            return ()
        edits = [edit for _, edit in outline.edits]
        first, last = (span.start[0], 0), (span.end[0] + 1, 0)
        for edit in reversed(edits):
            first, last = edit.before(first), edit.before(last)
        then = Span(first, last)
        near = [_moved(unit, edits) for unit in outline.units if unit.span.touches(then)]
        lines = Span((span.start[0], 0), (span.end[0] + 1, 0))
        return tuple(unit for unit in near if unit.span.touches(lines))

    async def fresh(self, document: OpenDocument) -> "tuple[Unit, ...]":
        """Return the units of the text as it is now; of one that changes on, those of just now."""
        for _ in range(3):
            outline = self._by_uri.get(document.uri)
            newest = self._documents.named(document.uri)
            if outline is None or newest is None:
                return ()
            if outline.version == newest.version and not outline.edits:
                return outline.units or ()
            await self._read(newest.uri)
        outline = self._by_uri.get(document.uri)
        if outline is None or outline.units is None:
            return ()
        return tuple(_moved(unit, [edit for _, edit in outline.edits]) for unit in outline.units)

    async def of_file(self, path: Path) -> "tuple[Unit, ...]":
        """Return the units of a file as it is on disk."""
        data = await anyio.to_thread.run_sync(read_bytes, path)
        if data is None or len(data) > MOST_BYTES:
            return ()
        text = data.decode("utf-8-sig", "replace")
        document = OpenDocument(
            uri=uri_of(path), path=path, version=0, language="", lines=lines_of(text)
        )
        return await self._units(document)

    def repo_path(self, path: Path) -> RepoPath | None:
        """Return where a file is in its repository; None outside of any."""
        top = self._session.top_of(path)
        if top is None or ".git" in path.relative_to(top).parts:
            return None
        return RepoPath(path.relative_to(top).as_posix())

    def _changed(self, document: OpenDocument, changes: Sequence[Change]) -> None:
        outline = self._by_uri.get(document.uri)
        if outline is None or not changes:
            outline = self._by_uri[document.uri] = _Outline()
        encoding = self._documents.encoding
        outline.edits += [
            (document.version, edit_of(one.start, one.end, one.text, encoding)) for one in changes
        ]
        outline.is_lost = outline.is_lost or len(outline.edits) > _MOST_EDITS
        self._start_soon(self._read_later, document)

    def _closed(self, document: OpenDocument) -> None:
        self._by_uri.pop(document.uri, None)

    async def _read_later(self, document: OpenDocument) -> None:
        outline = self._by_uri.get(document.uri)
        if outline is None:
            return
        if outline.units is not None:
            await anyio.sleep(max(_PAUSE_S, 2 * outline.took_s))
        newest = self._documents.named(document.uri)
        is_newest = newest is not None and newest.version == document.version
        longest_s = max(_LONGEST_S, 10 * outline.took_s)
        if is_newest or anyio.current_time() - outline.read_at_s > longest_s:
            await self._read(document.uri)

    async def _read(self, uri: str) -> None:
        outline = self._by_uri.get(uri)
        if outline is None:
            return
        async with outline.lock:
            document = self._documents.named(uri)
            if document is None or outline.version == document.version:
                return
            outline.read_at_s = anyio.current_time()
            units = await self._units(document)
            outline.took_s = anyio.current_time() - outline.read_at_s
            before = outline.units
            outline.version, outline.units, outline.is_lost = document.version, units, False
            outline.edits = [one for one in outline.edits if one[0] > document.version]
        if self._by_uri.get(uri) is outline and _names(before) != _names(units):
            for call in self.on_read:
                call(document)

    async def _units(self, document: OpenDocument) -> "tuple[Unit, ...]":
        path = self.repo_path(document.path)
        if path is None:
            return ()
        encoding = self._documents.encoding

        def read() -> "tuple[Unit, ...]":
            from lsp_server.units import read_units  # loads tree-sitter: not before it is needed

            return read_units(path, document.lines, encoding)

        return await anyio.to_thread.run_sync(read, limiter=self._turn)


def _moved(unit: "Unit", edits: Sequence[Edit]) -> "Unit":
    """Return a unit after some edits; one of which nothing is left stands, empty, in its place."""
    if all(unit.span.end < edit.start for edit in edits):
        return unit
    return replace(
        unit, span=after_all(unit.span, edits), name_span=after_all(unit.name_span, edits)
    )


def _names(units: "Sequence[Unit] | None") -> object:
    return units and [(unit.kind, unit.id, unit.parent) for unit in units]
