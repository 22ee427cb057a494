"""A window of a real VS Code, as its user and as a witness see it.

A user has keys, a mouse and a screen: `Window.press`, `click`, `texts`. A witness has facts: what
the extension traced (`Window.trace`) and what the window's extension host knows (`Window.ask`).
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.code_server import HARNESS, CodeServer

PATIENCE_S = 60.0
"""How long anything may take on a busy machine before a test gives up on it."""
STEP_S = 0.05


class Driver:
    """The browser, by way of driver.mjs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._answers: queue.Queue[str] = queue.Queue()
        self._last = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def end(self) -> None:
        """Close what is left of a process that has ended."""
        self._reader.join(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def do(self, what: str, **rest: object) -> Any:
        """Carry one thing out in the browser and return what came of it."""
        self._last += 1
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": self._last, "do": what, **rest}) + "\n")
        self._process.stdin.flush()
        line = self._answers.get(timeout=PATIENCE_S * 2)
        assert line, "the driver has ended"
        answer = json.loads(line)
        assert answer["id"] == self._last
        if "error" in answer:
            raise AssertionError(f"{what} {rest}: {answer['error']}")
        return answer["value"]


@contextmanager
def running_driver(server: CodeServer) -> Generator[Driver, None, None]:
    """Start the browser of a server's windows."""
    log = (server.home / "driver.log").open("w")
    installation = server.installation
    process = subprocess.Popen(
        [
            str(installation.node),
            str(HARNESS / "driver.mjs"),
            str(installation.playwright),
            str(installation.browser),
        ],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, "HOME": str(server.home / "home")},
    )
    driver = Driver(process)
    try:
        yield driver
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
        driver.end()
        log.close()


class Trace:
    """What the extension wrote since a window was opened, oldest first."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._from = file.stat().st_size if file.exists() else 0

    def all(self, **wanted: object) -> list[dict[str, Any]]:
        """Return the entries that have all of these values."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as stream:
            stream.seek(self._from)
            lines = stream.read().split(b"\n")[:-1]
        entries = [json.loads(line) for line in lines]
        return [each for each in entries if fits(each, wanted)]

    def wait(
        self, timeout_s: float = PATIENCE_S, *, nth: int = 1, **wanted: object
    ) -> dict[str, Any]:
        """Wait for the nth entry with these values."""
        until_true(
            lambda: len(self.all(**wanted)) >= nth,
            f"no {nth}. entry with {wanted}",
            timeout_s,
            more=lambda: "\n".join(json.dumps(each)[:300] for each in self.all()[-40:]),
        )
        return self.all(**wanted)[nth - 1]


def fits(entry: Mapping[str, Any], wanted: Mapping[str, object]) -> bool:
    """Say whether an entry has these values; `a__b` is the value of b within a.

    A function as value is asked.
    """
    for path, value in wanted.items():
        found: Any = entry
        for name in path.split("__"):
            found = found.get(name) if isinstance(found, dict) else None
        if not (value(found) if callable(value) else found == value):
            return False
    return True


def until_true(
    condition: Callable[[], object],
    otherwise: str,
    timeout_s: float = PATIENCE_S,
    *,
    more: Callable[[], object] = str,
) -> None:
    """Wait for a condition; give up with what is said otherwise."""
    until = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{otherwise} within {timeout_s:.0f} s\n{more()}")
        time.sleep(STEP_S)


class Window:
    """One window on one folder."""

    def __init__(self, driver: Driver, server: CodeServer, folder: Path | None) -> None:
        self.driver = driver
        self.server = server
        self.folder = folder
        self.trace = Trace(server.trace)
        self._host: dict[str, Any] = {}

    # What a user does and sees.

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, as `Control+Shift+P`."""
        self.driver.do("press", keys=keys)

    def type(self, text: str) -> None:
        """Type."""
        self.driver.do("type", text=text)

    def click(self, selector: str, timeout_s: float = PATIENCE_S, **how: object) -> None:
        """Click on the first thing that fits, as soon as it is there."""
        self.driver.do("click", selector=selector, timeout=timeout_s * 1000, **how)

    def click_above(self, line: str, link: str, timeout_s: float = PATIENCE_S) -> None:
        """Click on a code lens right above a line of an editor that holds this text."""
        self.driver.do("clickAbove", line=line, link=link, timeout=timeout_s * 1000)

    def hover(self, selector: str) -> None:
        """Put the mouse there."""
        self.driver.do("hover", selector=selector, timeout=PATIENCE_S * 1000)

    def see(self, selector: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until something that fits is visible."""
        self.driver.do("wait", selector=selector, state="visible", timeout=timeout_s * 1000)

    def see_gone(self, selector: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until nothing that fits is visible."""
        self.driver.do("wait", selector=selector, state="hidden", timeout=timeout_s * 1000)

    def texts(self, selector: str) -> list[str]:
        """Return the visible text of everything that fits."""
        return list(self.driver.do("texts", selector=selector))

    def palette(self, command: str) -> None:
        """Run a command from the palette, by its title."""
        self.press("F1")
        self.see(".quick-input-widget .monaco-list-row")
        self.type(command)
        row = f'.quick-input-widget .monaco-list-row.focused:has-text("{command}")'
        self.see(row)
        self.press("Enter")

    def pick(self, text: str) -> None:
        """Choose an entry of the list that is open."""
        self.click(f'.quick-input-widget .monaco-list-row:has-text("{text}")')

    def press_button(self, text: str) -> None:
        """Press a button of a notification or a dialog."""
        self.click(
            f'.notification-toast .monaco-button:has-text("{text}"),'
            f' .monaco-dialog-box .monaco-button:has-text("{text}")'
        )

    def screenshot(self, path: Path) -> None:
        """Keep what is on the screen."""
        self.driver.do("screenshot", path=str(path))

    # What a witness knows.

    def ask(self, what: str, **rest: object) -> Any:
        """Ask the window's extension host."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._host['port']}/",
            data=json.dumps({"ask": what, **rest}).encode(),
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            answer = json.loads(response.read())
        if "error" in answer:
            raise AssertionError(f"{what} {rest}: {answer['error']}")
        return answer["value"]

    def show(self, file: Path, line: int = 0, **place: int) -> None:
        """Open a file with the cursor on a line, which counts from 0."""
        self.ask("show", file=str(file), line=line, **place)

    def text(self, file: Path) -> str:
        """Return what the editor holds of a file."""
        found = self.ask("document", uri=file.as_uri())
        assert found is not None, f"{file} is not open"
        return str(found["text"]).replace("\r\n", "\n")

    def is_unsaved(self, file: Path) -> bool:
        """Say whether the editor holds changes of a file that the disk has not."""
        found = self.ask("document", uri=file.as_uri())
        return bool(found and found["dirty"])

    def language_server(self) -> int:
        """Return the process id of this window's language server, as soon as there is one."""
        until_true(
            lambda: children_of(self.host_pid, "greenloop-lsp"),
            "no language server",
            more=lambda: "\n".join(json.dumps(each)[:300] for each in self.trace.all()[-20:]),
        )
        return children_of(self.host_pid, "greenloop-lsp")[0]

    @property
    def host_pid(self) -> int:
        """Process id of the window's extension host."""
        return int(self._host["pid"])

    # From beginning to end.

    def open(self, size: tuple[int, int] = (1280, 800)) -> None:
        """Open it, and wait until its extensions run."""
        before = self._hosts()
        where = (
            "ew=true" if self.folder is None else f"folder={urllib.parse.quote(str(self.folder))}"
        )
        width, height = size
        self.driver.do("open", url=f"{self.server.address}/?{where}", width=width, height=height)
        self.see(".monaco-workbench")
        until_true(lambda: self._hosts() - before, "no extension host answers")
        self._found(self._hosts() - before)

    def _hosts(self) -> set[Path]:
        return set(self.server.probes.glob("*.json"))

    def _found(self, files: Sequence[Path] | set[Path]) -> None:
        (file,) = files
        self._host = {**json.loads(file.read_text()), "pid": int(file.stem)}

    def close(self) -> None:
        """Close it, and wait until its extension host is gone."""
        self.driver.do("close")
        if not self._host:
            return
        try:
            until_true(lambda: not _is_alive(self.host_pid), "the extension host stays")
        finally:
            _kill(self.host_pid)
        (self.server.probes / f"{self.host_pid}.json").unlink(missing_ok=True)


def children_of(pid: int, name: str) -> list[int]:
    """Return the direct children of a process whose command line holds this name."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == pid and name in (folder / "cmdline").read_text():
                    found.append(int(folder.name))
    return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def open_window(
    driver: Driver, server: CodeServer, folder: Path | None, *, evidence: Path, **settings: object
) -> Generator[Window, None, None]:
    """Open a fresh window with these settings of the user; after a failure leave evidence."""
    server.settle(**settings)
    window = Window(driver, server, folder)
    try:
        window.open()
        yield window
    except BaseException:
        _leave(window, evidence)
        raise
    finally:
        window.close()


def _leave(window: Window, evidence: Path) -> None:
    evidence.mkdir(parents=True, exist_ok=True)
    try:
        window.screenshot(evidence / "screen.png")
        said = "\n".join(window.driver.do("console"))
        (evidence / "console.txt").write_text(said)
    except (AssertionError, queue.Empty) as problem:
        (evidence / "no-screen.txt").write_text(str(problem))
    lines = [json.dumps(each) for each in window.trace.all()]
    (evidence / "trace.jsonl").write_text("\n".join(lines) + "\n")
