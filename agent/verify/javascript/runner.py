"""Runs tests with node, jest, vitest or mocha, as the package starts them, with a report for us.

A selection is passed on as files: each starts as a whole, in a process or a context of its own,
and what else stands in it is left out of the result. A single file of node's runner that is asked
for by its tests runs without a process around it, which halves the time that a try takes. Nothing
is written into the tree by us; what the runners cache goes to the sandbox's own temporary folder.
"""

import importlib.resources
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from agent.task import RepoPath, TestId
from agent.verify.bench import Selection
from agent.verify.javascript.command import ScriptCommand, Tool
from agent.verify.javascript.results import Script, Useless, read_jest, read_lines
from agent.verify.javascript.stack import read_crash
from agent.verify.report import CollectionError, NoReport, Outcome, TestReport, TestResult
from sandbox.base import TOOLS_DIR, Command, CommandLimits, Completed, Reason, Sandbox

INSIDE_DIR: Final = f"{TOOLS_DIR}/verify"
REPORT: Final = f"{TOOLS_DIR}/script-report.json"
REPORT_BYTES: Final = 32 * 1024**2
_SCRIPTS: Final = (
    "greenloop_node_reporter.mjs",
    "greenloop_node_files.mjs",
    "greenloop_mocha_reporter.cjs",
    "greenloop_vitest.cjs",
)
_REPORTER: Final = (
    f"--test-reporter={INSIDE_DIR}/greenloop_node_reporter.mjs",
    f"--test-reporter-destination={REPORT}",
)
_PATTERN: Final = frozenset("*?[{")
SHARE_OF_FILE: Final = 0.8
"""Of the time for a run, after which node takes a single file to hang."""
_NOT_FOUND: Final = 127
_BUILD_FAILED: Final = 96
"""Exit code of ours for a step before the tests that fails; no runner uses it."""
_START: Final = f"""
rm -f {REPORT}
steps=$1
shift
while [ "$steps" -gt 0 ]; do
    sh -c "$1" || exit {_BUILD_FAILED}
    steps=$((steps - 1))
    shift
done
exec "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRunner:
    """A runner of JavaScript, started as a package says."""

    command: ScriptCommand

    @property
    def name(self) -> str:
        """`node`, `jest`, `vitest` or `mocha`."""
        return self.command.tool.value

    def identity(self) -> Mapping[str, str]:
        """What decides how tests are run, for receipts."""
        command = self.command
        return {
            "runner": self.name,
            "argv": " ".join(self.argv(".", ())),
            "before": " && ".join(command.before),
            "directory": command.directory or ".",
            "variables": " ".join(f"{k}={v}" for k, v in sorted(command.variables.items())),
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
        """Run the files of the selection; the report must have been written by this very run.

        Raises: SandboxError.
        """
        del on_slow  # told at the end
        await sandbox.install(inside_files())
        root = sandbox.spec.workdir
        wanted = _Wanted(selection)
        before = self.command.before
        files = wanted.files_below(self.command.directory)
        is_alone = self.command.tool is Tool.NODE and bool(selection.ids) and len(files) == 1
        argv = self._alone(files[0]) if is_alone else self.argv(self.folder(root), files)
        if self.command.tool is Tool.NODE and not is_alone:
            argv = _with_timeout(argv, wall_s)
        completed = await sandbox.run(
            Command(
                argv=("sh", "-c", _START, "sh", str(len(before)), *before, *argv),
                cwd=self.folder(root),
                env=self.variables(root, sandbox.spec.environment.variables),
                limits=CommandLimits(wall_s=wall_s),
            )
        )
        data = await sandbox.read_file(REPORT, limit_bytes=REPORT_BYTES)
        if is_alone and not data and completed.reason is Reason.EXITED:
            report: TestReport | NoReport = _of_script(next(iter(wanted.files)), completed, root)
        else:
            report = self._conclude(completed, data, root)
        if isinstance(report, NoReport):
            return report
        chosen = wanted.of(report)
        for result in chosen.results.values():
            if on_result:
                on_result(result.id, result.is_passing)
        return chosen

    def folder(self, root: str) -> str:
        """Return the absolute path inside in which the runner is started."""
        return str(PurePosixPath(root) / self.command.directory)

    def variables(self, root: str, known: Mapping[str, str]) -> dict[str, str]:
        """Return what is added to the environment's variables for a run."""
        folders = dict.fromkeys((self.folder(root), root))
        programs = [f"{folder}/node_modules/.bin" for folder in folders]
        settings = {"PATH": ":".join([*programs, known.get("PATH", "/usr/bin:/bin")])}
        if self.command.tool in {Tool.JEST, Tool.VITEST}:
            settings["CI"] = "true"  # without it they write snapshots that are missing
        return {**settings, "NO_COLOR": "1", "FORCE_COLOR": "0", **self.command.variables}

    def argv(self, folder: str, files: Sequence[str]) -> tuple[str, ...]:
        """Return the command line; no files: those that the package names, else what is found."""
        command = self.command
        wanted = tuple(files) or command.files
        options = command.arguments
        match command.tool:
            case Tool.NODE:
                return _node(options, wanted)
            case Tool.JEST:
                chosen = ("--runTestsByPath", *files) if files else command.files
                return (
                    *("jest", *options, "--json", f"--outputFile={REPORT}", "--ci"),
                    *("--testLocationInResults", "--coverage=false", "--watchman=false"),
                    *chosen,
                )
            case Tool.VITEST:
                whole = tuple(f"{folder}/{file}" for file in files) or command.files
                starter = ("node", f"{INSIDE_DIR}/greenloop_vitest.cjs", "run")
                return (
                    *(*starter, *options, "--reporter=json", f"--outputFile={REPORT}"),
                    *("--includeTaskLocation", "--coverage.enabled=false", *whole),
                )
            case Tool.MOCHA:
                reporter = f"{INSIDE_DIR}/greenloop_mocha_reporter.cjs"
                return (
                    *("mocha", *options, "--reporter", reporter),
                    *("--reporter-option", f"output={REPORT}", "--full-trace", "--no-parallel"),
                    *wanted,
                )

    def _alone(self, file: str) -> tuple[str, ...]:
        return ("node", *self.command.arguments, *_REPORTER, file)

    def _conclude(
        self, completed: Completed, data: bytes | None, root: str
    ) -> TestReport | NoReport:
        read = read_lines if self.command.tool in {Tool.NODE, Tool.MOCHA} else read_jest
        told = read(data, root) if data else None
        output = (completed.tail or completed.head).decode("utf-8", "replace")
        if completed.reason is not Reason.EXITED:
            return _ended(completed, told, output)
        if completed.exit_code == _NOT_FOUND and told is None:
            return self._missing(output)
        if completed.exit_code == _BUILD_FAILED and told is None:
            return _no_report("a step before the tests failed", output, root)
        if told is None:
            return _no_report(f"{self.name} wrote no report", output, root)
        if isinstance(told, Useless):
            return NoReport(why=told.why, infrastructure=False, output=output)
        if not told.is_whole:
            return _no_report(f"{self.name} stopped before its end", output, root)
        report = TestReport(results=told.results, collection_errors=told.collection_errors)
        if bool(completed.exit_code) != bool(report.failing) and told.results:
            has = "a failing test" if report.failing else "no failing test"
            why = f"{self.name} ended with {completed.exit_code}, its report has {has}"
            return _no_report(why, output, root)
        return report

    def _missing(self, output: str) -> NoReport:
        if self.command.tool is Tool.NODE:
            why, remedy = "there is no node in this environment", "install Node.js, 20 or newer"
        else:
            why = f"{self.name} is not installed in this repository"
            remedy = "npm install (or what the project uses), then run this again"
        return NoReport(why=why, infrastructure=False, output=output, remedy=remedy)


def _node(options: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    arguments = (*options, "--test", *_REPORTER)
    if any(not _PATTERN.isdisjoint(one) for one in wanted):
        starter = f"{INSIDE_DIR}/greenloop_node_files.mjs"
        return ("node", starter, *arguments, "--", *wanted)
    return ("node", *arguments, *wanted)


def _with_timeout(argv: tuple[str, ...], wall_s: float) -> tuple[str, ...]:
    """Let node end a file that does not end, so that it is known which one it was."""
    place = argv.index("--test")
    limit = f"--test-timeout={max(1, round(SHARE_OF_FILE * wall_s * 1000))}"
    return (*argv[:place], limit, *argv[place:])


def _of_script(file: RepoPath, completed: Completed, root: str) -> TestReport:
    """Return how a file ended in which no test began: it has none, or it cannot be loaded."""
    if completed.exit_code == 0:
        passed = TestResult(
            id=TestId(file), outcome=Outcome.PASSED, duration_s=completed.wall_s, path=file
        )
        return TestReport(results={passed.id: passed})
    thrown = read_crash((completed.tail or completed.head).decode("utf-8", "replace"), root)
    failed = TestResult(
        id=TestId(file),
        outcome=Outcome.ERROR,
        duration_s=completed.wall_s,
        message=thrown.message,
        error_type=thrown.type,
        frames=thrown.frames,
        path=file,
    )
    error = CollectionError(path=file, message=thrown.message)
    return TestReport(results={failed.id: failed}, collection_errors=(error,))


def _ended(completed: Completed, told: Script | Useless | None, output: str) -> NoReport:
    script = told if isinstance(told, Script) else Script()
    during = f" during {script.running}" if script.running else ""
    why = {
        Reason.OOM: f"the tests ran out of memory{during}",
        Reason.OUTPUT_CAP: f"the tests printed too much{during}",
        Reason.TIMEOUT: f"the tests did not end in time{during}",
        Reason.ENGINE_LOST: "the sandbox went away while tests ran",
    }.get(completed.reason, f"the run was ended{during}: {completed.reason.value}")
    return NoReport(
        why=why,
        infrastructure=completed.reason is Reason.ENGINE_LOST,
        output=output,
        running=script.running,
        hung=completed.reason is Reason.TIMEOUT,
        finished=script.results,
    )


def _no_report(why: str, output: str, root: str) -> NoReport:
    said = read_crash(output, root)
    text = f"{said.type}: {said.message}" if said.type else said.message
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return NoReport(
        why=f"{why} ({first[:300]})" if first else why, infrastructure=False, output=output
    )


class _Wanted:
    """What a selection asks for, of files that run as a whole."""

    def __init__(self, selection: Selection) -> None:
        self._left_out = frozenset(selection.leave_out)
        self._ids: frozenset[str] = frozenset(selection.ids)
        self._files = frozenset(selection.files)
        of_ids = (RepoPath(id_.partition("::")[0]) for id_ in selection.ids)
        self._all = dict.fromkeys((*of_ids, *selection.files))

    @property
    def files(self) -> tuple[RepoPath, ...]:
        """Every file that has to run; none: all of the repository."""
        return tuple(self._all)

    def files_below(self, directory: str) -> tuple[str, ...]:
        """Return the files to start, from the folder in which the runner is."""
        prefix = f"{directory}/" if directory else ""
        return tuple(path.removeprefix(prefix) for path in self._all if path)

    def of(self, report: TestReport) -> TestReport:
        """Return the report without what was not asked for."""
        results = {
            id_: result
            for id_, result in report.results.items()
            if id_ not in self._left_out and (not self._all or self._is_asked_for(id_, result.path))
        }
        return TestReport(results=results, collection_errors=report.collection_errors)

    def _is_asked_for(self, id_: TestId, path: RepoPath) -> bool:
        if path in self._files or id_ in self._ids or path in self._ids:
            return True
        names = id_.split("::")
        return any("::".join(names[:end]) in self._ids for end in range(1, len(names)))


@cache
def inside_files() -> Mapping[str, bytes]:
    """Return the scripts that run inside, by their names below `TOOLS_DIR`."""
    folder = importlib.resources.files("agent.verify.inside")
    return {f"verify/{name}": (folder / name).read_bytes() for name in _SCRIPTS}
