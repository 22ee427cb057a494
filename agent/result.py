"""What a run came to: one record for front ends, and the JSON that scripts rely on.

Puts together what was proposed and measured; proposes and measures nothing itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.edits.changes import Delta
from agent.edits.patch import Patch, make_patch, render_unified
from agent.job import Candidate, Job, Question
from agent.task import HunkId, RunId, TestId
from agent.verify.verdict import (
    Broken,
    Confidence,
    Green,
    Regressed,
    Tampered,
    Unchanged,
    Verdict,
    verdict_name,
)
from agent.workspace.base import Base


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the search came to: the last candidate and what the gate measured for it."""

    candidate: Candidate | None = None
    verdict: Verdict | None = None
    reason: str = ""
    """Why there is no further candidate; empty after a green."""
    broke_off: bool = False
    """A model stopped answering; the run can be resumed."""
    needed_for: Mapping[HunkId, tuple[TestId, ...]] = field(default_factory=dict)
    """Tests that fail without just that hunk of the candidate, where it was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One patch that a person may choose."""

    patch_text: str
    confidence: Confidence
    rank: int
    why: str
    group: int = 0
    """Options of one number did the same on every input that was tried; 0: not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run came to; `verdict` is a verdict's name, or `none`, or `interrupted`.

    Of a run of tests alone it is `passed` or `failed`.
    """

    run: RunId
    strategy: str
    verdict: str
    message: str
    """One line for a person."""
    confidence: Confidence | None = None
    distinct: int = 0
    """Distinct patches found that pass the same tests."""
    patch: Patch | None = None
    """The patch of a green verdict; there is no other way to get one."""
    receipt: str = ""
    broke_off: bool = False
    """A model stopped answering on the way; `greenloop resume` goes on."""
    own_tests: tuple[str, ...] = ()
    """New tests that came with the patch; each fails without it and passes with it."""
    needed_for: Mapping[HunkId, tuple[TestId, ...]] = field(default_factory=dict)
    """Tests that fail without just that hunk of the patch; only hunks of which it was measured."""
    failing_before: tuple[str, ...] = ()
    failing_after: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    """The best five, by rank."""
    groups: int = 0
    """Behaviours among all the patches found; 0: not measured."""
    question: Question | None = None
    """An input on which the options differ."""
    notes: tuple[str, ...] = ()
    durations_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds by phase."""

    @property
    def patch_text(self) -> str:
        """The patch as unified diff text; bytes that are not UTF-8 are escaped."""
        return _diff_text(self.patch) if self.patch else ""

    @property
    def exit_code(self) -> int:
        """0 green, 1 not green or ambiguous, 75 machine or model failed, 130 interrupted."""
        if self.verdict == "interrupted":
            return 130
        if self.verdict == "infrastructure" or (self.broke_off and self.verdict != "green"):
            return 75
        return 0 if self.verdict == "green" and self.confidence is not Confidence.AMBIGUOUS else 1


def result_of(run: RunId, strategy: str, job: Job, finding: Finding) -> RunResult:
    """Put together what is kept and shown; only a green verdict carries a patch."""
    base = job.bench.base
    candidate, verdict = finding.candidate, finding.verdict
    before = _reliable(job.baseline.report.failing, job.baseline.flaky)
    if candidate is None or verdict is None:
        return RunResult(
            run=run,
            strategy=strategy,
            verdict="none",
            message=finding.reason,
            broke_off=finding.broke_off,
            failing_before=before,
            failing_after=before,
        )
    green = verdict if isinstance(verdict, Green) else None
    return RunResult(
        run=run,
        strategy=strategy,
        verdict=outcome_name(verdict),
        message=describe(verdict),
        confidence=_confidence(candidate, green) if green else None,
        distinct=candidate.distinct,
        patch=make_patch(base.read, measured_delta(candidate, green)) if green else None,
        receipt=green.receipt if green else "",
        broke_off=finding.broke_off,
        own_tests=tuple(map(str, green.own_tests)) if green else (),
        needed_for=finding.needed_for if green else {},
        failing_before=before,
        failing_after=_failing_after(verdict, before, job.baseline.flaky),
        options=_options(base, candidate),
        groups=candidate.groups,
        question=candidate.question,
        notes=(*candidate.notes, *(green.flags if green else ())),
    )


def _confidence(candidate: Candidate, green: Green) -> Confidence:
    """As the strategy sees it, lowered by what the gate saw; never raised."""
    if candidate.confidence is Confidence.LIKELY and (green.flags or green.still_failing):
        return Confidence.PLAUSIBLE
    return candidate.confidence


def measured_delta(candidate: Candidate, green: Green) -> Delta:
    """The delta without the protected files that the gate put back: only that was measured."""
    restored = frozenset(green.restored)
    return {path: each for path, each in candidate.delta.items() if path not in restored}


def outcome_name(verdict: Verdict) -> str:
    """Return the verdict's name; `infrastructure` where the machine failed and not the code."""
    if isinstance(verdict, Broken) and verdict.infrastructure:
        return "infrastructure"
    return verdict_name(verdict)


def _reliable(failing: Sequence[TestId], flaky: Sequence[TestId]) -> tuple[str, ...]:
    """Failing tests, without those that fail now and then: they stand in no judgement."""
    return tuple(str(id_) for id_ in failing if id_ not in flaky)


def _failing_after(
    verdict: Verdict, before: tuple[str, ...], flaky: Sequence[TestId]
) -> tuple[str, ...]:
    match verdict:
        case Green() | Regressed() | Unchanged():
            return _reliable(verdict.after.failing, flaky)
        case Broken() | Tampered():
            return before


def _options(base: Base, candidate: Candidate) -> tuple[Option, ...]:
    first = Option(
        patch_text=_diff_text(make_patch(base.read, candidate.delta)),
        confidence=candidate.confidence,
        rank=1,
        why=candidate.why,
        group=candidate.group,
    )
    others = (
        Option(
            patch_text=_diff_text(make_patch(base.read, other.delta)),
            confidence=other.confidence,
            rank=other.rank,
            why=other.why,
            group=other.group,
        )
        for other in candidate.alternatives
    )
    return (first, *others)[:5]


def _diff_text(patch: Patch) -> str:
    return render_unified(patch).decode("utf-8", "backslashreplace")


def describe(verdict: Verdict) -> str:
    """One line for a person: what was measured."""
    match verdict:
        case Green():
            return (
                f"{_shown(verdict)}, nothing else broken"
                f"{_still(len(verdict.still_failing))}, measured in a fresh sandbox"
            )
        case Regressed():
            return f"{_tests(len(verdict.broken))} that passed now fail: {verdict.broken[0]}"
        case Unchanged():
            if verdict.why:
                return verdict.why
            return _failing(verdict.still_failing)
        case Broken() | Tampered():
            return verdict.why


def _shown(green: Green) -> str:
    """What was red before: tests of the repository, and tests that came with the patch."""
    new = len(green.own_tests)
    own = f"{_tests(new)} of its own that fail{'s' if new == 1 else ''} without it" if new else ""
    fixed = f"{_tests(len(green.fixed))} fixed" if green.fixed or not own else ""
    return " and ".join(filter(None, (fixed, own)))


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count} tests"


def _failing(ids: Sequence[TestId]) -> str:
    return f"{_tests(len(ids))} still fail{'s' if len(ids) == 1 else ''}: {ids[0]}"


def _still(count: int) -> str:
    if not count:
        return ""
    return f" ({_tests(count)} failed before and still {'does' if count == 1 else 'do'})"


def _question_to_json(question: Question) -> dict[str, object]:
    return {
        "call": question.call,
        "path": question.path,
        "answers": [
            {
                "ranks": list(answer.ranks),
                "shown": answer.shown,
                "test": answer.test,
                "fails_now": answer.fails_now,
            }
            for answer in question.answers
        ],
    }


def result_to_json(result: RunResult) -> dict[str, object]:
    """Return the one object that `--json` prints and that is kept as result.json."""
    return {
        "run": result.run,
        "verdict": result.verdict,
        "confidence": result.confidence.value if result.confidence else None,
        "alternatives": result.distinct,
        "message": result.message,
        "patch": result.patch_text,
        "receipt": result.receipt,
        "own_tests": list(result.own_tests),
        "needed_for": {hunk: list(tests) for hunk, tests in result.needed_for.items()},
        "failing_before": list(result.failing_before),
        "failing_after": list(result.failing_after),
        "durations": {name: round(wall_s, 3) for name, wall_s in result.durations_s.items()},
        "strategy": result.strategy,
        "candidates": [
            {
                "patch": option.patch_text,
                "confidence": option.confidence.value,
                "rank": option.rank,
                "why": option.why,
                "group": option.group,
            }
            for option in result.options
        ],
        "groups": result.groups,
        "question": _question_to_json(result.question) if result.question else None,
        "notes": list(result.notes),
        "exit_code": result.exit_code,
    }
