"""Environments and work trees of single commits, below a cache folder.

An environment is made once for an interpreter with requirements and kept. A work tree gets a
`.venv` of its own with hard links to it, where the library counts as installed from that tree.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.places.clones import Clone, write_out

DONE: Final = ".greenloop-done"


class EnvironmentUnusable(Exception):
    """An environment cannot be made; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An environment that is there."""

    folder: Path
    python: Path

    @property
    def packages(self) -> Path:
        """Its `site-packages`."""
        return _packages(self.folder)


def environment(cache: Path, python: str, requirements: Sequence[str]) -> Installed:
    """Return the environment, made now if it is not there yet.

    Raises: EnvironmentUnusable.
    """
    name = hashlib.sha256("\n".join((python, *requirements)).encode()).hexdigest()[:12]
    folder = cache / "environments" / f"{python}-{name}"
    interpreter = interpreter_of(python)
    if not (folder / DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([str(interpreter), "-m", "venv", "--without-pip", str(folder)])
        uv = str(Path(sys.executable).parent / "uv")
        _run([uv, "pip", "install", "--quiet", f"--python={folder / 'bin/python'}", *requirements])
        (folder / DONE).touch()
    return Installed(folder=folder, python=interpreter)


def interpreter_of(python: str) -> Path:
    """Return the interpreter of a version such as `3.12`.

    Raises: EnvironmentUnusable.
    """
    root = Path.home() / ".pyenv" / "versions"
    found = sorted(root.glob(f"{python}.*/bin/python{python}"))
    if found:
        return found[-1]
    on_path = shutil.which(f"python{python}")
    if on_path is None:
        raise EnvironmentUnusable(f"no Python {python}; install it with pyenv and run this again")
    return Path(on_path)


def lay_out(
    clone: Clone,
    commit: str,
    tree: Path,
    installed: Installed,
    package: str,
    *,
    old: tuple[str, ...],
) -> None:
    """Write the files of a commit, the named ones as before it, and an environment beside them."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    write_out(clone, commit, tree, old=old)
    venv = tree / ".venv"
    _run([str(installed.python), "-m", "venv", "--without-pip", str(venv)])
    packages = _packages(venv)
    shutil.rmtree(packages)
    shutil.copytree(installed.packages, packages, copy_function=os.link)
    roots = [root for root in (tree / "src", tree) if root.is_dir()]
    (packages / "_tree.pth").write_text("".join(f"{root}\n" for root in roots))
    about = packages / f"{package.replace('-', '_')}-{version_at(clone, commit)}.dist-info"
    about.mkdir(exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {package}", f"Version: {version_at(clone, commit)}"]
    (about / "METADATA").write_text("\n".join(lines) + "\n")


def version_at(clone: Clone, commit: str) -> str:
    """Return the last released version before a commit; `0.0.0` where no tag tells."""
    try:
        tag = clone.git("describe", "--tags", "--abbrev=0", commit).strip()
    except subprocess.CalledProcessError:
        return "0.0.0"
    digits = tag.lstrip("vV").removeprefix("release-").replace("-", ".")
    return digits if digits[:1].isdigit() else "0.0.0"


def commit_tree(tree: Path) -> None:
    """Make a work tree a repository of its own with one commit; its environment is ignored."""
    git = ["git", "-C", str(tree), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    git += ["-c", "core.autocrlf=false", "-c", "commit.gpgsign=false", "-c", "gc.auto=0"]
    _run([*git, "init", "-q"])
    (tree / ".git" / "info").mkdir(exist_ok=True)
    (tree / ".git" / "info" / "exclude").write_text(".venv/\n")
    _run([*git, "add", "-A", "-f", "--", ".", ":!.venv"])
    _run([*git, "commit", "-q", "--no-verify", "-m", "before"])


def _packages(folder: Path) -> Path:
    return next((folder / "lib").glob("python3*")) / "site-packages"


def _run(argv: Sequence[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentUnusable(f"{argv[0]}: {done.stderr.strip()[-400:]}")
