"""How a package's tests are chosen, started and concluded."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import TaskError
from agent.task import RepoPath, TestId
from agent.verify.bench import Selection
from agent.verify.javascript.command import ScriptCommand, Tool
from agent.verify.javascript.runner import REPORT, ScriptRunner
from agent.verify.pytest_runner import PytestRunner
from agent.verify.report import NoReport, Outcome, TestReport
from agent.verify.runners import choose_runner, needed_module
from sandbox.base import Command, Completed, Reason, SandboxSpec
from tests.support.reports import a_folder_base
from tests.support.verify import an_environment

ENVIRONMENT = replace(an_environment(), interpreter=None)
JEST = {"scripts": {"test": "jest"}}


def a_package(folder: Path, manifest: object = JEST, **files: str) -> Path:
    (folder / "package.json").write_text(json.dumps(manifest))
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_the_manifest_decides_without_a_command(tmp_path: Path) -> None:
    base = a_folder_base(a_package(tmp_path))
    runner = choose_runner(base, ENVIRONMENT, test_command=None, junit_path=None)
    assert runner == ScriptRunner(command=ScriptCommand(tool=Tool.JEST))
    assert needed_module(tmp_path, None) == "node"


def test_a_project_of_python_stays_one(tmp_path: Path) -> None:
    a_package(tmp_path, pyproject__toml="")
    environment = replace(ENVIRONMENT, interpreter="/env/python")
    base = a_folder_base(tmp_path)
    runner = choose_runner(base, environment, test_command=None, junit_path=None)
    assert isinstance(runner, PytestRunner)
    assert needed_module(tmp_path, None) == "pytest"


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("npx vitest run", "node"),
        ("npm test", "node"),
        ("python -m pytest", "pytest"),
        ("make check", "unittest"),
        (None, "node"),
        (" ", "node"),
    ],
)
def test_the_command_says_what_the_environment_needs(
    command: str | None, module: str, tmp_path: Path
) -> None:
    assert needed_module(a_package(tmp_path), command) == module
    assert needed_module(None, command) in {module, "pytest", "unittest"}


def test_a_command_of_the_package_is_looked_up(tmp_path: Path) -> None:
    base = a_folder_base(a_package(tmp_path))
    runner = choose_runner(base, ENVIRONMENT, test_command="npm test -- -w 2", junit_path=None)
    assert isinstance(runner, ScriptRunner)
    assert runner.name == "jest"


def test_a_package_that_does_not_say_how_is_told_what_is_understood(tmp_path: Path) -> None:
    base = a_folder_base(a_package(tmp_path, {"scripts": {"test": "gulp"}}))
    with pytest.raises(TaskError) as caught:
        choose_runner(base, ENVIRONMENT, test_command=None, junit_path=None)
    assert "--test-command" in caught.value.remedy


@pytest.mark.parametrize(
    ("tool", "begin", "end"),
    [
        (Tool.NODE, ("node", "-C", "x", "--test"), ("a.js",)),
        (Tool.JEST, ("jest", "-C", "x", "--json"), ("--runTestsByPath", "a.js")),
        (Tool.VITEST, ("node",), ("/repo/a.js",)),
        (Tool.MOCHA, ("mocha", "-C", "x", "--reporter"), ("a.js",)),
    ],
)
def test_files_are_passed_on(tool: Tool, begin: tuple[str, ...], end: tuple[str, ...]) -> None:
    runner = ScriptRunner(command=ScriptCommand(tool=tool, arguments=("-C", "x"), files=("t",)))
    argv = runner.argv("/repo", ("a.js",))
    assert argv[: len(begin)] == begin
    assert argv[-len(end) :] == end
    assert "t" not in argv
    assert runner.argv("/repo", ())[-1] == "t"


def test_patterns_are_read_for_node_which_does_not() -> None:
    runner = ScriptRunner(command=ScriptCommand(tool=Tool.NODE, files=("test/**/*.js",)))
    argv = runner.argv("/repo", ())
    assert argv[1].endswith("greenloop_node_files.mjs")
    assert argv[-2:] == ("--", "test/**/*.js")


def test_identity_tells_how_tests_are_run() -> None:
    command = ScriptCommand(tool=Tool.MOCHA, before=("tsc",), variables={"A": "1"}, directory="x")
    identity = ScriptRunner(command=command).identity()
    assert identity["runner"] == "mocha"
    assert (identity["before"], identity["directory"], identity["variables"]) == ("tsc", "x", "A=1")


class Played:
    """A sandbox that answers as it is told."""

    def __init__(self, completed: Completed, report: bytes | None) -> None:
        self.spec = SandboxSpec(environment=ENVIRONMENT, workdir="/repo")
        self.commands: list[Command] = []
        self._completed = completed
        self._report = report

    async def install(self, files: dict[str, bytes]) -> None:
        assert all(name.startswith("verify/greenloop_") for name in files)

    async def run(self, command: Command) -> Completed:
        self.commands.append(command)
        return self._completed

    async def read_file(self, path: str, *, limit_bytes: int) -> bytes | None:
        assert path == REPORT
        assert limit_bytes
        return self._report


def completed(code: int | None, output: str = "", reason: Reason = Reason.EXITED) -> Completed:
    data = output.encode()
    return Completed(
        exit_code=code, head=data, tail=b"", output_bytes=len(data), wall_s=1.0, reason=reason
    )


def told(*outcomes: tuple[str, str], over: bool = True) -> bytes:
    file = "/repo/test/a.js"
    records = [{"at": "end", "file": file, "names": [n], "outcome": o} for n, o in outcomes]
    records += [{"at": "over"}] if over else []
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


async def ran(
    done: Completed,
    report: bytes | None,
    selection: Selection | None = None,
    tool: Tool = Tool.MOCHA,
) -> TestReport | NoReport:
    runner = ScriptRunner(command=ScriptCommand(tool=tool, before=("npm run x",)))
    return await runner.run(Played(done, report), selection or Selection(), wall_s=5)


async def test_a_selection_leaves_out_what_else_stands_in_its_files() -> None:
    report = told(("a", "passed"), ("b", "failed"))
    ids = Selection(ids=(TestId("test/a.js::a"),))
    found = await ran(completed(1), report, ids)
    assert isinstance(found, TestReport)
    assert list(found.results) == ["test/a.js::a"]
    for whole in (
        Selection(),
        Selection(files=(RepoPath("test/a.js"),)),
        Selection(ids=(TestId("test/a.js"),)),
    ):
        found = await ran(completed(1), report, whole)
        assert isinstance(found, TestReport)
        assert len(found.results) == 2
    left = Selection(leave_out=(TestId("test/a.js::b"),))
    found = await ran(completed(1), report, left)
    assert isinstance(found, TestReport)
    assert list(found.results) == ["test/a.js::a"]


@pytest.mark.parametrize(
    ("done", "report", "word"),
    [
        (completed(0), told(("a", "failed")), "a failing test"),
        (completed(1), told(("a", "passed")), "no failing test"),
        (completed(1, "TypeError: boo\n    at x"), None, "wrote no report (TypeError: boo)"),
        (completed(1), told(("a", "passed"), over=False), "stopped before its end"),
        (completed(1), b"nonsense", "not readable"),
        (completed(127, "sh: mocha: not found"), None, "not installed"),
        (completed(96, "error TS2322"), None, "a step before the tests failed"),
        (completed(None, reason=Reason.OOM), None, "out of memory"),
        (completed(None, reason=Reason.TIMEOUT), told(("a", "passed")), "did not end in time"),
        (completed(None, reason=Reason.OUTPUT_CAP), None, "printed too much"),
        (completed(None, reason=Reason.ENGINE_LOST), None, "went away"),
    ],
)
async def test_a_run_that_cannot_be_believed_is_none(
    done: Completed, report: bytes | None, word: str
) -> None:
    found = await ran(done, report)
    assert isinstance(found, NoReport)
    assert word in found.why
    assert found.infrastructure is (done.reason is Reason.ENGINE_LOST)
    assert found.hung is (done.reason is Reason.TIMEOUT)


@pytest.mark.parametrize(
    ("code", "output", "outcome"),
    [
        (0, "", Outcome.PASSED),
        (1, "ReferenceError: x is not defined\n    at /repo/src/a.js:1:1", Outcome.ERROR),
    ],
)
async def test_a_file_without_tests_is_one_test(code: int, output: str, outcome: Outcome) -> None:
    ids = Selection(ids=(TestId("test/a.js"),))
    found = await ran(completed(code, output), None, ids, Tool.NODE)
    assert isinstance(found, TestReport)
    assert found.outcome(TestId("test/a.js")) is outcome


async def test_results_are_told_one_by_one() -> None:
    seen: list[tuple[str, bool]] = []
    runner = ScriptRunner(command=ScriptCommand(tool=Tool.NODE))
    sandbox = Played(completed(1), told(("a", "passed"), ("b", "failed")))
    await runner.run(
        sandbox, Selection(), wall_s=5, on_result=lambda id_, good: seen.append((id_, good))
    )
    assert seen == [("test/a.js::a", True), ("test/a.js::b", False)]
    assert sandbox.commands[0].cwd == "/repo"
    assert sandbox.commands[0].env["PATH"].startswith("/repo/node_modules/.bin:")
