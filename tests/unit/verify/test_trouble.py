"""Failures of the place, not of the code."""

from pathlib import Path

import pytest

from agent.verify.trouble import beyond_repair, needs_network
from tests.support.reports import a_folder_base, a_report, a_result


@pytest.mark.parametrize(
    ("error_type", "message", "expected"),
    [
        ("gaierror", "[Errno -3] x", True),
        ("URLError", "", True),
        ("ConnectionError", "Max retries exceeded with url", True),
        ("OSError", "[Errno 101] Network is unreachable", True),
        ("OSError", "[Errno -3] Temporary failure in name resolution", True),
        ("ConnectionRefusedError", "[Errno 111] Connection refused", False),
        ("AssertionError", "assert 1 == 2", False),
        ("", "", False),
    ],
)
def test_failures_for_want_of_a_network_are_known(
    error_type: str, message: str, expected: bool
) -> None:
    report = a_report(a_result("a::b", "failed", error_type=error_type, message=message))
    assert bool(needs_network(report, report.failing)) is expected


@pytest.mark.parametrize(
    ("error_type", "message", "why"),
    [
        ("ModuleNotFoundError", "No module named 'numpy'", "numpy is not installed"),
        ("ModuleNotFoundError", "No module named 'numpy.linalg'", "numpy.linalg is not installed"),
        ("ModuleNotFoundError", "No module named 'shop.cart'", ""),
        ("ModuleNotFoundError", "No module named 'helpers'", ""),
        ("ModuleNotFoundError", "strange text", ""),
        ("ImportError", "cannot import name 'a' from 'numpy'", ""),
        ("SyntaxError", "invalid syntax (/r/tests/test_a.py, line 3)", "not valid Python"),
        ("SyntaxError", "invalid syntax (/r/shop/__init__.py, line 3)", ""),
        ("SyntaxError", "strange text", ""),
    ],
)
def test_what_no_edit_repairs_is_told_apart(
    error_type: str, message: str, why: str, tmp_path: Path
) -> None:
    (tmp_path / "src" / "shop").mkdir(parents=True)
    (tmp_path / "src" / "shop" / "__init__.py").write_text("")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "helpers.py").write_text("")
    report = a_report(a_result("tests/test_a.py", "error", error_type=error_type, message=message))
    found = beyond_repair(report, report.failing, a_folder_base(tmp_path))
    assert why in found.get("tests/test_a.py", "")
    assert bool(found) is bool(why)


def test_a_single_failing_test_is_never_beyond_repair(tmp_path: Path) -> None:
    report = a_report(
        a_result(
            "a.py::t", "failed", error_type="ModuleNotFoundError", message="No module named 'x'"
        )
    )
    assert beyond_repair(report, report.failing, a_folder_base(tmp_path)) == {}
