"""URIs of the two texts of a proposal's file. Both spell its path alike: a diff shows one name."""

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote, unquote_to_bytes, urlsplit

from agent.task import RepoPath

BASE: Final = "greenloop-base"
PROPOSAL: Final = "greenloop-proposal"
_UNQUOTED: Final = "/!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextUri:
    """What such a URI names."""

    scheme: str
    run: str
    path: RepoPath


def base_uri(run: str, path: RepoPath) -> str:
    """Return the URI of a file as it was before."""
    return _uri(BASE, run, path)


def proposal_uri(run: str, path: RepoPath) -> str:
    """Return the URI of a file as it is proposed, without what is rejected."""
    return _uri(PROPOSAL, run, path)


def read_uri(uri: str) -> TextUri | None:
    """Return what a URI names; None for any other URI. Clients may quote more than was quoted."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    runs = parse_qs(unquote_to_bytes(parts.query).decode("utf-8", "replace")).get("run", [])
    path = os.fsdecode(unquote_to_bytes(parts.path)).lstrip("/")
    if parts.scheme not in (BASE, PROPOSAL) or parts.netloc or len(runs) != 1 or not path:
        return None
    return TextUri(scheme=parts.scheme, run=runs[0], path=RepoPath(path))


def shown_path(path: RepoPath) -> str:
    """Return a path as text that any JSON reader takes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _uri(scheme: str, run: str, path: RepoPath) -> str:
    return f"{scheme}:/{quote(os.fsencode(path), safe=_UNQUOTED)}?run={quote(run)}"
