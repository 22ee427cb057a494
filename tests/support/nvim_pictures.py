"""Takes the pictures of Neovim for the documents: `python -m tests.support.nvim_pictures`.

A real Neovim in a real terminal (tmux), a real run in a sandbox; a script in the place of a model.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.ansi_picture import draw
from tests.support.neovim import ROOT, Neovim, program, running
from tests.support.product import Desk, make_project
from tests.support.projects import make_environment
from tests.support.served import configure, served
from tests.support.till import LOOK, MEND_ALL, TILL, after, conversations

IMAGES = ROOT / "docs" / "images"
TMUX = ("tmux", "-L", "greenloop-nvim-pictures", "-f", "/dev/null")
VERSION, COLUMNS, LINES = "0.12", 118, 32
INIT = """
vim.o.termguicolors = true
vim.o.background = 'dark'
vim.o.laststatus = 3
vim.o.statusline = " %f %m%=%{v:lua.require'greenloop'.statusline()}  %l,%c "
vim.o.ruler = false
vim.o.showcmd = false
vim.o.signcolumn = 'yes'
vim.o.shortmess = vim.o.shortmess .. 'I'
vim.diagnostic.config({ virtual_text = true })
vim.api.nvim_create_autocmd('User', {
  pattern = 'GreenloopRunChanged',
  callback = function() vim.cmd.redrawstatus() end,
})
require('greenloop').setup({ settings = { strategy = 'model', model = 'fake' } })
"""
RUN = "local line = require('greenloop').runs()[1]\n"


def take(editor: Neovim, name: str, title: str) -> None:
    """Wait until the screen stands still, and keep it."""
    screen, before = "", None
    while screen != before:
        before = screen
        time.sleep(0.7)
        editor.lua("vim.cmd.redraw({ bang = true })")
        screen = tmux("capture-pane", "-p", "-e")
    picture = draw(without_folders(screen), title=title)
    (IMAGES / f"nvim-{name}.svg").write_text(picture)
    print(f"docs/images/nvim-{name}.svg")


def main() -> int:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="greenloop-pictures-"))
    try:
        take_all(folder)
    finally:
        subprocess.run([*TMUX, "kill-server"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def take_all(folder: Path) -> None:
    """Prepare a repository and a model, and show Neovim on them."""
    for name in ("home", "environment"):
        (folder / name).mkdir()
    desk = Desk(home=folder / "home", venv=make_environment(folder / "environment"))
    repo = make_project(folder / "shop", TILL)
    script = conversations([after(6, LOOK), MEND_ALL])
    with served(desk, folder, script) as model:
        configure(desk, model.address)
        config = desk.home / ".config" / "greenloop" / "config.toml"
        config.write_text(f"minimise_s = 0.001\n{config.read_text()}")
        with running(VERSION, folder / "editor", desk=desk, cwd=repo, init=INIT) as editor:
            look_at(editor)
            show_all(editor, repo)


def look_at(editor: Neovim) -> None:
    """Show an editor in a terminal of our own."""
    # The editor itself has no screen: unpacked as it is, it cannot start a second half of itself.
    command = f"TERM=tmux-256color '{program(VERSION)}' --server '{editor.socket}' --remote-ui"
    tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), command)
    tmux("set-option", "-g", "status", "off")
    tmux("set-option", "-ga", "terminal-features", ",*:RGB")
    editor.wait("return #vim.api.nvim_list_uis() == 1")


def show_all(editor: Neovim, repo: Path) -> None:
    """Go the way of a task once, and stop at what is worth seeing."""
    editor.edit(repo / "tests" / "test_tax.py")
    editor.go_to("test_half_a_cent")
    editor.command("Greenloop fix all")
    editor.command("Greenloop runs")
    editor.wait(
        RUN + "return line and line.phase == 'search' and vim.bo.filetype == 'greenloop-runs'"
    )
    editor.keys("<Tab>")
    editor.wait("return table.concat(vim.fn.getline(1, '$')):find('attempt 1')")
    take(editor, "runs", "The runs window: an attempt of a model, and how the tests fail")
    editor.wait(RUN + "return line.state == 'finished'")
    editor.command("close")
    editor.command("Greenloop review")
    editor.wait("return vim.wo.diff and vim.fn.line('$') > 5")
    editor.command("Greenloop next")
    editor.wait("return vim.api.nvim_buf_get_name(0):find('tax.py', 1, true)")
    editor.go_to("tax = tax_within")
    editor.command("Greenloop reject")
    editor.wait(
        "local review = require('greenloop.review')\n"
        "local proposal = review.get(review.current())\n"
        "return proposal.check.state == 'measured' and review.count(proposal).rejected == 1"
    )
    take(editor, "review", "A review: your file, the proposal, and what was measured of it")
    editor.command("Greenloop close")
    editor.edit(repo / "shop" / "tax.py")
    editor.command("Greenloop inline")
    editor.wait("return #require('greenloop.review.marks').all(0) > 0")
    take(editor, "inline", "An open hunk, drawn into the file itself")
    editor.command("Greenloop log")
    editor.wait("return vim.bo.filetype == 'greenloop-log'")
    take(editor, "log", "The log of a run")


def tmux(*arguments: str) -> str:
    """Ask a tmux server of our own; return what it printed."""
    done = subprocess.run(
        [*TMUX, *arguments], check=True, text=True, capture_output=True, stdin=subprocess.DEVNULL
    )
    return done.stdout


def without_folders(screen: str) -> str:
    """Return a screen without the folders of this machine."""
    return re.sub(r"/tmp/greenloop-pictures-[^/\s]*", "~", screen)


if __name__ == "__main__":
    sys.exit(main())
