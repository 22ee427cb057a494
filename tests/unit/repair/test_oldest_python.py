"""The scripts that run inside a sandbox, on the oldest Python that is served."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.repair.validate.fork_server import PACKAGE, inside_files

SCRIPT = """
import importlib, sys
from unittest.mock import MagicMock
for name in ("pytest", "_pytest", "_pytest.nodes", "_pytest.runner", "_pytest.assertion",
             "_pytest.assertion.rewrite"):
    sys.modules[name] = MagicMock()  # the repository's own, inside
sys.path.insert(0, {tools!r})
for name in {names!r}:
    importlib.import_module(name)
"""
PYTHONS = [
    sys.executable,
    *(str(path) for path in Path(sys.base_prefix).parent.glob("3.8*/bin/python3")),
]


@pytest.mark.parametrize("python", PYTHONS)
def test_every_script_can_be_imported(tmp_path: Path, python: str) -> None:
    for name, data in inside_files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    names = [f"{PACKAGE}.{path.stem}" for path in sorted((tmp_path / PACKAGE).glob("[!_]*.py"))]
    script = SCRIPT.format(tools=str(tmp_path), names=names)
    done = subprocess.run(
        [python, "-B", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
