"""Which tests a model means, and which are run where it names none."""

from pathlib import Path

from agent.task import RepoPath, TestId, TestPolicy
from agent.tools.run_choice import (
    Chosen,
    NoSuchTest,
    named,
    own_tests,
    what_fails,
    what_is_impacted,
)
from agent.verify.bench import Selection
from agent.verify.report import Baseline, Outcome, TestReport, TestResult
from agent.verify.sight import Noticing
from tests.support.desk import a_desk, put

FILES = {"tests/test_a.py", "tests/test_new.py", "lib/test_b.py"}


def a_result(id_: str, *, failing: bool = False, seconds: float = 0.1) -> TestResult:
    return TestResult(
        id=TestId(id_),
        outcome=Outcome.FAILED if failing else Outcome.PASSED,
        duration_s=seconds,
        path=RepoPath(id_.partition("::")[0]),
    )


KNOWN = {
    result.id: result
    for result in (
        a_result("tests/test_a.py::test_one"),
        a_result("tests/test_a.py::test_many[1]"),
        a_result("tests/test_a.py::test_many[2]"),
        a_result("tests/test_a.py::TestIt::test_in"),
        a_result("lib/test_b.py::test_b"),
    )
}


def choose(*names: str) -> Selection | tuple[str, ...]:
    chosen = named(names, KNOWN, FILES.__contains__)
    return chosen.near if isinstance(chosen, NoSuchTest) else chosen.selection


def a_baseline(*results: TestResult, targets: tuple[str, ...] = ()) -> Baseline:
    return Baseline(
        report=TestReport(results={result.id: result for result in results}),
        targets=tuple(map(TestId, targets)),
        flaky=(),
        wall_s=1.0,
    )


def test_ids_functions_classes_files_and_folders_are_understood() -> None:
    assert choose("tests/test_a.py::test_one") == Selection(ids=("tests/test_a.py::test_one",))
    assert choose("./tests/test_a.py::test_many") == Selection(
        ids=("tests/test_a.py::test_many[1]", "tests/test_a.py::test_many[2]")
    )
    assert choose("tests/test_a.py::TestIt") == Selection(ids=("tests/test_a.py::TestIt::test_in",))
    assert choose("tests/test_a.py") == Selection(files=("tests/test_a.py",))
    assert choose("lib/") == Selection(files=("lib/test_b.py",))


def test_tests_newer_than_every_report_are_understood() -> None:
    assert choose("tests/test_new.py") == Selection(files=("tests/test_new.py",))
    assert choose("tests/test_new.py::test_x") == Selection(ids=("tests/test_new.py::test_x",))
    assert choose("tests/test_new.py::TestX::test_y") == Selection(files=("tests/test_new.py",))


def test_a_word_of_ids_means_all_that_have_it() -> None:
    assert choose("MANY") == choose("tests/test_a.py::test_many")
    assert choose("test_one", "test_b") == Selection(
        ids=("tests/test_a.py::test_one", "lib/test_b.py::test_b")
    )


def test_what_fits_nothing_is_refused_with_what_is_near() -> None:
    assert choose("tests/test_a.py::test_one", "nope") == ()
    assert choose("gone.py::test_onee")[0] == "tests/test_a.py::test_one"
    refused = named(["gone.py::test_menny[1]"], KNOWN, FILES.__contains__)
    assert isinstance(refused, NoSuchTest)
    assert refused.message == (
        "There is no test gone.py::test_menny[1]. Name a test id, a test file, or a word of ids. "
        "Near: tests/test_a.py::test_many[1], tests/test_a.py::test_many[2], "
        "tests/test_a.py::TestIt::test_in."
    )
    assert NoSuchTest(name="x", near=()).message.endswith("a word of ids.")


def test_what_fails_is_the_targets_and_what_broke_since() -> None:
    red = a_result("t.py::red", failing=True)
    old = a_result("t.py::old", failing=True)
    baseline = a_baseline(red, old, targets=("t.py::red",))
    assert what_fails(baseline, None) == Chosen(
        selection=Selection(ids=(TestId("t.py::red"),)), how="targets"
    )
    last = TestReport(results={r.id: r for r in (red, old, a_result("t.py::new", failing=True))})
    assert what_fails(baseline, last) == Chosen(
        selection=Selection(ids=(TestId("t.py::red"), TestId("t.py::new"))),
        how="targets and what failed last",
    )
    without = what_fails(a_baseline(old), last)
    assert without is not None
    assert without.how == "what failed last"
    assert what_fails(a_baseline(), None) is None


def test_own_tests_are_the_new_test_files(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, policy=TestPolicy(may_add=True))
    assert own_tests(desk.attempt) is None
    put(desk, "tests/test_mine.py", b"")
    put(desk, "shop/new.py", b"")
    desk.attempt.delete("tests/test_cart.py")
    chosen = own_tests(desk.attempt)
    assert chosen is not None
    assert chosen.selection == Selection(files=(RepoPath("tests/test_mine.py"),))


def test_what_may_notice_is_run_and_told_in_numbers() -> None:
    already = (TestId("quick.py::b"),)
    some = Selection(ids=(TestId("a.py::a"), TestId("a.py::b")))
    assert what_is_impacted(Noticing(selection=some, tests=2, left_out=1), already) == Chosen(
        selection=Selection(ids=some.ids, leave_out=already),
        how="2 tests that may notice the change, 1 left out for time",
    )
    one = Noticing(selection=Selection(files=(RepoPath("new.py"),)), tests=0, left_out=0)
    chosen = what_is_impacted(one, ())
    assert chosen is not None
    assert chosen.how == "1 test that may notice the change"
    every = Noticing(selection=some, tests=2, left_out=0, everything="x.toml configures all")
    chosen = what_is_impacted(every, ())
    assert chosen is not None
    assert chosen.how == "2 tests, since x.toml configures all"
    assert what_is_impacted(Noticing(selection=Selection(), tests=0, left_out=0), ()) is None
