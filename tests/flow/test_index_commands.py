"""`index`, `map`, `where` and `tests-for` on a real repository, in this process."""

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli.index import index
from agent.cli.map import map_
from agent.cli.screen import Screen
from agent.cli.tests_for import tests_for as command_tests_for
from agent.cli.where import where
from agent.config import Settings, load_settings
from agent.errors import TaskError
from agent.journal.redaction import Redactor
from tests.support.repos import git, write

FILES = {
    "shop/cart.py": b"class Cart:\n    def total(self):\n        return 1\n",
    "tests/test_cart.py": (
        b"from shop.cart import Cart\n\n\ndef test_total():\n    assert Cart().total() == 1\n"
    ),
    "README.md": b"A shop.\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    place = tmp_path / "repo"
    write(place, FILES)
    git(place, "init", "-q")
    git(place, "add", ".")
    git(place, "commit", "-qm", "first")
    return place


class Run:
    """Runs a command as the command line does."""

    def __init__(self, repo: Path, state: Path) -> None:
        self.repo = repo
        variables = {"HOME": str(state), "XDG_STATE_HOME": str(state)}
        self.settings: Settings = load_settings(repo=repo, variables=variables, flags={})
        self.said = io.StringIO()

    def __call__(self, command: Any, *, wants_json: bool = False, **given: Any) -> tuple[int, str]:
        out = io.StringIO()
        screen = Screen(
            out=out,
            err=self.said,
            variables={},
            redactor=Redactor.from_variables({}),
            wants_json=wants_json,
        )
        code = command(argparse.Namespace(repo=self.repo, **given), self.settings, screen)
        return code, out.getvalue()


@pytest.fixture
def run(repo: Path, tmp_path: Path) -> Run:
    return Run(repo, tmp_path / "state")


def test_an_index_is_made_told_and_made_anew(run: Run) -> None:
    code, text = run(index, status=False, rebuild=False)
    assert code == 0
    assert text.startswith("3 files, up to date in ")
    code, text = run(index, status=True, rebuild=False, wants_json=True)
    status = json.loads(text)
    assert (status["trees"], status["repository"]) == (1, str(run.repo))
    assert status["definitions"] == 3
    assert run(index, status=False, rebuild=True)[0] == 0
    assert "definitions 3" in run(index, status=True, rebuild=False)[1]


def test_a_map_shows_what_matters_and_why(run: Run) -> None:
    code, text = run(map_, text="The total of a Cart", tokens=500)
    assert code == 0
    assert "shop/cart.py (3 lines)" in text
    assert "why:\n  shop/cart.py: " in text
    code, text = run(map_, text="", tokens=500)
    assert (code, "shop/cart.py" in text) == (0, True)


def test_a_map_as_json_has_files_and_symbols(run: Run) -> None:
    _, text = run(map_, text="total", tokens=500, wants_json=True)
    answer = json.loads(text)
    assert answer["files"][0]["path"] == "shop/cart.py"
    assert answer["symbols"][0]["name"] == "Cart.total"


def test_a_repository_without_code_has_no_map(run: Run) -> None:
    for path in ("shop/cart.py", "tests/test_cart.py"):
        (run.repo / path).unlink()
    code, text = run(map_, text="", tokens=500)
    assert code == 1
    assert text.startswith("There is nothing to show")


def test_a_symbol_is_told_with_its_uses(run: Run) -> None:
    code, text = run(where, symbol="Cart.total")
    assert code == 0
    assert text.splitlines() == [
        "shop/cart.py:2  method Cart.total",
        "    def total(self)",
        "    tested by tests/test_cart.py",
        "used on 1 line of 1 file, 1 call among them:",
        "  tests/test_cart.py",
        "    5  test_total",
    ]
    code, text = run(where, symbol="Cart", wants_json=True)
    told = json.loads(text)
    assert told["uses"][0]["path"] == "tests/test_cart.py"
    assert told["tests"] == [{"path": "tests/test_cart.py", "tests": []}]


def test_a_function_is_told_with_what_it_calls(run: Run) -> None:
    more = b"from shop.cart import Cart\n\n\ndef bill():\n    return Cart().total()\n"
    write(run.repo, {"shop/bill.py": more})
    _, text = run(where, symbol="bill")
    assert "    calls Cart  shop/cart.py:1" in text
    assert "    calls Cart.total  shop/cart.py:2" in text
    calls = json.loads(run(where, symbol="bill", wants_json=True)[1])["calls"]
    assert {"path": "shop/cart.py", "line": 2, "name": "Cart.total"} in calls


def test_a_symbol_that_is_not_there_has_those_that_are_alike(run: Run) -> None:
    code, text = run(where, symbol="Carr")
    assert code == 1
    assert text.splitlines()[0] == "Nothing here is called Carr; alike are:"
    assert "shop/cart.py:1  class Cart" in text


def test_an_edit_is_seen_at_once(run: Run) -> None:
    run(index, status=False, rebuild=False)
    write(run.repo, {"shop/more.py": b"def voucher():\n    return 2\n"})
    assert run(where, symbol="voucher")[0] == 0


@pytest.mark.parametrize("given", ["shop/cart.py", "shop/cart.py:3", "./shop/../shop/cart.py"])
def test_tests_of_a_file_and_of_a_line_are_told(run: Run, given: str) -> None:
    code, text = run(command_tests_for, paths=[given])
    assert code == 0
    assert text == "tests/test_cart.py  (all of it; imports what changed)\n"


def test_tests_as_json_say_whether_everything_has_to_run(run: Run) -> None:
    write(run.repo, {"pyproject.toml": b""})
    code, text = run(command_tests_for, paths=["pyproject.toml"], wants_json=True)
    assert code == 0
    assert json.loads(text)["everything"] == "pyproject.toml configures how all runs"
    assert run(command_tests_for, paths=["pyproject.toml"])[1].startswith("Every test: ")


def test_prose_has_no_tests(run: Run) -> None:
    assert run(command_tests_for, paths=["README.md"]) == (1, "No test is seen to notice it.\n")


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    with pytest.raises(TaskError, match=r"there is no file gone\.py"):
        run(command_tests_for, paths=["gone.py"])
