"""The delta of an attempt: which paths differ from the base, and how they shall be.

Holds no text handling (see diff, hunks) and touches no disk (see agent.workspace).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.task import RepoPath


class Mode(StrEnum):
    """What git records of a path's mode; nothing else of it matters here."""

    FILE = "100644"
    EXECUTABLE = "100755"
    LINK = "120000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A path as it is or shall be. For LINK, `data` is the target."""

    data: bytes
    mode: Mode = Mode.FILE


Delta = Mapping[RepoPath, Content | None]
"""Changed paths only; None: the path shall not exist."""
