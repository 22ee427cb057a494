"""What a Python installation or virtualenv is, read from its files and never by running it.

A repository can carry its own `.venv`, so executing what is found would run a stranger's program
on the host. Everything here follows links, reads `pyvenv.cfg` and looks for a standard library.
It decides nothing about what may be shown to a sandbox; that is `exposure`.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.environments.folders import follow, is_file, is_link, names_in

OLDEST: Final = (3, 8)
"""The scripts that run inside a sandbox need at least this version."""

_TAGGED: Final = re.compile(r"(?P<kind>python|pypy)(?P<version>3\.\d+)(?P<flags>t?)$")
_PATCHLEVEL: Final = re.compile(r'^#define\s+PY_VERSION\s+"([^"]+)"', re.MULTILINE)
_MOST_LINKS: Final = 40
"""As many links as the kernel follows before it says ELOOP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Why a place gives no Python to run tests with."""

    reason: str
    remedy: str = ""
    must_be_mended: bool = False
    """It is plainly the right one, so taking another in its stead would only confuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """One interpreter with the folders that it needs."""

    executable: Path
    """As the developer would call it; its last links are not followed."""
    real: Path
    """The program file after all links, of the base installation if this is a virtualenv."""
    tag: str
    """Name of the library folder, such as `python3.11` or `python3.13t`."""
    version: str
    """`3.11.7`, or `3.11` where the installation does not say more."""
    prefix: Path
    """Folder of the virtualenv, or of the installation."""
    base: Path
    """Real folder of the installation; the same as `prefix` without a virtualenv."""
    hops: tuple[Path, ...]
    """Every path on the way from `executable` to `real` that must exist for it to start."""
    sees_base_sites: bool
    """Whether imports also look into the site folders of the installation."""

    @property
    def is_virtual(self) -> bool:
        """Whether this is a virtualenv."""
        return is_file(self.prefix / "pyvenv.cfg")

    @property
    def library(self) -> Path:
        """Folder of the standard library."""
        return self.base / "lib" / self.tag


def inspect_executable(executable: Path) -> Python | Unusable:
    """Read the Python that would start under this path."""
    hops = _follow(executable)
    if not is_file(hops[-1]):
        return Unusable(
            reason=f"{executable} leads to {hops[-1]}, which is not there",
            remedy=f"python3 -m venv --clear {executable.parent.parent}",
        )
    prefix = executable.parent.parent
    settings = read_pyvenv(prefix)
    real = follow(executable)
    if settings and real.parent == follow(prefix / "bin"):
        copied_from = _base_of_copy(settings)
        if copied_from is None:
            home = settings.get("home", "")
            return Unusable(
                reason=f"the Python it was made from ({home or 'not named'}) is not there",
                remedy=f"python3 -m venv --clear {prefix}",
            )
        hops = (*hops, *_follow(copied_from))
        real = follow(copied_from)
    elif settings and settings.get("home"):
        hops = (*hops, Path(settings["home"]) / real.name)
    if not _is_program(real):
        return Unusable(reason=f"{executable} is a script that only starts another Python")
    return _describe(executable, real, hops, settings)


def _describe(
    executable: Path, real: Path, hops: tuple[Path, ...], settings: dict[str, str]
) -> Python | Unusable:
    """Complete the record from what the installation's folders say."""
    base = real.parent.parent
    tag = _library_tag(base, real.name)
    if tag is None:
        return Unusable(reason=f"{base} holds no standard library that belongs to {real.name}")
    version = _full_version(base, tag, settings)
    if version_pair(tag) < OLDEST:
        return Unusable(reason=f"is Python {version}; 3.8 or newer is needed")
    return Python(
        executable=executable,
        real=real,
        tag=tag,
        version=version,
        prefix=executable.parent.parent if settings else base,
        base=base,
        hops=tuple(dict.fromkeys(hops)),
        sees_base_sites=settings.get("include-system-site-packages", "true").lower() == "true",
    )


def _follow(path: Path) -> tuple[Path, ...]:
    """Return the path and what each of its last links leads to, in order."""
    hops = [path]
    while is_link(path) and len(hops) < _MOST_LINKS:
        path = Path(os.path.normpath(path.parent / path.readlink()))
        hops.append(path)
    return tuple(hops)


def read_pyvenv(prefix: Path) -> dict[str, str]:
    """Return the settings of a virtualenv, keys in lower case; empty where there is none."""
    try:
        text = (prefix / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip().lower(): value.strip() for key, found, value in pairs if found}


def _base_of_copy(settings: dict[str, str]) -> Path | None:
    """Return the interpreter that a virtualenv made with `--copies` was made from."""
    home = Path(settings.get("home", ""))
    if not home.is_absolute():
        return None
    version = settings.get("version") or settings.get("version_info", "3")
    short = ".".join(version.split(".")[:2])
    names = (f"python{short}", "python3", "python", f"pypy{short}", "pypy3")
    return next((home / name for name in names if is_file(home / name)), None)


def _is_program(path: Path) -> bool:
    """Whether the file is machine code, not a shim script."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False


def _library_tag(base: Path, program: str) -> str | None:
    """Return the name of the library folder below `base/lib` that this program uses."""
    if _TAGGED.match(program) and is_file(base / "lib" / program / "os.py"):
        return program
    names = names_in(base / "lib")
    tags = [n for n in names if _TAGGED.match(n) and is_file(base / "lib" / n / "os.py")]
    return tags[0] if len(tags) == 1 else None


def _full_version(base: Path, tag: str, settings: dict[str, str]) -> str:
    """Return the version to the last digit where the headers or the virtualenv know it."""
    short = "{}.{}".format(*version_pair(tag))
    try:
        header = (base / "include" / tag / "patchlevel.h").read_text(encoding="utf-8")
    except OSError:
        header = ""
    if found := _PATCHLEVEL.search(header):
        return found[1]
    noted = settings.get("version") or settings.get("version_info", "")
    return ".".join(noted.split(".")[:3]) if noted.startswith(f"{short}.") else short


def version_pair(tag: str) -> tuple[int, int]:
    """Return major and minor version of a library folder's name."""
    found = re.search(r"(\d+)\.(\d+)", tag)
    return (int(found[1]), int(found[2])) if found else (0, 0)
