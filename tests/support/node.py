"""Installs and starts programs of Node.js that tests talk to."""

import fcntl
import hashlib
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
AIMOCK = ROOT / "tests" / "data" / "aimock"
START_S = 20.0


def install_locked(source: Path, name: str) -> Path:
    """Return the folder with the locked packages of `source`; installs them the first time."""
    lock = (source / "package-lock.json").read_bytes()
    folder = ROOT / ".cache" / f"{name}-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / f"{name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(source / file, folder)
            npm = ROOT / ".cache" / "node" / "bin" / "npm"
            subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=folder,
                check=True,
                timeout=180,
            )
            (folder / "done").touch()
    return folder


@contextmanager
def running_aimock() -> Generator[str, None, None]:
    """Start aimock over the fixtures of tests/data/aimock and give its base URL."""
    program = (
        install_locked(AIMOCK, "aimock")
        / "node_modules"
        / "@copilotkit"
        / "aimock"
        / "dist"
        / "cli.js"
    )
    node = ROOT / ".cache" / "node" / "bin" / "node"
    options = ["--port", "0", "--strict", "--validate-on-load"]
    process = subprocess.Popen(
        [node, program, *options, "--fixtures", AIMOCK / "fixtures.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield f"{_address(process)}/v1"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        line = process.stdout.readline()
        said += line
        if "listening on " in line:
            return line.partition("listening on ")[2].strip()
        if not line:
            break
    raise AssertionError(f"aimock does not start: {said}")
