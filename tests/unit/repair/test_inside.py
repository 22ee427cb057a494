"""The fork server's scripts, on real projects in plain processes of this machine."""

import ast
import textwrap
from contextlib import aclosing
from pathlib import Path

import pytest

from agent.repair.proposal import Proposal
from agent.repair.source import Source
from agent.repair.validate.base import Ask, Result, Tried, Watched
from agent.repair.validate.fork_server import (
    Covered,
    ForkServer,
    ServerEnded,
    inside_files,
)
from agent.task import TestId
from tests.support.repair import a_local_server, a_source, a_unit_proposal

CODE = """
    import functools
    import threading

    LIMIT = 3
    SEEN = {}


    def clamp(value, low, high):
        if value < low:
            return low
        if value > high:
            return low
        return value


    def logged(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)

        return wrapper


    @logged
    def twice(value):
        return value + value + 1


    @functools.lru_cache
    def cached(value):
        return value + 2


    def remembered(key):
        if key not in SEEN:
            SEEN[key] = key + 2
        return SEEN[key]


    class Box:
        def __init__(self, items):
            self.__items = list(items)

        def last(self):
            return self.__items[len(self.__items)]

        def name(self):
            return super().__repr__()[:0] + "bx"


    def over(value):
        return value > LIMIT


    def oneline(value): return value - 1
"""
TESTS = """
    import unittest

    import pytest

    from calc import Box, cached, clamp, oneline, over, remembered, twice


    def test_low(): assert clamp(-1, 0, 5) == 0
    def test_middle(): assert clamp(3, 0, 5) == 3
    def test_high(): assert clamp(9, 0, 5) == 5
    def test_last(): assert Box([1, 2]).last() == 2
    def test_name(): assert Box([]).name() == "box"
    def test_over(): assert not over(4)
    def test_twice(): assert twice(2) == 4
    def test_cached(): assert cached(1) == 2
    def test_remembered(): assert remembered(1) == 2
    def test_remembers(): assert remembered(2) == 4 or remembered(2) == 3
    def test_oneline(tmp_path): assert oneline(1) == 1

    @pytest.mark.xfail(reason="known")
    def test_known(): assert clamp(9, 0, 5) == 6

    @pytest.mark.skip(reason="not here")
    def test_skipped(): assert clamp(3, 0, 5) == 3

    class Style(unittest.TestCase):
        def test_high(self):
            self.assertEqual(clamp(9, 0, 5), 5)

        def test_parts(self):
            for value in (1, 9):
                with self.subTest(value=value):
                    self.assertEqual(clamp(value, 0, 5), min(value, 5))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    (folder / "calc.py").write_text(textwrap.dedent(CODE).lstrip())
    (folder / "tests" / "test_calc.py").write_text(textwrap.dedent(TESTS).lstrip())
    return folder


def source_of(project: Path) -> Source:
    return a_source((project / "calc.py").read_text(), "calc.py")


def watched(*targets: str, passing: tuple[str, ...] = ("test_low", "test_middle")) -> Watched:
    return Watched(
        targets=tuple((an_id(name), 0.0) for name in targets),
        passing=tuple((an_id(name), 0.0) for name in passing),
    )


def an_id(name: str) -> TestId:
    return TestId(f"tests/test_calc.py::{name}")


async def tried(server: ForkServer, *proposals: Proposal) -> dict[str, Result]:
    return {one.proposal.after: one.result for one in await each_tried(server, *proposals)}


async def each_tried(server: ForkServer, *proposals: Proposal) -> list[Tried]:
    async with aclosing(server.filter(map(Ask, proposals))) as results:
        return [one async for one in results]


async def covered(server: ForkServer, *names: str) -> dict[str, Covered]:
    ids = [an_id(name) for name in names]
    async with aclosing(server.cover(ids, seconds=20, limit_s=20)) as stream:
        return {one.test.rsplit("::", 1)[-1]: one async for one in stream}


async def test_edits_of_plain_functions_are_swapped_in(project: Path) -> None:
    source = source_of(project)
    at = "return low\n    return value"
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        await server.watch(watched("test_high"))
        results = await tried(
            server,
            *(
                a_unit_proposal(source, at, f"return {text}\n    return value")
                for text in ("high", "value", "(low", "low", "1/0", "raise_", "low or high")
            ),
        )
    assert {text.split("\n")[0][7:]: result for text, result in results.items()} == {
        "high": Result.PASSES,
        "value": Result.FAILS,
        "(low": Result.INVALID,
        "low": Result.INVALID,
        "1/0": Result.FAILS,
        "raise_": Result.FAILS,
        "low or high": Result.PASSES,
    }


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        ("test_last", "[len(self.__items)]", "[-1]"),
        ("test_name", '"bx"', '"box"'),
        ("test_twice", "value + value + 1", "value + value"),
        ("test_cached", "value + 2", "value + 1"),
        ("test_oneline", "value - 1", "value"),
        ("Style::test_high", "return low\n    return value", "return high\n    return value"),
        ("Style::test_parts", "return low\n    return value", "return high\n    return value"),
    ],
)
async def test_methods_decorated_and_cached_functions_are_swapped_too(
    project: Path, target: str, before: str, after: str
) -> None:
    source = source_of(project)
    right = a_unit_proposal(source, before, after)
    assert right.unit is not None
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        await server.watch(watched(target))
        assert await tried(server, right) == {after: Result.PASSES}


async def test_what_runs_at_import_is_imported_anew(project: Path) -> None:
    source = source_of(project)
    right = a_unit_proposal(source, "LIMIT = 3", "LIMIT = 4")
    wrong = a_unit_proposal(source, "LIMIT = 3", "LIMIT = 2")
    broken = a_unit_proposal(source, "LIMIT = 3", "LIMIT = (")
    assert right.unit is None
    async with a_local_server(project, ["tests/test_calc.py"], workers=2) as server:
        await server.watch(watched("test_over"))
        assert await tried(server, right, wrong, broken) == {
            "LIMIT = 4": Result.PASSES,
            "LIMIT = 2": Result.FAILS,
            "LIMIT = (": Result.INVALID,
        }
    assert (project / "calc.py").read_bytes() == source.data


async def test_a_closure_that_lives_already_is_swapped(project: Path) -> None:
    source = source_of(project)
    right = a_unit_proposal(source, "return function(*args)", "return function(*args) - 1")
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        await server.watch(watched("test_twice"))
        assert await tried(server, right) == {"return function(*args) - 1": Result.PASSES}


async def test_what_cannot_be_swapped_is_handed_back(project: Path) -> None:
    source = source_of(project)
    unsound = a_unit_proposal(source, "return function(*args)", "return args")
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        await server.watch(watched("test_twice"))
        assert await tried(server, unsound) == {"return args": Result.LATER}


async def test_endless_loops_and_crashes_cost_only_their_child(project: Path) -> None:
    source = source_of(project)
    at = "return low\n    return value"
    bodies = (
        "[None for _ in iter(int, 1)]",
        "__import__('os')._exit(0)",
        "__import__('os').kill(0, 9)",
        "__import__('time').sleep(60)",
        "bytearray(8 << 30)",
        "high",
    )
    async with a_local_server(project, ["tests/test_calc.py"], workers=2) as server:
        await server.watch(watched("test_high"))
        found = await tried(
            server,
            *(a_unit_proposal(source, at, f"return {text}\n    return value") for text in bodies),
        )
    results = {text.split("\n")[0][7:]: result for text, result in found.items()}
    assert results[bodies[0]] is results[bodies[3]] is Result.HANGS
    assert results[bodies[1]] is results[bodies[2]] is results[bodies[4]] is Result.FAILS
    assert results["high"] is Result.PASSES


async def test_threads_left_behind_cost_the_child(project: Path) -> None:
    source = source_of(project)
    at = "return low\n    return value"
    starts = "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        await server.watch(watched("test_high"))
        results = await tried(
            server,
            a_unit_proposal(source, at, f"{starts}\n    return value"),
            a_unit_proposal(source, at, "return high\n    return value"),
        )
    assert list(results.values()) == [Result.FAILS, Result.PASSES]


async def test_state_that_leaks_from_edits_is_noticed(project: Path) -> None:
    """Wrong edits fill a dict of the module; the right one comes after fifty of them."""
    source = source_of(project)
    wrong = [a_unit_proposal(source, "key + 2", f"key + 5 + {number}") for number in range(50)]
    right = a_unit_proposal(source, "key + 2", "key + 1")
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        await covered(server, "test_remembered", "test_remembers")
        await server.watch(watched("test_remembered", passing=("test_remembers",)))
        results = await tried(server, *wrong, right)
    assert results["key + 1"] is Result.PASSES
    assert set(results.values()) == {Result.PASSES, Result.FAILS}


async def test_edits_that_mend_one_of_two_targets_are_told_apart(project: Path) -> None:
    source = source_of(project)
    part = a_unit_proposal(source, "return low\n    return value", "return high\n    return value")
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        await server.watch(watched("test_high", "test_last"))
        found = await each_tried(server, part)
    assert [(one.result, one.fixed) for one in found] == [(Result.PARTLY, (an_id("test_high"),))]


async def test_a_recheck_starts_from_nothing(project: Path) -> None:
    source = source_of(project)
    right = a_unit_proposal(source, "return low\n    return value", "return high\n    return value")
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        await server.watch(watched("test_high"))
        async with aclosing(server.recheck(iter([right, right]))) as results:
            assert [one.result async for one in results] == [Result.PASSES, Result.PASSES]


async def test_lines_are_known_test_by_test(project: Path) -> None:
    lines = (project / "calc.py").read_text().split("\n")

    def texts(one: Covered) -> set[str]:
        return {lines[number - 1].strip() for number in one.lines[source_of(project).path]}

    async with a_local_server(project, ["tests/test_calc.py"], workers=2) as server:
        found = await covered(server, "test_low", "test_last", "test_oneline", "test_gone")
    assert {name: one.passed for name, one in found.items()} == {
        "test_low": True,
        "test_last": False,
        "test_oneline": False,
    }
    assert texts(found["test_low"]) >= {"if value < low:", "return low"}
    assert "if value > high:" not in texts(found["test_low"])
    assert "def oneline(value): return value - 1" in texts(found["test_oneline"])
    (error,) = found["test_last"].errors
    assert (error["type"], error["message"]) == ("IndexError", "list index out of range")
    assert [(frame[0], frame[2]) for frame in error["frames"]] == [
        ("tests/test_calc.py", "test_last"),
        ("calc.py", "last"),
    ]
    assert error["locals"] == {"self": "Box"}


async def test_a_test_that_hangs_shows_where(project: Path) -> None:
    (project / "loops.py").write_text(
        "def down(n):\n    while n != 0:\n        n -= 2\n    return n\n"
    )
    test = project / "tests" / "test_loops.py"
    test.write_text("from loops import down\n\n\ndef test_down(): assert down(3) == 0\n")
    id_ = TestId("tests/test_loops.py::test_down")
    async with (
        a_local_server(project, ["tests/test_loops.py"]) as server,
        aclosing(server.cover([id_], seconds=9, limit_s=0.3)) as stream,
    ):
        (found,) = [one async for one in stream]
    assert not found.passed
    assert found.errors[0]["type"] == "Hung"
    assert found.errors[0]["frames"][-1][0] == "loops.py"


async def test_outcomes_are_those_of_pytest(project: Path) -> None:
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        found = await covered(
            server, "test_known", "test_skipped", "Style::test_high", "Style::test_parts"
        )
    assert {name: one.passed for name, one in found.items()} == {
        "test_known": True,
        "test_skipped": False,
        "test_high": False,
        "test_parts": False,
    }


async def test_a_file_that_cannot_be_collected_can_be_a_target(project: Path) -> None:
    (project / "broken.py").write_text("import calk\n\nlimit = calk.LIMIT\n")
    test = project / "tests" / "test_broken.py"
    test.write_text("import broken\n\n\ndef test_limit(): assert broken.limit == 3\n")
    source = a_source((project / "broken.py").read_text(), "broken.py")
    right = a_unit_proposal(source, "import calk", "import calc as calk")
    wrong = a_unit_proposal(source, "import calk", "import os as calk")
    async with a_local_server(project, ["tests/test_broken.py", "tests/test_calc.py"]) as server:
        assert an_id("test_low") in server.tests
        await server.watch(Watched(targets=((TestId("tests/test_broken.py"), 0.0),), passing=()))
        assert await tried(server, right, wrong) == {
            "import calc as calk": Result.PASSES,
            "import os as calk": Result.FAILS,
        }


async def test_options_that_spoil_the_search_are_taken_back(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\naddopts = -x --collect-only --lf\n")
    async with a_local_server(project, ["tests/test_calc.py"]) as server:
        found = await covered(server, "test_high", "test_low")
    assert {name: one.passed for name, one in found.items()} == {
        "test_high": False,
        "test_low": True,
    }


async def test_a_session_that_cannot_start_says_why(project: Path) -> None:
    with pytest.raises(ServerEnded, match="exit code 4"):
        async with a_local_server(project, ["tests"], options=["--no-such-option"]):
            pass


async def test_a_conftest_that_ends_the_process_is_noticed(project: Path) -> None:
    (project / "conftest.py").write_text("import os\nos._exit(0)\n")
    with pytest.raises(ServerEnded, match="died"):
        async with a_local_server(project, ["tests"]):
            pass


@pytest.mark.parametrize("name", sorted(inside_files()))
def test_the_scripts_are_python_3_8(name: str) -> None:
    tree = ast.parse(inside_files()[name], feature_version=(3, 8))
    assert ast.get_docstring(tree)
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "agent" not in imported
