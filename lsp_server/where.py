"""Which repository, and which place in it, a request of a client is about; or why there is none."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lsprotocol import types

from agent.task import RepoPath
from lsp_server.convert import path_of
from lsp_server.marks import Span
from lsp_server.outlines import MOST_BYTES
from lsp_server.session import Session
from lsp_server.wire.errors import Refused

_WRITABLE: Final = 0o222
"""Without any of these bits a file is meant to be read only, also for who may write all."""
_ON_DISK: Final = "Save it into a folder of a repository on this machine."

_FAR: Final = 2**31 - 1
"""The largest number that LSP has for a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Code that is meant."""

    path: Path
    repo_path: RepoPath
    span: Span

    @property
    def shown(self) -> str:
        """Where it is, as people write it: `shop/cart.py, lines 3 to 9`."""
        first, last = self.span.start[0] + 1, self.span.end[0] + 1
        if self.span.end[1] == 0 and last > first:
            last -= 1
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        return f"{self.repo_path}, {lines}"


def check_trust(session: Session) -> None:
    """Raises: Refused, where the user does not trust what is open here."""
    if not session.trusted:
        raise Refused(
            "untrusted",
            "this workspace is not trusted, so nothing of it is run.",
            "Trust the workspace in your editor, then try again.",
        )


def top_for(session: Session, params: Mapping[str, Any]) -> Path:
    """Return the top of the repository that `folder`, else `place`, else the one open one names.

    Raises: Refused.
    """
    place = params.get("place")
    uri = params.get("folder") or (place["uri"] if place else "")
    if uri:
        return top_of_uri(session, uri)
    tops = list(dict.fromkeys(_tops(session)))
    if len(tops) == 1:
        return tops[0]
    if tops:
        names = ", ".join(top.name for top in tops)
        raise Refused(
            "bad_request",
            f"several repositories are open: {names}.",
            "Say which one is meant, or start from one of its files.",
        )
    raise Refused(
        "no_repository",
        "no git repository is open in the editor.",
        "Open a folder of a repository (`git init` makes one), then try again.",
    )


def top_of_uri(session: Session, uri: str) -> Path:
    """Return the top of the repository around a file or folder. Raises: Refused."""
    path = path_of(uri)
    if path is None:
        raise Refused("bad_request", f"{uri} is no file of this machine.", _ON_DISK)
    top = session.top_of(path)
    if top is None:
        raise Refused(
            "no_repository",
            f"{path} is in no git repository.",
            "Open a folder of a repository (`git init` makes one), then try again.",
        )
    return top


def place_in(session: Session, place: Mapping[str, Any], top: Path) -> Place:
    """Return the place that a request names. Looks at the file. Raises: Refused."""
    path = path_of(place["uri"])
    if path is None:
        raise Refused("bad_request", f"{place['uri']} is no file of this machine.", _ON_DISK)
    if session.top_of(path) != top:
        raise Refused(
            "bad_request",
            f"{path} is outside of the repository {top}.",
            "Name a file of that repository, or start in the one that holds the file.",
        )
    repo_path = RepoPath(path.relative_to(top).as_posix())
    try:
        _check_file(session, path, repo_path)
    except OSError as exc:
        message = f"{repo_path} cannot be read: {exc.strerror}."
        raise _refused(message, "Name another file.") from exc
    start, end = place["range"]["start"], place["range"]["end"]
    range_ = types.Range(
        start=_position(start),
        end=_position(end),
    )
    return Place(path=path, repo_path=repo_path, span=Span.of(range_))


def _position(given: Mapping[str, Any]) -> types.Position:
    """Return a position; some clients send 2.0 for 2, or a line beyond any file for its end."""
    line, character = (min(int(given[name]), _FAR) for name in ("line", "character"))
    return types.Position(line=line, character=character)


def _check_file(session: Session, path: Path, repo_path: RepoPath) -> None:
    from agent.edits.encoding import why_no_text  # not before it is needed

    document = session.documents.find(path)
    if ".git" in Path(repo_path).parts:
        raise _refused(f"{repo_path} belongs to git.", "Name a file of the project.")
    if not path.is_file():
        if document is None:
            raise _refused(f"there is no file {repo_path}.", "Save it first, or name another one.")
        return
    status = path.stat()
    if status.st_size > MOST_BYTES:
        raise _refused(f"{repo_path} is larger than 1 MB.", "Split it, or name another file.")
    if not os.access(path, os.W_OK) or not status.st_mode & _WRITABLE:
        raise _refused(
            f"{repo_path} is read-only, so no change of it could be accepted.",
            "Make it writable (chmod u+w), then try again.",
        )
    if why := why_no_text(path.read_bytes()):
        raise _refused(f"{repo_path} cannot be changed as text: {why}.", "Name another file.")


def _refused(message: str, remedy: str) -> Refused:
    return Refused("bad_request", message, remedy)


def _tops(session: Session) -> list[Path]:
    """Return the repositories of the open folders, else of the open documents."""
    found = [top for folder in session.folders if (top := session.top_of(folder)) is not None]
    if found:
        return found
    documents = session.documents.all()
    return [top for one in documents if (top := session.top_of(one.path)) is not None]
