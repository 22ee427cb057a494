"""Small container images, made of what this machine has; no registry is asked."""

import io
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

SHELL = ("sh", "cat", "chmod", "env", "head", "ls", "mkdir", "rm", "sleep", "true")
PYTEST = ("pytest-", "pytest/", "_pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments")
"""Beginnings of names, so that a package's metadata comes along."""
LEFT_OUT = re.compile(r"/(__pycache__|test|tests|idlelib|tkinter|ensurepip|site-packages|config-)")


def image_of_programs(programs: Sequence[str]) -> bytes:
    """A tar of programs of this machine with the libraries that they load."""
    return _tar(_programs(programs))


def image_with_pytest() -> bytes:
    """A tar with a shell, this Python with its standard library, and pytest."""
    python = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    here = Path(sysconfig.get_path("purelib"))
    packages = [
        (each, library / "site-packages" / each.relative_to(here))
        for name in PYTEST
        for found in here.glob(f"{name}*")
        for each in (found.rglob("*") if found.is_dir() else [found])
    ]
    files = [(each, each) for each in library.rglob("*")] + packages
    kept = [
        (source, str(target).lstrip("/"))
        for source, target in files
        if source.is_file() and (source.is_relative_to(here) or not _is_left_out(source, library))
    ]
    native = [source for source, _ in kept if source.suffix == ".so"]
    return _tar(
        [
            *_programs(SHELL),
            *kept,
            (python, str(python).lstrip("/")),
            *_libraries([python, *native]),
        ],
        links={"usr/bin/python3": str(python)},
    )


def _is_left_out(path: Path, library: Path) -> bool:
    return bool(LEFT_OUT.search(f"/{path.relative_to(library)}"))


def _programs(names: Sequence[str]) -> list[tuple[Path, str]]:
    found = [Path(shutil.which(name, path="/usr/bin:/bin") or name).resolve() for name in names]
    named = [(path, f"bin/{name}") for name, path in zip(names, found, strict=True)]
    return [*named, *_libraries(found)]


def _libraries(files: Iterable[Path]) -> list[tuple[Path, str]]:
    loaded = subprocess.run(
        ["ldd", *map(str, files)], capture_output=True, check=False, text=True
    ).stdout
    names = sorted(set(re.findall(r"(/\S+) \(0x", loaded)))
    return [(Path(name), name.lstrip("/")) for name in names]


def _tar(files: Iterable[tuple[Path, str]], links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as archive:
        for name, source in {name: source for source, name in files}.items():
            archive.add(source, name, recursive=False)
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    return buffer.getvalue()
