"""Runs tests with pytest, in a process that another process of ours watches over.

Unittest suites run under pytest too. Results come in two independent ways, the reporter's stream
and pytest's own JUnit file, which must agree with each other and with the exit status.
"""

import importlib.resources
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from agent.task import TestId
from agent.verify.bench import Selection
from agent.verify.junit import JUNIT_BYTES, Case, Unreadable, read_junit
from agent.verify.pytest_command import PytestCommand
from agent.verify.report import NoReport, Outcome, TestReport, TestResult
from agent.verify.stream import Listener, Told
from sandbox.base import TOOLS_DIR, Command, CommandLimits, Completed, Reason, Sandbox

INSIDE_DIR = f"{TOOLS_DIR}/verify"
JUNIT_PATH = f"{TOOLS_DIR}/junit.xml"
CACHE_DIR = f"{TOOLS_DIR}/pytest_cache"
GRACE_S = 15.0
"""Over the limit that the supervisor keeps, before the sandbox ends it from outside."""
_PYTHON_NEEDED = (
    "name an image that has python3 on its PATH, with pytest, "
    "or a test command with junit_path; `greenloop doctor` shows what is used now"
)
_PYTEST_NEEDED = (
    "name an image whose python3 has pytest, or install it where the project runs: "
    "python -m pip install pytest (it runs unittest suites too)"
)
_BAD = frozenset({Outcome.FAILED, Outcome.ERROR})
_CONFTEST = re.compile(r"^\w+ while loading conftest '(?P<path>[^']+)'", re.MULTILINE)
_SCRIPTS = (
    *("canary", "channel", "ear", "fingerprint", "plugin"),
    *("reporter", "session", "supervise", "warm"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PytestRunner:
    """Pytest of one interpreter, started the way the user starts it."""

    interpreter: str
    """Absolute path inside the sandbox, or a name that its PATH has."""
    command: PytestCommand = field(default_factory=PytestCommand)
    test_wall_s: float = 120.0
    """Upper bound for a single test, so that one that hangs is named within minutes."""

    @property
    def name(self) -> str:
        """`pytest`."""
        return "pytest"

    def identity(self) -> Mapping[str, str]:
        """What decides how tests are run, for receipts."""
        return {
            "runner": self.name,
            "argv": " ".join(pytest_argv(self)),
            "directory": self.command.directory or ".",
            "variables": " ".join(f"{k}={v}" for k, v in sorted(self.command.variables.items())),
        }

    async def run(
        self,
        sandbox: Sandbox,
        selection: Selection,
        *,
        wall_s: float,
        on_result: Callable[[TestId, bool], None] | None = None,
        on_slow: Callable[[TestId], None] | None = None,
    ) -> TestReport | NoReport:
        """Run the selection and return what both reports say, where they agree.

        Raises: SandboxError.
        """
        await sandbox.install(inside_files())
        secret = os.urandom(32)
        listener = Listener(secret, on_result, on_slow)
        request = self.request(sandbox.spec.workdir, selection, wall_s=wall_s)
        request["interpreter"] = [self.interpreter, *self.command.interpreter_options]
        request["secret"] = secret.hex()
        completed = await sandbox.run(
            Command(
                argv=(self.interpreter, "-I", "-S", "-B", f"{INSIDE_DIR}/greenloop_supervise.py"),
                cwd=self.directory(sandbox.spec.workdir),
                env=self.variables(),
                stdin=json.dumps(request).encode("ascii") + b"\n",
                limits=CommandLimits(wall_s=wall_s + GRACE_S, output_bytes=1024**3),
            ),
            on_output=listener.feed,
        )
        if early := _died(completed, listener):
            return early
        junit = await sandbox.read_file(JUNIT_PATH, limit_bytes=JUNIT_BYTES)
        return conclude(listener.told, junit)

    def request(self, root: str, selection: Selection, *, wall_s: float) -> dict[str, Any]:
        """Return what the scripts inside need to run this selection."""
        return {
            "root": root,
            "arguments": list(pytest_arguments(self.command)),
            "cwd_on_path": self.command.cwd_on_path,
            "select": {
                "ids": list(selection.ids),
                "files": list(selection.files),
                "leave_out": list(selection.leave_out),
            },
            "wall_s": wall_s,
            "test_s": min(self.test_wall_s, wall_s),
        }

    def directory(self, root: str) -> str:
        """Return the absolute path inside in which pytest is started."""
        return str(PurePosixPath(root) / self.command.directory)

    def variables(self) -> dict[str, str]:
        """Return what is added to the environment's variables for a run."""
        return {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            **self.command.variables,
        }


def pytest_argv(runner: PytestRunner, *more: str) -> tuple[str, ...]:
    """Return a command line that starts pytest as the runner does, without our reporter."""
    command = runner.command
    return (
        runner.interpreter,
        *command.interpreter_options,
        "-m",
        "pytest",
        *pytest_arguments(command),
        *more,
    )


def pytest_arguments(command: PytestCommand) -> tuple[str, ...]:
    """Return the user's arguments with ours after them, which win.

    The cache plugin stays, so that options of the repository that belong to it are known, but its
    folder lies outside the tree.
    """
    return (
        *_without_spoilers(command.arguments),
        f"--junitxml={JUNIT_PATH}",
        *("-o", "junit_family=xunit1"),
        *("-o", "junit_logging=no"),
        *("-o", f"cache_dir={CACHE_DIR}"),
    )


def _without_spoilers(arguments: Sequence[str]) -> Iterator[str]:
    """Leave out what would switch off the plugin that writes our second report."""
    words = iter(arguments)
    for word in words:
        if word == "-p":
            plugin = next(words, "")
            if plugin != "no:junitxml":
                yield from (word, plugin) if plugin else (word,)
        elif word != "-pno:junitxml":
            yield word


@cache
def inside_files() -> Mapping[str, bytes]:
    """Return the scripts that run inside, by their names below `TOOLS_DIR`."""
    folder = importlib.resources.files("agent.verify.inside")
    names = [f"greenloop_{script}.py" for script in _SCRIPTS]
    return {f"verify/{name}": (folder / name).read_bytes() for name in names}


def conclude(told: Told, junit: bytes | None) -> TestReport | NoReport:
    """Turn what a session told into a report, if it is whole and JUnit says the same.

    `junit` is the file's content; None: there is no such file.
    """
    if why := _incomplete(told):
        return _no_report(told, why)
    report = _report(told)
    if junit is None:
        return _no_report(told, "the run wrote no JUnit report; it did not end by itself")
    cases = read_junit(junit)
    if isinstance(cases, Unreadable):
        return _no_report(told, cases.why)
    if why := _canary_lost(told, cases) or _disagreement(told.results, _without(told, cases)):
        return _no_report(told, f"the JUnit report contradicts the run: {why}")
    return report


def conclude_stream(told: Told) -> TestReport | NoReport:
    """Turn what a session told into a report, without a second witness. For searching only."""
    why = _incomplete(told)
    return _no_report(told, why) if why else _report(told)


def _report(told: Told) -> TestReport:
    return TestReport(
        results=told.results,
        collection_errors=tuple(told.collection_errors),
        altered=told.altered,
        plugins=told.plugins,
    )


def _no_report(told: Told, why: str) -> NoReport:
    return NoReport(
        why=why,
        infrastructure=False,
        output=told.output,
        remedy=_PYTEST_NEEDED if told.no_pytest else "",
        running=told.running,
        hung=told.over in {"timeout", "test_timeout"},
        finished=told.results,
        altered=told.altered,
    )


def _died(completed: Completed, listener: Listener) -> NoReport | None:
    """Look whether the supervisor itself came to its end."""
    told = listener.told
    if completed.reason is Reason.ENGINE_LOST:
        return NoReport(why="the sandbox went away while tests ran", infrastructure=True)
    if listener.forged:
        return _no_report(told, f"the report was tampered with: {listener.forged}")
    if told.over:
        return None
    during = f" during {told.running}" if told.running else ""
    output = completed.tail or completed.head
    why = {
        Reason.OOM: f"the tests ran out of memory{during}",
        Reason.OUTPUT_CAP: f"the tests printed too much{during}",
        Reason.TIMEOUT: f"the tests did not end in time{during}",
    }.get(completed.reason, f"the run was ended from within{during}")
    if not told.ready:
        why = "no Python could be started in the sandbox"
    return NoReport(
        why=why,
        remedy="" if told.ready else _PYTHON_NEEDED,
        infrastructure=False,
        output=output.decode("utf-8", "replace"),
        running=told.running,
        hung=completed.reason is Reason.TIMEOUT,
        finished=told.results,
    )


def _incomplete(told: Told) -> str:
    """Return why the session did not come to its own end; empty when it did."""
    if told.no_pytest:
        return f"pytest cannot be imported in this environment: {told.no_pytest}"
    if told.over == "forged":
        return "something other than pytest wrote into the report"
    if told.over in {"timeout", "test_timeout"}:
        what = told.running or "collecting or ending the tests"
        return f"{what} did not end in time"
    if told.status is None or told.process_status != told.status:
        during = f" during {told.running}" if told.running else ""
        how = _ending(told.process_status)
        return f"the test process ended early{during} ({how}), without a complete report"
    if conftest := _CONFTEST.search(told.output):
        return f"{conftest['path']} cannot be loaded{_last_line(told.output)}"
    if told.status not in {0, 1, 5}:
        return f"pytest gave up: {_status_name(told.status)}{_last_line(told.output)}"
    if told.collected is None or len(told.begun) < told.collected:
        return f"pytest stopped after {len(told.begun)} of {told.collected or 0} tests"
    failing = any(result.is_failing for result in told.results.values()) or any(
        outcome in _BAD for outcome in told.canaries.values()
    )
    if failing != (told.status == 1):
        said = "failed" if told.status == 1 else "passed"
        return f"pytest's exit status says that tests {said}, its results say the opposite"
    return ""


def _canary_lost(told: Told, cases: tuple[Case, ...]) -> str:
    """Look whether a test of ours that failed is said there to have done anything else."""
    theirs = {(case.class_name, case.name): case.outcome for case in cases}
    for id_, outcome in told.canaries.items():
        if outcome in _BAD and theirs.get(junit_name(id_)) not in _BAD:
            return "a test that has to fail did not fail there"
    return ""


def _without(told: Told, cases: tuple[Case, ...]) -> tuple[Case, ...]:
    canaries = {junit_name(id_) for id_ in told.canaries}
    return tuple(case for case in cases if (case.class_name, case.name) not in canaries)


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _status_name(status: int) -> str:
    names = {2: "interrupted", 3: "internal error", 4: "wrong usage"}
    return names.get(status, f"exit status {status}")


def _last_line(output: str) -> str:
    errors = [
        line
        for line in output.splitlines()
        if line.startswith(("ERROR:", "E  ", "INTERNAL")) or ": error: " in line
    ]
    lines = errors or [line for line in output.splitlines() if line.strip(" =")]
    return f" ({lines[-1].removeprefix('E ').strip()[:300]})" if lines else ""


def _disagreement(results: Mapping[TestId, TestResult], cases: tuple[Case, ...]) -> str:
    """Compare by name where names match, else by counts; empty when both say the same.

    A test that fails and then fails again while it is taken down has two cases; several tests
    can have one name. So each name is judged by its worst.
    """
    ours: dict[tuple[str, str], bool] = {}
    for result in results.values():
        key = junit_name(result.id)
        ours[key] = ours.get(key, False) or result.is_failing
    theirs: dict[tuple[str, str], bool] = {}
    for case in cases:
        key = (case.class_name, case.name)
        bad = case.outcome in _BAD
        theirs[key] = theirs.get(key, False) or bad
    for key in sorted(ours.keys() & theirs.keys()):
        if ours[key] != theirs[key]:
            return f"{'::'.join(key)} {'fails' if theirs[key] else 'passes'} there"
    if len(ours.keys() - theirs.keys()) != len(theirs.keys() - ours.keys()):
        return f"{len(theirs)} tests there, {len(ours)} here"
    if Counter(ours.values()) != Counter(theirs.values()):
        return f"{sum(theirs.values())} failing tests there, {sum(ours.values())} here"
    return ""


def junit_name(id_: TestId) -> tuple[str, str]:
    """Return the class and name under which pytest lists a test in JUnit XML."""
    bare, bracket, parameters = id_.partition("[")
    path, *names = bare.split("::")
    module = path.replace("/", ".").removesuffix(".py")
    if not names:
        return "", module
    *classes, name = names
    return ".".join([module, *classes]), name + bracket + parameters
