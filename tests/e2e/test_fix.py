"""`greenloop fix` from the command to the developer's tree, on a real engine.

One run serves all tests that look at what a run leaves; each gets the tree as it was before.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.product import Desk, Done, containers_of, fingerprint, make_project
from tests.support.projects import git
from tests.support.shop import FAILING, SHOP

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

ESCAPE = "\x1b"
FIX = "    if amount >= FREE_SHIPPING_FROM:\n"
CANARY = "sk-canary-0123456789abcdef0123456789abcdef"
SECRETS = {"OPENAI_API_KEY": CANARY, "MY_SECRET_TOKEN": CANARY}
SEES_NO_SECRET = """

def test_sees_no_secret():
    import os

    assert not [value for value in os.environ.values() if "canary" in value]
"""
PRINTS_A_SECRET = f"""

def test_prints_a_secret():
    key = "sk-canary-" + "{CANARY[10:]}"
    print(key)
    assert key == "another"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A run that was green, and what the repository was like before and after it."""

    desk: Desk
    repo: Path
    done: Done
    before: dict[str, tuple[object, ...]]
    after: dict[str, tuple[object, ...]]

    @property
    def run(self) -> str:
        return str(self.done.answer["run"])


@pytest.fixture(scope="module")
def one_run(tmp_path_factory, venv):
    """Run `fix --json` once, on a tree with staged, changed and untracked files."""
    folder = tmp_path_factory.mktemp("fix")
    (folder / "home").mkdir()
    desk = Desk(home=folder / "home", venv=venv)
    repo = make_project(folder / "shop", SHOP)
    (repo / "shop/basket.py").write_text(SHOP["shop/basket.py"] + "\n# not committed yet\n")
    (repo / "tests/test_basket.py").write_text(SHOP["tests/test_basket.py"] + SEES_NO_SECRET)
    (repo / "notes.txt").write_text("untracked\n")
    git(repo, "add", "shop/basket.py")
    before = fingerprint(repo)
    done = desk.run(repo, "fix", "--json", extra=SECRETS)
    return Fixed(desk=desk, repo=repo, done=done, before=before, after=fingerprint(repo))


@pytest.fixture
def fixed(one_run):
    """The run, and the tree as it was, whatever the test before did to it."""
    files = {path: path.read_bytes() for path in one_run.repo.rglob("*.*") if is_source(path)}
    yield one_run
    for path, data in files.items():
        path.write_bytes(data)


def is_source(path):
    return path.is_file() and ".git" not in path.parts and "__pycache__" not in path.parts


def contents(repo):
    """What a developer has in the tree: modes and bytes, whatever the clock says."""
    return {
        name: (mode, what)
        for name, (mode, _, what) in fingerprint(repo).items()
        if not name.startswith(".git/") and "__pycache__" not in name
    }


def test_json_holds_the_whole_result_and_nothing_else_is_printed(fixed):
    assert fixed.done.code == 0, fixed.done.text
    answer = fixed.done.answer
    assert answer["verdict"] == "green"
    assert answer["confidence"] in {"likely", "plausible"}
    assert answer["strategy"] == "offline"
    assert answer["failing_before"] == [FAILING]
    assert answer["failing_after"] == []
    assert answer["alternatives"] >= 1
    assert answer["exit_code"] == 0
    assert {"baseline", "search", "gate"} <= set(answer["durations"])
    ranks = [candidate["rank"] for candidate in answer["candidates"]]
    assert 1 <= len(ranks) <= 5
    assert ranks == sorted(ranks)
    assert answer["candidates"][0]["patch"] == answer["patch"]
    assert json.loads(Path(answer["receipt"]).read_text())


def test_not_a_byte_of_the_repository_changes_before_an_accept(fixed):
    assert fixed.after == fixed.before


def test_no_container_is_left(fixed):
    assert containers_of(fixed.run) == []


def test_a_secret_of_the_environment_is_in_no_artefact(fixed):
    assert CANARY not in fixed.done.text
    check_without_canary(fixed.desk)


def check_without_canary(desk):
    for path in desk.state.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert CANARY.encode() not in path.read_bytes(), path


def test_patch_is_one_that_git_applies_and_that_makes_the_test_pass(fixed):
    patch = fixed.done.answer["patch"]
    subprocess.run(["git", "apply", "-"], cwd=fixed.repo, input=patch, text=True, check=True)
    python = str(fixed.desk.venv / "bin/python")
    subprocess.run([python, "-B", "-m", "pytest", "-q"], cwd=fixed.repo, check=True)


def test_apply_writes_the_fix_and_undo_takes_it_back(fixed):
    before = contents(fixed.repo)
    applied = fixed.desk.run(fixed.repo, "apply", fixed.run)
    assert applied.code == 0, applied.text
    assert FIX in (fixed.repo / "shop/basket.py").read_text()
    changed = {name for name, what in contents(fixed.repo).items() if before.get(name) != what}
    assert changed == {"shop/basket.py"}

    undone = fixed.desk.run(fixed.repo, "undo", fixed.run)
    assert undone.code == 0, undone.text
    assert contents(fixed.repo) == before


def test_apply_shifts_with_an_edit_elsewhere_and_keeps_it(fixed):
    source = fixed.repo / "shop/basket.py"
    source.write_text("# a line on top\n" + source.read_text())
    applied = fixed.desk.run(fixed.repo, "apply", fixed.run)
    assert applied.code == 0, applied.text
    assert source.read_text().startswith("# a line on top\n")
    assert FIX in source.read_text()
    assert fixed.desk.run(fixed.repo, "undo", fixed.run).code == 0


def test_apply_refuses_what_overlaps_and_writes_nothing(fixed):
    source = fixed.repo / "shop/basket.py"
    source.write_text(source.read_text().replace("amount > FREE", "amount > 1 + FREE"))
    before = contents(fixed.repo)
    applied = fixed.desk.run(fixed.repo, "apply", fixed.run)
    assert applied.code == 1, applied.text
    assert "shop/basket.py" in applied.text
    assert contents(fixed.repo) == before


def test_runs_can_be_listed_and_shown_later(fixed, tmp_path):
    runs = fixed.desk.run(fixed.repo, "runs")
    assert runs.code == 0
    assert fixed.run in runs.out

    shown = fixed.desk.run(fixed.repo, "show", "last")
    assert shown.code == 0
    for fact in ("green", FAILING, "shop/basket.py", "receipt.json"):
        assert fact in shown.out

    page = tmp_path / "page.html"
    assert fixed.desk.run(fixed.repo, "show", fixed.run, "--html", str(page)).code == 0
    assert "<html" in page.read_text()
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", page.read_text())


def test_receipt_can_be_replayed(fixed):
    replay = fixed.desk.run(fixed.repo, "verify", fixed.done.answer["receipt"])
    assert replay.code == 0, replay.text
    assert "holds" in replay.text


def test_receipt_with_another_patch_in_it_does_not_hold(fixed, tmp_path):
    text = Path(fixed.done.answer["receipt"]).read_text()
    forged = tmp_path / "forged.json"
    forged.write_text(text.replace(">= FREE_SHIPPING_FROM", "<= FREE_SHIPPING_FROM"))
    assert forged.read_text() != text
    replay = fixed.desk.run(fixed.repo, "verify", str(forged))
    assert replay.code in {1, 2}, replay.text
    assert "Traceback" not in replay.text


def test_plain_output_says_what_happened_without_escape_codes_and_secrets(desk, tmp_path):
    tests = SHOP["tests/test_basket.py"] + PRINTS_A_SECRET
    repo = make_project(tmp_path / "shop", {**SHOP, "tests/test_basket.py": tests})
    done = desk.run(repo, "fix", FAILING, extra=SECRETS)
    assert done.code == 0, done.text
    assert ESCAPE not in done.text
    assert "green" in done.out
    assert re.search(r"likely|plausible", done.out)
    assert "+" + FIX.rstrip("\n") in done.out.splitlines()
    assert "greenloop apply" in done.text
    assert CANARY not in done.text
    for run_dir in desk.run_dirs():
        assert containers_of(run_dir.name) == []
    check_without_canary(desk)


def test_terminal_output_is_laid_out_and_apply_writes_at_once(desk, tmp_path):
    repo = make_project(tmp_path / "shop", SHOP)
    done = desk.run_in_terminal(repo, "fix", "--apply")
    assert done.code == 0, done.out
    assert ESCAPE in done.out
    assert "green" in done.out
    assert ">= FREE_SHIPPING_FROM" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", done.out)
    assert FIX in (repo / "shop/basket.py").read_text()
