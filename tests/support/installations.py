"""Builds the files of Python installations, virtualenvs and installed packages.

Nothing here can run: the program is only a file that begins like one. What decides on the host is
read from files, so files are enough to test it.
"""

import json
from pathlib import Path

ELF = b"\x7fELF not really"


def make_installation(prefix: Path, version: str = "3.12.1", *, patchlevel: bool = True) -> Path:
    """Make an installation as `make install` leaves it; return its `python3`."""
    tag = "python" + ".".join(version.split(".")[:2])
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / tag).write_bytes(ELF)
    (prefix / "bin" / tag).chmod(0o755)
    for name in ("python3", "python"):
        (prefix / "bin" / name).symlink_to(tag)
    library = prefix / "lib" / tag
    (library / "site-packages").mkdir(parents=True)
    (library / "os.py").write_text("")
    (library / "unittest").mkdir()
    (library / "unittest" / "__init__.py").write_text("")
    if patchlevel:
        headers = prefix / "include" / tag
        headers.mkdir(parents=True)
        headers.joinpath("patchlevel.h").write_text(f'#define PY_VERSION  "{version}"\n')
    return prefix / "bin" / "python3"


def make_virtualenv(
    prefix: Path, base: Path, *, system_sites: bool = False, copies: bool = False, more: str = ""
) -> Path:
    """Make a virtualenv of an installation, as `python -m venv` does; return its site folder."""
    tag = next((base / "lib").glob("python3.*")).name
    (prefix / "bin").mkdir(parents=True)
    if copies:
        (prefix / "bin" / "python").write_bytes(ELF)
    else:
        (prefix / "bin" / "python").symlink_to(base / "bin" / "python3")
    (prefix / "bin" / "python3").symlink_to("python")
    version = tag.removeprefix("python") + ".1"
    (prefix / "pyvenv.cfg").write_text(
        f"home = {base / 'bin'}\n"
        f"include-system-site-packages = {str(system_sites).lower()}\n"
        f"version = {version}\n{more}"
    )
    site = prefix / "lib" / tag / "site-packages"
    site.mkdir(parents=True)
    return site


def install(site: Path, name: str = "pytest", version: str = "8.3.2") -> Path:
    """Install a package of one file; return its folder."""
    package = site / name
    package.mkdir()
    (package / "__init__.py").write_text("")
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    return package


def install_editable(site: Path, name: str, project: Path) -> None:
    """Leave the record of an editable install; the `.pth` is written by the test."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    record = {"dir_info": {"editable": True}, "url": f"file://{project}"}
    (info / "direct_url.json").write_text(json.dumps(record))
