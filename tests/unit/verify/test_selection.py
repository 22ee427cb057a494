"""Targets as a person names them."""

from pathlib import Path

import pytest

from agent.errors import TaskError
from agent.verify.report import TestReport
from agent.verify.selection import resolve_targets
from tests.support.reports import a_folder_base, a_report, a_result

REPORT = a_report(
    a_result("tests/test_a.py::test_one", "failed", line=3),
    a_result("tests/test_a.py::test_two", line=10),
    a_result("tests/test_a.py::test_p[1]", "failed", line=20),
    a_result("tests/test_a.py::test_p[2]", line=20),
    a_result("tests/test_b.py::TestB::test_x", "error", line=5),
    a_result("tests/test_b.py::TestB::test_y", "skipped", line=8),
    a_result("tests/test_c.py", "error"),
)
ONE, P1 = "tests/test_a.py::test_one", "tests/test_a.py::test_p[1]"
X, C = "tests/test_b.py::TestB::test_x", "tests/test_c.py"


def resolved(tmp_path: Path, *targets: str, report: TestReport = REPORT) -> tuple[str, ...]:
    return resolve_targets(report, targets, a_folder_base(tmp_path))


def refusal(tmp_path: Path, target: str) -> TaskError:
    with pytest.raises(TaskError) as caught:
        resolved(tmp_path, target)
    return caught.value


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ((), (ONE, P1, X, C)),
        ((ONE,), (ONE,)),
        ((P1,), (P1,)),
        (("tests/test_a.py::test_p",), (P1,)),
        (("tests/test_b.py::TestB",), (X,)),
        (("tests/test_a.py",), (ONE, P1)),
        (("./tests/test_a.py",), (ONE, P1)),
        (("tests",), (ONE, P1, X, C)),
        (("tests/",), (ONE, P1, X, C)),
        ((".",), (ONE, P1, X, C)),
        (("tests/test_c.py",), (C,)),
        (("tests/test_a.py:3",), (ONE,)),
        (("tests/test_a.py:9",), (ONE,)),
        (("tests/test_a.py:25",), (P1,)),
        (("tests/test_c.py:1",), (C,)),
        ((X, ONE), (ONE, X)),
        ((ONE, ONE), (ONE,)),
        (("./tests/test_a.py::test_one",), (ONE,)),
    ],
)
def test_a_target_means_its_failing_tests_in_run_order(
    targets: tuple[str, ...], expected: tuple[str, ...], tmp_path: Path
) -> None:
    assert resolved(tmp_path, *targets) == expected


def test_an_absolute_path_is_taken_from_the_top_of_the_repository(tmp_path: Path) -> None:
    assert resolved(tmp_path, f"{tmp_path}/tests/test_a.py:4") == (ONE,)


def test_a_wrong_id_names_the_nearest(tmp_path: Path) -> None:
    error = refusal(tmp_path, "tests/test_a.py::test_onw")
    assert "there is no test tests/test_a.py::test_onw" in error.message
    assert ONE in error.remedy


def test_a_wrong_file_names_the_nearest(tmp_path: Path) -> None:
    assert "tests/test_b.py" in refusal(tmp_path, "tests/test_bb.py").remedy
    assert "tests/test_b.py" in refusal(tmp_path, "tests/test_bb.py:3").remedy


def test_a_bare_name_finds_tests_that_hold_it(tmp_path: Path) -> None:
    assert ONE in refusal(tmp_path, "nowhere/else/of/all/things.py::test_one").remedy


def test_nothing_near_is_said_so(tmp_path: Path) -> None:
    assert refusal(tmp_path, "qqqq").remedy == "the baseline has no test like it"


def test_a_target_that_passes_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "tests/test_a.py::test_two")
    assert "passes on the base" in error.message


def test_a_target_that_is_skipped_is_refused(tmp_path: Path) -> None:
    assert "skipped" in refusal(tmp_path, "tests/test_b.py::TestB::test_y").message


def test_a_file_without_tests_is_refused_as_such(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("")
    assert "no test was found in shop.py" in refusal(tmp_path, "shop.py").message


def test_a_line_before_every_test_is_refused_with_the_first_line(tmp_path: Path) -> None:
    assert "line 3" in refusal(tmp_path, "tests/test_a.py:1").remedy


def test_a_line_beyond_the_end_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("x\n" * 21)
    error = refusal(tmp_path, "tests/test_a.py:99")
    assert (error.message, error.remedy) == (
        "there is no line 99 in tests/test_a.py",
        "it has 21 lines",
    )


@pytest.mark.parametrize("line", [4, 5])
def test_the_first_lines_of_a_class_mean_its_tests(tmp_path: Path, line: int) -> None:
    (tmp_path / "tests").mkdir()
    source = "\n\n\n@mark\nclass TestB:\n    def test_x(self): ...\n    def test_y(self): ...\n"
    (tmp_path / "tests" / "test_b.py").write_text(source)
    assert resolved(tmp_path, f"tests/test_b.py:{line}") == (X,)


def test_a_file_that_cannot_be_parsed_has_no_class_lines(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_b.py").write_text("class TestB(\n" * 6)
    assert resolved(tmp_path, "tests/test_b.py:6") == (X,)
