"""Which file imports which: what stands behind an import, in every language that has files for it.

Works on names and paths alone; nothing is run, so a path that is changed while a program runs is
not seen. Doubt goes towards more files.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Final

from agent.repo.facts import FileFacts, Import
from agent.repo.languages import spec_of
from agent.repo.modules.javascript import JavaScriptImports
from agent.repo.modules.others import JVM, GoImports, NamedImports, RustImports
from agent.repo.modules.paths import Paths, folder_of
from agent.repo.modules.python import PythonImports
from agent.task import RepoPath

if TYPE_CHECKING:
    from agent.repo.index.view import View

_PACKAGED: Final = {
    "go": (".go",),
    "java": JVM,
    "csharp": (".cs",),
    "swift": (".swift",),
    "c": (".c", ".cc", ".cpp", ".cxx", ".h", ".hpp"),
}
"""Languages whose files see what lies in the same folder."""
_MOST_HOPS: Final = 6
"""So many files a re-exported name is followed through."""
_INDEXES: Final = frozenset({"__init__", "index", "mod", "lib", "main", "init"})
"""Files that are imported by the name of their folder."""


class Modules:
    """The imports of one view, resolved as they are asked for. Keep it as long as the view."""

    def __init__(self, view: "View") -> None:
        self._view: Final = view
        self._targets: dict[RepoPath, tuple[RepoPath, ...]] = {}
        self._facts: dict[RepoPath, FileFacts | None] = {}

    def imported(self, path: RepoPath) -> tuple[RepoPath, ...]:
        """Return the files that a file imports, in its order, those behind re-exports included."""
        if path not in self._targets:
            found: dict[RepoPath, None] = {}
            for one in self._view.imports_of(path):
                for target in self.targets(path, one):
                    for origin in self._origins(target, one.names):
                        found[origin] = None
                    found[target] = None
            found.pop(path, None)
            self._targets[path] = tuple(found)
        return self._targets[path]

    def importers(self, path: RepoPath) -> tuple[RepoPath, ...]:
        """Return the files that import a file by its own name or that of its package, sorted."""
        found: dict[RepoPath, None] = {}
        for last in _last_names(path):
            for importer, taken in self._view.importing(last):
                if importer not in found and any(path in self.targets(importer, i) for i in taken):
                    found[importer] = None
        found.pop(path, None)
        return tuple(sorted(found))

    def targets(self, path: RepoPath, one: Import) -> list[RepoPath]:
        """Return what one import of a file leads to."""
        match self._way(path):
            case "python":
                return self._python.targets(path, one)
            case "javascript":
                return self._javascript.targets(path, one)
            case "go":
                return self._go.targets(path, one)
            case "rust":
                return self._rust.targets(path, one)
            case "java":
                return self._named.jvm(one)
            case "c":
                return self._named.c(path, one)
            case "ruby":
                return self._named.by_path(path, one, "/", (".rb",))
            case "lua":
                return self._named.by_path(path, one, ".", (".lua",))
            case "shell":
                return self._named.by_path(path, one, "/", (".sh", ".bash"))
            case "php":
                return self._named.psr4(one, (".php",))
            case "csharp":
                return self._declaring(one.module) or self._named.psr4(one, (".cs",))
            case _:
                return []

    def all_importers(self) -> dict[RepoPath, set[RepoPath]]:
        """Return by file who imports it, for the whole view, packages on the way included."""
        found: dict[RepoPath, set[RepoPath]] = {}
        self.paths.whole()
        for path, imports in self._view.imports():
            is_python = self._way(path) == "python"
            for one in imports:
                targets = self.targets(path, one)
                if is_python:
                    targets = [*targets, *self._python.packages(path, one)]
                for target in targets:
                    if target != path:
                        found.setdefault(target, set()).add(path)
        return found

    def facts(self, path: RepoPath) -> FileFacts | None:
        """Return what a file holds, kept for the next time; None where it is not read."""
        if path not in self._facts:
            facts = self._view.facts(path)
            self._facts[path] = facts if isinstance(facts, FileFacts) else None
        return self._facts[path]

    @cached_property
    def paths(self) -> Paths:
        """The files of the view."""
        return Paths(self._view)

    def beside(self, path: RepoPath) -> list[RepoPath]:
        """Return the files that see a file's names without importing it: a package's (Go, JVM)."""
        suffixes = _PACKAGED.get(self._way(path))
        if suffixes is None:
            return []
        return [one for one in self.paths.in_folder(folder_of(path)) if one.endswith(suffixes)]

    def _declaring(self, namespace: str) -> list[RepoPath]:
        """Return the files that say they are of a namespace; folders need not agree with it."""
        found = self._view.named(namespace)
        return [one.path for one in found if one.definition.kind == "module"]

    def _origins(self, target: RepoPath, names: Iterable[str]) -> list[RepoPath]:
        """Return where names that a file passes on are defined."""
        found: list[RepoPath] = []
        for name in names:
            at: RepoPath | None = target
            for _ in range(_MOST_HOPS):
                at = self._passed_on(at, name) if at is not None else None
                if at is None:
                    break
                found.append(at)
        return found

    def _passed_on(self, path: RepoPath, name: str) -> RepoPath | None:
        """Return the file that this one has a name from; None where it is its own."""
        facts = self.facts(path)
        if facts is None:
            return None
        if any(one.name == name and one.parent < 0 for one in facts.definitions):
            return None
        everything: list[RepoPath] = []
        for one in facts.imports:
            if name in one.names:
                return next(iter(self.targets(path, one)), None)
            if "*" in one.names or (one.is_reexport and not one.names):
                everything += self.targets(path, one)
        return next((other for other in everything if self._has(other, name)), None)

    def _has(self, path: RepoPath, name: str) -> bool:
        facts = self.facts(path)
        if facts is None:
            return False
        named = any(one.name == name and one.parent < 0 for one in facts.definitions)
        return named or any(name in one.names or "*" in one.names for one in facts.imports)

    def _way(self, path: RepoPath) -> str:
        spec = spec_of(path)
        return spec.modules if spec is not None else "none"

    @cached_property
    def _python(self) -> PythonImports:
        return PythonImports(self.paths)

    @cached_property
    def _javascript(self) -> JavaScriptImports:
        return JavaScriptImports(self.paths, self._view.read)

    @cached_property
    def _go(self) -> GoImports:
        return GoImports(self.paths, self._view.read)

    @cached_property
    def _rust(self) -> RustImports:
        return RustImports(self.paths, self._view.read)

    @cached_property
    def _named(self) -> NamedImports:
        return NamedImports(self.paths)


def _last_names(path: RepoPath) -> list[str]:
    """Return the last words that an import of the file may end with."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    names = [stem, name.rpartition(".")[0], name]
    if stem in _INDEXES:
        names.append(folder.rpartition("/")[2])
    return [one for one in dict.fromkeys(names) if one]
