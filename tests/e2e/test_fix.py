"""`greenloop fix` from the command to the developer's tree, on a real engine."""

import json
import re
import subprocess

import pytest

from tests.support.product import containers_of, fingerprint, make_project
from tests.support.projects import git
from tests.support.shop import FAILING, SHOP

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

ESCAPE = "\x1b"
FIX = "    if amount >= FREE_SHIPPING_FROM:\n"


@pytest.fixture
def repo(tmp_path):
    return make_project(tmp_path / "shop", SHOP)


def contents(repo):
    """What a developer has in the tree: modes and bytes, whatever the clock says."""
    return {
        name: (mode, what)
        for name, (mode, _, what) in fingerprint(repo).items()
        if not name.startswith(".git/")
    }


def test_json_holds_the_whole_result_and_nothing_else_is_printed(desk, repo):
    done = desk.run(repo, "fix", "--json")

    assert done.code == 0, done.text
    answer = done.answer
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
    assert json.loads(open(answer["receipt"]).read())  # noqa: PTH123, SIM115
    assert containers_of(answer["run"]) == []


def test_patch_is_one_that_git_applies_and_that_makes_the_test_pass(desk, repo):
    answer = desk.run(repo, "fix", FAILING, "--json").answer
    git_apply = subprocess.run(
        ["git", "apply", "-"], cwd=repo, input=answer["patch"], text=True, check=False
    )
    assert git_apply.returncode == 0
    tests = subprocess.run(
        [str(desk.venv / "bin/python"), "-m", "pytest", "-q"], cwd=repo, check=False
    )
    assert tests.returncode == 0


def test_not_a_byte_of_the_repository_changes_before_an_accept(desk, repo):
    (repo / "shop/basket.py").write_text(SHOP["shop/basket.py"] + "\n# not committed yet\n")
    (repo / "notes.txt").write_text("untracked\n")
    git(repo, "add", "notes.txt")
    before = fingerprint(repo)
    done = desk.run(repo, "fix", "--json")
    assert done.code == 0, done.text
    assert fingerprint(repo) == before


def test_apply_writes_the_fix_and_undo_takes_it_back(desk, repo):
    before = contents(repo)
    answer = desk.run(repo, "fix", "--json").answer

    applied = desk.run(repo, "apply", answer["run"])
    assert applied.code == 0, applied.text
    assert FIX in (repo / "shop/basket.py").read_text()
    changed = {name for name, what in contents(repo).items() if before.get(name) != what}
    assert changed == {"shop/basket.py"}

    undone = desk.run(repo, "undo", answer["run"])
    assert undone.code == 0, undone.text
    assert contents(repo) == before


def test_apply_shifts_with_an_edit_elsewhere_and_keeps_it(desk, repo):
    answer = desk.run(repo, "fix", "--json").answer
    source = repo / "shop/basket.py"
    source.write_text("# a line on top\n" + source.read_text())
    applied = desk.run(repo, "apply", answer["run"])
    assert applied.code == 0, applied.text
    assert source.read_text().startswith("# a line on top\n")
    assert FIX in source.read_text()


def test_apply_refuses_what_overlaps_and_writes_nothing(desk, repo):
    answer = desk.run(repo, "fix", "--json").answer
    source = repo / "shop/basket.py"
    source.write_text(source.read_text().replace("amount > FREE", "amount > 1 + FREE"))
    before = contents(repo)
    applied = desk.run(repo, "apply", answer["run"])
    assert applied.code == 1, applied.text
    assert "shop/basket.py" in applied.text
    assert contents(repo) == before


def test_fix_and_apply_in_one_go(desk, repo):
    done = desk.run(repo, "fix", "--apply")
    assert done.code == 0, done.text
    assert FIX in (repo / "shop/basket.py").read_text()


def test_receipt_can_be_replayed_and_a_forged_one_does_not_hold(desk, repo, tmp_path):
    answer = desk.run(repo, "fix", "--json").answer
    assert desk.run(repo, "verify", answer["receipt"]).code == 0

    forged = tmp_path / "forged.json"
    text = open(answer["receipt"]).read()  # noqa: PTH123, SIM115
    forged.write_text(re.sub(r'("patch_sha256": ")[0-9a-f]{8}', r"\g<1>00000000", text))
    assert forged.read_text() != text
    replay = desk.run(repo, "verify", str(forged))
    assert replay.code == 1, replay.text
    assert "Traceback" not in replay.text


def test_plain_output_says_what_happened_without_escape_codes(desk, repo):
    done = desk.run(repo, "fix")
    assert done.code == 0, done.text
    assert ESCAPE not in done.text
    assert "green" in done.out
    assert re.search(r"likely|plausible", done.out)
    assert "+" + FIX.rstrip("\n") in done.out.splitlines()
    assert "greenloop apply" in done.text


def test_terminal_output_is_laid_out_and_says_the_same(desk, repo):
    done = desk.run_in_terminal(repo, "fix")
    assert done.code == 0, done.out
    assert ESCAPE in done.out
    assert "green" in done.out
    assert ">= FREE_SHIPPING_FROM" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", done.out)


def test_runs_can_be_listed_and_shown_later(desk, repo, tmp_path):
    answer = desk.run(repo, "fix", "--json").answer
    runs = desk.run(repo, "runs")
    assert runs.code == 0
    assert answer["run"] in runs.out

    shown = desk.run(repo, "show", "last")
    assert shown.code == 0
    for fact in ("green", FAILING, "shop/basket.py", answer["receipt"]):
        assert fact in shown.out.replace("\n", "") or fact in shown.out

    page = tmp_path / "page.html"
    assert desk.run(repo, "show", answer["run"], "--html", str(page)).code == 0
    assert "<html" in page.read_text()
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", page.read_text())


def test_a_secret_of_the_environment_is_in_no_artefact(desk, repo):
    canary = "sk-canary-0123456789abcdef0123456789abcdef"
    leaky = SHOP["tests/test_basket.py"] + (
        "\n\ndef test_sees_no_secret():\n"
        "    import os\n"
        "    assert not [v for v in os.environ.values() if 'canary' in v]\n"
    )
    (repo / "tests/test_basket.py").write_text(leaky)
    done = desk.run(
        repo, "fix", "--json", extra={"OPENAI_API_KEY": canary, "MY_SECRET_TOKEN": canary}
    )
    assert done.code == 0, done.text
    assert canary not in done.text
    for path in desk.state.rglob("*"):
        if path.is_file():
            assert canary.encode() not in path.read_bytes(), path


def test_a_secret_that_a_test_prints_is_in_no_artefact(desk, repo):
    canary = "sk-canary-0123456789abcdef0123456789abcdef"
    printing = SHOP["tests/test_basket.py"] + (
        "\n\ndef test_prints():\n"
        f"    key = 'sk-canary-' + '{canary[10:]}'\n"
        "    print(key)\n"
        "    assert key == 'wrong'\n"
    )
    (repo / "tests/test_basket.py").write_text(printing)
    done = desk.run(repo, "fix", FAILING, "--json", extra={"OPENAI_API_KEY": canary})
    assert canary not in done.text
    for folder in desk.run_dirs():
        for path in folder.rglob("*"):
            if path.is_file():
                assert canary.encode() not in path.read_bytes(), path
