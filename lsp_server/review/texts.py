"""The texts of a proposal, to be looked at: before, proposed, and the diff between the two."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio.to_thread

from agent.edits.hunks import split_file
from agent.edits.patch import Patch, render_unified
from agent.journal.files import write_whole
from lsp_server.review.state import HunkState
from lsp_server.review.typed_text import is_text, text_of
from lsp_server.review.uris import BASE, read_uri, shown_path
from lsp_server.wire.errors import Refused

if TYPE_CHECKING:
    from lsp_server.review.reviews import Opened, Reviews

DIFF: Final = "review.diff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text of a file."""

    text: str
    exists: bool
    binary: bool


async def text_at(reviews: "Reviews", uri: str) -> Text:
    """Return the text that a URI of ours names. Raises: Refused, JournalError, TaskError."""
    named = read_uri(uri)
    if named is None:
        raise Refused(
            "bad_request",
            f"{uri} is no URI of a proposal.",
            "Take baseUri or proposedUri of greenloop/proposal.",
        )
    opened = await reviews.open(named.run)
    file = opened.review.file(named.path)
    if file is None:
        raise Refused("not_found", f"run {named.run} does not change {shown_path(named.path)}.")
    rejected = opened.review.ids(HunkState.REJECTED, path=file.path)
    content = file.base if named.scheme == BASE else file.without(rejected)
    return Text(text=text_of(content), exists=content is not None, binary=not is_text(content))


def diff_of(opened: "Opened") -> str:
    """Return what is not rejected as a unified diff."""
    rejected = opened.review.ids(HunkState.REJECTED)
    files = (
        split_file(file.path, file.base, file.without(rejected)) for file in opened.review.files
    )
    patch = Patch(files=tuple(file for file in files if file.hunks))
    return render_unified(patch).decode("utf-8", "backslashreplace")


async def write_diff(opened: "Opened") -> Path:
    """Write that diff into the run's folder, for editors to open. Raises: JournalError."""
    path = opened.stored.path / DIFF
    await anyio.to_thread.run_sync(write_whole, path, diff_of(opened).encode("utf-8"))
    return path
