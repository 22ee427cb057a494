"""The installed `greenloop` command, run as a developer runs it, and what it left behind."""

import hashlib
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.projects import make_repository

GREENLOOP = Path(sys.executable).with_name("greenloop")
PASSED_ON = ("DOCKER_", "COVERAGE_", "COV_")
"""Beginnings of the variables that reach the command: how to find the engine, and coverage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that was printed."""
        return self.out + self.err

    @property
    def answer(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        answer = json.loads(self.out)
        assert isinstance(answer, dict)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A developer's machine: a home, an activated environment, a state folder."""

    home: Path
    venv: Path

    @property
    def state(self) -> Path:
        """Where journals, bases and receipts go."""
        return self.home / "state"

    def variables(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a command; nothing of ours but what the engine needs."""
        passed = {k: v for k, v in os.environ.items() if k.startswith(PASSED_ON)}
        config = Path.home() / ".docker"
        if config.is_dir():
            passed.setdefault("DOCKER_CONFIG", str(config))
        return {
            "PATH": f"{self.venv / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.state),
            "VIRTUAL_ENV": str(self.venv),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLUMNS": "100",
            **passed,
            **(extra or {}),
        }

    def run(
        self,
        repo: Path,
        *arguments: str,
        extra: Mapping[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
    ) -> Done:
        """Run `greenloop` in a repository to its end."""
        done = subprocess.run(
            [*wrapper, str(GREENLOOP), *arguments],
            cwd=repo,
            env=self.variables(extra),
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=280,
            check=False,
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def start(
        self, repo: Path, *arguments: str, extra: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start `greenloop` as the leader of its own process group, as a shell does."""
        return subprocess.Popen(
            [str(GREENLOOP), *arguments],
            cwd=repo,
            env=self.variables(extra),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )

    def run_in_terminal(self, repo: Path, *arguments: str) -> Done:
        """Run `greenloop` with a terminal as stdin, stdout and stderr."""
        master, slave = pty.openpty()
        with subprocess.Popen(
            [str(GREENLOOP), *arguments],
            cwd=repo,
            env=self.variables(),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        ) as process:
            os.close(slave)
            pieces = []
            while piece := _read(master):
                pieces.append(piece)
            os.close(master)
        return Done(code=process.returncode, out=b"".join(pieces).decode(), err="")

    def run_dirs(self) -> list[Path]:
        """Return the folders of all runs, oldest first."""
        return sorted((self.state / "greenloop" / "runs").iterdir())


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # Linux: EIO once the last process has closed the other end
        return b""


def make_project(folder: Path, files: Mapping[str, str]) -> Path:
    """Make a git repository with the files given, committed."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / ".gitignore").write_text(".venv/\n__pycache__/\n.pytest_cache/\n")
    make_repository(folder)
    return folder


def fingerprint(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return every path below a folder, `.git` included, with all that a change would change."""
    seen: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        facts = path.lstat()
        what: object = None
        if stat.S_ISREG(facts.st_mode):
            what = hashlib.sha256(path.read_bytes()).hexdigest()
        elif stat.S_ISLNK(facts.st_mode):
            what = str(path.readlink())
        seen[str(path.relative_to(folder))] = (facts.st_mode, facts.st_mtime_ns, what)
    return seen


def containers_of(run: str) -> list[str]:
    """Return the containers of one run, running or not."""
    import docker

    client = docker.from_env(timeout=30)
    try:
        return [
            str(box["Id"])
            for box in client.api.containers(all=True)
            if run in (box.get("Labels") or {}).values()
        ]
    finally:
        client.close()


def interrupt(process: "subprocess.Popen[str]") -> None:
    """Press Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Poll until something that another process does has happened; fail when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
