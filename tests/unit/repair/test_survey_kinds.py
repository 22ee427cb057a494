"""Every kind of test tells where it failed: unittest, set-ups, docstrings, imports."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.repair.locate import Suspicions
from agent.repair.survey import survey
from agent.task import RepoPath, TestId
from agent.verify.report import Baseline, Frame, Outcome, TestReport, TestResult
from tests.support.repair import a_local_server

SHOP = RepoPath("shop.py")
CODE = '''\
"""A shop."""


def price(kind):
    table = {"tea": 3}
    return table[kind]


def total(kinds):
    """Add prices up.

    >>> total(["tea", "tea"])
    7
    """
    added = 0
    for kind in kinds:
        added += price(kind)
    return added


def open_shop(name):
    shelves = list(name)
    return shelves[9]
'''
TESTS = """\
import unittest

import pytest

import shop


class Prices(unittest.TestCase):
    def test_unknown(self):
        self.assertEqual(shop.price("milk"), 2)

    def test_total(self):
        self.assertEqual(shop.total(["tea"]), 4)

    def test_parts(self):
        for kind in ("tea", "milk"):
            with self.subTest(kind=kind):
                shop.price(kind)


class OpenedOnce(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = shop.open_shop("ours")

    def test_open(self):
        pass


class OpenedEachTime(unittest.TestCase):
    def setUp(self):
        self.shop = shop.open_shop("ours")

    def test_open(self):
        pass


@pytest.fixture(scope="module")
def opened():
    return shop.open_shop("ours")


def test_with_fixture(opened):
    pass


@pytest.mark.parametrize(("kinds", "wanted"), [([], 0), (["tea"], 4), (["milk"], 4)])
def test_total(kinds, wanted):
    assert shop.total(kinds) == wanted


@pytest.mark.anyio
async def test_swallowed():
    try:
        shop.price("milk")
    except KeyError as error:
        raise ValueError("no such thing") from error
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.py").write_text(CODE)
    (folder / "test_shop.py").write_text(TESTS)
    return folder


def a_baseline(target: str, frames: Sequence[Frame] = ()) -> Baseline:
    result = TestResult(
        id=TestId(target),
        outcome=Outcome.FAILED,
        duration_s=0.1,
        error_type="NameError",
        frames=tuple(frames),
    )
    report = TestReport(results={result.id: result})
    return Baseline(report=report, targets=(result.id,), flaky=(), wall_s=1.0)


async def located(
    project: Path, baseline: Baseline, *, file: str = "test_shop.py", options: Sequence[str] = ()
) -> Suspicions:
    async with a_local_server(project, [file], options=options) as server:
        found = await survey(server, baseline, [], frozenset({SHOP}), seconds=20)
    return found.suspicions


def crash_in(found: Suspicions) -> tuple[int, str]:
    """The line of ours where it came to the exception, and the exception."""
    ((line, failure),) = ((at, one) for at, one in found.failures.items() if one.is_crash)
    return line[1], failure.error


@pytest.mark.parametrize(
    ("target", "line", "error"),
    [
        ("Prices::test_unknown", 6, "KeyError"),
        ("Prices::test_parts", 6, "KeyError"),
        ("OpenedOnce::test_open", 23, "IndexError"),
        ("OpenedEachTime::test_open", 23, "IndexError"),
        ("test_with_fixture", 23, "IndexError"),
        ("test_total[kinds2-4]", 6, "KeyError"),
        ("test_swallowed[asyncio]", 6, "KeyError"),
    ],
)
async def test_the_line_of_the_exception_is_found(
    project: Path, target: str, line: int, error: str
) -> None:
    found = await located(project, a_baseline(f"test_shop.py::{target}"))
    assert crash_in(found) == (line, error)
    assert found.lines[SHOP, line] == 1.0


@pytest.mark.parametrize("target", ["Prices::test_total", "test_total[kinds1-4]"])
async def test_an_assertion_in_the_test_leaves_the_lines_that_ran(
    project: Path, target: str
) -> None:
    found = await located(project, a_baseline(f"test_shop.py::{target}"))
    assert found.failures == {}
    assert {line for _path, line in found.lines} == {5, 6, 15, 16, 17, 18}


async def test_a_docstring_is_a_test_like_any_other(project: Path) -> None:
    baseline = a_baseline("shop.py::shop.total")
    options = ["--doctest-modules"]
    found = await located(project, baseline, file="shop.py", options=options)
    assert {line for _path, line in found.lines} == {5, 6, 15, 16, 17, 18}


async def test_a_file_that_cannot_be_imported_tells_by_its_report(project: Path) -> None:
    (project / "shop.py").write_text("LIMIT = limit()\n")
    frames = [
        Frame(path=RepoPath("test_shop.py"), line=5, function="<module>"),
        Frame(path=SHOP, line=1, function="<module>"),
    ]
    found = await located(project, a_baseline("test_shop.py", frames))
    assert crash_in(found) == (1, "NameError")
