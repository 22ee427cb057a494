"""Takes the pictures of VS Code in docs/images: `python -m tests.support.vscode_pictures`.

A real window on a small project, with a scripted model; everything else is as for a user.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.support.code_server import package_extension, running_code_server
from tests.support.editor_runs import RUN_S, end_of, in_phase, nth_run
from tests.support.product import Desk
from tests.support.projects import make_environment, make_repository
from tests.support.served import PROFILE, Served, requests, served
from tests.support.till import LOOK, MEND_ALL, TILL, after, conversations
from tests.support.workbench import Window, open_window, running_driver, until_true

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
SETTINGS = {
    "greenloop.strategy": "model",
    "greenloop.model": "scripted",
    "editor.fontSize": 13,
    "explorer.compactFolders": False,
    "files.exclude": {"**/.venv": True, "**/.gitignore": True},
}
ROW = ".monaco-list-row"
FIX = "Greenloop: Fix Failing Tests"


def main() -> int:
    """Take all of them anew."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="greenloop-pictures-"))
    repo = folder / "till"
    for path, text in {**TILL, ".gitignore": ".venv/\n__pycache__/\n"}.items():
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(text)
    make_environment(repo)
    make_repository(repo)
    (folder / "home").mkdir()
    desk = Desk(home=folder, venv=repo / ".venv")
    script = conversations([LOOK, after(12, MEND_ALL)])
    try:
        with (
            running_code_server(folder / "home", extension=package_extension()) as server,
            running_driver(server) as driver,
            served(desk, folder, script) as fake,
        ):
            profile = PROFILE.replace("models.fake", "models.scripted").format(
                dialect="openai-chat", address=fake.address, window=262_144, more=""
            )
            server.config.parent.mkdir(parents=True, exist_ok=True)
            server.config.write_text(f"minimise_s = 0.001\n{profile}")
            evidence = folder / "evidence"
            with open_window(driver, server, repo, evidence=evidence, **SETTINGS) as window:
                show(window, repo, fake)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def show(window: Window, repo: Path, fake: Served) -> None:
    """Go the way of a user and take a picture at each station."""
    take = taker(window)
    window.trace.wait(what="server", state="running")
    window.palette("Greenloop: Open Walkthrough")
    window.see('text="Fix a failing test"')
    window.click('text="Fix a failing test"')
    take("walkthrough")
    window.ask("closeAll")

    window.show(repo / "tests" / "test_tax.py", 13)
    window.see('.codelens-decoration a:has-text("Fix")')
    take("lenses")

    window.palette(FIX)
    run = nth_run(window)
    in_phase(window, run, "search")
    until_true(lambda: requests(fake.sent) > 1, "the model does not get to its second step", RUN_S)
    window.palette("Greenloop: Show Runs")
    unfold(window, "Fix every failing test")
    window.see(f'.pane-body {ROW}:has-text("Attempts")')
    unfold(window, "Attempts")
    take("progress", is_still=False)
    end_of(window, run, RUN_S)
    window.press_button("Review")
    window.trace.wait(what="opened", run=run)
    window.see('.codelens-decoration a:has-text("Accept")')
    window.see(".monaco-diff-editor .monaco-editor.focused")
    window.click_above("tax = tax_within(price)", "Reject")
    window.see('.codelens-decoration a:has-text("rejected")')
    take("review")

    window.ask("closeAll")
    window.palette("Testing: Focus on Test Explorer View")
    unfold(window, "tests/test_tax.py")
    window.click(f'{ROW}:has-text("test_half_a_cent")', count=2)
    until_true(lambda: window.ask("active"), "the test is not opened")
    take("tests")


def unfold(window: Window, name: str) -> None:
    """Unfold a line of the tree in the side bar."""
    window.click(f'.pane-body {ROW}:has-text("{name}")')
    window.press("ArrowRight")


def taker(window: Window) -> Callable[..., None]:
    """Return what keeps the screen under a name, with the mouse out of the way."""

    def take(name: str, *, is_still: bool = True) -> None:
        window.driver.do("move", x=800, y=720)
        if is_still:
            window.driver.do("settle")
        window.screenshot(IMAGES / f"vscode-{name}.png")

    return take


if __name__ == "__main__":
    sys.exit(main())
