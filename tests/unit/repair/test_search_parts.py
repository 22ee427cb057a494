"""What a search keeps back, expects, pairs and leaves undone."""

from pathlib import Path

import pytest

from agent.edits.spans import ByteEdit
from agent.repair.holdback import hold_back
from agent.repair.pairing import improving_pairs, likely_pairs
from agent.repair.plan import Plan, first_limit_s, plan_by_command, plan_forked
from agent.repair.proposal import Proposal, Sketch
from agent.repair.queue import PATIENCES, BestFirst
from agent.repair.search import MOST_NEAR, Findings
from agent.repair.showing import diff_of
from agent.repair.validate.base import Watched
from agent.task import RepoPath, TestId
from agent.verify.command_runner import CommandRunner
from agent.verify.pytest_runner import PytestRunner
from agent.verify.report import Baseline, Outcome, TestReport, TestResult
from tests.support.repair import base_of

PATH = RepoPath("module.py")


def a_proposal(start: int, *, prior: float = 0.5, path: RepoPath = PATH) -> Proposal:
    sketch = Sketch((ByteEdit(start, start + 1, b"x"),), "test", prior)
    return Proposal(
        path=path, sketch=sketch, line=1, suspicion=1.0, unit=None, before="a", after="x"
    )


def timed(prefix: str, count: int) -> tuple[tuple[TestId, float], ...]:
    return tuple((TestId(f"{prefix}{number}"), 0.01) for number in range(1, count + 1))


def names(watched: Watched) -> str:
    return " ".join(watched.ids)


@pytest.mark.parametrize(
    ("targets", "passing", "known", "held"),
    [
        (1, 0, "t1", ""),
        (1, 2, "t1 p1 p2", ""),
        (1, 3, "t1 p1 p2", "p3"),
        (3, 1, "t1 t2 t3 p1", ""),
        (4, 0, "t1 t2 t3", "t4"),
        (2, 8, "t1 t2 p1 p2 p3 p5 p6 p7", "p4 p8"),
        (5, 4, "t1 t2 t3 t5 p1 p2 p3", "t4 p4"),
    ],
)
def test_a_quarter_of_the_relevant_tests_is_kept_back(
    targets: int, passing: int, known: str, held: str
) -> None:
    watched = Watched(targets=timed("t", targets), passing=timed("p", passing))
    split = hold_back(watched)
    assert (names(split[0]), names(split[1])) == (known, held)


def a_baseline(durations: dict[str, float], *, wall_s: float) -> Baseline:
    results = {
        TestId(name): TestResult(id=TestId(name), outcome=Outcome.FAILED, duration_s=seconds)
        for name, seconds in durations.items()
    }
    targets = tuple(results)[:1]
    return Baseline(report=TestReport(results=results), targets=targets, flaky=(), wall_s=wall_s)


def test_a_forked_try_costs_what_the_first_target_does() -> None:
    baseline = a_baseline({"a": 0.3, "b": 9.0}, wall_s=10)
    watched = Watched(targets=((TestId("a"), 0.5),), passing=timed("p", 3))
    plan = plan_forked(baseline, watched, workers=2, budget_s=30.0)
    assert plan.try_s == pytest.approx(0.3012)
    assert plan.tries == int(60 / 0.3012)
    assert plan.event.how == "forked"
    assert not plan.is_hopeless


def test_a_runner_that_cannot_select_costs_the_whole_suite_each_time() -> None:
    baseline = a_baseline({"a": 1.0, "b": 7.0}, wall_s=10)
    watched = Watched(targets=((TestId("a"), 1.0),), passing=())
    command = CommandRunner(command="make test", junit_path="out.xml")
    whole = plan_by_command(command, baseline, watched, budget_s=30.0)
    assert (whole.try_s, whole.tries) == (10.0, 3)
    part = plan_by_command(PytestRunner(interpreter="python"), baseline, watched, budget_s=30.0)
    assert (part.try_s, part.tries) == (3.0, 10)
    seen = plan_by_command(command, baseline, watched, budget_s=30.0, try_s=2.0, side_by_side=2)
    assert (seen.try_s, seen.tries) == (2.0, 30)


def test_a_search_with_hardly_a_try_says_why_it_is_not_begun() -> None:
    plan = Plan(is_forked=False, try_s=12.0, budget_s=30.0, selects=False)
    assert plan.is_hopeless
    assert "one try takes about 12 s here, so that only 2 fit into the 30 s" in plan.refusal
    assert plan.advice == (
        "Give it more time (--budget-s 130 or more), or name a narrower test command."
    )


def test_where_measuring_took_all_the_time_that_is_said() -> None:
    plan = Plan(is_forked=True, try_s=0.003, budget_s=-2.0)
    assert plan.is_hopeless
    assert "measuring the tests took so long that only 0 tries fit into the 0 s" in plan.refusal
    assert plan.advice == "Give it more time with --budget-s, or name fewer tests."


def test_a_slow_try_gets_a_few_times_what_is_expected_at_first() -> None:
    plan = Plan(is_forked=False, try_s=1.5, budget_s=30.0)
    assert first_limit_s(plan, 300.0) == 8.0
    assert first_limit_s(plan, 5.0) == 5.0


def test_what_ran_over_its_time_comes_again_with_more_until_it_had_the_most() -> None:
    queue, slow, quick = BestFirst([]), a_proposal(0), a_proposal(2, prior=0.1)
    queue.add([slow, quick])
    patience = []
    for ask in queue:
        if ask.proposal == slow:
            patience.append(ask.patience)
            queue.put_back_slow(slow, ask.patience, passed=0.0)
    assert tuple(patience) == PATIENCES
    assert queue.is_exhausted


def test_of_two_slow_edits_the_one_that_passed_more_tests_comes_first() -> None:
    queue = BestFirst([])
    for start, passed in ((0, 0.1), (2, 0.9)):
        assert queue.put_back_slow(a_proposal(start), 1.0, passed)
    assert queue.is_slow
    assert [ask.proposal.sketch.edits[0].start for ask in queue] == [2, 0]


def test_only_the_best_failed_edits_are_kept_to_be_paired() -> None:
    findings = Findings()
    for start in range(0, 400, 2):
        findings.keep(a_proposal(start, prior=start / 400))
    kept = [one.sketch.edits[0].start for one in findings.near]
    assert kept == list(range(398, 398 - 2 * MOST_NEAR, -2))


def test_pairs_begin_with_edits_that_did_some_good() -> None:
    findings = Findings()
    good, better = a_proposal(0), a_proposal(2, prior=0.1)
    findings.further.append((good, 1))
    findings.partial.append((better, (TestId("t"),)))
    for one in (good, a_proposal(4), a_proposal(6, path=RepoPath("other.py"))):
        findings.keep(one)
    spans = [sorted(edit.start for edit in pair.sketch.edits) for pair in improving_pairs(findings)]
    assert sorted(spans) == [[0, 2], [0, 4], [2, 4]]
    assert {pair.sketch.tier for pair in improving_pairs(findings)} == {4}
    assert likely_pairs(findings) == []


def test_without_any_sign_the_best_scored_edits_are_paired() -> None:
    findings = Findings()
    for start, prior in ((0, 0.5), (2, 0.1), (4, 0.4)):
        findings.keep(a_proposal(start, prior=prior))
    assert improving_pairs(findings) == []
    spans = [sorted(edit.start for edit in pair.sketch.edits) for pair in likely_pairs(findings)]
    assert spans == [[0, 4], [0, 2], [2, 4]]


def test_a_patch_is_shown_as_a_diff_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_bytes(b"a = b\n")
    assert diff_of(base_of(tmp_path), (a_proposal(4),)) == (
        "--- a/module.py\n+++ b/module.py\n@@ -1 +1 @@\n-a = b\n+a = x\n"
    )
