"""The import contracts of pyproject.toml hold, and each of them bites."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.setup_wheel import ROOT

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for package in ("agent", "sandbox", "lsp_server"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(checkout: Path) -> "subprocess.CompletedProcess[str]":
    # `-P` and the working directory: the copy is looked at, not the installed packages.
    return subprocess.run(
        [sys.executable, str(LINT_IMPORTS), "--no-logo", "--no-cache"],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        text=True,
        capture_output=True,
        check=False,
    )


def test_contracts_are_kept(checkout):
    done = lint(checkout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("sandbox/planted.py", "import agent.task", "packages: lsp_server > agent > sandbox"),
        ("agent/edits/planted.py", "import agent.workspace.base", "every module has its layer"),
        ("agent/planted.py", "", "planted"),
        ("agent/verify/planted.py", "import docker", "docker has one home"),
        ("agent/repair/planted.py", "import git", "GitPython has one home"),
        ("agent/repair/planted.py", "import tree_sitter", "tree-sitter has one home"),
        ("lsp_server/planted.py", "import agent.repair", "enters by the front door"),
        ("lsp_server/planted.py", "import sandbox.base", "enters by the front door"),
    ],
)
def test_a_planted_violation_is_found(checkout, module, line, contract):
    (checkout / module).write_text(f'"""Breaks a contract."""\n{line}\n')
    done = lint(checkout)
    assert done.returncode != 0
    assert contract in done.stdout + done.stderr
