"""A real Neovim without a screen, driven from outside over its socket.

The Neovims are those that `.ci/nvim` unpacks. What is sent is Lua or keys; what comes back is JSON.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.product import Desk

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "editors" / "nvim"
SERVER = Path(sys.executable).with_name("greenloop-lsp")
VERSIONS = ("0.10", "0.12")
PATIENCE_S = 240.0
"""For anything that must happen; this machine may be busy."""

SETUP = """\
vim.o.swapfile = false
vim.o.shadafile = 'NONE'
_G.said = {}
vim.notify = function(text, level)
  table.insert(_G.said, { text = text, level = level or vim.log.levels.INFO })
end
_G.seen = { progress = {}, runs = {} }
"""
WATCH = """
vim.api.nvim_create_autocmd('LspProgress', {
  callback = function(event)
    local value = event.data.result and event.data.result.value or event.data.params.value
    local seen = { kind = value.kind, title = value.title, message = value.message }
    table.insert(_G.seen.progress, seen)
  end,
})
vim.api.nvim_create_autocmd('User', {
  pattern = 'GreenloopRunChanged',
  callback = function(event)
    table.insert(_G.seen.runs, event.data.line)
  end,
})
"""


def program(version: str) -> Path:
    """Return where `.ci/nvim` puts a Neovim."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "greenloop-tests" / f"nvim-{version}" / "nvim"


@dataclass(slots=True, kw_only=True)
class Neovim:
    """One editor."""

    version: str
    folder: Path
    """Its socket and the scripts that were sent lie here."""
    process: "subprocess.Popen[bytes]"
    sent: int = field(default=0)

    @property
    def socket(self) -> Path:
        return self.folder / "nvim.sock"

    def lua(self, chunk: str, **values: object) -> Any:
        """Run Lua, with `values` as locals, and return what it returns."""
        self.sent += 1
        script = self.folder / f"sent-{self.sent}.lua"
        given = "".join(
            f"local {name} = vim.json.decode([==[{json.dumps(value)}]==])\n"
            for name, value in values.items()
        )
        script.write_text(
            "local ok, value = xpcall(function()\n" + given + chunk + "\nend, debug.traceback)\n"
            "if value == nil and ok then value = vim.NIL end\n"
            "return vim.json.encode({ ok = ok, value = value })\n"
        )
        answer = json.loads(self._remote("--remote-expr", f"luaeval('dofile(_A)', '{script}')"))
        assert answer["ok"], answer["value"]
        return answer["value"]

    def command(self, text: str) -> None:
        """Run an Ex command as if it were typed; what it says is in `said`."""
        self.lua("vim.cmd(text)", text=text)

    def keys(self, keys: str) -> None:
        """Type keys, in the notation of mappings."""
        self._remote("--remote-send", keys)

    def wait(self, chunk: str, *, patience_s: float = PATIENCE_S, **values: object) -> Any:
        """Run Lua until it gives something true, and return that."""
        deadline = time.monotonic() + patience_s
        while not (found := self.lua(chunk, **values)):
            assert self.process.poll() is None, self.errors()
            assert time.monotonic() < deadline, f"waited in vain for {chunk}\n{self.report()}"
            time.sleep(0.05)
        return found

    def edit(self, path: Path) -> None:
        """Open a file, and wait until the server knows it."""
        self.lua("vim.cmd.edit(vim.fn.fnameescape(path))", path=str(path))
        self.wait("return #vim.lsp.get_clients({ name = 'greenloop', bufnr = 0 }) > 0")

    def go_to(self, text: str) -> None:
        """Put the cursor on the first place of a text in the current buffer."""
        found = self.lua(
            "for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do\n"
            "  local column = line:find(text, 1, true)\n"
            "  if column then\n"
            "    vim.api.nvim_win_set_cursor(0, { number, column - 1 })\n"
            "    return true\n"
            "  end\n"
            "end",
            text=text,
        )
        assert found, f"{text!r} is not in\n{self.text()}"

    def text(self) -> str:
        """Return the current buffer's lines."""
        lines = self.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, false)")
        return "".join(f"{line}\n" for line in lines)

    def said(self) -> list[str]:
        """Return what the person was told so far."""
        said = self.lua("return _G.said")
        return [each["text"] for each in said]

    def wait_said(self, part: str, *, patience_s: float = PATIENCE_S) -> str:
        """Wait until something is told that holds `part`; return it."""
        text = self.wait(
            "for _, each in ipairs(_G.said) do"
            "  if each.text:find(part, 1, true) then return each.text end "
            "end",
            part=part,
            patience_s=patience_s,
        )
        assert isinstance(text, str)
        return text

    def forget(self) -> None:
        """Forget what was said and seen so far."""
        self.lua("_G.said = {} _G.seen.progress = {} _G.seen.runs = {}")

    def errors(self) -> str:
        """Return what the editor itself printed."""
        return (self.folder / "nvim.log").read_text(errors="replace")

    def report(self) -> str:
        """Return what helps to understand a failure."""
        try:
            messages = self.lua("return vim.fn.execute('messages')")
            said = self.said()
        except (AssertionError, subprocess.SubprocessError) as problem:
            return f"{problem}\n{self.errors()}"
        return f"said: {said}\nmessages: {messages}\n{self.errors()}"

    def server_pid(self) -> int:
        """Return the process id of the language server."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        for child in " ".join(each.read_text() for each in children).split():
            line = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"greenloop-lsp" in line or b"lsp_server" in line:
                return int(child)
        raise AssertionError("no language server runs")

    def _remote(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(program(self.version)), "--server", str(self.socket), *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
            env=_surroundings(self.folder),
        )
        assert done.returncode == 0, f"{done.stderr}\n{self.errors()}"
        return done.stdout or done.stderr


def _surroundings(folder: Path) -> dict[str, str]:
    home = folder / "editor"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE")},
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_RUNTIME_DIR": str(home),
    }


def suite_passes(desk: Desk, repo: Path) -> bool:
    """Tell whether a repository's own tests pass on what is on disk."""
    done = subprocess.run(
        [str(desk.venv / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=repo,
        env=desk.variables(),
        capture_output=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout
    return done.returncode == 0


@contextmanager
def running(
    version: str,
    folder: Path,
    *,
    desk: Desk | None = None,
    cwd: Path | None = None,
    init: str = "require('greenloop').setup()",
    server: tuple[str, ...] = (str(SERVER),),
    variables: Mapping[str, str] | None = None,
) -> Generator[Neovim]:
    """Start an editor with the plugin and wait until it answers; at the end it is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    surroundings = _surroundings(folder)
    Path(surroundings["HOME"]).mkdir(mode=0o700, exist_ok=True)
    (folder / "init.lua").write_text(
        f"{SETUP}{WATCH}"
        f"vim.opt.runtimepath:prepend({json.dumps(str(PLUGIN))})\n"
        f"vim.g.greenloop = vim.tbl_extend('keep', vim.g.greenloop or {{}}, "
        f"{{ cmd = vim.json.decode([==[{json.dumps(server)}]==]) }})\n{init}\n"
    )
    # The server is the editor's child and gets its variables: the developer's, state folder too.
    own = {**desk.variables(), "XDG_CONFIG_HOME": str(desk.home / ".config")} if desk else {}
    variables = {**surroundings, **own, **(variables or {})}
    with (folder / "nvim.log").open("ab") as log:
        process = subprocess.Popen(
            [
                *(str(program(version)), "--headless", "--listen", str(folder / "nvim.sock")),
                *("-u", str(folder / "init.lua"), "-i", "NONE", "-n"),
            ],
            cwd=cwd or folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    editor = Neovim(version=version, folder=folder, process=process)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not editor.socket.exists():
            assert process.poll() is None, editor.errors()
            assert time.monotonic() < deadline, editor.errors()
            time.sleep(0.02)
        yield editor
    finally:
        _end(editor)


def _end(editor: Neovim) -> None:
    """Quit as a user does; what does not go is killed, its server too."""
    process = editor.process
    if process.poll() is None:
        with suppress(AssertionError, subprocess.SubprocessError):
            editor.keys("<C-\\><C-N>:qall!<CR>")
            process.wait(30)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    shutil.rmtree(editor.folder / "editor", ignore_errors=True)
