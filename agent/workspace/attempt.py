"""One strategy's edits over a base, in memory: opening, forking and resetting cost nothing.

Holds the delta and nothing else; no file is copied. Paths are checked on the way in, so that no
edit can leave the repository, go through a symlink or reach into `.git`.
"""

from agent.edits.changes import Content, Delta
from agent.errors import TaskError
from agent.task import RepoPath
from agent.workspace.base import Base
from agent.workspace.paths import printable, repo_path


class Attempt:
    """A base with edits on top. Not for several threads at once; fork it instead."""

    def __init__(self, base: Base, delta: Delta | None = None) -> None:
        self._base = base
        self._delta: dict[RepoPath, Content | None] = dict(delta or {})

    @property
    def base(self) -> Base:
        """What the edits lie on."""
        return self._base

    def read(self, path: str) -> Content | None:
        """Return a file or link as it is with the edits; None where there is none.

        Raises: TaskError for a path outside the repository.
        """
        checked = repo_path(path)
        if checked in self._delta:
            return self._delta[checked]
        if self._file_above(checked):
            return None
        return self._base.read(checked)

    def write(self, path: str, content: Content) -> None:
        """Put a file or link. Raises: TaskError where none can be."""
        checked = repo_path(path)
        above = self._file_above(checked)
        if above:
            raise TaskError(
                f"{printable(path)} cannot be written: {printable(above)} is a file or a symlink",
                remedy="delete that first, or choose another path",
            )
        if self._is_folder(checked):
            raise TaskError(
                f"{printable(path)} cannot be written: it is a folder",
                remedy="name a file in it, or delete its files first",
            )
        self._put(checked, content)

    def delete(self, path: str) -> None:
        """Remove a file or link; one that is not there is no error. Raises: TaskError."""
        self._put(repo_path(path), None)

    def delta(self) -> Delta:
        """Return what differs from the base by now, sorted by path."""
        return dict(sorted(self._delta.items()))

    def fork(self) -> "Attempt":
        """Return another attempt that starts from here and goes its own way."""
        return Attempt(self._base, self._delta)

    def reset(self, delta: Delta | None = None) -> None:
        """Go back to the base, or to an earlier delta."""
        self._delta = dict(delta or {})

    def _put(self, path: RepoPath, content: Content | None) -> None:
        """Note a change; one back to the base is none."""
        self._delta.pop(path, None)
        if self.read(path) != content:
            self._delta[path] = content

    def _file_above(self, path: RepoPath) -> str:
        """Return the file or link above a path that keeps it from being there; else nothing."""
        names = path.split("/")
        for depth in range(1, len(names)):
            above = RepoPath("/".join(names[:depth]))
            found = self._delta[above] if above in self._delta else self._base.read(above)
            if found is not None:
                return above
        return ""

    def _is_folder(self, path: RepoPath) -> bool:
        prefix = f"{path}/"
        if any(other.startswith(prefix) and content for other, content in self._delta.items()):
            return True
        gone = {other for other, content in self._delta.items() if content is None}
        return any(inner not in gone for inner in self._base.below(path))
