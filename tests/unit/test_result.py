"""What a run came to, put together from what was proposed and measured."""

from types import SimpleNamespace

import pytest

from agent.edits.changes import Content
from agent.job import Alternative, Answer, Candidate, Job, Question
from agent.result import Finding, RunResult, result_of, result_to_json
from agent.task import RepoPath, RunId, TaskSpec, TestId
from agent.verify.report import Baseline, Outcome, TestReport, TestResult
from agent.verify.verdict import Broken, Confidence, Green, Tampered, Unchanged, Verdict
from tests.support.runs import not_measured

TARGET, SHAKY, OTHER = TestId("t.py::target"), TestId("t.py::shaky"), TestId("t.py::other")
CODE, TESTS = RepoPath("code.py"), RepoPath("t.py")


def a_report(**outcomes: Outcome) -> TestReport:
    ids = {"target": TARGET, "shaky": SHAKY, "other": OTHER}
    return TestReport(
        results={
            ids[name]: TestResult(id=ids[name], outcome=outcome, duration_s=0.0)
            for name, outcome in outcomes.items()
        }
    )


def a_job(tmp_path) -> Job:
    report = a_report(target=Outcome.FAILED, shaky=Outcome.FAILED, other=Outcome.FAILED)
    base = SimpleNamespace(read=lambda path: Content(data=b"old\n"))
    return Job(
        task=TaskSpec(repo=tmp_path),
        bench=SimpleNamespace(base=base),
        baseline=Baseline(report=report, targets=(TARGET,), flaky=(SHAKY,), wall_s=1.0),
        emit=lambda event: None,
        measure=not_measured,
        run_dir=tmp_path,
    )


def a_candidate(confidence: Confidence = Confidence.LIKELY) -> Candidate:
    delta = {CODE: Content(data=b"new\n"), TESTS: Content(data=b"weaker\n")}
    return Candidate(delta=delta, why="by hand", confidence=confidence, distinct=1)


def a_green(**changes) -> Green:
    facts = {
        "after": a_report(target=Outcome.PASSED, shaky=Outcome.FAILED, other=Outcome.PASSED),
        "fixed": (TARGET,),
        "still_failing": (),
        "restored": (TESTS,),
        "receipt": "receipt.json",
    }
    return Green(**{**facts, **changes})


def told(tmp_path, verdict: Verdict, candidate: Candidate | None = None) -> RunResult:
    finding = Finding(candidate=candidate or a_candidate(), verdict=verdict)
    return result_of(RunId("r"), "offline", a_job(tmp_path), finding)


def test_flaky_tests_count_neither_before_nor_after(tmp_path) -> None:
    result = told(tmp_path, a_green())
    assert result.failing_before == (TARGET, OTHER)
    assert result.failing_after == ()


def test_what_the_gate_put_back_is_not_in_the_patch(tmp_path) -> None:
    patch = told(tmp_path, a_green()).patch
    assert patch is not None
    assert [file.path for file in patch.files] == [CODE]


@pytest.mark.parametrize(
    ("green", "expected"),
    [
        (a_green(), Confidence.LIKELY),
        (a_green(flags=("reaches for the clock",)), Confidence.PLAUSIBLE),
        (a_green(still_failing=(OTHER,)), Confidence.PLAUSIBLE),
    ],
)
def test_what_the_gate_saw_lowers_the_confidence(tmp_path, green, expected) -> None:
    assert told(tmp_path, green).confidence is expected


def test_confidence_is_never_raised(tmp_path) -> None:
    result = told(tmp_path, a_green(), a_candidate(Confidence.AMBIGUOUS))
    assert (result.confidence, result.exit_code) == (Confidence.AMBIGUOUS, 1)


@pytest.mark.parametrize(
    ("verdict", "name", "code"),
    [
        (Unchanged(after=a_report(target=Outcome.FAILED), still_failing=(TARGET,)), "unchanged", 1),
        (Broken(why="no report", infrastructure=False), "broken", 1),
        (Broken(why="engine lost", infrastructure=True), "infrastructure", 75),
        (Tampered(why="reached for pytest"), "tampered", 1),
    ],
)
def test_what_is_not_green_has_no_patch(tmp_path, verdict, name, code) -> None:
    result = told(tmp_path, verdict)
    assert (result.verdict, result.exit_code) == (name, code)
    assert (result.patch, result.receipt, result.confidence) == (None, "", None)
    assert result.message


def test_a_model_that_stopped_answering_is_no_fault_of_the_code(tmp_path) -> None:
    finding = Finding(reason="the server is gone", broke_off=True)
    result = result_of(RunId("r"), "model", a_job(tmp_path), finding)
    assert (result.verdict, result.exit_code) == ("none", 75)


def test_groups_and_the_question_reach_whoever_reads_the_json(tmp_path) -> None:
    test = "def test_f():\n    assert f([]) == 2\n"
    answers = (
        Answer(ranks=(1,), shown="returns 2", test=test, fails_now=True),
        Answer(ranks=(2,), shown="raises KeyError", test="...", fails_now=False),
    )
    other = Alternative(
        delta={CODE: Content(data=b"other\n")},
        why="other",
        confidence=Confidence.AMBIGUOUS,
        rank=2,
        group=2,
    )
    candidate = Candidate(
        delta={CODE: Content(data=b"new\n")},
        why="by hand",
        confidence=Confidence.AMBIGUOUS,
        distinct=9,
        alternatives=(other,),
        group=1,
        groups=3,
        question=Question(call="f([])", path=TESTS, answers=answers),
    )
    result = told(tmp_path, a_green(), candidate)
    as_json = result_to_json(result)
    assert [option.group for option in result.options] == [1, 2]
    assert as_json["groups"] == 3
    assert as_json["question"] == {
        "call": "f([])",
        "path": "t.py",
        "answers": [
            {"ranks": [1], "shown": "returns 2", "test": test, "fails_now": True},
            {"ranks": [2], "shown": "raises KeyError", "test": "...", "fails_now": False},
        ],
    }
