"""A real VS Code for tests: where it is installed, our extension packaged, and its server started.

Knows processes and folders; what is done in a window of it is in `tests.support.workbench`.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"
VSIX = EXTENSION / "build" / "greenloop.vsix"
HARNESS = ROOT / "tests" / "editors" / "vscode"
SERVER = Path(sys.executable).with_name("greenloop-lsp")
PATIENCE_S = 60.0

QUIET = {
    "telemetry.telemetryLevel": "off",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.enableExperiments": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.reduceMotion": "on",
    "chat.disableAIFeatures": True,
    "chat.commandCenter.enabled": False,
    "extensions.ignoreRecommendations": True,
    "extensions.autoCheckUpdates": False,
    "update.mode": "none",
    "git.openRepositoryInParentFolders": "never",
    "security.workspace.trust.enabled": False,
    "files.autoSave": "off",
    "editor.lightbulb.enabled": "on",
    "editor.cursorBlinking": "solid",
    "editor.minimap.enabled": False,
    "window.restoreWindows": "none",
    "files.simpleDialog.enable": True,
    "remote.autoForwardPorts": False,
}
"""Settings of a user who wants nothing but their code on the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Programs that `.ci/vscode` has installed."""

    folder: Path
    browser: Path

    @property
    def node(self) -> Path:
        """The interpreter of code-server and of the driver."""
        return self.folder / "bin" / "node"

    @property
    def code_server(self) -> list[str]:
        """How code-server is started."""
        entry = self.folder / "node_modules" / "code-server" / "out" / "node" / "entry.js"
        return [str(self.node), str(entry)]

    @property
    def playwright(self) -> Path:
        """The module that drives the browser."""
        return self.folder / "node_modules" / "playwright-core" / "index.js"


def install() -> Installation:
    """Return the pinned VS Code; installs it the first time."""
    script = ROOT / ".ci" / "vscode"
    subprocess.run([script], check=True, timeout=600, stdin=subprocess.DEVNULL)

    def ask(what: str) -> Path:
        answer = subprocess.run([script, what], check=True, capture_output=True, text=True)
        return Path(answer.stdout.strip())

    return Installation(folder=ask("folder"), browser=ask("browser"))


def package_extension() -> Path:
    """Return the extension as a package that is not older than any of its sources."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with (ROOT / ".cache" / "vsix.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not VSIX.exists() or VSIX.stat().st_mtime < _newest_source():
            subprocess.run([ROOT / ".ci" / "extension", "package"], check=True, timeout=600)
    return VSIX


def _newest_source() -> float:
    listed = subprocess.run(
        ["git", "-C", str(EXTENSION), "ls-files", "-z"], check=True, capture_output=True, text=True
    )
    files = [EXTENSION / name for name in listed.stdout.split("\0") if name]
    return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeServer:
    """A server of workbenches that runs, and the folders that it lives in."""

    installation: Installation
    address: str
    home: Path

    @property
    def user(self) -> Path:
        """Where a user's settings lie."""
        return self.home / "user" / "User"

    @property
    def trace(self) -> Path:
        """The file that our extension tells what it does."""
        return self.home / "trace.jsonl"

    @property
    def probes(self) -> Path:
        """Where the extension hosts leave their addresses."""
        return self.home / "probes"

    @property
    def state(self) -> Path:
        """Greenloop's own state folder."""
        return self.home / "xdg-state" / "greenloop"

    @property
    def config(self) -> Path:
        """Greenloop's own configuration file."""
        return self.home / "xdg-config" / "greenloop" / "config.toml"

    def settle(self, **settings: object) -> None:
        """Write the user's settings anew, and forget what windows have left."""
        for name in ("workspaceStorage", "Backups", "History"):
            shutil.rmtree(self.user / name, ignore_errors=True)
        shutil.rmtree(self.user.parent / "Machine", ignore_errors=True)
        self.user.mkdir(parents=True, exist_ok=True)
        values = {**QUIET, "greenloop.server.path": str(SERVER), **settings}
        (self.user / "settings.json").write_text(json.dumps(values, indent=2))


@contextmanager
def running_code_server(
    home: Path, *, extension: Path | None, variables: Mapping[str, str] | None = None
) -> Generator[CodeServer, None, None]:
    """Start a server with our extension in it; what it started is gone afterwards."""
    installation = install()
    shutil.copytree(HARNESS / "probe", home / "extensions" / "probe")
    environment = _environment(home, variables or {})
    options = [
        *("--user-data-dir", str(home / "user")),
        *("--extensions-dir", str(home / "extensions")),
    ]
    if extension is not None:
        subprocess.run(
            [*installation.code_server, *options, "--install-extension", str(extension)],
            env=environment,
            check=True,
            timeout=120,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
    port = _free_port()
    log = (home / "code-server.log").open("w")
    process = subprocess.Popen(
        [
            *installation.code_server,
            *options,
            *("--auth", "none", "--bind-addr", f"127.0.0.1:{port}"),
            "--disable-telemetry",
            "--disable-update-check",
            "--disable-getting-started-override",
            "--disable-proxy",
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    server = CodeServer(installation=installation, address=f"http://127.0.0.1:{port}", home=home)
    try:
        server.settle()
        _wait_until_it_answers(server.address, process, home / "code-server.log")
        yield server
    finally:
        _end_with_children(process)
        log.close()


def _environment(home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return our own variables, with every place where things are kept in a folder of the test."""
    (home / "probes").mkdir()
    places = {
        "HOME": home / "home",
        "XDG_CONFIG_HOME": home / "xdg-config",
        "XDG_STATE_HOME": home / "xdg-state",
        "XDG_DATA_HOME": home / "xdg-data",
        "XDG_CACHE_HOME": home / "xdg-cache",
        "GREENLOOP_TRACE": home / "trace.jsonl",
        "WORKBENCH_PROBES": home / "probes",
    }
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    # No server but the one that the settings name can be found.
    path = [
        each
        for each in kept.get("PATH", "").split(os.pathsep)
        if not (Path(each) / SERVER.name).exists()
    ]
    kept["PATH"] = os.pathsep.join(path)
    for folder in places.values():
        if folder.suffix != ".jsonl":
            folder.mkdir(exist_ok=True)
    return {**kept, **{name: str(place) for name, place in places.items()}, **variables}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"code-server does not start: {log.read_text()[-2000:]}")


def _end_with_children(process: "subprocess.Popen[bytes]") -> None:
    """End the server; what it started is in its session and ends with it."""
    os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
