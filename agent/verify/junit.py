"""Reads JUnit XML that a test runner wrote in the sandbox; the file may be hostile.

Parsing is junitparser's. What is added here: caps on size, cases and texts, no entities and no
document type at all, and one value for every way a report can be unusable.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from agent.task import TestId
from agent.verify.report import Outcome, TestResult

JUNIT_BYTES: Final = 16 * 1024**2
CASES: Final = 50_000
TEXT_CHARS: Final = 2_000
_DECLARES_TYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One `testcase` as it stands in the file."""

    class_name: str
    name: str
    outcome: Outcome
    duration_s: float
    error_type: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """The file says nothing that can be relied on."""

    why: str


def read_junit(data: bytes) -> tuple[Case, ...] | Unreadable:
    """Return every test case in file order, duplicates included; never raises."""
    if why := _refusal(data):
        return Unreadable(why=why)
    try:
        cases = tuple(_cases(data))
    except Exception as error:  # noqa: BLE001 - whatever a parser makes of hostile bytes
        return Unreadable(why=f"the JUnit report is not readable: {_first_line(error)}")
    if len(cases) > CASES:
        return Unreadable(why=f"the JUnit report has more than {CASES} test cases")
    return cases


def results_of(cases: tuple[Case, ...]) -> dict[TestId, TestResult]:
    """Name each case `class::name`; of several with one name the worst counts."""
    results: dict[TestId, TestResult] = {}
    for case in cases:
        id_ = TestId(f"{case.class_name}::{case.name}" if case.class_name else case.name)
        result = TestResult(
            id=id_,
            outcome=case.outcome,
            duration_s=case.duration_s,
            message=case.message,
            error_type=case.error_type,
        )
        known = results.get(id_)
        if known is None or (result.is_failing and not known.is_failing):
            results[id_] = result
    return results


def _refusal(data: bytes) -> str:
    if len(data) > JUNIT_BYTES:
        return f"the JUnit report is larger than {JUNIT_BYTES // 1024**2} MB"
    if not data.strip():
        return "the JUnit report is empty"
    if b"\0" in data:
        return "the JUnit report is not text in a usual encoding"
    if _DECLARES_TYPE.search(data):
        return "the JUnit report declares a document type or entities; no runner writes that"
    if (found := _ENCODING.match(data.lstrip())) and (
        found[1].decode("ascii").lower() not in _ENCODINGS
    ):
        return f"the JUnit report is in {found[1].decode('ascii')}, not in UTF-8"
    return ""


def _cases(data: bytes) -> Iterator[Case]:
    from junitparser import JUnitXml, TestCase, TestSuite

    parsed: Any = JUnitXml.fromstring(data)
    suites: list[Any] = [parsed] if isinstance(parsed, TestSuite) else list(parsed)
    cases = (case for suite in suites for case in suite if isinstance(case, TestCase))
    for case in itertools.islice(cases, CASES + 1):
        yield _case(case)


def _case(case: object) -> Case:
    from junitparser import Error, Failure, Skipped

    outcome, error_type, message = Outcome.PASSED, "", ""
    for part in getattr(case, "result", []):
        if isinstance(part, Error | Failure):
            outcome = Outcome.ERROR if isinstance(part, Error) else Outcome.FAILED
            error_type, message = part.type or "", part.message or part.text or ""
            break
        if isinstance(part, Skipped):
            outcome = Outcome.XFAILED if part.type == "pytest.xfail" else Outcome.SKIPPED
            message = part.message or ""
    return Case(
        class_name=str(getattr(case, "classname", "") or "").strip()[:TEXT_CHARS],
        name=str(getattr(case, "name", "") or "").strip()[:TEXT_CHARS],
        outcome=outcome,
        duration_s=_seconds(case),
        error_type=error_type[:TEXT_CHARS],
        message=message[:TEXT_CHARS],
    )


def _seconds(case: object) -> float:
    """Return the `time` attribute; 0 where it is missing, not a number, or nonsense."""
    try:
        seconds = float(getattr(case, "time", 0.0) or 0.0)
    except ValueError:
        return 0.0
    return seconds if 0.0 <= seconds < 1e9 else 0.0


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
