"""The last result of every test."""

from pathlib import Path

from agent.events import BaselineMeasured, Event, RunFinished, RunStarted, TestFailed, TestsMeasured
from agent.journal.records import Record
from agent.task import RunId
from lsp_server.tested.results import Measured, Results

TOP = Path("/repo")


def take(results: Results, run: str, *events: Event) -> None:
    for number, event in enumerate(events):
        results.take(RunId(run), Record(number=number, at_unix_s=0.0, event=event))


def started(run: str, *targets: str) -> RunStarted:
    return RunStarted(
        run=run, kind="test", repo=str(TOP), targets=targets, strategy="", tool_version="0"
    )


def measured(whole: bool = True, **outcomes: str) -> TestsMeasured:
    results = tuple((f"t.py::{name}", outcome, 0.5) for name, outcome in outcomes.items())
    return TestsMeasured(results=results, whole=whole)


def finished() -> RunFinished:
    return RunFinished(verdict="failed", confidence="", message="", wall_s=1.0)


def told(results: Results) -> list[Measured]:
    news: list[Measured] = []
    results.listen(news.append)
    return news


def outcomes(results: Results) -> dict[str, str]:
    return {id_: one.outcome for id_, one in results.of(TOP).items()}


def test_measurement_of_all_replaces_what_was_known() -> None:
    results = Results()
    take(results, "1", started("1"), measured(a="passed", b="failed"), finished())
    news = told(results)
    take(results, "2", started("2"), measured(b="passed"), finished())
    assert outcomes(results) == {"t.py::b": "passed"}
    assert news[0].gone == ("t.py::a",)


def test_measurement_of_some_leaves_the_others() -> None:
    results = Results()
    take(results, "1", started("1"), measured(a="passed", b="failed"), finished())
    take(results, "2", started("2", "t.py::a"), measured(whole=False, a="failed"), finished())
    assert outcomes(results) == {"t.py::a": "failed", "t.py::b": "failed"}


def test_test_of_a_file_that_did_not_run_with_it_is_gone() -> None:
    results = Results()
    take(results, "1", started("1"), measured(a="passed", b="failed"), finished())
    take(results, "2", started("2", "t.py"), measured(whole=False, a="passed"), finished())
    assert outcomes(results) == {"t.py::a": "passed"}


def test_failure_is_kept_with_its_result() -> None:
    results = Results()
    failed = TestFailed(id="t.py::a", path="t.py", line=3, message="no", error_type="E", frames=())
    take(results, "1", started("1"), failed, measured(a="failed", b="failed"), finished())
    known = results.of(TOP)
    assert known["t.py::a"].failure == failed
    assert known["t.py::b"].failure is None


def test_outcome_of_many_is_the_worst() -> None:
    results = Results()
    some = TestsMeasured(
        results=(
            ("t.py::a[1]", "passed", 0.0),
            ("t.py::a[2]", "failed", 0.0),
            ("t.py::ab", "error", 0.0),
            ("t.py::C::d", "skipped", 0.0),
            ("t.py::C::e", "passed", 0.0),
        ),
        whole=True,
    )
    take(results, "1", started("1"), some)
    units = ("t.py::a", "t.py::a[1]", "t.py::ab", "t.py::C", "t.py::none")
    asked = [results.outcome(TOP, unit) for unit in units]
    assert asked == ["failed", "passed", "error", "passed", None]
    assert results.outcome(Path("/other"), "t.py::a") is None


def test_targets_of_a_change_that_is_in_the_tree_count_as_passed() -> None:
    results = Results()
    baseline = BaselineMeasured(
        targets=("t.py::b",), failing=("t.py::b",), passing=1, flaky=(), wall_s=1.0
    )
    take(results, "1", started("1"), measured(a="failed", b="failed"), baseline, finished())
    news = told(results)
    results.mended("1")
    assert outcomes(results) == {"t.py::a": "failed", "t.py::b": "passed"}
    assert [one.id for one in news[0].results] == ["t.py::b"]
    results.mended("unknown")
    assert len(news) == 1


def test_listener_that_left_hears_nothing() -> None:
    results = Results()
    news: list[Measured] = []
    results.listen(news.append)()
    take(results, "1", started("1"), measured(a="passed"))
    assert news == []


def test_events_of_unknown_runs_are_passed_over() -> None:
    results = Results()
    take(results, "1", measured(a="passed"), finished())
    assert results.tops() == ()
