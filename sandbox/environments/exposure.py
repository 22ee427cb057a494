"""Which host folders become visible in a sandbox, and why some never do.

A repository's own files (`.venv/pyvenv.cfg`, links, `.pth`) choose what is asked for here, so
every request is checked: no home folder, nothing above the repository, nothing hidden in the home
folder unless it is a Python installation, and of a folder only the parts that imports need.
"""

from collections.abc import Iterable
from pathlib import Path
from stat import S_ISDIR
from typing import Final

from sandbox.base import Mount
from sandbox.environments.folders import follow, is_file, is_folder, is_there, names_in

_PREFIX_PARTS: Final = frozenset(
    {
        "bin",
        "conda-meta",
        "etc",
        "include",
        "lib",
        "lib-python",
        "lib64",
        "lib_pypy",
        "libexec",
        "man",
        "pyvenv.cfg",
        "share",
        "site-packages",
        "ssl",
    }
)
"""What a virtualenv or installation consists of; `pip.conf`, `.condarc` may hold passwords."""

_HARMLESS: Final = frozenset(
    {".gitignore", ".lock", "CACHEDIR.TAG", "README.md", "sbin", "plugins"}
)
"""Found beside them; their presence does not make us show the parts one by one."""

_INSTALLATION_PARTS: Final = frozenset(
    {"VERSION", "bin", "go.env", "include", "lib", "libexec", "pkg", "src"}
)
"""What compilers and node consist of."""

_BASKETS: Final = (".cache", ".config", ".local", ".local/share")
"""Folders of the home folder that belong to every program at once."""

_CODE_ENDINGS: Final = (".py", ".pyi", ".so", ".pth")

_NEVER_BELOW: Final = tuple(Path(p) for p in ("/boot", "/dev", "/etc", "/proc", "/run", "/sys"))

_NEVER_ITSELF: Final = frozenset(
    Path(p)
    for p in ("/", "/home", "/media", "/mnt", "/opt", "/root", "/srv", "/tmp", "/var")  # noqa: S108
)

_SECRET_NAMES: Final = frozenset(
    {".aws", ".azure", ".docker", ".git", ".gnupg", ".kube", ".netrc", ".password-store", ".ssh"}
)


class Exposure:
    """The mounts and links gathered for one sandbox; every one of them has passed the checks."""

    def __init__(self, *, repo: Path, home: Path) -> None:
        self._repo = repo
        self._home = home
        self._sources: dict[Path, Path] = {}
        self._links: dict[Path, Path] = {}
        self._prefixes: set[Path] = set()
        self._private = follow(home)

    def show_system(self, path: Path) -> None:
        """Show a folder or file of the operating system at its own path, if it is there."""
        if is_there(path):
            self._sources[path] = follow(path)

    def show_prefix(self, prefix: Path) -> str | None:
        """Show a virtualenv or an installation; return why not, if not."""
        if self.covers(prefix):
            return None
        if refusal := self._refusal(prefix):
            return refusal
        if not _looks_like_prefix(prefix):
            return f"{prefix} is no Python installation"
        self._prefixes.add(prefix)
        names = frozenset(names_in(prefix))
        if names <= _PREFIX_PARTS | _HARMLESS and not self._holds_repo(prefix):
            self._sources[prefix] = follow(prefix)
            return None
        for part in (prefix / name for name in names & _PREFIX_PARTS):
            # A part that is a link could lead anywhere: pyvenv.cfg says nothing about it.
            if follow(part).is_relative_to(follow(prefix)) and not self._holds_repo(part):
                self._sources[part] = follow(part)
        return None

    def show_installation(self, folder: Path) -> str | None:
        """Show the installation of a program whose `bin` folder lies in it; return why not."""
        parts = frozenset(names_in(folder)) & _INSTALLATION_PARTS
        refusals = (self.show_folder(folder / name) for name in sorted(parts))
        return next((refusal for refusal in refusals if refusal), None)

    def show_folder(self, folder: Path) -> str | None:
        """Show one folder of libraries, whole; return why not, if not."""
        if self.covers(folder):
            return None
        if self._holds_repo(folder):
            return f"{folder} is the repository or above it"
        if refusal := self._refusal(folder):
            return refusal
        self._sources[folder] = follow(folder)
        return None

    def show_code(self, path: Path) -> str | None:
        """Show the code at or in a path outside the repository; return why not, if not.

        Of a folder with anything else beside code (`.env`, `.git`, notes) only the visible
        folders and the Python files are shown.
        """
        if self.covers(path):
            return None
        if self._holds_repo(path):
            return f"{path} is above the repository"
        if refusal := self._refusal(path) or self._is_hidden_at_home(path):
            return refusal
        if is_file(path):
            if not path.name.endswith(_CODE_ENDINGS):
                return f"{path} is no Python file"
            self._sources[path] = follow(path)
            return None
        children = [path / name for name in names_in(path)]
        code = [child for child in children if self._is_code(child)]
        if len(code) == len(children):
            self._sources[path] = follow(path)
        for child in code if len(code) < len(children) else ():
            self._sources[child] = follow(child)
        return None if code else f"{path} holds no Python code"

    def link(self, path: Path, target: Path) -> None:
        """Make a path that does not exist in a sandbox lead to one that does."""
        self._links[path] = target

    def covers(self, path: Path) -> bool:
        """Whether a path is visible already, and so is what it leads to."""
        above = [path, *path.parents]
        if path.is_relative_to(self._repo):
            # The tree hides what a mount of a folder above the repository would show there.
            above = [folder for folder in above if self._repo in folder.parents]
        shown = next((folder for folder in above if folder in self._sources), None)
        if shown is None:
            return False
        source = self._sources[shown]
        return follow(source / path.relative_to(shown)).is_relative_to(source)

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """What was gathered, parents before children."""
        ordered = sorted(self._sources.items(), key=lambda item: (len(item[0].parts), item[0]))
        return tuple(Mount(source=source, target=str(target)) for target, source in ordered)

    @property
    def links(self) -> dict[str, str]:
        """Symlinks that the empty root needs, by path; what a mount shows has its own."""
        shown = self._sources.keys()
        return {
            str(path): str(target)
            for path, target in sorted(self._links.items())
            if shown.isdisjoint((path, *path.parents))
        }

    def _refusal(self, path: Path) -> str | None:
        """Return why a path is never shown, whatever it holds."""
        real = follow(path)
        if not is_there(path):
            return f"{path} is not there"
        for place in (path, real):
            if place in _NEVER_ITSELF or any(
                n == place or n in place.parents for n in _NEVER_BELOW
            ):
                return f"{path} is a folder of the system that is never shown"
            if place in (self._home, self._private) or place in self._private.parents:
                return f"{path} is the home folder or above it"
            if any(place == self._private / name for name in _BASKETS):
                return f"{path} is a folder that all programs of the user share"
            if secret := _SECRET_NAMES.intersection(place.parts):
                return f"{path} is below {min(secret)}"
        return None

    def _is_hidden_at_home(self, path: Path) -> str | None:
        """Return why a path below a hidden folder of the home folder is not shown.

        Checkouts inside a virtualenv that is shown (`src` of `pip install -e git+…`) are.
        """
        real = follow(path)
        if self._private not in real.parents or not self._prefixes.isdisjoint(path.parents):
            return None
        hidden = next((p for p in real.relative_to(self._private).parts if p.startswith(".")), None)
        return f"{path} is below the hidden folder {hidden} of the home folder" if hidden else None

    def _holds_repo(self, path: Path) -> bool:
        """Whether the repository is this path or lies below it."""
        repo, real = follow(self._repo), follow(path)
        return real == repo or real in repo.parents

    def _is_code(self, child: Path) -> bool:
        """Whether an entry of a project folder is shown beside its siblings."""
        if child.name.startswith(".") or self._holds_repo(child):
            return False
        if self._refusal(child) or self._is_hidden_at_home(child):
            return False
        return is_folder(child) or child.name.endswith(_CODE_ENDINGS)


def unreadable_by(uid: int, paths: Iterable[Path]) -> list[Path]:
    """Return those of the paths that an ordinary user with this id cannot read or enter."""
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        shift = 6 if status.st_uid == uid else 0
        bits = status.st_mode >> shift
        needed = 0o5 if S_ISDIR(status.st_mode) else 0o4
        if bits & needed != needed:
            found.append(path)
    return found


def _looks_like_prefix(folder: Path) -> bool:
    """Whether a folder has the parts of a virtualenv or of an installation."""
    if is_file(folder / "pyvenv.cfg") and is_folder(folder / "bin"):
        return True
    library = folder / "lib"
    return any(is_file(library / name / "os.py") for name in names_in(library) if "3" in name)
