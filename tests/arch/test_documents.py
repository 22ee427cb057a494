"""What the documents say exists, and no file says what is nobody's business."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.setup_wheel import ROOT

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
)
COMMANDS = {"fix", "implement", "resume", "cancel", "runs", "show", "apply", "undo", "answer"}
COMMANDS |= {"verify", "index", "map", "where", "tests-for", "models", "fake-model", "doctor"}
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "crates" + ".io")


@cache
def options_of(command: str) -> set[str]:
    greenloop = Path(sys.executable).with_name("greenloop")
    arguments = [command] if command else []
    done = subprocess.run(
        [str(greenloop), *arguments, "--help"], text=True, capture_output=True, check=True
    )
    return set(re.findall(r"--[a-z][a-z-]*", done.stdout))


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def shell_lines(document: str) -> list[str]:
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    inline = re.findall(r"`((?:greenloop|make) [^`]+)`", (ROOT / document).read_text())
    return [line for block in blocks for line in block.splitlines()] + inline


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    path = ROOT / document
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text())
    missing = [x for x in links if "://" not in x and not (path.parent / x).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_and_options_exist(document):
    for line in shell_lines(document):
        for words in re.findall(r"\bgreenloop ((?:[^\s;|&#]+ ?)*)", line):
            command, *rest = words.split()
            known = options_of(command if command in COMMANDS else "")
            assert command in COMMANDS or command in known, line
            options = {word.split("=")[0] for word in rest if word.startswith("--")}
            assert options <= known, line


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_exist(document):
    makefile = (ROOT / "Makefile").read_text()
    for line in shell_lines(document):
        for target in re.findall(r"(?:^|\s)make ([a-z]+)\b", line):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), line


def test_the_terminal_capture_of_the_readme_was_taken():
    capture = (ROOT / "README.md").read_text().split("<!-- capture -->")[1].split("<!--")[0]
    assert "greenloop fix" in capture
    assert "green" in capture
    assert "\x1b" not in capture


def test_no_file_names_a_registry_host():
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked()
        if path.is_file()
        for word in REGISTRIES
        if word.encode() in path.read_bytes()
    ]
    assert found == []


def test_no_module_is_left_empty():
    packages = ("agent", "sandbox", "lsp_server")
    empty = [p for d in packages for p in (ROOT / d).rglob("*.py") if not p.read_text().strip()]
    assert empty == []
