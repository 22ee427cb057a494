"""Saying which behaviour is right: one test goes into the user's files, and nothing else."""

from pathlib import Path

import pytest

from tests.support.cli import QUESTION, TEST, a_stored_run, an_ambiguous_result
from tests.unit.cli.conftest import Greenloop

KEPT = "tests/test_stats.py::test_median_of_two"
SOURCE = QUESTION["answers"][0]["test"]


@pytest.fixture
def tests_file(repo: Path) -> Path:
    file = repo / "tests" / "test_stats.py"
    file.parent.mkdir()
    return file


@pytest.fixture
def run(state_dir: Path, repo: Path) -> str:
    return a_stored_run(state_dir, repo, result=an_ambiguous_result()).run


def test_the_test_of_an_answer_is_put_at_the_end_of_its_file(
    greenloop: Greenloop, run: str, tests_file: Path, repo: Path
) -> None:
    before = {path.name: path.read_bytes() for path in repo.iterdir() if path.is_file()}
    tests_file.write_text("import stats\n\n\ndef test_one():\n    pass\n\n")
    answer = greenloop("answer", "last", "1")
    assert answer.code == 0
    assert tests_file.read_text() == (f"import stats\n\n\ndef test_one():\n    pass\n\n\n{SOURCE}")
    assert f"kept: {KEPT}: median([1, 2]) returns 1.5" in answer.out
    assert f"look for a fix that it allows: greenloop fix {TEST} {KEPT}" in answer.out
    assert "+    assert median([1, 2]) == 1.5" in answer.out
    assert before == {path.name: path.read_bytes() for path in repo.iterdir() if path.is_file()}


def test_a_kept_test_is_taken_back_to_the_byte(
    greenloop: Greenloop, run: str, tests_file: Path
) -> None:
    tests_file.write_bytes(b"import stats\r\n")
    assert greenloop("answer", "last", "1").code == 0
    assert tests_file.read_bytes().count(b"\n") == tests_file.read_bytes().count(b"\r\n")
    assert greenloop("undo", run).code == 0
    assert tests_file.read_bytes() == b"import stats\r\n"


def test_a_file_that_does_not_exist_yet_is_made(
    greenloop: Greenloop, run: str, tests_file: Path
) -> None:
    answer = greenloop("answer", run, "1", "--json")
    assert tests_file.read_text() == SOURCE
    assert answer.json == {
        "run": run,
        "kept": KEPT,
        "files": ["tests/test_stats.py"],
        "next": f"greenloop fix {TEST} {KEPT}",
    }


def test_a_test_that_passes_already_is_no_new_target(
    greenloop: Greenloop, run: str, tests_file: Path
) -> None:
    assert greenloop("answer", run, "2", "--json").json["next"] == f"greenloop fix {TEST}"


def test_a_test_of_that_name_is_not_written_twice(
    greenloop: Greenloop, run: str, tests_file: Path
) -> None:
    assert greenloop("answer", run, "1").code == 0
    text = tests_file.read_bytes()
    again = greenloop("answer", run, "2")
    assert again.code == 2
    assert "has a test named test_median_of_two already" in again.err
    assert tests_file.read_bytes() == text


@pytest.mark.parametrize("number", ["3", "99"])
def test_an_answer_that_there_is_not_is_refused(
    greenloop: Greenloop, run: str, number: str
) -> None:
    answer = greenloop("answer", run, number)
    assert answer.code == 2
    assert f"has no answer {number}" in answer.err
    assert "1 to 2" in answer.err


@pytest.mark.parametrize("number", ["0", "-1", "one"])
def test_what_is_no_number_is_a_usage_error(greenloop: Greenloop, run: str, number: str) -> None:
    answer = greenloop("answer", run, number)
    assert answer.code == 2
    assert answer.out == ""


def test_a_run_without_a_question_says_so(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    stored = a_stored_run(state_dir, repo)
    answer = greenloop("answer", "last", "1")
    assert answer.code == 2
    assert f"run {stored.run} has no question" in answer.err


def test_a_path_that_leads_out_of_the_repository_is_not_written(
    greenloop: Greenloop, run: str, repo: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (repo / "tests").symlink_to(elsewhere)
    answer = greenloop("answer", run, "1")
    assert answer.code in {1, 2}
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        ("from stats import median\n", ""),
        ("from stats import mean, median\n", ""),
        ("import pytest\nfrom stats import mean\n", "from stats import median\n\n\n"),
    ],
)
def test_what_the_file_imports_already_is_not_imported_again(
    greenloop: Greenloop, state_dir: Path, repo: Path, tests_file: Path, known: str, kept: str
) -> None:
    result = an_ambiguous_result()
    test = "def test_two():\n    assert median([1, 2]) == 1.5\n"
    first = {**QUESTION["answers"][0], "test": f"from stats import median\n\n\n{test}"}
    a_stored_run(state_dir, repo, result={**result, "question": {**QUESTION, "answers": [first]}})
    tests_file.write_text(known)
    assert greenloop("answer", "last", "1").code == 0
    assert tests_file.read_text() == f"{known}\n\n{kept}{test}"
