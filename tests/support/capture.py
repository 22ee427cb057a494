"""`make readme`: runs the demo in a terminal and puts what it showed into README.md."""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- capture -->\n```text\n).*?(```\n<!-- end of capture -->)", re.DOTALL)
TMUX = ("tmux", "-L", "greenloop-capture", "-f", "/dev/null")
COLUMNS, LINES, PATIENCE_S = 98, 400, 300


def main() -> int:
    """Take the capture; return 1 when the demo did not end well."""
    tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), "sleep 1000")
    try:
        tmux("set-option", "remain-on-exit", "on")
        demo = f"cd {ROOT} && exec {sys.executable} -m tests.support.demo"
        tmux("respawn-pane", "-k", demo)
        deadline = time.monotonic() + PATIENCE_S
        while not (code := tmux("display-message", "-p", "#{pane_dead_status}").strip()):
            if time.monotonic() > deadline:
                print("the demo does not end", file=sys.stderr)
                return 1
            time.sleep(0.2)
        screen = tmux("capture-pane", "-p", "-J")
    finally:
        tmux("kill-server")
    if code != "0":
        print(screen.rstrip(), f"\nthe demo ended with exit code {code}", file=sys.stderr)
        return 1
    text = README.read_text()
    README.write_text(BLOCK.sub(lambda block: block[1] + shown(screen) + block[2], text))
    return 0


def tmux(*arguments: str) -> str:
    """Ask a tmux server of our own; return what it printed."""
    done = subprocess.run([*TMUX, *arguments], check=True, text=True, capture_output=True)
    return done.stdout


def shown(screen: str) -> str:
    """Return what a reader wants to see: from Greenloop's command to its last word."""
    lines = [without_home(line).rstrip() for line in screen.splitlines()]
    first = next(n for n, line in enumerate(lines) if line.startswith("$ greenloop"))
    last = next(n for n, line in enumerate(lines) if line.startswith("Nothing in "))
    return "\n".join(lines[first:last]).strip() + "\n"


def without_home(line: str) -> str:
    """Return a line with the home folder as `~`, and with the frame around it where it was."""
    home = str(Path.home())
    lost = line.count(home) * (len(home) - 1)
    line = line.replace(home, "~")
    return line[:-1] + " " * lost + "│" if line.endswith("│") else line


if __name__ == "__main__":
    sys.exit(main())
