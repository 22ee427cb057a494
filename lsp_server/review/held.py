"""What files of a proposal hold now: the editor's text where one is open, else the disk's."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from agent.accept import Unreadable, read_files
from agent.edits.changes import Content, Mode
from agent.task import RepoPath
from lsp_server.documents import CannotKeep, OpenDocument

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One path as it is now."""

    document: OpenDocument | None
    """Open in the client that asks."""
    can_edit: bool
    """The client can be asked to change the document."""
    is_unsaved: bool
    on_disk: Content | Unreadable | None
    now: Content | Unreadable | None
    """What the file would be if the editor saved it; the disk's content where it is not open."""

    @property
    def in_buffer(self) -> bool:
        """Tell whether a change of its lines is the editor's to make."""
        return self.document is not None and self.can_edit

    @property
    def why_not_on_disk(self) -> str:
        """Why the file may not be written on disk; empty where it may."""
        if isinstance(self.on_disk, Unreadable):
            return self.on_disk.why
        if self.is_unsaved:
            return "it has unsaved changes in the editor; save it first"
        return ""


def content_of(data: bytes, mode: Mode, *, is_new: bool) -> Content | None:
    """Return a buffer's content; an empty one of a name that is no file yet is none."""
    return None if is_new and data in (b"", b"\n", b"\r\n") else Content(data=data, mode=mode)


async def held_files(
    server: "GreenloopServer", top: Path, paths: Iterable[RepoPath]
) -> Mapping[RepoPath, Held]:
    """Return what each path holds now."""
    wanted = tuple(paths)
    on_disk = await read_files(top, wanted)
    documents = server.session.documents.all()
    workspace = server.session.capabilities.workspace
    can_edit = bool(workspace is not None and workspace.apply_edit)

    def look() -> Mapping[RepoPath, Held]:
        open_ = {os.path.realpath(document.path): document for document in documents}
        real_top = Path(os.path.realpath(top))
        return {
            path: _held(on_disk[path], open_.get(str(real_top / path)), can_edit=can_edit)
            for path in wanted
        }

    return await anyio.to_thread.run_sync(look)


def _held(
    on_disk: Content | Unreadable | None, document: OpenDocument | None, *, can_edit: bool
) -> Held:
    now, is_unsaved = on_disk, False
    if document is not None and not isinstance(on_disk, Unreadable):
        is_unsaved = document.is_unsaved
        mode = on_disk.mode if on_disk is not None else Mode.FILE
        try:
            data = document.data
        except CannotKeep as exc:
            now = Unreadable(why=exc.why)
        else:
            now = content_of(data, mode, is_new=on_disk is None)
    return Held(
        document=document, can_edit=can_edit, is_unsaved=is_unsaved, on_disk=on_disk, now=now
    )
