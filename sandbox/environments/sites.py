"""What a Python can import and what is installed in it, read from its site folders.

`.pth` files and the finders of editable installs are programs to Python; here they are only read.
"""

import ast
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlparse

from sandbox.environments.folders import follow, is_file, is_folder, is_there, names_in
from sandbox.environments.pythons import Python

_SYSTEM: Final = Path("/usr")
_EXTENSIONS: Final = (".py", ".so", ".pyc")
_MOST_PTH_BYTES: Final = 256 * 1024
_MOST_PATH_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Libraries:
    """The import world of one Python."""

    sites: tuple[Path, ...]
    """Existing site folders, in the order in which Python looks."""
    user_site: Path | None
    """The one of them that lies in the home folder of the user."""
    roots: tuple[Path, ...]
    """Folders outside the site folders that `.pth` files add to the import path."""
    modules: Mapping[str, Path] = field(default_factory=dict)
    """Top-level modules that editable finders lead elsewhere."""
    pointers: tuple[Path, ...] = ()
    """Every absolute path that an editable finder names, besides `modules`."""
    editables: Mapping[str, Path] = field(default_factory=dict)
    """Distribution to the project folder that it was installed from in editable mode."""
    distributions: tuple[str, ...] = ()
    """`name-version` of everything installed, sorted."""
    standard: Path
    """Folder of the standard library."""

    def locate(self, module: str) -> Path | None:
        """Return where the top-level package of `module` would be imported from."""
        name = module.partition(".")[0]
        if name in self.modules:
            return self.modules[name]
        for root in (self.standard, *self.sites, *self.roots):
            if found := _module_in(root, name):
                return found
        return None

    def version_of(self, distribution: str) -> str | None:
        """Return the installed version of a distribution."""
        wanted = _normal(distribution)
        for entry in self.distributions:
            name, _, version = entry.partition("-")
            if _normal(name) == wanted and version:
                return version
        return None


def read_libraries(python: Python, *, home: Path) -> Libraries:
    """Read the site folders of a Python; `home` is the developer's home folder."""
    user = home / ".local" / "lib" / python.tag / "site-packages"
    user_site = user if python.sees_base_sites and is_folder(user) else None
    sites = tuple(_site_folders(python, user_site))
    reading = _Reading()
    for site in sites:
        reading.read_site(site)
    return Libraries(
        sites=sites,
        user_site=user_site,
        roots=tuple(path for path in dict.fromkeys(reading.roots) if path not in sites),
        modules=reading.modules,
        pointers=tuple(dict.fromkeys(reading.pointers)),
        editables=reading.editables,
        distributions=tuple(sorted(reading.distributions)),
        standard=python.library,
    )


def _site_folders(python: Python, user_site: Path | None) -> Iterator[Path]:
    """Yield the existing site folders in Python's own order, each real folder once."""
    candidates = _own_sites(python.prefix, python.tag) if python.is_virtual else []
    if python.sees_base_sites:
        candidates += [user_site] if user_site else []
        candidates += _system_sites(python.tag) if python.base == _SYSTEM else []
        candidates += _own_sites(python.base, python.tag)
    seen: set[Path] = set()
    for folder in candidates:
        real = follow(folder)
        if real not in seen and is_folder(folder):
            seen.add(real)
            yield folder


def _own_sites(prefix: Path, tag: str) -> list[Path]:
    """Return the site folders that CPython and PyPy keep below a prefix."""
    return [prefix / "lib" / tag / "site-packages", prefix / "lib64" / tag / "site-packages"]


def _system_sites(tag: str) -> list[Path]:
    """Return the site folders of a distribution's own Python: Debian's, else Fedora's."""
    local, debian = Path("/usr/local"), _SYSTEM / "lib" / "python3" / "dist-packages"
    if is_folder(debian):
        return [
            local / "lib" / tag / "dist-packages",
            debian,
            debian.parents[1] / tag / debian.name,
        ]
    return _own_sites(local, tag)


class _Reading:
    """What was gathered from the site folders so far."""

    def __init__(self) -> None:
        self.roots: list[Path] = []
        self.modules: dict[str, Path] = {}
        self.pointers: list[Path] = []
        self.editables: dict[str, Path] = {}
        self.distributions: list[str] = []

    def read_site(self, site: Path) -> None:
        """Read one site folder; what cannot be read is as if it were not there."""
        for name in names_in(site):
            if name.endswith(".dist-info"):
                self.distributions.append(name.removesuffix(".dist-info"))
                self._read_direct_url(site / name)
            elif name.endswith((".egg-info", ".egg")):
                self.distributions.append(_egg_name(name))
            elif name.endswith(".pth"):
                self._read_pth(site, name)
            elif name.endswith(".py") and "editable" in name:
                self._read_finder(site / name)

    def _read_pth(self, site: Path, name: str) -> None:
        """Take the folders that a `.pth` file names; its code lines are not for us to run."""
        for line in _text(site / name).splitlines():
            text = line.strip()
            if text and not text.startswith(("#", "import ", "import\t")):
                path = Path(os.path.normpath(site / text))
                if is_there(path):
                    self.roots.append(path)

    def _read_finder(self, path: Path) -> None:
        """Take module names and paths out of the finder that a build backend wrote.

        setuptools writes a MAPPING of names to paths, editables and the loaders of compiled
        projects write calls with them; all spell paths as absolute string constants.
        """
        try:
            tree = ast.parse(_text(path))
        except (SyntaxError, ValueError):
            return
        for node in ast.walk(tree):
            match node:
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        self._note_module(key, value)
                case ast.Call(args=[key, value, *_]):
                    self._note_module(key, value)
                case ast.Constant(value=str(text)):
                    if pointed := _code_at(text):
                        self.pointers.append(pointed)
                case _:
                    pass

    def _note_module(self, key: ast.expr | None, value: ast.expr) -> None:
        """Remember a pair of module name and absolute path."""
        match key, value:
            case ast.Constant(value=str(name)), ast.Constant(value=str(text)):
                code = _code_at(text)
                if code is not None and name.isidentifier():
                    self.modules.setdefault(name, code)
            case _:
                pass

    def _read_direct_url(self, info: Path) -> None:
        """Remember the project folder of an editable install (packaging spec direct_url.json)."""
        text = _text(info / "direct_url.json")
        if not text:
            return
        try:
            record = json.loads(text)
            editable = record["dir_info"]["editable"] is True
            url = urlparse(str(record["url"]))
        except (ValueError, KeyError, TypeError):
            return
        if editable and url.scheme == "file":
            name = info.name.partition("-")[0]
            self.editables[name] = Path(os.path.normpath(unquote(url.path)))


def _module_in(root: Path, name: str) -> Path | None:
    """Return the package or module file of that name in a folder."""
    package = root / name
    if is_folder(package) and _holds_code(package):
        return package
    single = root / f"{name}.py"
    if is_file(single):
        return single
    compiled = (n for n in names_in(root) if n.startswith(f"{name}.") and n.endswith(".so"))
    return next((root / n for n in compiled), None)


def _holds_code(folder: Path) -> bool:
    """Whether a folder is a package, not the remains of one."""
    names = names_in(folder)
    return any(name.endswith(_EXTENSIONS) for name in names) or not os.access(folder, os.R_OK)


def _egg_name(name: str) -> str:
    """Return `name-version` of an `.egg-info` or `.egg` entry."""
    return name.rpartition(".egg")[0].partition("-py3")[0]


def _normal(name: str) -> str:
    """Spell a distribution name as PEP 503 does."""
    return name.lower().replace("_", "-").replace(".", "-")


def _text(path: Path) -> str:
    """Return the beginning of a text file; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_PTH_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _code_at(text: str) -> Path | None:
    """Return the existing package or module that a string names by its absolute path.

    setuptools leaves out the `.py` of single modules, editables names a package's `__init__.py`.
    """
    if not text.startswith("/") or "\0" in text or len(text) > _MOST_PATH_BYTES:
        return None
    path = Path(text)
    if path.name == "__init__.py":
        path = path.parent
    candidates = (path, path.with_name(f"{path.name}.py")) if path.name else ()
    return next((candidate for candidate in candidates if is_there(candidate)), None)
