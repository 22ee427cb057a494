"""Which tests may notice a change, as ids that can be run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from agent.edits.changes import Content, Delta, Mode
from agent.task import RepoPath, TestId
from agent.verify.bench import Selection
from agent.verify.report import Baseline, Outcome, TestReport, TestResult
from agent.verify.sight import Noticing, open_sight
from tests.support.verify import a_base, a_delta

FILES = {
    "shop/__init__.py": "",
    "shop/price.py": "def half(x):\n    return x / 2\n\n\ndef whole(x):\n    return x\n",
    "shop/cart.py": "from shop.price import half\n\n\ndef pay(x):\n    return half(x)\n",
    "tests/test_cart.py": (
        "from shop.cart import pay\n\n\nclass TestPay:\n    def test_pay(self):\n"
        "        assert pay(4) == 2\n"
    ),
    "tests/test_price.py": (
        "from shop.price import half, whole\n\n\ndef test_half():\n    assert half(4) == 2\n\n\n"
        "def test_whole():\n    assert whole(4) == 4\n"
    ),
    "tests/test_other.py": "def test_other():\n    assert True\n",
}
HALF = TestId("tests/test_price.py::test_half")
HALF_OF = TestId("tests/test_price.py::test_half[2]")
WHOLE = TestId("tests/test_price.py::test_whole")
PAY = TestId("tests/test_cart.py::TestPay::test_pay")
OTHER = TestId("tests/test_other.py::test_other")


def measured(ids: Sequence[TestId], seconds: float = 0.1) -> Baseline:
    results = {
        id_: TestResult(
            id=id_,
            outcome=Outcome.PASSED,
            duration_s=seconds,
            path=RepoPath(id_.partition("::")[0]),
        )
        for id_ in ids
    }
    return Baseline(report=TestReport(results=results), targets=(), flaky=(), wall_s=1.0)


def noticing(
    folder: Path,
    delta: Delta,
    *,
    ids: Sequence[TestId] = (OTHER, WHOLE, HALF, PAY),
    seconds: float = 0.1,
    most_s: float = 60.0,
    leave_out: Sequence[TestId] = (),
    files: Mapping[str, str] = FILES,
) -> Noticing:
    with open_sight(a_base(folder / "repo", files)) as sight:
        baseline = measured(ids, seconds)
        return sight.noticing(delta, baseline, most_s=most_s, leave_out=leave_out)


def changed(path: str, old: str, new: str) -> Delta:
    return a_delta({path: FILES[path].replace(old, new)})


def test_tests_of_the_changed_function_are_chosen_also_through_others(tmp_path: Path) -> None:
    found = noticing(tmp_path, changed("shop/price.py", "x / 2", "x // 2"))
    assert set(found.selection.ids) == {HALF, PAY}
    assert (found.tests, found.left_out, found.everything) == (2, 0, "")


def test_a_test_with_parameters_stands_for_each_of_them(tmp_path: Path) -> None:
    delta = changed("shop/price.py", "x / 2", "x // 2")
    found = noticing(tmp_path, delta, ids=(HALF, HALF_OF, OTHER))
    assert set(found.selection.ids) == {HALF, HALF_OF}


def test_time_bounds_the_selection_and_the_rest_is_counted(tmp_path: Path) -> None:
    delta = changed("shop/price.py", "x / 2", "x // 2")
    found = noticing(tmp_path, delta, seconds=40.0)
    assert (found.tests, found.left_out) == (1, 1)


def test_what_ran_already_is_left_out(tmp_path: Path) -> None:
    delta = changed("shop/price.py", "x / 2", "x // 2")
    assert noticing(tmp_path, delta, leave_out=(HALF, PAY)).is_empty


def test_a_changed_configuration_takes_every_test(tmp_path: Path) -> None:
    found = noticing(tmp_path, a_delta({"pyproject.toml": "[tool.x]\n"}))
    assert found.everything == "pyproject.toml configures how all runs"
    assert set(found.selection.ids) == {OTHER, WHOLE, HALF, PAY}


def test_a_new_file_of_tests_is_run_whole(tmp_path: Path) -> None:
    text = "from shop.price import half\n\n\ndef test_new():\n    assert half(2) == 1\n"
    found = noticing(tmp_path, a_delta({"tests/test_new.py": text}))
    assert found.selection == Selection(files=(RepoPath("tests/test_new.py"),))


def test_nothing_notices_a_change_of_prose(tmp_path: Path) -> None:
    assert noticing(tmp_path, a_delta({"README.md": "# Shop\n"})).is_empty


def test_deleted_files_and_links_are_no_text(tmp_path: Path) -> None:
    link = Content(data=b"shop/cart.py", mode=Mode.LINK)
    delta: Delta = {RepoPath("shop/price.py"): None, RepoPath("shop/other.py"): link}
    assert PAY in noticing(tmp_path, delta).selection.ids


@pytest.mark.parametrize("names", [("tests/test_cart.py::renamed",)])
def test_ids_that_are_not_those_of_the_file_count_all(tmp_path: Path, names: Sequence[str]) -> None:
    ids = tuple(map(TestId, names))
    delta = changed("shop/price.py", "x / 2", "x // 2")
    assert noticing(tmp_path, delta, ids=ids).selection.ids == ids
