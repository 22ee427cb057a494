"""Repositories to work on, each with an environment of its own that holds pytest and no more."""

import shutil
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")


def make_environment(repo: Path) -> Path:
    """Make `.venv` in a repository, with pytest copied from our own environment; no network."""
    venv.create(repo / ".venv", with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = repo / ".venv" / "lib" / version / "site-packages"
    for name in PYTEST:
        for file in distribution(name).files or ():
            if ".." in file.parts or "__pycache__" in file.parts:
                continue
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)
    return repo / ".venv"


def git(repo: Path, *arguments: str) -> str:
    """Run git as somebody who has configured nothing; return what it printed."""
    done = subprocess.run(
        [
            *(
                "git",
                "-C",
                str(repo),
                "-c",
                "user.name=A Developer",
                "-c",
                "user.email=dev@example.org",
            ),
            *("-c", "init.defaultBranch=main", "-c", "commit.gpgSign=false", *arguments),
        ],
        check=True,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout


def make_repository(folder: Path, message: str = "Import") -> None:
    """Make a git repository of a folder and commit all that its `.gitignore` does not name."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
