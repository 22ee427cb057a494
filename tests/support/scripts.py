"""Repositories in JavaScript and TypeScript, with the runners that their tests need."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.support.node import install_locked
from tests.support.repos import git

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "repair_js"


def installed_runners() -> Path:
    """Return the folder `node_modules` with the locked jest, mocha and vitest; made once."""
    return install_locked(DATA, "runners") / "node_modules"


def a_package(name: str, top: Path, changes: Mapping[str, str] | None = None) -> Path:
    """A repository with the package of that name; its modules are those of all of them."""
    shutil.copytree(DATA / name, top)
    for path, text in (changes or {}).items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    (top / ".gitignore").write_text("node_modules\n")
    git(top, "init", "--quiet")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "-m", "work")
    if name != "node":
        shutil.copytree(
            installed_runners(), top / "node_modules", symlinks=True, copy_function=_linked
        )
    return top


def _linked(source: str, target: str) -> None:
    """Make one more name of a file where both lie on one disk; nobody writes into either."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def variables_of_node() -> dict[str, str]:
    """Return the variables of a developer who has the node of these tests on the PATH."""
    node = ROOT / ".cache" / "node" / "bin"
    return {"PATH": f"{node}{os.pathsep}{os.defpath}", "HOME": str(Path.home())}
