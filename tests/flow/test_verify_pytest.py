"""What pytest reports through ours, in real processes: outcomes, places, odd repositories."""

import json
from pathlib import Path

import pytest

from agent.task import RepoPath, TestId
from agent.verify.bench import Selection
from agent.verify.report import Frame, NoReport, Outcome, TestReport
from tests.support.verify import a_bench, a_runner

SHOP = {
    "shop.py": """
        def price(item):
            return lookup(item)

        def lookup(item):
            return {"tea": 3}[item]
        """
}


async def run(
    tmp_path: Path,
    files: dict[str, str],
    *ids: str,
    command: str = "python -m pytest",
    whole: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
) -> TestReport:
    outcome = await attempt(tmp_path, files, *ids, command=command, whole=whole, without=without)
    assert isinstance(outcome, TestReport), (outcome.why, outcome.output)
    return outcome


async def attempt(
    tmp_path: Path,
    files: dict[str, str],
    *ids: str,
    command: str = "python -m pytest",
    wall_s: float = 30.0,
    whole: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
) -> TestReport | NoReport:
    bench = a_bench(tmp_path / "repo", files, a_runner(command))
    async with bench.open() as sandbox:
        chosen = Selection(
            ids=tuple(map(TestId, ids)),
            files=tuple(map(RepoPath, whole)),
            leave_out=tuple(map(TestId, without)),
        )
        return await bench.runner.run(sandbox, chosen, wall_s=wall_s)


def words(report: TestReport) -> dict[str, str]:
    return {id_.rpartition("/")[2]: result.outcome.value for id_, result in report.results.items()}


async def test_every_kind_of_outcome_is_told(tmp_path: Path) -> None:
    source = """
        import unittest
        import pytest

        def test_pass(): pass
        def test_fail(): assert 1 == 2
        def test_skip(): pytest.skip("no")
        @pytest.mark.skip
        def test_marked(): pass
        @pytest.mark.xfail
        def test_xfail(): assert 0
        @pytest.mark.xfail
        def test_xpass(): pass
        @pytest.mark.xfail(strict=True)
        def test_strict(): pass
        @pytest.fixture
        def broken(): raise OSError("no disk")
        @pytest.fixture
        def leaky():
            yield
            raise OSError("no disk")
        def test_setup(broken): pass
        def test_teardown(leaky): pass
        def test_both(leaky): assert 0
        @pytest.mark.parametrize("x", ["a b", "c::d", "e[f]"])
        def test_param(x): pass
        class TestUnit(unittest.TestCase):
            def test_ok(self): pass
            def test_bad(self): self.assertEqual(1, 2)
            @unittest.expectedFailure
            def test_expected(self): self.fail()
            def test_skipped(self): self.skipTest("no")
        """
    report = await run(tmp_path, {"test_a.py": source})
    assert words(report) == {
        "test_a.py::test_pass": "passed",
        "test_a.py::test_fail": "failed",
        "test_a.py::test_skip": "skipped",
        "test_a.py::test_marked": "skipped",
        "test_a.py::test_xfail": "xfailed",
        "test_a.py::test_xpass": "xpassed",
        "test_a.py::test_strict": "failed",
        "test_a.py::test_setup": "error",
        "test_a.py::test_teardown": "error",
        "test_a.py::test_both": "failed",
        "test_a.py::test_param[a b]": "passed",
        "test_a.py::test_param[c::d]": "passed",
        "test_a.py::test_param[e[f]]": "passed",
        "test_a.py::TestUnit::test_ok": "passed",
        "test_a.py::TestUnit::test_bad": "failed",
        "test_a.py::TestUnit::test_expected": "xfailed",
        "test_a.py::TestUnit::test_skipped": "skipped",
    }


async def test_a_failure_has_its_frames_in_the_repository(tmp_path: Path) -> None:
    source = """
        import unittest
        from shop import price

        class TestPrice(unittest.TestCase):
            def test_coffee(self):
                self.assertEqual(price("coffee"), 4)
        """
    report = await run(tmp_path, {**SHOP, "tests/test_a.py": source})
    (result,) = report.results.values()
    assert (result.error_type, result.message) == ("KeyError", "'coffee'")
    assert (result.path, result.line) == ("tests/test_a.py", 5)
    assert result.frames == (
        Frame(path="tests/test_a.py", line=6, function="test_coffee"),
        Frame(path="shop.py", line=2, function="price"),
        Frame(path="shop.py", line=5, function="lookup"),
    )


async def test_a_file_that_cannot_be_collected_is_a_failing_test_of_its_own(tmp_path: Path) -> None:
    files = {
        **SHOP,
        "tests/test_a.py": "from shop import cost\n\ndef test_a(): pass\n",
        "tests/test_b.py": "def test_b(): pass\n",
        "tests/test_c.py": "def test_c(:\n",
    }
    report = await run(tmp_path, files)
    assert words(report) == {
        "test_a.py": "error",
        "test_c.py": "error",
        "test_b.py::test_b": "passed",
    }
    assert report.results[TestId("tests/test_a.py")].error_type == "ImportError"
    assert [error.path for error in report.collection_errors] == [
        "tests/test_a.py",
        "tests/test_c.py",
    ]
    assert "cannot import name 'cost'" in report.collection_errors[0].message
    assert "SyntaxError" in report.collection_errors[1].message


async def test_a_file_that_skips_itself_is_one_skipped_test(tmp_path: Path) -> None:
    files = {
        "test_a.py": "import pytest\npytest.importorskip('nonesuch')\ndef test_a(): pass\n",
        "test_b.py": "def test_b(): pass\n",
    }
    report = await run(tmp_path, files)
    assert words(report) == {"test_a.py": "skipped", "test_b.py::test_b": "passed"}


@pytest.mark.parametrize(
    "options",
    [
        "-x",
        "--maxfail=1",
        "--exitfirst",
        "--lf",
        "--ff",
        "--nf",
        "--sw",
        "--collect-only",
        "--setup-only",
        "--setup-plan",
        "-p no:cacheprovider",
        "-q -q",
        "-v --tb=no",
        "--junitxml=own.xml",
        "-s",
        "-W error",
        "--strict-markers",
        "--import-mode=importlib",
        "--durations=3",
        "-o junit_family=legacy",
        "--pdb",
        "--continue-on-collection-errors",
    ],
)
async def test_options_of_the_repository_do_not_spoil_the_measuring(
    options: str, tmp_path: Path
) -> None:
    files = {
        "pytest.ini": f"[pytest]\naddopts = {options}\n",
        "test_a.py": "def test_a(): assert 0\ndef test_b(): pass\ndef test_c(): assert 0\n",
    }
    report = await run(tmp_path, files)
    assert list(words(report).values()) == ["failed", "passed", "failed"]


async def test_coverage_options_do_not_spoil_the_measuring(tmp_path: Path) -> None:
    files = {
        **SHOP,
        "pytest.ini": "[pytest]\naddopts = --cov=shop --cov-fail-under=100 --cov-report=html\n",
        "test_a.py": "import shop\ndef test_a(): pass\n",
    }
    report = await run(tmp_path, files, command="python -m pytest -p pytest_cov")
    assert words(report) == {"test_a.py::test_a": "passed"}


@pytest.mark.parametrize("options", ["-n 2", "-n auto --dist loadfile", "-n 1 -x"])
async def test_tests_run_in_one_process_whatever_xdist_is_told(
    options: str, tmp_path: Path
) -> None:
    files = {
        "pytest.ini": f"[pytest]\naddopts = {options}\n",
        "test_a.py": """
            import os
            def test_a(): assert "PYTEST_XDIST_WORKER" not in os.environ
            def test_b(): assert 0
            """,
    }
    report = await run(tmp_path, files, command="python -m pytest -p xdist.plugin")
    assert words(report) == {"test_a.py::test_a": "passed", "test_a.py::test_b": "failed"}


async def test_tests_are_not_tried_again_until_they_pass(tmp_path: Path) -> None:
    files = {
        "pytest.ini": "[pytest]\naddopts = --reruns 3\n",
        "test_a.py": """
            tries = []
            def test_a():
                tries.append(1)
                assert len(tries) > 1
            """,
    }
    report = await run(tmp_path, files, command="python -m pytest -p pytest_rerunfailures")
    assert words(report) == {"test_a.py::test_a": "failed"}


async def test_a_selection_runs_in_its_own_order_and_nothing_else(tmp_path: Path) -> None:
    files = {
        "tests/test_a.py": "def test_1(): pass\ndef test_2(): pass\ndef test_3(): pass\n",
        "tests/test_b.py": "import nothing_of_the_kind\n",
    }
    ids = ("tests/test_a.py::test_3", "tests/test_a.py::test_1")
    report = await run(tmp_path, files, *ids)
    assert tuple(report.results) == ids


async def test_a_selected_file_runs_as_a_whole(tmp_path: Path) -> None:
    files = {
        "tests/test_a.py": "def test_1(): pass\ndef test_2(): pass\n",
        "tests/test_b.py": "def test_3(): pass\n",
    }
    by_id = await run(tmp_path, files, "tests/test_a.py", "tests/test_b.py::test_3")
    assert list(words(by_id)) == ["test_a.py::test_1", "test_a.py::test_2", "test_b.py::test_3"]
    by_file = await run(tmp_path, files, whole=("tests/test_b.py",))
    assert list(words(by_file)) == ["test_b.py::test_3"]
    both = await run(tmp_path, files, "tests/test_b.py::test_3", whole=("tests/test_a.py",))
    assert list(words(both)) == ["test_b.py::test_3", "test_a.py::test_1", "test_a.py::test_2"]


async def test_what_is_left_out_does_not_run(tmp_path: Path) -> None:
    files = {"test_a.py": "def test_1(): pass\ndef test_2(): assert 0\n"}
    report = await run(tmp_path, files, without=("test_a.py::test_2",))
    assert words(report) == {"test_a.py::test_1": "passed"}


async def test_an_id_that_does_not_exist_runs_nothing(tmp_path: Path) -> None:
    report = await run(tmp_path, {"test_a.py": "def test_1(): pass\n"}, "test_a.py::test_9")
    assert report == TestReport(results={}, plugins=report.plugins, altered=report.altered)


async def test_a_narrow_run_has_the_configuration_of_the_whole(tmp_path: Path) -> None:
    """A second configuration file beside the selected test would move pytest's root."""
    files = {
        "pytest.ini": "[pytest]\ntestpaths = pkg/tests\n",
        "pkg/tests/pytest.ini": "[pytest]\naddopts = --maxfail=9\n",
        "pkg/tests/test_a.py": """
            def test_1(request):
                assert request.config.rootpath.name == "tree"
            """,
    }
    whole = await run(tmp_path, files)
    narrow = await run(tmp_path, files, *whole.results)
    assert words(narrow) == {"test_a.py::test_1": "passed"}
    assert tuple(narrow.results) == tuple(whole.results)


async def test_the_user_s_command_decides_folder_path_and_variables(tmp_path: Path) -> None:
    source = """
        import os, sys
        def test_a():
            assert os.environ["STAGE"] == "test"
            assert os.path.basename(os.getcwd()) == "backend"
            assert sys.flags.bytes_warning == 1
        """
    files = {"backend/tests/test_a.py": source, "backend/tests/test_b.py": "def test_b(): pass\n"}
    command = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 STAGE=test python -b -m pytest -q tests/test_a.py"
    runner = a_runner(command)
    bench = a_bench(tmp_path / "repo", files, runner)
    from dataclasses import replace

    moved = replace(runner, command=replace(runner.command, directory="backend"))
    async with bench.open() as sandbox:
        report = await moved.run(sandbox, Selection(), wall_s=30)
    assert isinstance(report, TestReport)
    assert words(report) == {"test_a.py::test_a": "passed"}
    (result,) = report.results.values()
    assert (result.id, result.path) == ("tests/test_a.py::test_a", "backend/tests/test_a.py")


async def test_results_are_told_as_they_come(tmp_path: Path) -> None:
    bench = a_bench(
        tmp_path / "repo", {"test_a.py": "def test_1(): pass\ndef test_2(): assert 0\n"}
    )
    told: list[tuple[str, bool]] = []
    async with bench.open() as sandbox:
        await bench.runner.run(
            sandbox,
            Selection(),
            wall_s=30,
            on_result=lambda id_, passed: told.append((id_, passed)),
        )
    assert told == [("test_a.py::test_1", True), ("test_a.py::test_2", False)]


async def test_a_test_that_hangs_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    source = "def test_1(): pass\ndef test_2():\n    while True: pass\ndef test_3(): pass\n"
    outcome = await attempt(tmp_path, {"test_a.py": source}, wall_s=8.0)
    assert isinstance(outcome, NoReport)
    assert (outcome.hung, outcome.running) == (True, "test_a.py::test_2")
    assert list(outcome.finished) == ["test_a.py::test_1"]
    assert "test_a.py::test_2 did not end in time" in outcome.why


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("import sys\nsys.exit(0)\n", "internal error"),
        ("import os\nos._exit(0)\n", "ended early"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "signal 11"),
        ("def test_a():\n    raise KeyboardInterrupt\n", "interrupted"),
        ("import pytest\ndef test_a():\n    pytest.exit('enough', returncode=0)\n", "after 1 of 2"),
    ],
)
async def test_a_run_that_does_not_end_properly_has_no_report(
    source: str, word: str, tmp_path: Path
) -> None:
    outcome = await attempt(tmp_path, {"test_a.py": source, "test_b.py": "def test(): assert 0\n"})
    assert isinstance(outcome, NoReport)
    assert word in outcome.why
    assert not outcome.infrastructure


async def test_wrong_usage_says_what_pytest_says(tmp_path: Path) -> None:
    outcome = await attempt(tmp_path, {"pytest.ini": "[pytest]\naddopts = --no-such-option\n"})
    assert isinstance(outcome, NoReport)
    assert "wrong usage" in outcome.why
    assert "--no-such-option" in outcome.why + outcome.output


async def test_processes_that_tests_leave_behind_do_not_hold_the_run(tmp_path: Path) -> None:
    source = """
        import subprocess
        def test_a():
            subprocess.Popen(["sleep", "60"], start_new_session=True)
        """
    report = await run(tmp_path, {"test_a.py": source})
    assert words(report) == {"test_a.py::test_a": "passed"}


async def test_a_repository_may_close_descriptors_and_change_directory(tmp_path: Path) -> None:
    source = """
        import os
        def test_a(tmp_path, monkeypatch):
            os.chdir(tmp_path)
            os.close(1)
        def test_b():
            assert os.getcwd()
        """
    report = await run(tmp_path, {"test_a.py": source})
    assert set(words(report).values()) == {"passed"}


async def test_exceptions_that_cannot_be_printed_are_told_anyway(tmp_path: Path) -> None:
    source = """
        class Bad(Exception):
            def __str__(self): raise ValueError("no text")
        def test_a(): raise Bad
        def test_b(): raise ExceptionGroup("several", [ValueError(1)])
        """
    report = await run(tmp_path, {"test_a.py": source})
    assert {r.error_type for r in report.results.values()} == {"Bad", "ExceptionGroup"}
    assert "Bad whose text raises ValueError" in report.results[TestId("test_a.py::test_a")].message


async def test_a_repository_that_swallows_failures_is_found_out(tmp_path: Path) -> None:
    """What follows from it is decided by comparing candidate and base."""
    files = {
        "conftest.py": """
            import pytest
            @pytest.hookimpl(tryfirst=True)
            def pytest_pyfunc_call(pyfuncitem):
                return True
            """,
        "test_a.py": "def test_a(): assert 0\n",
    }
    report = await run(tmp_path, files)
    assert words(report) == {"test_a.py::test_a": "passed"}
    assert "what makes a failing test fail" in report.altered


async def test_tests_of_ours_change_nothing_for_the_repository(tmp_path: Path) -> None:
    source = """
        import unittest, pytest
        made = []
        @pytest.fixture(scope="module")
        def shared():
            made.append(1)
            return made
        def test_1(shared): assert len(shared) == 1
        class TestA:
            made = []
            @pytest.fixture(scope="class", autouse=True)
            def own(self): self.made.append(1)
            def test_2(self): assert len(self.made) == 1
            def test_3(self, shared): assert (len(self.made), len(shared)) == (1, 1)
        class TestB(unittest.TestCase):
            begun = 0
            @classmethod
            def setUpClass(cls): cls.begun += 1
            def test_4(self): assert self.begun == 1
            def test_5(self): assert self.begun == 1
        def test_6(shared): assert len(shared) == 1
        """
    report = await run(tmp_path, {"test_a.py": source})
    assert set(words(report).values()) == {"passed"}
    assert len(report.results) == 6


async def test_plugins_of_the_tree_are_named(tmp_path: Path) -> None:
    files = {
        "conftest.py": "pytest_plugins = ['shop_plugin']\n",
        "shop_plugin.py": "class P: pass\ndef pytest_configure(config):\n"
        "    config.pluginmanager.register(P(), 'p')\n",
        "test_a.py": "def test_a(): pass\n",
    }
    report = await run(tmp_path, files)
    assert report.plugins == ("conftest.py", "shop_plugin.py")


async def test_doctests_and_class_parameters_keep_their_names(tmp_path: Path) -> None:
    files = {
        "shop.py": '''
            def one():
                """
                >>> one()
                1
                """
                return 1
            ''',
        "pytest.ini": "[pytest]\naddopts = --doctest-modules\n",
    }
    report = await run(tmp_path, files)
    assert words(report) == {"shop.py::shop.one": "passed"}
    assert words(await run(tmp_path, files, *report.results)) == words(report)


def test_the_request_is_plain_json(tmp_path: Path) -> None:
    request = a_runner().request("/repo", Selection(ids=(TestId("a::b"),)), wall_s=3)
    assert json.loads(json.dumps(request)) == request
    assert Outcome("passed") is Outcome.PASSED


async def test_a_conftest_that_raises_is_named_with_its_error(tmp_path: Path) -> None:
    files = {
        "conftest.py": "raise RuntimeError('no database')\n",
        "test_a.py": "def test(): pass\n",
    }
    outcome = await attempt(tmp_path, files)
    assert isinstance(outcome, NoReport)
    assert "conftest.py cannot be loaded (RuntimeError: no database)" in outcome.why
