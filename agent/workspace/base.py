"""The exact content a run starts from, kept unchanged while the developer goes on typing."""

from dataclasses import dataclass
from pathlib import Path

from agent.edits.changes import Content
from agent.task import RepoPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """HEAD + index + dirty files + untracked files not ignored + unsaved buffers."""

    repo: Path
    """Top level of the user's repository; read, never written."""
    dir: Path
    """Holds the base's files and no `.git`; nobody writes it while the base is open."""
    commit: str
    """HEAD; empty on an unborn branch."""
    tree: str
    """Git tree hash over the whole base content, overlay included."""
    dirty_files: int
    """Paths that differ from HEAD."""

    def read(self, path: RepoPath) -> Content | None:
        """Return a path's content, links not followed; None where there is no such file."""
        raise NotImplementedError

    def paths(self) -> tuple[RepoPath, ...]:
        """Every file and link of the base, sorted."""
        raise NotImplementedError
