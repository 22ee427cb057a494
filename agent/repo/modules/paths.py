"""The files of a tree by the ends of their paths: how an import is matched to a file."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from agent.repo.index.laid import as_searched
from agent.task import RepoPath

if TYPE_CHECKING:
    from agent.repo.index.view import View


class Paths:
    """The paths of one tree.

    Single ones are asked for as they are needed; all of them are taken at once where many will be
    (`whole`), or where nothing less will do.
    """

    def __init__(self, view: "View") -> None:
        self._view: Final = view
        self._stems: Final[dict[str, Sequence[RepoPath]]] = {}
        self._is_whole = False

    def whole(self) -> "Paths":
        """Take all paths now: quicker where most of them will be asked for."""
        if not self._is_whole:
            by_stem: dict[str, list[RepoPath]] = {}
            for path in self._sorted:
                by_stem.setdefault(stem_of(path), []).append(path)
            self._stems.update(by_stem)
            self._is_whole = True
        return self

    @cached_property
    def all(self) -> frozenset[RepoPath]:
        """Every path."""
        return frozenset(self._sorted)

    def holds(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return path in self.all if self._is_whole else self._view.holds(RepoPath(path))

    def stem(self, stem: str) -> Sequence[RepoPath]:
        """Return the files whose name up to its first dot this is, sorted."""
        found = self._stems.get(stem)
        if found is None and not self._is_whole:
            if not as_searched(stem.replace("_", " ")):
                return self.whole().stem(stem)
            numbers = self._view.holding(stem, "path")
            named = (self._view.path_of(number) for number in numbers)
            found = self._stems[stem] = sorted(path for path in named if stem_of(path) == stem)
        return found or ()

    def ending(self, parts: Sequence[str], suffixes: Collection[str]) -> list[RepoPath]:
        """Return the files whose path ends with these parts, shortest first, then sorted.

        The last part is given without suffix.
        """
        if not parts:
            return []
        tails = ["/".join(parts) + suffix for suffix in suffixes]
        found = [
            path
            for path in self.stem(parts[-1].partition(".")[0])
            for tail in tails
            if path == tail or path.endswith(f"/{tail}")
        ]
        return sorted(found, key=lambda path: (path.count("/"), path))

    def longest(self, parts: Sequence[str], suffixes: Collection[str]) -> list[RepoPath]:
        """Return the files that agree with the most of the parts, counted from the last one."""
        for start in range(len(parts)):
            if found := self.ending(parts[start:], suffixes):
                return found
        return []

    def in_folder(self, folder: str) -> Sequence[RepoPath]:
        """Return the files right in a folder, sorted."""
        return self._by_folder.get(folder, ())

    def named(self, tail: str) -> list[RepoPath]:
        """Return the files whose path ends so, the topmost first: `package.json`, `a/b.py`."""
        stem = stem_of(tail)
        end = f"/{tail}"
        found = [path for path in self.stem(stem) if path == tail or path.endswith(end)]
        return sorted(found, key=lambda path: (path.count("/"), path))

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder with a file right in it."""
        return frozenset(self._by_folder)

    @cached_property
    def _sorted(self) -> tuple[RepoPath, ...]:
        return self._view.paths()

    @cached_property
    def _by_folder(self) -> dict[str, list[RepoPath]]:
        found: dict[str, list[RepoPath]] = {}
        for path in self._sorted:
            found.setdefault(path.rpartition("/")[0], []).append(path)
        return found


def stem_of(path: str) -> str:
    """Return the name of a file up to its first dot."""
    return path.rpartition("/")[2].partition(".")[0]


def joined(folder: str, relative: str) -> str | None:
    """Return `folder/relative` without `.` and `..`; None where it climbs out of the tree."""
    parts = folder.split("/") if folder else []
    for part in relative.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def folder_of(path: str) -> str:
    """Return the folder of a file; empty: the top."""
    return path.rpartition("/")[0]
