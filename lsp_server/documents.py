"""Open documents as the editor has them, and as their files would be on disk.

Keeps texts itself, split at the line ends of LSP only (a form feed is none). What is unsaved is
found by comparing with the disk: a document that was changed and changed back is not. Runs nothing.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lsprotocol import types

from agent.task import RepoPath
from lsp_server.convert import Encoding, column_of, lines_of, path_of
from lsp_server.disk_text import DiskText, disk_text_of, guess_disk_text, is_empty, read_bytes


class CannotKeep(Exception):
    """The unsaved text of a document cannot be told in bytes."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDocument:
    """One document at one version."""

    uri: str
    """As the client spells it; publish under this one."""
    path: Path
    version: int
    language: str
    lines: Sequence[str]
    """With their ends."""
    on_disk: DiskText | None = None
    """How the client reads the file; None: never seen equal to it, or there was no file."""
    equal_at: int | None = None
    """The last version that was known to be what is on disk; None: none was."""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.lines)

    @property
    def data(self) -> bytes:
        """The file as it would be if it were saved now. Reads the disk.

        Raises:
            CannotKeep: It is not known in which encoding the editor would save it.
        """
        text = self.text
        old = read_bytes(self.path)
        if old is not None and disk_text_of(old, text, self.on_disk) is not None:
            return old
        form = self.on_disk or guess_disk_text(old, text)
        data = form.encode(text) if form is not None else None
        if data is None:
            raise CannotKeep(self.path, "it is not known in which encoding it would be saved")
        return data

    @property
    def is_unsaved(self) -> bool:
        """Whether the text is newer than the file and another one. Reads the disk.

        A text that nobody has touched since it was equal to the file is not newer, whatever
        became of the file since: the editor is about to read that.
        """
        if self.version == self.equal_at:
            return False
        data, text = read_bytes(self.path), self.text
        if data is None:
            return not is_empty(text)  # a file that is not written yet, with nothing in it, is none
        return disk_text_of(data, text, self.on_disk) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A piece of text that was put in place of a range."""

    start: types.Position
    end: types.Position
    text: str


class Documents:
    """The open documents of one client."""

    def __init__(self) -> None:
        self.encoding: Encoding = "utf-16"
        self.on_change: list[Callable[[OpenDocument, Sequence[Change]], None]] = []
        """Called with the document as it is after the changes; without any when it was opened."""
        self.on_close: list[Callable[[OpenDocument], None]] = []
        self._by_uri: Final[dict[str, OpenDocument]] = {}
        self._by_path: Final[dict[Path, str]] = {}

    def all(self) -> tuple[OpenDocument, ...]:
        """Return every open document that is a file of this machine."""
        return tuple(self._by_uri.values())

    def find(self, path: Path) -> OpenDocument | None:
        """Return the open document of a file."""
        uri = self._by_path.get(path)
        return self._by_uri.get(uri) if uri is not None else None

    def named(self, uri: str) -> OpenDocument | None:
        """Return the open document of a URI, however that is spelled."""
        if (document := self._by_uri.get(uri)) is not None:
            return document
        path = path_of(uri)
        return self.find(path) if path is not None else None

    def open(self, item: types.TextDocumentItem) -> OpenDocument | None:
        """Take a document that was opened; None where it is no file of this machine."""
        path = path_of(item.uri)
        if path is None:
            return None
        document = OpenDocument(
            uri=item.uri,
            path=path,
            version=item.version,
            language=item.language_id,
            lines=tuple(lines_of(item.text)),
        )
        old = self._by_path.pop(path, None)
        if old is not None:
            self._by_uri.pop(old, None)
        self._keep(document)
        self._by_path[path] = document.uri
        self._tell(document, ())
        return document

    def change(self, params: types.DidChangeTextDocumentParams) -> OpenDocument | None:
        """Take changes, each in the text that the one before it left."""
        document = self.named(params.text_document.uri)
        if document is None:
            return None
        lines: Sequence[str] = document.lines
        changes: list[Change] = []
        for each in params.content_changes:
            if isinstance(each, types.TextDocumentContentChangePartial):
                lines, change = _with_change(lines, each, self.encoding)
            else:
                lines, change = _with_text(lines, tuple(lines_of(each.text)))
            changes.append(change)
        document = replace(document, version=params.text_document.version, lines=lines)
        self._keep(document)
        self._tell(document, changes)
        return document

    def close(self, uri: str) -> OpenDocument | None:
        """Let go of a document that was closed."""
        document = self.named(uri)
        if document is None:
            return None
        del self._by_uri[document.uri]
        self._by_path.pop(document.path, None)
        for call in self.on_close:
            call(document)
        return document

    def saved(self, document: OpenDocument) -> OpenDocument:
        """Take word that a document was saved as it is."""
        document = replace(document, equal_at=document.version)
        self._keep(document)
        return document

    def compare(self, document: OpenDocument) -> OpenDocument:
        """Learn from the disk how the client reads a document. Blocking; may run in a thread."""
        data = read_bytes(document.path)
        form = disk_text_of(data, document.text) if data is not None else None
        if form is None:
            return document
        return replace(document, on_disk=form, equal_at=document.version)

    def learn(self, compared: OpenDocument) -> None:
        """Keep what `compare` found, for the document as it is by now."""
        now = self._by_uri.get(compared.uri)
        if now is not None and compared.on_disk is not None:
            self._keep(replace(now, on_disk=compared.on_disk, equal_at=compared.equal_at))

    def _keep(self, document: OpenDocument) -> None:
        self._by_uri[document.uri] = document

    def _tell(self, document: OpenDocument, changes: Sequence["Change"]) -> None:
        for call in self.on_change:
            call(document, changes)


def overlay_of(documents: Sequence[OpenDocument], top: Path) -> Mapping[RepoPath, bytes]:
    """Return what is unsaved of a repository, by path. Blocking: reads the files.

    A document below a link is the file that the link leads to. What belongs to git, to a
    repository inside this one, or to none, is left out.

    Raises:
        CannotKeep: A text cannot be told in bytes.
    """
    real_top = Path(os.path.realpath(top))
    found: dict[RepoPath, bytes] = {}
    for document in documents:
        path = Path(os.path.realpath(document.path))
        if not path.is_relative_to(real_top) or _is_elsewhere(path, real_top):
            continue
        if document.is_unsaved:
            found[RepoPath(path.relative_to(real_top).as_posix())] = document.data
    return found


def _is_elsewhere(path: Path, top: Path) -> bool:
    """Tell whether a file below the top is git's own or of a repository inside."""
    between = [folder for folder in path.parents if folder != top and folder.is_relative_to(top)]
    return ".git" in path.relative_to(top).parts or any(
        (folder / ".git").exists() for folder in between
    )


def _with_change(
    lines: Sequence[str], change: types.TextDocumentContentChangePartial, encoding: Encoding
) -> tuple[Sequence[str], Change]:
    """Return the lines after a change, and the change with positions that lie in the text."""
    start, end = change.range.start, change.range.end
    if (end.line, end.character) < (start.line, start.character):
        start, end = end, start
    before = _head(lines, start, encoding)
    after = _tail(lines, end, encoding)
    # A line end may come together, or apart, where old and new text meet.
    first = max(min(start.line, len(lines)) - 1, 0)
    last = min(end.line + 2, len(lines))
    middle = "".join(lines[first : min(start.line, len(lines))]) + before + change.text + after
    middle += "".join(lines[min(end.line + 1, len(lines)) : last])
    return (
        (*lines[:first], *lines_of(middle), *lines[last:]),
        Change(start=start, end=end, text=change.text),
    )


def _with_text(old: Sequence[str], new: Sequence[str]) -> tuple[Sequence[str], Change]:
    """Return the new lines, and the change that makes them of the old ones, by whole lines."""
    most = min(len(old), len(new))
    same = next((at for at in range(most) if old[at] != new[at]), most)
    tail = next((at for at in range(most - same) if old[-1 - at] != new[-1 - at]), most - same)
    return new, Change(
        start=types.Position(line=same, character=0),
        end=types.Position(line=len(old) - tail, character=0),
        text="".join(new[same : len(new) - tail]),
    )


def _head(lines: Sequence[str], position: types.Position, encoding: Encoding) -> str:
    if position.line >= len(lines):
        return ""
    line = lines[position.line]
    return line[: column_of(line, position.character, encoding)]


def _tail(lines: Sequence[str], position: types.Position, encoding: Encoding) -> str:
    if position.line >= len(lines):
        return ""
    line = lines[position.line]
    return line[column_of(line, position.character, encoding) :]
