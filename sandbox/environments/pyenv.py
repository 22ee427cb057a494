"""Which Python pyenv would start in a folder, found without running pyenv or its shims.

The order is pyenv's: `PYENV_VERSION`, the nearest `.python-version` upwards, the global `version`
file, else the system's own.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.environments.folders import is_folder, names_in

_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What pyenv was told to use, and by whom."""

    prefixes: tuple[Path, ...]
    """Folders of the installed versions that were named, in order; `system` is left out."""
    said_by: str
    """The variable or the file that names them."""
    asked: str
    """The names as they were written."""

    @property
    def is_system(self) -> bool:
        """Whether pyenv was told to step aside for the Python further down PATH."""
        return self.asked == "system"


def pyenv_root(variables: Mapping[str, str], home: Path) -> Path | None:
    """Return pyenv's folder, if it is installed."""
    root = Path(variables.get("PYENV_ROOT") or home / ".pyenv")
    return root if is_folder(root / "versions") else None


def project_choice(root: Path, repo: Path, variables: Mapping[str, str]) -> Choice | None:
    """Return what was chosen for this shell or this repository; None without a choice."""
    if named := variables.get("PYENV_VERSION"):
        return _choice(root, named.split(":"), "PYENV_VERSION")
    for folder in (repo, *repo.parents):
        if names := _read_names(folder / ".python-version"):
            return _choice(root, names, str(folder / ".python-version"))
    return None


def global_choice(root: Path) -> Choice | None:
    """Return what was chosen for this user; None without a choice."""
    names = _read_names(root / "version")
    return _choice(root, names, str(root / "version")) if names else None


def _choice(root: Path, names: list[str], said_by: str) -> Choice:
    prefixes = (_installed(root / "versions", name) for name in names if name != "system")
    return Choice(
        prefixes=tuple(prefix for prefix in prefixes if prefix is not None),
        said_by=said_by,
        asked=", ".join(names),
    )


def _read_names(path: Path) -> list[str]:
    """Return the version names in a file; comments and blank lines do not count."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [name for line in text.splitlines() for name in line.partition("#")[0].split()]


def _installed(versions: Path, name: str) -> Path | None:
    """Return the folder of a version; `3.11` means the newest 3.11 that is installed."""
    if ".." in Path(name).parts:
        return None
    exact = versions / name.removeprefix("python-")
    if is_folder(exact) and exact != versions:
        return exact
    return max(_with_prefix(versions, exact.name), key=_sort_key, default=None)


def _with_prefix(versions: Path, prefix: str) -> Iterator[Path]:
    """Yield the installed versions of a series."""
    for name in names_in(versions):
        if prefix and name.startswith(f"{prefix}.") and is_folder(versions / name / "bin"):
            yield versions / name


def _sort_key(path: Path) -> list[int]:
    return [int(number) for number in _NUMBERS.findall(path.name)]
